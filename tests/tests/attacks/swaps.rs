//! What runs is what was shown and agreed to: neither the file nor the words change in between
//! (CVE-2021-23239).

use super::{MACHINE, login, voter};

/// Each begins with a harmless file, and what puts another in its place once somebody looks at it.
const SWAPS: [(&str, &str, &str); 5] = [
    (
        "contents",
        "printf '#!/bin/sh\\necho shown\\n' >tool",
        "printf '#!/bin/sh\\ntouch /swapped\\n' >tool",
    ),
    (
        "rename",
        "printf '#!/bin/sh\\necho shown\\n' >tool",
        "printf '#!/bin/sh\\ntouch /swapped\\n' >other; chmod 755 other; mv other tool",
    ),
    (
        "link",
        "ln -s /bin/echo tool",
        "printf '#!/bin/sh\\ntouch /swapped\\n' >other; chmod 755 other; ln -sf other tool",
    ),
    (
        "folder",
        "mkdir real; printf '#!/bin/sh\\necho shown\\n' >real/tool; chmod 755 real/tool; ln -s real/tool tool",
        "mkdir fake; printf '#!/bin/sh\\ntouch /swapped\\n' >fake/tool; chmod 755 fake/tool; mv real gone; mv fake real",
    ),
    (
        "interpreter",
        "cp /bin/echo reader; printf '#!/home/proteus/interpreter/reader\\n' >tool",
        "printf '#!/bin/sh\\ntouch /swapped\\n' >other; chmod 755 other; mv other reader",
    ),
];

#[test]
fn a_file_that_changed_after_it_was_shown_does_not_run() {
    let machine = MACHINE.get();
    let user = login(&machine, "proteus", "asking");
    let approver = voter(&machine, "peleus");
    for (name, begin, swap) in SWAPS {
        let folder = format!("/home/proteus/{name}");
        user.run(&format!(
            "mkdir {folder} && cd {folder} && {begin} && {{ [ -L tool ] || chmod 755 tool; }}"
        ))
        .success();
        let command = format!("{folder}/tool");
        let asking = user.command(&format!("elevate {command}")).start();
        let asked = [("ELEVATE_USER", "proteus"), ("ELEVATE_COMMAND", &command)];
        let id = machine.event("request", &asked).request();
        user.run(&format!("cd {folder} && {swap}")).success();
        approver.approve(&id);
        let ended = asking.wait();
        assert_ne!(ended.status, 0, "{name}: {}", ended.describe());
        assert!(
            ended.errors().contains("no longer the file"),
            "{name}: {}",
            ended.describe()
        );
        assert!(!machine.has("/swapped"), "{name}: what was not shown ran");
    }
}

#[test]
fn a_file_that_stayed_runs_once_it_was_agreed_to() {
    let machine = MACHINE.get();
    let user = login(&machine, "petra", "asking");
    let approver = voter(&machine, "paula");
    user.run("printf '#!/bin/sh\\nprintf \"%%s|\" \"$@\"' >tool; chmod 755 tool")
        .success();
    let program = r#"
words = [b"", b" two  spaces ", b"new\nline", b"\xff\xfe", "\u202e".encode(), b"$(touch /swapped)", b"'", b"*", b"--", b"-u"]
child = subprocess.Popen([b"elevate", b"/home/petra/tool"] + words, stdout=-1)
print(child.communicate()[0] == b"|".join(words + [b""]))
"#;
    let asking = user.hostile_command(program).start();
    let id = machine
        .event("request", &[("ELEVATE_USER", "petra")])
        .request();
    approver.approve(&id).success();
    assert_eq!(
        asking.wait().success().text(),
        "True",
        "executed bytes are the approved ones"
    );
    assert!(!machine.has("/swapped"));
}
