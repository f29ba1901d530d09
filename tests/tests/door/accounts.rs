//! What the system itself says of an account holds beside what roles say.

use super::*;

#[test]
fn an_account_that_expired_does_not_come_in_with_key_and_code() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "exa", &["staff"]);
    machine
        .run(&["chage", "--expiredate", "1", "exa"])
        .success();
    machine.ssh("exa").refused(&[&factor.code()]);
    let let_in = [("ELEVATE_EVENT", "login-open"), ("ELEVATE_USER", "exa")];
    assert_eq!(machine.events(&let_in), []);
    machine
        .run(&["chage", "--expiredate", "-1", "exa"])
        .success();
    machine.ssh("exa").login(&[&factor.code()]);
}

#[test]
fn while_nobody_may_log_in_nobody_does() {
    let machine = machine("nologin");
    let mut factor = enrolled(&machine, "nola", &["staff"]);
    machine.member("r2d2", &["robot"]);
    machine.write("/etc/nologin", "closed for tonight\n", 0o644);
    let refusal = machine.ssh("nola").refused(&[&factor.code()]);
    assert!(refusal.screen.contains("closed for tonight"), "{refusal:?}");
    machine.ssh("r2d2").refused(&[]);
    assert_eq!(machine.events(&[("ELEVATE_EVENT", "login-open")]), []);
    machine.run(&["rm", "/etc/nologin"]).success();
    machine.ssh("nola").login(&[&factor.code()]);
    machine.login("r2d2");
}

/// A stack whose account phase nobody runs: the session is refused all the same.
#[test]
fn a_program_that_skips_the_account_phase_opens_no_session() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "skip", &["staff"]);
    let stack = ["auth", "account", "session"]
        .map(|kind| format!("{kind} required pam_elevate.so services=skipping\n"));
    machine.write("/etc/pam.d/skipping", stack.concat(), 0o644);
    let session = ["pamtester", "skipping", "skip", "open_session"];
    assert_ne!(machine.run(&session).status, 0);
    let why = reason(&one_refusal(&machine, "skip"));
    assert_eq!(why, "a code is owed and this login was never asked for one");
    let argv = [
        "pamtester",
        "skipping",
        "skip",
        "authenticate",
        "open_session",
    ];
    let mut honest = machine.terminal(&argv);
    honest.expect("Verification code: $");
    honest.send(format!("{}\n", factor.code()));
    assert_eq!(honest.wait(), 0, "{}", honest.screen());
}
