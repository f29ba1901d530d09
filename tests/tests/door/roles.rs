//! What a role says about how its members come in: from where, when, by what and with what.

use elevate_tests::{Machine, Ssh};

use super::*;

/// From an address of the VPN's.
fn from_vpn<'m>(machine: &'m Machine, user: &str) -> Ssh<'m> {
    machine.ssh(user).option("BindAddress=127.0.0.2")
}

#[test]
fn a_member_of_a_role_that_owes_nothing_comes_in_by_key_alone() {
    let machine = MACHINE.get();
    machine.member("r2d2", &["robot"]);
    let robot = machine.login("r2d2");
    assert_eq!(robot.run("id -un").success().text(), "r2d2");
    let login = machine.event("login", &[("ELEVATE_USER", "r2d2")]);
    assert_fields(
        &login,
        &[("ELEVATE_ROLE", "robot"), ("ELEVATE_FACTOR", "none")],
    );
    // No code was given, and so none counts for anything else.
    let refused = robot.run("elevate -n id -u").status(1);
    assert_eq!(refused.text(), "", "{refused:?}");
    let without_key = machine.ssh("r2d2").option("PubkeyAuthentication=no");
    without_key.refused(&[]);
}

#[test]
fn of_several_roles_the_least_demanding_lets_in() {
    let machine = MACHINE.get();
    machine.member("both", &["staff", "robot"]);
    machine.login("both");
    let login = machine.event("login", &[("ELEVATE_USER", "both")]);
    assert_fields(&login, &[("ELEVATE_ROLE", "robot")]);
}

#[test]
fn a_role_that_names_networks_lets_in_from_there_alone() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "vera", &["vpn"]);
    let code = factor.code();
    machine.ssh("vera").refused(&[&code]);
    let why = reason(&one_refusal(&machine, "vera"));
    assert!(why.contains("not from 127.0.0.1"), "{why}");
    // It was refused for where she is: the code was not even looked at.
    from_vpn(&machine, "vera").login(&[&code]);
    let login = machine.event("login", &[("ELEVATE_USER", "vera")]);
    assert_fields(&login, &[("ELEVATE_SOURCE", "127.0.0.2")]);
}

#[test]
fn a_role_that_names_services_or_hosts_lets_in_by_those_alone() {
    let machine = MACHINE.get();
    for (user, role, why) in [
        ("cleo", "console", "not by `sshd`"),
        ("elsa", "elsewhere", "not on this host (door)"),
    ] {
        let mut factor = enrolled(&machine, user, &[role]);
        machine.ssh(user).refused(&[&factor.code()]);
        let said = reason(&one_refusal(&machine, user));
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_role_that_names_hours_lets_in_then_alone() {
    let machine = MACHINE.get();
    let clock = machine.run(&["date", "--utc", "+%H"]).success().text();
    let hour: u32 = clock.parse().expect("an hour");
    // Windows of six hours around now, and around twelve hours from now.
    let around = |hour: u32| {
        let (from, to) = ((hour + 21) % 24, (hour + 3) % 24);
        format!("daily {from:02}:00-{to:02}:00 UTC")
    };
    let role = |name: &str, hours: &str| {
        format!("[role.{name}]\nmembers = [\"%{name}\"]\nlogin.when = {{ hours = \"{hours}\" }}\n")
    };
    let policy = role("now", &around(hour)) + &role("then", &around(hour + 12));
    // The groups first: until they are there, whoever asks for whatever may be in them.
    let mut now = enrolled(&machine, "nina", &["now"]);
    let mut then = enrolled(&machine, "theo", &["then"]);
    machine.policy("hours", &policy);
    machine.ssh("nina").login(&[&now.code()]);
    machine.ssh("theo").refused(&[&then.code()]);
    let why = reason(&one_refusal(&machine, "theo"));
    assert!(why.contains("by `login.when.hours`"), "{why}");
}

#[test]
fn a_role_that_is_lost_lets_nobody_in_from_then_on() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "lola", &["staff"]);
    machine.ssh("lola").login(&[&factor.code()]);
    machine.leave("lola", "staff");
    machine.ssh("lola").refused(&[&factor.code()]);
    assert_eq!(
        reason(&one_refusal(&machine, "lola")),
        "no role includes lola"
    );
}

#[test]
fn a_role_that_is_lost_while_the_code_is_typed_lets_nobody_in() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "late", &["staff"]);
    let mut door = machine.ssh("late").knock();
    door.prompt();
    machine.leave("late", "staff");
    door.answer(&factor.code());
    door.refused();
    assert_eq!(
        reason(&one_refusal(&machine, "late")),
        "no role includes late"
    );
}
