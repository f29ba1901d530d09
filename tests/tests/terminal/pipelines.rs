//! Pipelines on a terminal: who reads the keys, and what is shown of them.

use super::{MACHINE, modes, operator, status};

/// Asks on the terminal, and hides what is typed, as ssh, passwd and the like do.
const ASK: &str = "#!/bin/sh
exec 3<>/dev/tty
stty -echo <&3
printf 'Password: ' >&3
read -r word <&3
stty echo <&3
echo >&3
echo \"got ${#word}\"
";

#[test]
fn a_password_typed_in_a_pipeline_is_not_shown() {
    let machine = MACHINE.get();
    let pam = operator(&machine, "pam");
    machine.write("/usr/local/bin/ask-password", ASK, 0o755);
    let mut shell = pam.shell();
    let before = modes(&mut shell);
    for line in [
        "elevate ask-password | cat",
        "true | elevate ask-password",
        "true | elevate ask-password | cat",
        "elevate ask-password | less -E -X",
    ] {
        shell.send(format!("{line}\n"));
        shell.expect("Password: $");
        shell.send("hush hush\n");
        let shown = shell.expect(r"(?s)(.*)got 9\r\n");
        assert!(!shown.contains("hush"), "{line}: {shown}");
        shell.expect("ready> $");
        assert_eq!(modes(&mut shell), before, "{line}");
    }
}

#[test]
fn a_pager_has_its_keys_while_the_command_goes_on() {
    let machine = MACHINE.get();
    let peg = operator(&machine, "peg");
    let mut shell = peg.shell();
    let before = modes(&mut shell);
    shell.send("elevate sh -c 'seq 200; sleep 8501' | less\n");
    shell.expect("23\r\n");
    shell.send(" ");
    shell.expect("46\r\n");
    shell.send("j");
    shell.expect("47\r\n");
    shell.send("q");
    machine.poll("the end of the pager", super::PATIENCE, || {
        let pager = machine.run(&["pgrep", "-u", "peg", "-x", "less"]);
        (pager.status == 1).then_some(())
    });
    // The command ends when it writes next, or by Ctrl-C like all of the pipeline.
    shell.send("\x03");
    shell.expect("ready> $");
    assert_eq!(modes(&mut shell), before);
    machine.poll("the end of the command", super::PATIENCE, || {
        (machine.processes("sleep 8501") == 0).then_some(())
    });
}

#[test]
fn what_is_typed_goes_to_whom_it_is_for() {
    let machine = MACHINE.get();
    let cat = operator(&machine, "cat-user");
    let mut shell = cat.shell();
    shell.send("cat | elevate tee /root/typed\n");
    shell.send("one\n");
    shell.expect("one\r\none\r\n");
    shell.send("two\n\x04");
    shell.expect("two\r\ntwo\r\n");
    shell.expect("ready> $");
    assert_eq!(machine.read("/root/typed"), b"one\ntwo\n");
}

#[test]
fn a_pipeline_is_one_job() {
    let machine = MACHINE.get();
    let pip = operator(&machine, "pip");
    let mut shell = pip.shell();
    shell.send("elevate sh -c 'echo begun; exec sleep 8502' | cat\n");
    shell.expect("\nbegun\r\n");
    shell.send("\x1a");
    shell.expect("Stopped.*elevate sh");
    shell.expect("ready> $");
    // The command stopped with it.
    machine.poll("a stopped command", super::PATIENCE, || {
        let state = machine.run(&["ps", "-o", "stat=", "-C", "sleep"]).text();
        state
            .lines()
            .any(|state| state.starts_with('T'))
            .then_some(())
    });
    shell.send("fg\n");
    shell.expect("elevate sh[^\n]*\n");
    shell.send("\x03");
    shell.expect("ready> $");
    assert_eq!(status(&mut shell), "130");
    assert_eq!(machine.processes("sleep 8502"), 0);
}
