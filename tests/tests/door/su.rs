//! `su`, once it is enabled: the password and a code of whoever one becomes.

use elevate_tests::{Machine, Terminal};

use super::*;

fn prepare(machine: &Machine) {
    with_roles(machine);
    machine
        .run(&["elevatectl", "login", "enable", "su"])
        .success();
    for (name, group) in [("ben", "staff"), ("nan", "nobodies"), ("amy", "staff")] {
        machine.member(name, &[group]);
        let password = format!("{name}:open-sesame\n");
        let passwords = machine.command(&["chpasswd"]).stdin(password);
        passwords.run().success();
    }
}

/// Becomes somebody, as far as the question for a code.
fn su(desk: &mut Terminal, command: &str) {
    desk.send(format!("{command}\n"));
    desk.expect("Password: $");
    desk.send("open-sesame\n");
    desk.expect("Verification code: $");
}

#[test]
fn whoever_becomes_somebody_else_gives_their_password_and_their_code() {
    static SU: SharedMachine = SharedMachine::new(|| Spec::new("su").prepared(prepare));
    let machine = SU.get();
    let mut bens = machine.enrol("ben");
    let mut amys = machine.enrol("amy");
    let mut nans = machine.enrol("nan");
    let amy = machine.login("amy");
    let mut desk = amy.shell();

    for (command, service) in [
        ("su ben -c 'id -un'", "su"),
        ("su - ben -c 'id -un'", "su-l"),
    ] {
        su(&mut desk, command);
        desk.send(format!("{}\n", bens.code()));
        desk.expect(r"\nben\r");
        desk.expect("ready> $");
        let login = machine.event(
            "login",
            &[("ELEVATE_USER", "ben"), ("ELEVATE_SERVICE", service)],
        );
        assert_fields(&login, &[("ELEVATE_ROLE", "staff")]);
    }
    // One's own code is none of theirs, and a code is no password.
    su(&mut desk, "su ben -c 'id -un'");
    desk.send(format!("{}\n", amys.code()));
    desk.expect("Login refused");
    desk.expect("ready> $");
    assert_eq!(reason(&one_refusal(&machine, "ben")), "the code is wrong");
    // Nor does a role's lack show before the end.
    su(&mut desk, "su nan -c 'id -un'");
    desk.send(format!("{}\n", nans.code()));
    desk.expect("Login refused");
    desk.expect("ready> $");
    assert_eq!(
        reason(&one_refusal(&machine, "nan")),
        "no role includes nan"
    );

    // What was given at su counts for no command: the login behind it is somebody else's.
    su(&mut desk, "su ben");
    desk.send(format!("{}\n", bens.code()));
    desk.expect("ben@");
    desk.send("elevate -n id -u; echo status $?; exit\n");
    desk.expect(r"status 1\r");
    desk.expect("ready> $");
    assert_eq!(
        machine.events(&[("ELEVATE_EVENT", "grant"), ("ELEVATE_USER", "ben")]),
        []
    );

    // Root becomes anybody without a question, as it does without a password.
    for argv in [["su", "nan", "-c", "id -un"], ["su", "ben", "-c", "id -un"]] {
        let done = machine.run(&argv).success();
        assert_eq!(done.text(), argv[1]);
    }
    // And with elevated gone nobody does but root.
    stop(&machine);
    desk.send("su ben -c 'id -un'\n");
    desk.expect("Password: $");
    desk.send("open-sesame\n");
    desk.expect("elevated does not answer");
    desk.expect("ready> $");
    machine.run(&["su", "ben", "-c", "true"]).success();
    start(&machine);
}
