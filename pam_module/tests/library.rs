//! What the shared library brings into other people's processes.

use std::path::PathBuf;
use std::process::Command;

/// The cargo that runs this test, in the workspace.
fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .args(arguments)
        .args(["--offline", "--locked", "--package", "pam-elevate"])
        .current_dir(env!("CARGO_MANIFEST_DIR")))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The library, built as the profile of these tests has it.
fn library() -> PathBuf {
    let messages = cargo(&["build", "--lib", "--message-format", "json"]);
    let built = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let files = message["filenames"].as_array()?;
        let mut files = files.iter().filter_map(|file| file.as_str());
        files
            .find(|file| file.ends_with("libpam_elevate.so"))
            .map(PathBuf::from)
    });
    built.expect("cargo names the library that it built")
}

#[test]
fn it_carries_no_bus_no_runtime_and_none_of_the_daemon() {
    let tree = cargo(&["tree", "--edges", "normal", "--prefix", "none"]);
    let names: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(names.contains(&"elevate-protocol"), "{tree}");
    for name in [
        "zbus",
        "tokio",
        "async-io",
        "elevated",
        "elevate-policy",
        "rusqlite",
    ] {
        assert!(!names.contains(&name), "{name} is in it:\n{tree}");
    }
}

#[test]
fn it_exports_what_libpam_calls_and_nothing_else() {
    let symbols = run(Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(library()));
    let mut names: Vec<&str> = symbols
        .lines()
        .filter_map(|line| line.split(' ').next_back())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "pam_sm_acct_mgmt",
            "pam_sm_authenticate",
            "pam_sm_chauthtok",
            "pam_sm_close_session",
            "pam_sm_open_session",
            "pam_sm_setcred",
        ]
    );
}

#[test]
fn it_starts_no_thread_or_process_and_handles_no_signal() {
    let symbols = run(Command::new("nm")
        .args(["-D", "--undefined-only"])
        .arg(library()));
    for name in [
        "pthread_create",
        "fork",
        "vfork",
        "execve",
        "posix_spawn",
        "posix_spawnp",
        "sigaction",
        "signal",
        "setenv",
        "putenv",
        "unsetenv",
    ] {
        let imported = |line: &str| {
            let symbol = line.split(' ').next_back().unwrap_or_default();
            symbol.split('@').next() == Some(name)
        };
        assert!(!symbols.lines().any(imported), "it calls {name}");
    }
}
