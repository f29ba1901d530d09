//! Another player than ours: asciinema, the latest that PyPI has.

use std::path::Path;
use std::process::{Command, Stdio};

use elevate_tests::target_dir;

use super::*;

fn asciinema(home: &Path, words: &[&str], file: &Path) -> std::process::Output {
    let installed = elevate_tests::asciinema();
    assert!(installed.exists(), "`cargo xtask test` installs asciinema");
    let mut command = Command::new("setsid");
    command
        .args(["--wait", "python3", "-m", "asciinema"])
        .args(words)
        .arg(file);
    command
        .env("PYTHONPATH", installed)
        .env("HOME", home)
        .env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null()).output().expect("asciinema")
}

#[test]
fn the_asciinema_of_pypi_plays_our_recordings() {
    let machine = MACHINE.get();
    let pia = member(&machine, "pia", "operator");
    let script = "printf \"\\033[31mred\\033[0m \\342\\202\\254\\n\"; /bin/echo \\\"quoted\\\"";
    let mut terminal = pia.terminal(&format!("elevate sh -c '{script}'"));
    assert_eq!(terminal.wait(), 0);
    let id = ended(&pia);
    let auditor = member(&machine, "asa", "auditor");
    let exported = auditor
        .run(&format!("elevatectl sessions export --v2 {id}"))
        .success();
    let home = target_dir().join(format!("tmp/asciinema-{}", std::process::id()));
    std::fs::create_dir_all(&home).expect("a folder");
    let file = home.join("session.cast");
    std::fs::write(&file, &exported.stdout).expect("a file");
    for words in [&["cat"][..], &["play", "--speed", "100"]] {
        let played = asciinema(&home, words, &file);
        let shown = String::from_utf8_lossy(&played.stdout);
        assert!(played.status.success(), "{played:?}");
        assert_eq!(shown, "\x1b[31mred\x1b[0m €\r\n\"quoted\"\r\n", "{words:?}");
    }
    std::fs::remove_dir_all(&home).expect("a folder that can be removed");
}
