//! Removing a package, alone and with the others.

use elevate_tests::{Machine, Spec};

use crate::{PATIENCE, at_work, debs, dpkg, everything_is_up, until_at_ease, until_known};

fn read(machine: &Machine, path: &str) -> String {
    String::from_utf8(machine.read(path)).unwrap()
}

/// A PAM file that names a module which is gone would refuse everybody.
#[test]
fn whoever_removes_the_module_locks_nobody_out() {
    let machine = Machine::boot(Spec::new("module").prepared(at_work)).unwrap();
    let sshd = read(&machine, "/var/lib/elevate/pam/sshd.orig");
    let su = read(&machine, "/etc/pam.d/su");
    machine
        .run(&["elevatectl", "login", "enable", "su"])
        .success();
    assert!(machine.ssh("local").refused(&["000000"]).status == 255);

    dpkg(&machine, &["--remove", "libpam-elevate"]).success();
    assert_eq!(read(&machine, "/etc/pam.d/sshd"), sshd);
    assert_eq!(read(&machine, "/etc/pam.d/su"), su);
    let codes = "/etc/ssh/sshd_config.d/codes.conf";
    machine.run(&["rm", codes]).success();
    machine.run(&["systemctl", "reload", "ssh"]).success();
    machine.login("local").run("true").success();
    machine.run(&["su", "local", "-c", "true"]).success();
    machine
        .login("robot")
        .run("elevate --rule anything true")
        .success();
    until_at_ease(&machine);
}

#[test]
fn the_module_stays_where_somebody_wrote_it_by_hand() {
    let machine = Machine::boot(Spec::new("by-hand").prepared(at_work)).unwrap();
    let sshd = read(&machine, "/etc/pam.d/sshd");
    let su = read(&machine, "/etc/pam.d/su");
    let by_hand = format!("{su}account required pam_elevate.so services=su\n");
    machine.write("/etc/pam.d/su", &by_hand, 0o644);
    machine.write("/etc/pam.d/su.dpkg-old", &by_hand, 0o644);

    let refused = dpkg(&machine, &["--remove", "libpam-elevate"]).status(1);
    let errors = refused.errors();
    assert!(errors.contains("    /etc/pam.d/su\n"), "{errors}");
    assert!(!errors.contains("dpkg-old"), "{errors}");
    assert_eq!(read(&machine, "/etc/pam.d/sshd"), sshd, "nothing changed");
    machine.login("robot").run("true").success();

    machine.write("/etc/pam.d/su", &su, 0o644);
    dpkg(&machine, &["--remove", "libpam-elevate"]).success();
    assert!(!read(&machine, "/etc/pam.d/sshd").contains("pam_elevate"));
}

#[test]
fn without_its_package_the_directory_is_out_of_reach_and_no_more() {
    let machine = Machine::boot(Spec::new("no-directory").prepared(at_work)).unwrap();
    let robot = machine.login("robot");
    let running = robot.command("elevate --rule anything sleep 309").start();
    machine.event("start", &[("ELEVATE_COMMAND", "sleep 309")]);
    let pid = machine.main_pid("elevated");

    dpkg(&machine, &["--remove", "elevate-directory"]).success();
    assert_eq!(machine.main_pid("elevated"), pid);
    assert!(!machine.has("/run/elevate/directory.sock"));
    until_known(&machine, "alice");
    machine.poll("the directory is said to be gone", PATIENCE, || {
        let status = machine.run(&["elevatectl", "directory", "status"]).text();
        status.contains("disconnected").then_some(())
    });
    until_at_ease(&machine);

    dpkg(&machine, &["--install", &debs(&machine)[2]]).success();
    everything_is_up(&machine);
    machine.poll("the directory is there again", PATIENCE, || {
        let status = machine.run(&["elevatectl", "directory", "status"]).text();
        status.contains(" connected").then_some(())
    });
    assert!(!running.ended(), "its session goes on");
}

/// The daemon goes last, whatever order its packages are named in, and nothing of the directory's
/// people stays behind it.
#[test]
fn everything_goes_in_any_order_and_comes_back() {
    let machine = Machine::boot(Spec::new("all").prepared(at_work)).unwrap();
    let debs = debs(&machine);
    let install: Vec<&str> = debs.iter().map(String::as_str).collect();
    let orders = [
        ["elevate", "libpam-elevate", "elevate-directory"],
        ["elevate-directory", "elevate", "libpam-elevate"],
    ];
    machine.write(
        "/run/userdb/somebody.user",
        r#"{"userName":"somebody"}"#,
        0o644,
    );
    for order in orders {
        let alone = dpkg(&machine, &["--remove", "elevate"]).status(1);
        assert!(alone.errors().contains("depends on elevate"), "{alone:?}");
        dpkg(&machine, &[&["--remove"], &order[..]].concat()).success();
        for gone in [
            "/run/elevate",
            "/usr/libexec/elevate",
            "/run/userdb/alice.user",
        ] {
            assert!(!machine.has(gone), "{gone}");
        }
        assert_eq!(machine.run(&["getent", "passwd", "alice"]).status, 2);
        let records = machine.run(&["ls", "/run/userdb"]).success().text();
        assert_eq!(records, "somebody.user", "that is not ours");
        let pam = ["grep", "-l", "pam_elevate", "-r", "/etc/pam.d"];
        assert_eq!(machine.run(&pam).text(), "");
        until_at_ease(&machine);

        dpkg(&machine, &[&["--install"], &install[..]].concat()).success();
        everything_is_up(&machine);
        until_known(&machine, "alice");
    }

    dpkg(&machine, &[&["--purge"], &orders[1][..]].concat()).success();
    for gone in ["/var/lib/elevate", "/var/log/elevate", "/run/elevate"] {
        assert!(!machine.has(gone), "{gone}");
    }
    let left = machine.run(&["find", "/etc", "/var/lib/systemd", "-name", "*elevate*"]);
    let left = left.success().text();
    // What the administrator wrote, and the folder that it is in.
    assert_eq!(left, "/etc/elevate");
    let files = ["systemctl", "list-unit-files", "--no-legend", "elevate*"];
    assert_eq!(machine.run(&files).text(), "");
    until_at_ease(&machine);
}
