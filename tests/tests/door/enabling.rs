//! `elevatectl login enable` and `disable`: one file, and nothing else.

use elevate_tests::{Machine, Spec};

const SSHD: &str = "/etc/pam.d/sshd";

/// Every PAM file with its owner, mode and contents.
fn files(machine: &Machine) -> Vec<String> {
    let list = "stat -c '%n %U:%G %a' /etc/pam.d/* /etc/pam.conf; sha256sum /etc/pam.d/*";
    let listed = machine.run(&["sh", "-euc", list]).success();
    listed.text().lines().map(str::to_owned).collect()
}

fn elevatectl(machine: &Machine, arguments: &[&str]) -> String {
    let argv = [&["elevatectl", "login"], arguments].concat();
    machine.run(&argv).success().text()
}

#[test]
fn one_services_file_changes_and_is_restored_byte_for_byte() {
    let machine = Machine::boot(Spec::new("enabling")).unwrap();
    for service in ["sshd", "login", "su"] {
        let before = files(&machine);
        elevatectl(&machine, &["enable", service]);
        let after = files(&machine);
        let changed: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        let [one] = changed[..] else {
            panic!("{service}: {changed:?}");
        };
        assert!(one.ends_with(&format!("/etc/pam.d/{service}")), "{one}");
        assert_eq!(before.len(), after.len(), "no file is left beside it");
        let status = elevatectl(&machine, &["status", service, "--json"]);
        assert!(status.contains("\"enabled\""), "{status}");

        elevatectl(&machine, &["enable", service]);
        assert_eq!(
            files(&machine),
            after,
            "{service}: enabling again changes nothing"
        );
        elevatectl(&machine, &["disable", service]);
        assert_eq!(files(&machine), before, "{service}");
    }
}

#[test]
fn an_administrators_own_change_meanwhile_stays() {
    let machine = Machine::boot(Spec::new("own-change")).unwrap();
    let before = machine.read(SSHD);
    elevatectl(&machine, &["enable", "sshd"]);
    let edit = [
        "sed",
        "--in-place",
        "1i # The site's own line, before\n$a # and behind",
        SSHD,
    ];
    machine.run(&edit).success();
    elevatectl(&machine, &["disable", "sshd"]);
    let wanted = [
        "# The site's own line, before\n".as_bytes(),
        &before,
        "# and behind\n".as_bytes(),
    ];
    assert_eq!(
        String::from_utf8_lossy(&machine.read(SSHD)),
        String::from_utf8_lossy(&wanted.concat())
    );
    assert_eq!(
        elevatectl(&machine, &["disable", "sshd"]),
        "sshd is not enabled."
    );
}

#[test]
fn only_root_enables_a_service_and_only_one_that_is_there() {
    let machine = Machine::boot(Spec::new("not-enabling")).unwrap();
    let before = files(&machine);
    machine.user("una");
    let una = machine.login("una");
    for verb in ["enable sshd", "disable sshd", "status sshd"] {
        let refused = una.run(&format!("elevatectl login {verb}")).status(1);
        assert!(refused.errors().contains("only root"), "{refused:?}");
    }
    for service in ["nosuchservice", "../passwd", "common-auth", ""] {
        let refused = machine.run(&["elevatectl", "login", "enable", service]);
        assert_ne!(refused.status, 0, "{service}: {refused:?}");
    }
    for rescue in ["root", "root@pts/0", "@tty1", "root@tty1 nullok"] {
        let argv = ["elevatectl", "login", "enable", "login", "--rescue", rescue];
        machine.run(&argv).status(2);
    }
    assert_eq!(files(&machine), before);
}

/// Nobody is locked out by a daemon that isn't there.
#[test]
fn what_would_refuse_everybody_is_not_enabled_unless_forced() {
    let machine = Machine::boot(Spec::new("enable-down")).unwrap();
    super::stop(&machine);
    let before = files(&machine);
    let refused = machine
        .run(&["elevatectl", "login", "enable", "sshd"])
        .status(1);
    assert!(refused.errors().contains("--force"), "{refused:?}");
    assert_eq!(files(&machine), before);
    elevatectl(&machine, &["enable", "sshd", "--force"]);
    assert_ne!(files(&machine), before);
    elevatectl(&machine, &["disable", "--all"]);
    assert_eq!(files(&machine), before);
}
