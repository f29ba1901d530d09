//! What is the same.

use super::{MACHINE, login, same, same_with};

#[test]
fn as_whom() {
    let machine = MACHINE.get();
    let ada = login(&machine, "ada", "all");
    for line in [
        "@ id",
        "@ -u tia id",
        "@ --user=tia id -un",
        "@ -utia id -un",
        "@ -u \\#$(id -u tia) id -un",
        "@ -g adm sh -c 'id -un; id -gn'",
        "@ -u tia -g adm sh -c 'id -un; id -gn'",
        "@ -u tia -g \\#$(getent group adm | cut -d: -f3) id -gn",
        "@ -u ada id",
    ] {
        same_with(&ada, line, 0);
    }
    same_with(&ada, "@ -u nobody-of-this-name id", 1);
    same_with(&ada, "@ -g nogroup-of-this-name id", 1);
}

#[test]
fn where_it_runs() {
    let machine = MACHINE.get();
    let abe = login(&machine, "abe", "all");
    abe.run("mkdir -p here/there && ln -s here/there link")
        .success();
    for line in [
        "@ pwd",
        "@ -D /tmp pwd",
        "@ -D ~/here pwd",
        "@ --chdir=$PWD/here/there pwd",
        "@ -D ~/link pwd -P",
        "@ -u tia -D / sh -c 'id -un; pwd'",
        "cd / && @ cat etc/hostname",
        "@ -D /usr/local/bin /usr/local/bin/zero",
        "cd /usr/local/bin && @ ./zero | sed s,^.*/,,",
    ] {
        same_with(&abe, line, 0);
    }
    same_with(&abe, "@ -D /nowhere pwd", 1);
}

#[test]
fn with_what_around_it() {
    let machine = MACHINE.get();
    let amy = login(&machine, "amy", "all");
    let shown = |names: &str| {
        format!("sh -c 'for name in {names}; do eval \"echo \\$name=\\${{$name-unset}}\"; done'")
    };
    let usual = shown("HOME USER LOGNAME SHELL PATH SUDO_USER SUDO_UID SUDO_GID A B");
    for flags in [
        "@",
        "@ -u tia",
        "@ -H",
        "HOME=/tmp @",
        "HOME=/tmp @ -H -u tia",
        "A=mine @",
        "@ A=b",
        "@ A=b B='c d' -u tia",
        "@ A=1 A=2",
        "@ A=",
        "A=mine B=too @ --preserve-env=A",
        "A=mine B=too @ --preserve-env=A,B,C",
        "A=mine @ --preserve-env=A A=other",
        "HOME=/root A=mine @ -E",
        "HOME=/root A=mine @ --preserve-env",
        "HOME=/root A=mine @ -E A=other",
        "PATH=/tmp:$PATH @",
    ] {
        same_with(&amy, &format!("{flags} {usual}"), 0);
    }
    let locale = shown("LANG LC_ALL LC_TIME");
    same_with(
        &amy,
        &format!("LC_ALL=C.UTF-8 LC_TIME=/etc/passwd @ {locale}"),
        0,
    );
    for umask in ["000", "022", "027", "077"] {
        same_with(&amy, &format!("umask {umask}; @ sh -c umask"), 0);
    }
    same_with(&amy, "ulimit -n 333; @ sh -c 'ulimit -c'", 0);
}

#[test]
fn which_words_it_gets() {
    let machine = MACHINE.get();
    let art = login(&machine, "art", "all");
    for line in [
        "@ zero",
        "@ /usr/local/bin/zero a 'b c' '' -n --help",
        "@ -- zero -i",
        "@ -u root -- zero -- -u",
        "@ zero -u tia -E A=b",
        "@ sh -c 'echo $0'",
        "@ sh -c 'echo $0 $1' name word",
        "@ printf '%s|' 'a b' '*' '$HOME' '\\' \"'\" \"$(printf 'a\\nb')\"",
        "@ -nHD / -u tia sh -c 'id -un; pwd; echo $HOME'",
    ] {
        same_with(&art, line, 0);
    }
}

#[test]
fn shells() {
    let machine = MACHINE.get();
    let ash = login(&machine, "ash", "all");
    let about = "echo $0; pwd; id -un; echo $HOME $SHELL $USER; shopt -q login_shell && echo login";
    machine.write("/home/ash/about", format!("{about}\nexit 5\n"), 0o644);
    for flags in ["-i", "-s", "-i -u tia", "-s -u tia", "--login -u ash"] {
        same_with(&ash, &format!("@ {flags} <about"), 5);
    }
    for line in [
        "@ -s id -un",
        "@ -s -u tia pwd",
        "@ -s printf '%s|' 'a b' '*' ';' '(x)'",
        "@ -s -D /tmp pwd",
        "@ -i id -un",
        "@ -i pwd",
        "@ -i -u tia pwd",
        "@ -iu tia env -u TERM sh -c 'echo $HOME $USER'",
        "@ -i printf '%s|' 'a b' '*' ';' '(x)' \"'\"",
        "@ A=b -i sh -c 'echo done'",
    ] {
        same_with(&ash, line, 0);
    }
    same_with(&ash, "@ -i sh -c 'exit 9'", 9);
    same_with(&ash, "@ -s sh -c 'exit 9'", 9);
}

#[test]
fn what_goes_in_and_comes_out() {
    let machine = MACHINE.get();
    let abi = login(&machine, "abi", "all");
    for line in [
        "echo hello | @ cat",
        "@ cat </etc/hostname",
        "@ cat <&-; true",
        "@ sh -c 'echo out; echo err >&2' 2>/dev/null",
        "@ sh -c 'echo out; echo err >&2' 2>&1 >/dev/null",
        "seq 100000 | @ cat | md5sum",
        "printf 'a\\nb\\n' | { @ true; cat; }",
        "@ sh -c 'test -t 0 || echo no terminal'",
        "@ -n echo asked nothing",
        "@ -k echo one",
    ] {
        same_with(&abi, line, 0);
    }
    same_with(&abi, "@ sh -c 'exit 7'", 7);
    same_with(&abi, "@ sh -c 'kill -TERM $$'; echo $?", 0);
    same_with(&abi, "@ seq 1000000 | head -1; echo ${PIPESTATUS[0]}", 0);
    same(&abi, "@ sh -c 'kill -KILL $$'");
    for line in [
        "@ -k",
        "@ -K",
        "@ -V >/dev/null",
        "@ -h >/dev/null",
        "@ --help >/dev/null",
    ] {
        same_with(&abi, line, 0);
    }
}

#[test]
fn on_a_terminal() {
    let machine = MACHINE.get();
    let ari = login(&machine, "ari", "all");
    let line = "sh -c 'test -t 0 && test -t 1 && test -t 2 && echo on a terminal; stty size'";
    for program in ["sudo", "elevate"] {
        let mut terminal = ari.terminal(&format!("{program} {line}; echo ended $?"));
        terminal.expect("on a terminal");
        terminal.expect("24 80");
        terminal.expect("ended 0");
        let mut terminal = ari.terminal(&format!("{program} -i -u tia"));
        terminal.expect("tia@");
        terminal.send("echo shell is $0; exit 3\n");
        terminal.expect("shell is -bash");
        assert_eq!(terminal.wait(), 3, "{program}");
    }
}
