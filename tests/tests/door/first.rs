//! The way of somebody who enrols, and then comes in with key and code.

use elevate_tests::{Machine, Spec};

use super::*;

#[test]
fn somebody_enrols_and_comes_in_with_key_and_code_and_all_of_it_is_on_record() {
    let machine = Machine::boot(Spec::new("first")).unwrap();
    machine.policy("test", POLICY);
    machine.member("alice", &["staff"]);
    let mut factor = enrol_at_a_terminal(&machine);
    machine.guard_sshd();

    let mut door = machine.ssh("alice").knock();
    assert_eq!(door.prompt(), "Verification code: ");
    let code = factor.totp();
    door.answer(&code);
    let alice = door.enter();
    assert_eq!(alice.run("id -un").success().text(), "alice");

    let user = ("ELEVATE_USER", "alice");
    let uid = alice.run("id -u").text();
    let at_the_door = [
        ("ELEVATE_SERVICE", "sshd"),
        ("ELEVATE_SOURCE", "127.0.0.1"),
        ("ELEVATE_UID", &uid),
    ];
    let login = machine.event("login", &[user]);
    assert_fields(&login, &at_the_door);
    assert_fields(
        &login,
        &[("ELEVATE_ROLE", "staff"), ("ELEVATE_FACTOR", "totp")],
    );
    let open = machine.event("login-open", &[user]);
    assert_fields(&open, &at_the_door);
    let session = alice.run("cat /proc/self/sessionid").text();
    assert_fields(&open, &[("ELEVATE_AUDIT_SESSION", &session)]);
    // The code of the login counts for this login.
    assert_eq!(alice.run("elevate -n id -u").success().text(), "0");
    let always = alice.run("elevate -n whoami").status(1);
    assert!(always.errors().contains("verification code"), "{always:?}");

    alice.logout();
    let close = machine.event("login-close", &[user]);
    assert_fields(&close, &at_the_door);
    assert_fields(&close, &[("ELEVATE_AUDIT_SESSION", &session)]);
    for kind in ["login", "login-open", "login-close"] {
        let all = machine.events(&[("ELEVATE_EVENT", kind), user]);
        assert_eq!(all.len(), 1, "{kind}: {all:#?}");
    }
    assert_eq!(
        machine.events(&[("ELEVATE_EVENT", "login-refused")]),
        [],
        "nothing was refused"
    );
}

/// What the person sees: a picture to scan, the secret to type, and recovery codes, shown once.
fn enrol_at_a_terminal(machine: &Machine) -> Factor<'_> {
    let alice = machine.login("alice");
    let mut terminal = alice.terminal("elevatectl mfa enrol");
    let secret = terminal.expect(r"\nSecret: ([A-Z2-7]{32,})\r");
    let picture = terminal.screen();
    assert!(picture.matches(['█', '▀', '▄']).count() > 200, "{picture}");
    let uri = terminal.expect(r"\nURI: (otpauth://totp/\S+)\r");
    assert!(uri.contains(&format!("secret={secret}")), "{uri}");
    let mut factor = Factor::new(machine, &secret, []);
    terminal.expect(r"\nVerification code: $");
    let code = factor.totp();
    terminal.send(format!("{code}\n"));
    factor.read_recovery_codes(&mut terminal);
    terminal.expect(r"\nEnrolled alice\.\r");
    assert_eq!(terminal.wait(), 0);
    let after = terminal.screen();
    let typed = after.rsplit("Verification code: ").next().unwrap();
    assert!(!typed.contains(&code), "echoed: {typed}");
    let enrolled = machine.event("factor-enrolled", &[("ELEVATE_USER", "alice")]);
    assert_fields(&enrolled, &[("ELEVATE_BY", "alice")]);
    factor
}
