//! Row 8 of docs/past-cves.md: an editor variable that names files beside those that were asked for.

use super::{MACHINE, editor, edits, member, names, of, read};

/// With an editor that writes to every file that it is told of.
const WRITES_ALL: &str = "for file; do echo smuggled >> \"$file\"; done 2> ~/refused; exit 0";

#[test]
fn a_variable_that_ends_the_editors_options_is_refused_before_anything_is_asked() {
    let machine = &MACHINE.get();
    let zoe = member(machine, "zoe", &["editor"]);
    machine.write("/etc/site/zoe", "old\n", 0o644);
    editor(&zoe, WRITES_ALL);
    for variable in ["ELEVATE_EDITOR", "SUDO_EDITOR", "VISUAL", "EDITOR"] {
        let line = format!("{variable}='vim -- /etc/shadow' elevate -e /etc/site/zoe");
        let said = zoe.run(&line).status(2).errors();
        assert!(
            said.contains(&format!("{variable} must not contain --")),
            "{said}"
        );
    }
    assert!(machine.events(&of(&zoe)).is_empty(), "something was asked");
    zoe.run("EDITOR=~/editor elevate -e /etc/site/zoe")
        .success();
    assert_eq!(read(machine, "/etc/site/zoe"), "old\nsmuggled\n");
    assert!(!read(machine, "/etc/shadow").contains("smuggled"));
}

#[test]
fn what_is_smuggled_without_that_is_opened_as_the_person_and_never_copied() {
    let machine = &MACHINE.get();
    let abe = member(machine, "abe", &["editor"]);
    machine.write("/etc/site/abe", "old\n", 0o644);
    machine.write("/etc/site/other", "other\n", 0o644);
    editor(&abe, WRITES_ALL);
    let line = "EDITOR='/home/abe/editor /etc/shadow /etc/site/other' elevate -e /etc/site/abe";
    abe.run(line).success();
    let refused = read(machine, "/home/abe/refused");
    for path in ["/etc/shadow", "/etc/site/other"] {
        assert!(
            refused.contains(&format!("{path}: Permission denied")),
            "{refused}"
        );
    }
    assert!(!read(machine, "/etc/shadow").contains("smuggled"));
    assert_eq!(read(machine, "/etc/site/other"), "other\n");
    assert_eq!(read(machine, "/etc/site/abe"), "old\nsmuggled\n");
    machine.event("end", &of(&abe));
    let paths: Vec<_> = edits(&abe)
        .iter()
        .map(|entry| entry.get("ELEVATE_PATH"))
        .collect();
    assert_eq!(paths, [Some("/etc/site/abe".into())]);
    assert!(!names(machine, "/etc/site").contains(".elevate-"));
}
