//! A code given in one place counts nowhere else (GHSA-c978-wq47-pvvw): not on another terminal, in
//! another login, for another user or through `su`.

use elevate_tests::Terminal;

use super::door::{MACHINE, enrolled};

/// Runs a command there, and says whether a code was asked for; then it is not given.
#[track_caller]
fn asks(terminal: &mut Terminal, command: &str) -> bool {
    terminal.send(format!("{command}\n"));
    let asked = terminal.expect(r"(Verification code: $|\nready> $)");
    if asked.starts_with("Verification") {
        terminal.send("\x03");
        terminal.expect("ready> $");
        return true;
    }
    false
}

#[track_caller]
fn give(terminal: &mut Terminal, command: &str, code: &str) {
    terminal.send(format!("{command}\n"));
    terminal.expect("Verification code: $");
    terminal.send(format!("{code}\n"));
    terminal.expect("ready> $");
}

#[test]
fn a_code_given_on_one_terminal_counts_on_no_other() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "tess", "robot");
    let tess = machine.login("tess");
    let (mut one, mut two) = (tess.shell(), tess.shell());
    give(&mut one, "elevate id -u", &factor.code());
    assert!(
        !asks(&mut one, "elevate id -u"),
        "it counts where it was given"
    );
    assert!(
        asks(&mut two, "elevate id -u"),
        "the same login, another terminal"
    );
    // Without a terminal it counts for nothing.
    let refused = tess.run("elevate id -u").status(1);
    assert_eq!(refused.text(), "", "{refused:?}");
    assert!(
        !asks(&mut one, "elevate -u nobody id -u"),
        "the place is the same"
    );
}

/// CVE-2013-1776: the kernel gives the number of a terminal that is gone to the next one.
#[test]
fn a_code_dies_with_its_terminal_though_the_next_one_has_its_name() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "tara", "robot");
    let tara = machine.login("tara");
    let name = |terminal: &mut Terminal| {
        terminal.send("tty\n");
        let name = terminal.expect("/dev/pts/[0-9]+");
        terminal.expect("ready> $");
        name
    };
    let mut one = tara.shell();
    let gone = name(&mut one);
    give(&mut one, "elevate id -u", &factor.code());
    assert!(!asks(&mut one, "elevate id -u"));
    one.send("exit\n");
    one.wait();
    // Others may take it meanwhile: of a few terminals one has the name.
    let mut next: Vec<_> = (0..8).map(|_| tara.shell()).collect();
    let named = next.iter_mut().find_map(|terminal| {
        let same = name(terminal) == gone;
        same.then_some(terminal)
    });
    let named = named.unwrap_or_else(|| panic!("no terminal got the name {gone} again"));
    assert!(asks(named, "elevate id -u"));
}

#[test]
fn the_code_of_a_login_counts_for_that_login_alone() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "lars", "staff");
    let first = machine.ssh("lars").login(&[&factor.code()]);
    assert_eq!(first.run("elevate -n id -u").success().text(), "0");
    let mut terminal = first.shell();
    assert!(!asks(&mut terminal, "elevate id -u"));
    // A login of the same user that owed nothing has given nothing.
    machine.member("lars", &["robot"]);
    let second = machine.login("lars");
    let refused = second.run("elevate -n id -u").status(1);
    assert_eq!(refused.text(), "", "{refused:?}");
    assert!(asks(&mut second.shell(), "elevate id -u"));
    // After its end its number of an audit session opens nothing.
    first.logout();
    second.run("elevate -n id -u").status(1);
}

#[test]
fn a_code_counts_for_nobody_else_though_they_sit_at_the_same_terminal() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "mona", "robot");
    let mut other = enrolled(&machine, "mike", "robot");
    let passwords = machine.command(&["chpasswd"]).stdin("mike:open-sesame\n");
    passwords.run().success();
    let mona = machine.login("mona");
    let mut terminal = mona.shell();
    give(&mut terminal, "elevate id -u", &factor.code());
    terminal.send("su mike\n");
    terminal.expect("Password: $");
    terminal.send("open-sesame\n");
    terminal.expect("mike@");
    terminal.send("exec bash --norc --noprofile --noediting\n");
    terminal.send("PS1='mike> '; id -un\n");
    terminal.expect(r"mike\r\nmike> $");
    // His own command, in her login: neither her code nor anything of his makes it fresh.
    terminal.send("elevate id -u\n");
    let asked = terminal.expect(r"(Verification code: $|\nmike> $)");
    if asked.starts_with("Verification") {
        terminal.send(format!("{}\n", factor.code()));
        terminal.expect("wrong|not");
        terminal.send("\x03");
        terminal.expect("mike> $");
    }
    assert!(!terminal.screen().contains("\r\n0\r\nmike> "));
    terminal.send("exit\n");
    terminal.expect("ready> $");
    // Back in her own shell hers still counts; his counts in a login of his own.
    assert!(!asks(&mut terminal, "elevate id -u"));
    let mike = machine.login("mike");
    give(&mut mike.shell(), "elevate id -u", &other.code());
}
