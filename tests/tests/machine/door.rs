//! Logins with a code, which Google's PAM module asks for and checks in the place of ours.

use std::time::Duration;

use elevate_tests::{Factor, Machine, SharedMachine, Spec};

static MACHINE: SharedMachine =
    SharedMachine::new(|| Spec::new("door").plain().prepared(ask_for_codes));

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

fn ask_for_codes(machine: &Machine) {
    let methods = "KbdInteractiveAuthentication yes
AuthenticationMethods publickey,keyboard-interactive
";
    machine.write("/etc/ssh/sshd_config.d/codes.conf", methods, 0o644);
    let google = "s/^@include common-auth/auth required pam_google_authenticator.so/";
    machine
        .run(&["sed", "--in-place", google, "/etc/pam.d/sshd"])
        .success();
    machine.run(&["systemctl", "reload", "ssh"]).success();
}

/// A user with a second factor.
fn enrolled<'m>(machine: &'m Machine, name: &str) -> Factor<'m> {
    machine.user(name);
    let recovery = ["11223344", "55667788"];
    let options = "\" RATE_LIMIT 9 30\n\" DISALLOW_REUSE\n\" TOTP_AUTH";
    let file = format!("{SECRET}\n{options}\n{}\n", recovery.join("\n"));
    let path = format!("/home/{name}/.google_authenticator");
    machine.write(&path, file, 0o400);
    machine.run(&["chown", name, &path]).success();
    Factor::new(machine, SECRET, recovery.map(str::to_owned))
}

#[test]
fn a_code_opens_a_login() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "ada");
    let mut door = machine.ssh("ada").knock();
    assert_eq!(door.prompt(), "Verification code: ");
    door.answer(&factor.totp());
    let ada = door.enter();
    assert_eq!(ada.run("id -un").success().text(), "ada");
    let mut terminal = ada.terminal("tty");
    terminal.expect("/dev/pts/[0-9]+");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn no_code_is_handed_out_twice() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "bea");
    let code = factor.code();
    machine.ssh("bea").login(&[&code]);
    machine.ssh("bea").refused(&[&code]);
    assert_eq!(code, factor.shown_before());
    // Which of them is the application's depends on the clock.
    let codes: Vec<_> = (0..3).map(|_| factor.code()).collect();
    for code in &codes {
        machine.ssh("bea").login(&[code]);
    }
    let recovery = codes.iter().filter(|code| code.len() == 8).count();
    assert_eq!(recovery, 2, "{codes:?}");
}

#[test]
fn a_refusal_has_its_status_and_its_screen() {
    let machine = MACHINE.get();
    let factor = enrolled(&machine, "cat");
    let refusal = machine.ssh("cat").refused(&[&factor.wrong()]);
    assert_eq!(refusal.status, 255);
    let screen = &refusal.screen;
    assert!(screen.contains("Verification code: "), "{screen}");
    assert!(screen.contains("Permission denied"), "{screen}");
    assert!(!screen.contains(&factor.wrong()), "echoed: {screen}");

    let without_key = machine.ssh("cat").option("PubkeyAuthentication=no");
    assert_eq!(without_key.refused(&[]).status, 255);
}

#[test]
fn wrong_answers_may_be_made_good_where_a_test_allows_it() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "dot");
    let answers = [factor.wrong(), factor.code()];
    let patient = machine.ssh("dot").option("NumberOfPasswordPrompts=3");
    patient.login(&answers.each_ref().map(String::as_str));
}

#[test]
fn the_end_of_a_login_is_seen() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "eli");
    let eli = machine.ssh("eli").login(&[&factor.code()]);
    assert!(!eli.ended());
    machine
        .run(&["loginctl", "terminate-user", "eli"])
        .success();
    eli.wait_until_ended(Duration::from_secs(20));
    assert!(eli.ended());
    assert_eq!(eli.run("true").status, 255, "no window opens any more");
}

/// RFC 6238, appendix B, the last six digits of the codes for SHA-1.
#[test]
fn codes_are_those_of_the_standard() {
    let machine = MACHINE.get();
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    assert_eq!(machine.totp(secret, 59 / 30), "287082");
    assert_eq!(machine.totp(secret, 1_111_111_109 / 30), "081804");
    assert_eq!(machine.totp(secret, 20_000_000_000 / 30), "353130");
}
