//! Upgrading from an older version, in one go and one by one.

use elevate_tests::{Machine, Spec};

use crate::{PACKAGES, PATIENCE, at_work, debs, dpkg, everything_is_up, until_known};

/// The version that is upgraded from: as the packages under test, but for its number.
const OLDER: &str = "0.0.9-1";

/// Makes the older packages in the machine.
const MAKE_OLDER: &str = r#"
    older=$1
    shift
    for deb in "$@"; do
        dpkg-deb --raw-extract "$deb" tree
        version=$(dpkg-deb --field "$deb" Version)
        sed -i "s/^Version: .*/Version: $older/; s/= $version)/= $older)/" tree/DEBIAN/control
        dpkg-deb -Zgzip -z1 --root-owner-group --build tree "$deb.older"
        rm -r tree
    done
"#;

/// Installs the older version over the one under test, as a downgrade, so that what follows is the
/// upgrade from it.
fn with_the_older_ones(machine: &Machine) -> Vec<String> {
    let debs = debs(machine);
    let words: Vec<&str> = debs.iter().map(String::as_str).collect();
    let make = ["sh", "-euc", MAKE_OLDER, "make", OLDER];
    machine.run(&[&make, &words[..]].concat()).success();
    let older: Vec<String> = debs.iter().map(|deb| format!("{deb}.older")).collect();
    let older: Vec<&str> = older.iter().map(String::as_str).collect();
    dpkg(machine, &[&["--install"], &older[..]].concat()).success();
    assert_eq!(versions(machine), [OLDER; 3]);
    everything_is_up(machine);
    debs
}

fn versions(machine: &Machine) -> Vec<String> {
    let shown = [
        "dpkg-query",
        "--show",
        "--showformat=${Version} ${Status}\n",
    ];
    let shown = machine.run(&[&shown, &PACKAGES[..]].concat()).success();
    let installed = |line: &str| {
        line.strip_suffix(" install ok installed")
            .map(str::to_owned)
    };
    let lines = shown.text();
    lines.lines().filter_map(installed).collect()
}

#[test]
fn an_upgrade_leaves_logins_sessions_and_people_as_they_are() {
    let machine = Machine::boot(Spec::new("upgrade-all").prepared(at_work)).unwrap();
    let debs = with_the_older_ones(&machine);
    let mut factor = machine.enrol("alice");
    let sshd = machine.read("/etc/pam.d/sshd");
    let alice = machine.ssh("alice").login(&[&factor.code()]);
    let mut running = alice.terminal("elevate --rule anything sh -c 'echo begun; read w; exit 5'");
    running.expect("begun");

    let install: Vec<&str> = debs.iter().map(String::as_str).collect();
    dpkg(&machine, &[&["--install"], &install[..]].concat()).success();
    assert_ne!(versions(&machine), [OLDER; 3]);
    everything_is_up(&machine);
    assert_eq!(machine.read("/etc/pam.d/sshd"), sshd);
    until_known(&machine, "alice");
    running.send("on\n");
    assert_eq!(running.wait(), 5, "{}", running.screen());
    alice.run("id -un").success();
    machine.ssh("alice").refused(&[&factor.wrong()]);
    machine.ssh("alice").login(&[&factor.code()]);
    machine.poll("the directory is followed again", PATIENCE, || {
        let status = machine.run(&["elevatectl", "directory", "status"]).text();
        status.contains(" connected").then_some(())
    });
}

/// Somebody installs one file after the other; what depends on the right version waits for it.
#[test]
fn packages_that_come_one_by_one_come_together() {
    let machine = Machine::boot(Spec::new("one-by-one").prepared(at_work)).unwrap();
    let debs = with_the_older_ones(&machine);
    for order in [[2, 1, 0], [1, 0, 2]] {
        for package in order {
            // Refused as long as the daemon is of another version.
            dpkg(&machine, &["--install", &debs[package]]);
        }
        dpkg(&machine, &["--configure", "--pending"]).success();
        assert_eq!(versions(&machine).len(), 3);
        assert_ne!(versions(&machine), [OLDER; 3]);
        everything_is_up(&machine);
        machine
            .login("robot")
            .run("elevate --rule anything true")
            .success();
        let older: Vec<String> = debs.iter().map(|deb| format!("{deb}.older")).collect();
        let older: Vec<&str> = older.iter().map(String::as_str).collect();
        dpkg(&machine, &[&["--install"], &older[..]].concat()).success();
        assert_eq!(versions(&machine), [OLDER; 3]);
    }
}
