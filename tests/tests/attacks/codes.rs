//! A code counts once: whoever gives it at the same time, at another service, or after a restart.

use std::thread;

use elevate_tests::{Door, Factor, Machine, Spec};

use super::door::{MACHINE, enrolled, guarded};

/// Gives the code at so many doors at once, and returns how many opened.
fn at_once(machine: &Machine, user: &str, code: &str, count: usize) -> usize {
    let mut doors: Vec<Door<'_>> = (0..count)
        .map(|_| {
            let mut door = machine.ssh(user).knock();
            door.prompt();
            door
        })
        .collect();
    for door in &mut doors {
        door.answer(code);
    }
    let opened = doors
        .into_iter()
        .map(|door| door.enter_or_refused().is_ok());
    opened.filter(|opened| *opened).count()
}

/// At the service `probe`, whose only factor it is.
#[track_caller]
fn at_probe(machine: &Machine, user: &str, code: &str) -> bool {
    let argv = ["pamtester", "probe", user, "authenticate", "acct_mgmt"];
    let mut terminal = machine.terminal(&argv);
    terminal.expect("Verification code: $");
    terminal.send(format!("{code}\n"));
    terminal.wait() == 0
}

#[test]
fn of_many_logins_with_one_code_at_once_one_opens() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "twin", "staff");
    let code = factor.totp();
    assert_eq!(at_once(&machine, "twin", &code, 6), 1);
    let refused = [("ELEVATE_EVENT", "login-refused"), ("ELEVATE_USER", "twin")];
    machine.event("login", &[("ELEVATE_USER", "twin")]);
    let refusals = machine.events(&refused);
    assert_eq!(refusals.len(), 5, "one record each: {refusals:#?}");
    let recovery = factor.recovery_code();
    assert_eq!(at_once(&machine, "twin", &recovery, 3), 1);
    machine.ssh("twin").login(&[&factor.recovery_code()]);
}

#[test]
fn threads_that_race_for_one_code_at_the_module_itself_get_it_once() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "racer", "staff");
    for code in [factor.totp(), factor.recovery_code()] {
        let won: usize = thread::scope(|scope| {
            let tries: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| usize::from(at_probe(&machine, "racer", &code))))
                .collect();
            tries.into_iter().map(|tried| tried.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }
}

#[test]
fn a_code_used_at_one_service_is_used_up_at_every_other() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "sia", "staff");
    let (first, second) = (factor.totp(), factor.recovery_code());
    for code in [&first, &second] {
        machine.ssh("sia").login(&[code]);
        assert!(!at_probe(&machine, "sia", code), "at another service");
        machine.ssh("sia").refused(&[code]);
    }
    let third = factor.recovery_code();
    let sia = machine.ssh("sia").login(&[&third]);
    // Nor does it count for a command; one that was given for a command counts at no door.
    let mut terminal = sia.terminal("elevate -k 2>/dev/null; elevatectl mfa recovery-codes");
    terminal.expect("Verification code: $");
    terminal.send(format!("{third}\n"));
    terminal.expect("Verification code: $");
    terminal.send(format!("{}\n", factor.recovery_code()));
    terminal.expect("Recovery codes");
    terminal.wait();
}

#[test]
fn a_code_is_used_up_for_good_though_elevated_is_killed_the_moment_it_counted() {
    let machine = Machine::boot(Spec::new("codes-killed").prepared(guarded)).unwrap();
    let mut factor = enrolled(&machine, "kit", "staff");
    let give_and_break = |factor: &mut Factor<'_>, totp: bool, how: &[&str]| {
        let code = if totp {
            factor.totp()
        } else {
            factor.recovery_code()
        };
        machine.ssh("kit").login(&[&code]);
        machine.run(how).success();
        machine.ssh("kit").refused(&[&code]);
        assert!(!at_probe(&machine, "kit", &code));
    };
    let restart = ["systemctl", "restart", "elevated"];
    let kill = ["systemctl", "kill", "--signal=KILL", "elevated"];
    give_and_break(&mut factor, false, &restart);
    give_and_break(&mut factor, false, &kill);
    give_and_break(&mut factor, true, &kill);
    machine.ssh("kit").login(&[&factor.recovery_code()]);
}
