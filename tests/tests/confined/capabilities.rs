//! Capabilities instead of root: exactly those that the rule names.

use super::{MACHINE, elevated, login};

#[test]
fn who_is_given_a_capability_stays_who_they_are_and_can_do_what_it_says() {
    let machine = MACHINE.get();
    let user = login(&machine, "cara", "capable");
    user.run("ip address add 192.0.2.1/32 dev lo").status(2);
    let did = elevated(
        &user,
        "-u cara",
        "id -un; ip address add 192.0.2.1/32 dev lo && echo added; head -c 1 /etc/shadow || echo no",
    );
    assert_eq!(did.text(), "cara\nadded\nno");
}

#[test]
fn the_masks_are_exact_and_nothing_adds_to_them() {
    let machine = MACHINE.get();
    let user = login(&machine, "mia", "capable");
    let masks = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status";
    let mask = format!("{:016x}", 1 << 12);
    let wanted = ["Inh", "Prm", "Eff", "Bnd", "Amb"].map(|set| format!("Cap{set}:\t{mask}\n"));
    let wanted = wanted.concat() + "NoNewPrivs:\t1";
    assert_eq!(elevated(&user, "-u mia", masks).success().text(), wanted);
    // sudo is setuid, and says itself that it could not become root.
    let sudo = elevated(&user, "-u mia", "sudo -n id -u");
    assert_ne!(sudo.status, 0);
    assert!(sudo.errors().contains("no new privileges"), "{sudo:?}");
    machine
        .run(&["install", "-m", "4755", "/usr/bin/id", "/srv/id"])
        .success();
    assert_eq!(user.run("/srv/id -u").success().text(), "0");
    let own = elevated(&user, "-u mia", "/srv/id -u");
    let uid = user.run("id -u").text();
    assert_eq!(own.text(), uid);
}
