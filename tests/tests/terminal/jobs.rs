//! Job control: a session is a job of the shell like any other.

use super::{MACHINE, modes, operator, status};

#[test]
fn control_backslash_quits_the_command() {
    let machine = MACHINE.get();
    let ben = operator(&machine, "ben");
    let mut shell = ben.shell();
    let before = modes(&mut shell);
    shell.send("elevate sh -c 'ulimit -c 0; echo begun; exec sleep 8301'\n");
    shell.expect("\nbegun\r\n");
    shell.send("\x1c");
    shell.expect("ready> $");
    assert_eq!(status(&mut shell), "131");
    assert_eq!(modes(&mut shell), before);
}

#[test]
fn in_the_background_it_may_write_and_stops_where_it_reads() {
    let machine = MACHINE.get();
    let bob = operator(&machine, "bob");
    let mut shell = bob.shell();
    let before = modes(&mut shell);
    // Have news of jobs at once.
    shell.send("set -b\n");
    shell.expect("ready> $");
    shell.send("elevate sh -c 'echo from\" behind\"; read word; echo got $word; exit 5' &\n");
    shell.expect("from behind");
    shell.expect("Stopped.*elevate sh");
    assert_eq!(modes(&mut shell), before);
    // Brought on in the background it stops at once anew.
    shell.send("bg\n");
    shell.expect("Stopped.*elevate sh");
    shell.send("fg\n");
    shell.expect("elevate sh -c[^\n]*\n");
    shell.send("apple\n");
    shell.expect("got apple");
    shell.expect("ready> $");
    assert_eq!(status(&mut shell), "5");
    assert_eq!(modes(&mut shell), before);
}

#[test]
fn a_stopped_command_goes_on_in_the_background() {
    let machine = MACHINE.get();
    let bix = operator(&machine, "bix");
    let mut shell = bix.shell();
    shell.send("set -b\n");
    shell.expect("ready> $");
    shell.send("elevate sh -c 'echo begun; until test -e /root/bix; do sleep 0.1; done; echo all\" done\"'\n");
    shell.expect("\nbegun\r\n");
    shell.send("\x1a");
    shell.expect("Stopped");
    shell.expect("ready> $");
    shell.send("bg\n");
    shell.expect("ready> $");
    machine.write("/root/bix", "", 0o600);
    shell.expect("all done");
    shell.expect("Done.*elevate sh");
}

#[test]
fn a_shell_within_has_jobs_of_its_own() {
    let machine = MACHINE.get();
    let sue = operator(&machine, "sue");
    let mut shell = sue.shell();
    let before = modes(&mut shell);
    shell.send("elevate env PS1='within> ' bash --norc --noprofile --noediting\n");
    shell.expect("within> $");
    shell.send("sleep 8302\n");
    machine.poll("the sleep", super::PATIENCE, || {
        (machine.processes("sleep 8302") == 1).then_some(())
    });
    shell.send("\x1a");
    shell.expect("Stopped.*sleep 8302");
    shell.expect("within> $");
    // And now the shell itself.
    shell.send("suspend\n");
    shell.expect("Stopped.*elevate env");
    shell.expect("ready> $");
    assert_eq!(modes(&mut shell), before);
    shell.send("fg\n");
    shell.expect("elevate env[^\n]*\n");
    shell.send("\n");
    shell.expect("within> $");
    shell.send("fg\n");
    shell.expect("sleep 8302\r\n");
    shell.send("\x03");
    shell.expect("within> $");
    shell.send("exit 4\n");
    shell.expect("ready> $");
    assert_eq!(status(&mut shell), "4");
    assert_eq!(modes(&mut shell), before);
}

#[test]
fn modes_that_a_command_sets_are_those_of_its_own_terminal() {
    let machine = MACHINE.get();
    let ste = operator(&machine, "ste");
    let mut shell = ste.shell();
    let before = modes(&mut shell);
    shell.send("elevate sh -c 'stty -echo; echo ask; read word; stty echo; echo said $word; stty raw -echo'\n");
    shell.expect("\nask\r\n");
    shell.send("hush\n");
    assert_eq!(shell.expect(r"(?s)^(.*)said hush\r\n"), "");
    shell.expect("ready> $");
    assert_eq!(modes(&mut shell), before);
}
