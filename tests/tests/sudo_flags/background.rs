//! `-b`.

use super::{MACHINE, coded, login, same_with};

#[test]
fn it_runs_on_and_we_are_back_at_once() {
    let machine = MACHINE.get();
    let dan = login(&machine, "dan", "all");
    for line in [
        "mkfifo go; @ -b sh -c 'read go <go; echo went'; echo back; echo >go; rm go",
        "@ -b sh -c 'exit 5'; echo $?",
        "echo data | @ -b cat",
        "@ -b -u tia id -un",
    ] {
        same_with(&dan, line, 0);
    }
    // Refused is refused, in the foreground.
    let refused = dan.run("elevate -b no-such-command; echo $?").success();
    assert_eq!(refused.text(), "127");
}

#[test]
fn what_is_typed_stays_the_shells_and_what_it_writes_is_shown() {
    let machine = MACHINE.get();
    let dee = login(&machine, "dee", "all");
    let mut desk = dee.shell();
    desk.send("mkfifo go; elevate -b sh -c 'cat; read go <go; echo $go and over'\n");
    desk.expect("ready> $");
    // Its input is at its end: cat(1) is through, and this line is the shell's.
    desk.send("echo mine; echo gone >go\n");
    desk.expect("\r\nmine\r");
    desk.expect("gone and over");
    desk.send("stty -a | grep -c -- ' echo '\n");
    desk.expect("\n1\r");
}

#[test]
fn codes_are_asked_for_before_and_it_outlives_the_terminal() {
    let machine = MACHINE.get();
    let (don, mut factor) = coded(&machine, "don");
    don.run("mkfifo go").success();
    let mut desk = don.shell();
    desk.send("elevate -b cat /home/don/go\n");
    desk.expect("Verification code: $");
    desk.send(format!("{}\n", factor.code()));
    desk.expect("ready> $");
    machine.event("start", &[("ELEVATE_USER", "don")]);
    drop(desk);
    don.run("echo on >go").success();
    let end = machine.event("end", &[("ELEVATE_USER", "don")]);
    assert_eq!(
        end.get("ELEVATE_STATUS").as_deref(),
        Some("exit 0"),
        "{end:#?}"
    );
}
