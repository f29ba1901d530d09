//! Commands by way of a login shell (`-i COMMAND`): the shell gets the words that were approved, and
//! nothing of the caller's steers it.

use super::{MACHINE, login, reason, refusals_after_honest_use};

#[test]
fn a_login_shell_hands_every_word_on_byte_for_byte() {
    let machine = MACHINE.get();
    let user = login(&machine, "iris", "recorded");
    machine.user("bashful");
    machine.user("dashing");
    machine
        .run(&["usermod", "--shell", "/bin/dash", "dashing"])
        .success();
    let program = r##"
words = [b"", b" two  spaces ", b"new\nline", b"\n", b"\xff\xfe", "\u202e".encode(), b"$(touch /tmp/iris-shell)",
         b"`touch /tmp/iris-shell`", b"'", b"'; touch /tmp/iris-shell; '", b'"', b"*", b"~", b"--", b"-u", b"\\", b"\\n",
         b"!!", b"a!b", b"{a,b}", b"#x", b"x=1", b";", b"\x81;touch /tmp/iris-shell;", b"\x81'", b"\xa1\\", b"\t", b"${HOME}"]
for user in (b"bashful", b"dashing", b"root"):
    for locale in (b"C", b"C.UTF-8", b"ja_JP.SJIS", b"zh_CN.GBK"):
        child = subprocess.Popen([b"elevate", b"-i", b"-u", user, b"/usr/bin/printf", b"%s|"] + words,
                                 stdout=-1, env={b"LC_ALL": locale, b"PATH": b"/usr/bin"})
        print(child.communicate()[0] == b"|".join(words + [b""]))
"##;
    assert_eq!(user.hostile(program).text(), ["True"; 12].join("\n"));
    assert!(!machine.has("/tmp/iris-shell"));
}

#[test]
fn no_profile_of_the_callers_is_read_by_the_shell_of_another() {
    let machine = MACHINE.get();
    let user = login(&machine, "pia", "keeping");
    machine.user("tina");
    for name in [
        ".profile",
        ".bash_profile",
        ".bashrc",
        ".bash_login",
        ".zshenv",
    ] {
        let path = format!("/home/pia/{name}");
        machine.write(&path, "touch /tmp/pia-$(/usr/bin/id -un)\n", 0o644);
    }
    user.run("bash -l -c true").success();
    assert!(machine.has("/tmp/pia-pia"), "the attack works on one's own");
    let steered = "cd /home/pia && HOME=/home/pia ENV=/home/pia/.profile BASH_ENV=/home/pia/.profile \
                   ZDOTDIR=/home/pia";
    for line in [
        "elevate -i -u tina /usr/bin/id -un",
        "elevate -H -i -u tina /usr/bin/id -un",
        "elevate -E -s -u tina /usr/bin/id -un",
        "elevate -H -E -u tina bash -l -c '/usr/bin/id -un'",
        "echo /usr/bin/id -un | elevate -i -u tina",
        "echo /usr/bin/id -un | elevate -E -s -u tina",
    ] {
        // Only what is executed first gets the variables: that is the client.
        let line = match line.split_once(" | ") {
            Some((input, elevate)) => format!("{steered} && {input} | {elevate}"),
            None => format!("{steered} {line}"),
        };
        let seen = user.run(&line).success().text();
        assert!(seen.ends_with("tina"), "{line}: {seen}");
    }
    assert!(!machine.has("/tmp/pia-tina") && !machine.has("/tmp/pia-root"));
}

/// Between the check and the shell's own look-up the file could be another one.
#[test]
fn a_login_shell_runs_no_file_that_others_can_change() {
    let machine = MACHINE.get();
    let user = login(&machine, "isa", "recorded");
    user.run("printf '#!/bin/sh\\ntouch /isa-was-here\\n' >tool; chmod 755 tool")
        .success();
    user.run("ln -s /usr/bin/id link").success();
    for tool in ["/home/isa/tool", "/home/isa/link", "./tool"] {
        let refused = user.run(&format!("cd /home/isa; elevate -i {tool}"));
        assert_ne!(refused.status, 0, "{}", refused.describe());
        assert_eq!(refused.text(), "", "{tool}");
    }
    assert!(!machine.has("/isa-was-here"));
    let refusals = refusals_after_honest_use(&user);
    assert_eq!(refusals.len(), 3, "each is on record once");
    assert!(
        refusals
            .iter()
            .any(|entry| reason(entry).contains("others can change")),
        "{refusals:?}"
    );
    assert_eq!(user.run("elevate -i /usr/bin/id -u").success().text(), "0");
}
