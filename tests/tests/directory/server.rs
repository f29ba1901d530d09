//! Which servers are believed, and by whom records may be handed over.

use crate::{MACHINE, PATIENCE, is_known, machine, settings, systemctl, until_state};
use elevate_tests::{DirectoryServer, Machine};

fn follow(machine: &Machine, settings: &str) {
    machine.write("/etc/elevate/directory.toml", settings, 0o644);
    systemctl(machine, &["restart", "elevate-directory"]);
}

#[test]
fn a_server_without_a_believed_certificate_is_told_nothing() {
    let machine = machine("directory-tls");
    until_state(&machine, "connected", PATIENCE);
    let other = DirectoryServer::OTHER_CA_FILE;
    follow(
        &machine,
        &settings().replace(DirectoryServer::CA_FILE, other),
    );
    until_state(&machine, "disconnected", PATIENCE);
    let wrong_name = settings().replace("ldap://localhost", "ldap://127.0.0.1");
    follow(&machine, &wrong_name);
    until_state(&machine, "disconnected", PATIENCE);
    // Whom the cache has is still there.
    assert!(is_known(&machine, "alice"));
    follow(&machine, &settings());
    until_state(&machine, "connected", PATIENCE);
}

#[test]
fn the_password_of_the_directory_is_in_no_journal() {
    let machine = MACHINE.get();
    let journal = machine.run(&["journalctl", "--no-pager", "-o", "export"]);
    assert!(!journal.text().contains(DirectoryServer::PASSWORD));
}

#[test]
fn only_the_directorys_own_user_hands_over_records() {
    let machine = MACHINE.get();
    let socket = "/run/elevate/directory.sock";
    let mode = machine
        .run(&["stat", "-c", "%a %U", socket])
        .success()
        .text();
    assert_eq!(mode, "600 elevate-directory");
    // Root opens every socket, and is no directory.
    let call = r#"
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect("/run/elevate/directory.sock")
try:
    s.sendall(b'{"method":"org.elevate.Directory.Begin","parameters":{"source":"x"}}\0')
    answer = s.recv(4096)
except OSError:
    # Hung up on, before or after it was said.
    answer = b""
sys.exit(0 if b'"parameters"' not in answer or b'"error"' in answer else 1)
"#;
    machine.run(&["python3", "-c", call]).success();
    assert!(is_known(&machine, "alice"));
}

#[test]
fn the_daemon_of_the_directory_is_held_tight() {
    let machine = MACHINE.get();
    let user = machine.run(&["systemctl", "show", "-P", "User", "elevate-directory"]);
    assert_eq!(user.success().text(), "elevate-directory");
    let said = machine.run(&[
        "systemd-analyze",
        "security",
        "--no-pager",
        "elevate-directory",
    ]);
    let said = said.text();
    let exposure = said
        .lines()
        .find_map(|line| line.split("elevate-directory.service: ").nth(1))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f32>().ok())
        .unwrap_or_else(|| panic!("no exposure level in {said}"));
    assert!(exposure <= 1.5, "{exposure}");
}
