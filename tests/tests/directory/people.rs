//! Who of the directory is on the host, and as what.

use crate::{AT_ONCE, MACHINE, is_known, machine, systemctl, until_known, until_unknown};

#[test]
fn people_whom_a_role_admits_are_on_a_host_whose_own_files_know_none_of_them() {
    let machine = MACHINE.get();
    let passwd = String::from_utf8(machine.read("/etc/passwd")).unwrap();
    assert!(!passwd.contains("alice"), "{passwd}");
    let entry = machine.run(&["getent", "passwd", "alice"]).success().text();
    assert!(entry.starts_with("alice:x:5001:6000:"), "{entry}");
    let id = machine.run(&["id", "alice"]).success().text();
    for group in ["6000(people)", "(dba)", "(oncall)"] {
        assert!(id.contains(group), "{id}");
    }
    let records = machine.run(&["ls", "-ln", "/run/userdb"]).success().text();
    assert!(records.contains("alice.user"), "{records}");
}

#[test]
fn people_whom_no_role_admits_here_are_not() {
    let machine = MACHINE.get();
    // frank has no role at all, eve one that admits her elsewhere.
    for name in ["frank", "eve"] {
        assert!(!is_known(&machine, name), "{name}");
        let shadow = format!("/run/userdb/{name}.user");
        assert!(!machine.has(&shadow));
    }
}

#[test]
fn keys_come_from_the_directory_and_are_roots_alone_to_read() {
    let machine = MACHINE.get();
    let key = String::from_utf8(machine.read("/root/.ssh/id_ed25519.pub")).unwrap();
    let key = key.split(' ').nth(1).unwrap().to_owned();
    let keys = machine.run(&["userdbctl", "ssh-authorized-keys", "alice"]);
    assert!(keys.success().text().contains(&key));
    let open = machine.run(&["cat", "/run/userdb/alice.user"]).success();
    assert!(!open.text().contains(&key), "{}", open.text());
    let mode = machine.run(&["stat", "-c", "%a", "/run/userdb/alice.user-privileged"]);
    assert_eq!(mode.success().text(), "600");
    let alice = machine.login("alice");
    assert_eq!(alice.run("id -un").success().text(), "alice");
    assert!(alice.run("cat /run/userdb/alice.user-privileged").status != 0);
    let loginuid = alice.run("cat /proc/self/loginuid").success().text();
    assert_eq!(loginuid, "5001");
}

#[test]
fn a_rule_knows_people_by_attribute_and_by_group() {
    let machine = MACHINE.get();
    for name in ["alice", "carol"] {
        let login = machine.login(name);
        assert_eq!(login.run("elevate id -u").success().text(), "0");
    }
}

#[test]
fn a_new_group_or_department_counts_at_once() {
    let machine = MACHINE.get();
    let server = machine.directory_server();
    server.person("mover", "nowhere", &[]);
    assert!(!is_known(&machine, "mover"));
    server.join("mover", "oncall");
    let known = || is_known(&machine, "mover").then_some(());
    machine.poll("mover is on the machine", AT_ONCE, known);
    let joined = machine.event("identity-changed", &[("ELEVATE_USER", "mover")]);
    assert!(joined.is("ELEVATE_OUTCOME", "joiner"), "{joined:?}");
    let mover = machine.login("mover");
    mover.run("elevate id").success();
    server.leave("mover", "oncall");
    until_unknown(&machine, "mover");
    server.replace("mover", "department", &["dba"]);
    until_known(&machine, "mover");
}

#[test]
fn a_change_of_roles_counts_at_once_and_ends_who_is_admitted_no_more() {
    let machine = machine("directory-roles");
    machine.directory_server().person("auditor", "books", &[]);
    assert!(!is_known(&machine, "auditor"));
    let role = "[role.books]\nmembers = [\"attr:department=books\"]\n";
    machine.write("/etc/elevate/policy.d/books.toml", role, 0o644);
    until_known(&machine, "auditor");
    let login = machine.login("auditor");
    machine
        .run(&["rm", "/etc/elevate/policy.d/books.toml"])
        .success();
    until_unknown(&machine, "auditor");
    login.wait_until_ended(AT_ONCE);
    machine.event("leave", &[("ELEVATE_USER", "auditor")]);
}

#[test]
fn the_records_outlive_a_restart_of_either_daemon_and_are_not_fetched_again() {
    let machine = machine("directory-restart");
    systemctl(&machine, &["restart", "elevated"]);
    assert!(is_known(&machine, "alice"));
    machine.login("alice").run("elevate id").success();
    systemctl(&machine, &["restart", "elevate-directory"]);
    machine.directory_server().person("later", "dba", &[]);
    until_known(&machine, "later");
    let unit = ["journalctl", "-u", "elevate-directory", "-o", "cat"];
    let log = machine.run(&unit).success().text();
    let read = |what: &str| log.lines().filter(|line| line.ends_with(what)).count();
    assert_eq!(read(", everything"), 1, "{log}");
    assert!(read(", from the stored cursor on") >= 2, "{log}");
}

#[test]
fn root_orders_everything_to_be_fetched_again() {
    let machine = MACHINE.get();
    machine.run(&["elevatectl", "directory", "sync"]).success();
    assert!(is_known(&machine, "alice"));
    let alice = machine.login("alice");
    let refused = alice.run("elevatectl directory sync");
    assert_eq!(refused.status, 1, "{}", refused.describe());
}
