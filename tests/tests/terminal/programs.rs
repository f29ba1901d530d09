//! Programs that own the whole screen, or the line that is typed.

use elevate_tests::{Machine, Terminal};

use super::{MACHINE, operator};

#[test]
fn vi_edits_stops_comes_back_and_follows_the_window() {
    let machine = MACHINE.get();
    let vic = operator(&machine, "vic");
    let mut shell = vic.shell();
    shell.send("elevate vi /root/vic\n");
    shell.expect("New");
    shell.send("itwo one\x1b");
    shell.expect("two one");
    shell.resize(40, 100);
    // Drawn anew, and only then does it listen again.
    shell.expect("two one");
    shell.send(":set lines?\n");
    shell.expect("lines=40");
    shell.send("oline\x1b");
    shell.expect("line");
    shell.send("\x1a");
    shell.expect("Stopped.*elevate vi");
    shell.send("fg\n");
    shell.expect("two one");
    shell.send(":wq\n");
    shell.expect("ready> $");
    assert_eq!(machine.read("/root/vic"), b"two one\nline\n");
}

#[test]
fn less_turns_pages_searches_and_draws_anew() {
    let machine = MACHINE.get();
    let lea = operator(&machine, "lea");
    let lines: String = (1..=500).map(|n| format!("line {n} of it\n")).collect();
    machine.write("/root/long", lines, 0o600);
    let mut terminal = lea.terminal("elevate less /root/long");
    terminal.expect("line 23 of it");
    terminal.send(" ");
    terminal.expect("line 46 of it");
    terminal.send("/line 300\n");
    terminal.expect("line 300.* of it");
    terminal.resize(10, 80);
    terminal.expect("line 300.* of it(?s:.*)line 308 of it");
    terminal.send("G");
    terminal.expect("line 500 of it");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn top_refreshes_by_itself_and_at_a_key() {
    let machine = MACHINE.get();
    let tom = operator(&machine, "tom");
    let mut terminal = tom.terminal("elevate top -d 1");
    for _ in 0..3 {
        terminal.expect("load average");
    }
    terminal.send("h");
    terminal.expect("Help for Interactive Commands");
    terminal.send("q");
    terminal.expect("load average");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn tmux_has_its_windows_and_goes_with_the_session() {
    let machine = MACHINE.get();
    let tim = operator(&machine, "tim");
    let mut terminal = tim.terminal("elevate tmux -f /dev/null -L tim new-session 'sh'");
    terminal.expect("# ");
    terminal.send("echo in$((1+1))tmux; stty size\n");
    terminal.expect("in2tmux");
    terminal.expect("23 80");
    terminal.send("\x02c");
    terminal.expect("1:");
    terminal.resize(40, 100);
    terminal.send("stty size; id -un\n");
    terminal.expect("39 100");
    terminal.expect("root");
    terminal.send("\x02d");
    terminal.expect("detached");
    assert_eq!(terminal.wait(), 0);
    // Nothing of it stays behind, though it went into the background.
    machine.poll("the end of tmux", super::PATIENCE, || {
        let left = machine.run(&["pgrep", "--full", "tmux.* -L tim"]);
        (left.status == 1).then_some(())
    });
}

const PACKAGE: &str = r#"
    mkdir -p /root/hello/DEBIAN
    printf 'Package: elevate-hello\nVersion: 1\nArchitecture: all\nMaintainer: root <root@localhost>\nDescription: says nothing\n' >/root/hello/DEBIAN/control
    dpkg-deb -Zgzip --build /root/hello /root/hello.deb
"#;

#[test]
fn apt_shows_its_progress_and_asks() {
    let machine = MACHINE.get();
    let ada = operator(&machine, "ada");
    machine.run(&["sh", "-euc", PACKAGE]).success();
    let mut terminal = ada.terminal("elevate apt install /root/hello.deb");
    terminal.expect("Setting up elevate-hello");
    assert_eq!(terminal.wait(), 0);
    for (answer, expected, status) in [("n\n", "Abort", 1), ("y\n", "Removing elevate-hello", 0)] {
        let mut terminal = ada.terminal("elevate apt remove elevate-hello");
        terminal.expect(r"ontinue\? \[Y/n\] $");
        terminal.send(answer);
        terminal.expect(expected);
        assert_eq!(terminal.wait(), status);
    }
}

/// What every line editor does: keys that move, history, and Ctrl-C that forgets the line.
fn edit_lines(terminal: &mut Terminal, prompt: &str, line: &str, answer: &str) {
    let (first, last) = line.split_at(line.len() - 3);
    // The last three characters in the wrong order, and the cursor to mend that.
    terminal.send(&last[1..]);
    terminal.send("\x01");
    terminal.send(first);
    terminal.send(&last[..1]);
    terminal.send("\n");
    terminal.expect(answer);
    terminal.expect(prompt);
    terminal.send("\x1b[A\n");
    terminal.expect(answer);
    terminal.expect(prompt);
}

#[test]
fn a_shell_edits_its_line() {
    let machine = MACHINE.get();
    let bea = operator(&machine, "bea");
    let mut terminal = bea.terminal("elevate env PS1='edit> ' bash --norc --noprofile");
    terminal.expect("edit> ");
    edit_lines(&mut terminal, "edit> ", "echo $((40+2))", r"\r42\r");
    terminal.send("never run\x03");
    terminal.expect(r"\^C");
    terminal.expect("edit> ");
    terminal.send("sleep 8201\x1b[D\x1b[C\n");
    running(&machine, "sleep 8201");
    terminal.send("\x1a");
    terminal.expect("Stopped");
    terminal.send("fg\n");
    terminal.expect(r"fg\r\n(?s:.*)sleep 8201\r\n");
    terminal.send("\x03");
    // The shell throws away what was typed until it is ready again.
    terminal.expect(r"\^C(?s:.*)\?2004h");
    terminal.send("\n");
    terminal.expect("edit> $");
    terminal.send("exit 3\n");
    assert_eq!(terminal.wait(), 3);
}

fn running(machine: &Machine, line: &str) {
    machine.poll(line, super::PATIENCE, || {
        (machine.processes(line) == 1).then_some(())
    });
}

#[test]
fn a_database_client_edits_its_line() {
    let machine = MACHINE.get();
    let sam = operator(&machine, "sam");
    let mut terminal = sam.terminal("elevate sqlite3");
    terminal.expect("sqlite> ");
    edit_lines(&mut terminal, "sqlite> ", "select 6*7, 'it';", r"42\|it\r");
    terminal.send(".quit\n");
    assert_eq!(terminal.wait(), 0);
}
