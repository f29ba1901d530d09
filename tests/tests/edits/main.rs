//! `elevate -e`: what is edited, as whom, and what is on record of it; and what edits nothing.

mod beside_sudo;
mod ends;
mod refusals;
mod smuggling;
mod swaps;

use elevate_tests::{Entry, Login, Machine, Output, SharedMachine, Spec, Terminal, Voter};

/// Members may edit, each group its own: `editor` at once as root, `keeper` as the user `keeper`,
/// `asker` once somebody of `lead` agrees, `late` for a second.
const POLICY: &str = r#"
[role.editor]
members = ["%editor"]

[role.keeper]
members = ["%keepers"]

[role.asker]
members = ["%asker"]

[role.lead]
members = ["%lead"]

[role.late]
members = ["%late"]

[rule.edit]
roles = ["editor"]
run_as = "root"
edit = ["/etc/site/**", "/srv/shared/**", "/dev/site"]
require = {}

[rule.not-this-one]
roles = ["editor"]
run_as = "ALL"
edit = ["/etc/site/never"]
effect = "deny"

[rule.edit-as-keeper]
roles = ["keeper"]
run_as = "keeper"
edit = ["/etc/site/**", "/srv/kept/*"]
require = {}

[rule.edit-together]
roles = ["asker"]
run_as = "root"
edit = ["/etc/site/**"]
require = { approvals = 1, approvers = ["role:lead"] }

[rule.edit-briefly]
roles = ["late"]
run_as = "root"
edit = ["/etc/site/**"]
require = {}
limit = { default = "3s", max = "1h" }
"#;

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("edits").prepared(prepare));

fn prepare(machine: &Machine) {
    for group in ["editor", "keepers", "asker", "lead", "late", "crew"] {
        machine.run(&["groupadd", "--force", group]).success();
    }
    let script = "useradd --system --no-create-home keeper
        mkdir /etc/site /srv/kept /srv/shared
        chown keeper: /srv/kept
        chgrp crew /srv/shared; chmod 2775 /srv/shared";
    machine.run(&["sh", "-ec", script]).success();
    machine.policy("test", POLICY);
}

fn member<'m>(machine: &'m Machine, name: &str, groups: &[&str]) -> Login<'m> {
    machine.member(name, groups);
    machine.login(name)
}

/// Somebody whose agreement counts.
fn voter<'m>(machine: &'m Machine, name: &str) -> Voter<'m> {
    machine.member(name, &["lead"]);
    machine.voter(name)
}

/// An editor of the person's own: a script that gets the copies.
fn editor(login: &Login<'_>, script: &str) {
    let path = format!("/home/{}/editor", login.user());
    login
        .machine()
        .write(&path, format!("#!/bin/bash\n{script}\n"), 0o755);
}

/// `elevate -e` with that editor.
fn line(arguments: &str) -> String {
    format!("EDITOR=~/editor elevate -e {arguments}")
}

fn edit(login: &Login<'_>, arguments: &str) -> Output {
    login.run(&line(arguments))
}

/// The same on a terminal, where the script waits for a line with `read`.
fn begin<'m>(login: &Login<'m>, arguments: &str) -> Terminal {
    let mut terminal = login.terminal(&line(arguments));
    terminal.expect("editing");
    terminal
}

/// What an editor does that waits: it says so, and writes after a line was typed.
const WAITING: &str = "echo editing; read -r; echo mine > $1";

fn read(machine: &Machine, path: &str) -> String {
    String::from_utf8(machine.read(path)).unwrap()
}

fn of<'a>(login: &'a Login<'_>) -> [(&'a str, &'a str); 1] {
    [("ELEVATE_USER", login.user())]
}

fn edits(login: &Login<'_>) -> Vec<Entry> {
    let user = of(login);
    login
        .machine()
        .events(&[&[("ELEVATE_EVENT", "edit")], &user[..]].concat())
}

/// Nobody's copies are left where copies are made.
fn no_copies_are_left(login: &Login<'_>) {
    let left = login.run("find /var/tmp /tmp -path '*elevate-edit-*' -user $USER 2>/dev/null");
    assert_eq!(left.text(), "");
}

fn names(machine: &Machine, folder: &str) -> String {
    machine.run(&["ls", "-A", folder]).success().text()
}

#[test]
fn a_file_is_edited_by_ones_own_editor_and_the_change_is_on_record() {
    let machine = &MACHINE.get();
    let alice = member(machine, "alice", &["editor"]);
    machine.write("/etc/site/alice.conf", "one\ntwo\nthree\n", 0o640);
    let owner = ["chown", "keeper:crew", "/etc/site/alice.conf"];
    machine.run(&owner).success();
    editor(&alice, "id -un > ~/who; sed -i s/two/2/ \"$@\"");
    let done = edit(&alice, "/etc/site/alice.conf").success();
    assert_eq!(done.errors(), "");
    assert_eq!(read(machine, "/etc/site/alice.conf"), "one\n2\nthree\n");
    assert_eq!(read(machine, "/home/alice/who"), "alice\n");
    let stat = ["stat", "-c", "%U:%G %a", "/etc/site/alice.conf"];
    assert_eq!(machine.run(&stat).text(), "keeper:crew 640");

    let event = machine.event("edit", &of(&alice));
    let diff = "--- /etc/site/alice.conf\n+++ /etc/site/alice.conf\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n";
    assert_eq!(event.get("ELEVATE_DIFF").unwrap(), diff);
    assert!(event.is("ELEVATE_PATH", "/etc/site/alice.conf"));
    let sum = machine.run(&["sha256sum", "/etc/site/alice.conf"]).text();
    assert!(sum.starts_with(&event.get("ELEVATE_SHA256_AFTER").unwrap()));
    assert_eq!(event.get("ELEVATE_SHA256_BEFORE").unwrap().len(), 64);
    let request = event.request();
    let end = machine.event("end", &[("ELEVATE_REQUEST", &request)]);
    assert!(end.is("ELEVATE_OUTCOME", "finished"));
    no_copies_are_left(&alice);
}

#[test]
fn several_files_and_a_new_one_are_edited_at_once() {
    let machine = &MACHINE.get();
    let ben = member(machine, "ben", &["editor"]);
    machine.write("/etc/site/ben/a", "a\n", 0o644);
    machine.write("/etc/site/ben/same", "same\n", 0o644);
    editor(&ben, "echo A > $1; touch $2; echo made > $3");
    // Relative to where they are, and along a link.
    machine
        .run(&["ln", "-s", "/etc/site/ben", "/home/ben/link"])
        .success();
    let done = ben.run("cd /etc/site && EDITOR=~/editor elevate -e ben/a ben/same ~/link/new");
    assert_eq!(
        done.success().errors(),
        "elevate: /etc/site/ben/same is unchanged"
    );
    assert_eq!(read(machine, "/etc/site/ben/a"), "A\n");
    assert_eq!(read(machine, "/etc/site/ben/new"), "made\n");
    let stat = ["stat", "-c", "%U:%G %a", "/etc/site/ben/new"];
    assert_eq!(machine.run(&stat).text(), "root:root 644");
    machine.event("end", &of(&ben));
    let paths: Vec<_> = edits(&ben)
        .iter()
        .map(|entry| entry.get("ELEVATE_PATH").unwrap())
        .collect();
    assert_eq!(paths, ["/etc/site/ben/a", "/etc/site/ben/new"]);
    assert_eq!(names(machine, "/etc/site/ben"), "a\nnew\nsame");
    no_copies_are_left(&ben);
}

#[test]
fn a_file_that_is_left_as_it_is_is_not_touched() {
    let machine = &MACHINE.get();
    let cal = member(machine, "cal", &["editor"]);
    machine.write("/etc/site/cal", "as it was\n", 0o644);
    let stat = ["stat", "-c", "%i %y %z", "/etc/site/cal"];
    let before = machine.run(&stat).text();
    editor(&cal, "cat $1 > /dev/null");
    let done = edit(&cal, "/etc/site/cal").success();
    assert_eq!(done.errors(), "elevate: /etc/site/cal is unchanged");
    machine.event("end", &of(&cal));
    assert!(edits(&cal).is_empty());
    assert_eq!(machine.run(&stat).text(), before);
}

#[test]
fn an_editor_takes_the_whole_terminal_and_gives_it_back() {
    let machine = &MACHINE.get();
    let dan = member(machine, "dan", &["editor"]);
    machine.write("/etc/site/dan.conf", "before\n", 0o644);
    let mut shell = dan.shell();
    shell.send("stty -g > before; EDITOR='vi -u NONE' elevate -e /etc/site/dan.conf\n");
    shell.expect("before");
    shell.send("cwafter\x1b:wq\n");
    shell.expect("ready> $");
    assert_eq!(read(machine, "/etc/site/dan.conf"), "after\n");
    shell.send("stty -g | cmp - before && echo sa''me\n");
    shell.expect("same");
    no_copies_are_left(&dan);
}

#[test]
fn another_target_edits_with_its_own_rights() {
    let machine = &MACHINE.get();
    let eve = member(machine, "eve", &["keepers"]);
    machine.write("/etc/site/eve", "root's\n", 0o644);
    editor(&eve, "for file; do echo mine > $file; done");
    let refused = edit(&eve, "-u keeper /etc/site/eve").status(1).errors();
    assert!(
        refused.contains("keeper cannot read and write /etc/site/eve"),
        "{refused}"
    );
    machine
        .run(&["chown", "keeper:", "/etc/site/eve"])
        .success();
    edit(&eve, "-u keeper /etc/site/eve /srv/kept/eve").success();
    for path in ["/etc/site/eve", "/srv/kept/eve"] {
        assert_eq!(read(machine, path), "mine\n");
        assert_eq!(machine.run(&["stat", "-c", "%U", path]).text(), "keeper");
    }
    // As root no rule lets her.
    edit(&eve, "/etc/site/eve").status(1);
    assert_eq!(read(machine, "/etc/site/eve"), "mine\n");
}

#[test]
fn an_approver_sees_which_files_and_nothing_is_copied_before() {
    let machine = &MACHINE.get();
    let (fay, gus) = (member(machine, "fay", &["asker"]), voter(machine, "gus"));
    machine.write("/etc/site/fay-1", "old\n", 0o644);
    editor(&fay, "echo new > $1; echo made > $2");
    let waiting = fay
        .command(&line("/etc/site/fay-1 /etc/site/fay-2"))
        .start();
    let request = machine.event("request", &of(&fay)).request();
    let shown = gus
        .run(&format!("elevatectl show {request}"))
        .success()
        .text();
    for path in ["/etc/site/fay-1", "/etc/site/fay-2"] {
        assert!(shown.contains(path), "{shown}");
    }
    gus.approve(&request).success();
    waiting.wait().success();
    assert_eq!(read(machine, "/etc/site/fay-1"), "new\n");
    assert_eq!(read(machine, "/etc/site/fay-2"), "made\n");
}

#[test]
fn a_file_that_changed_before_it_was_agreed_to_is_not_edited() {
    let machine = &MACHINE.get();
    let (hal, ivy) = (member(machine, "hal", &["asker"]), voter(machine, "ivy"));
    machine.write("/etc/site/hal", "old\n", 0o644);
    editor(&hal, "echo new > $1");
    let waiting = hal.command(&line("/etc/site/hal")).start();
    let request = machine.event("request", &of(&hal)).request();
    machine.write("/etc/site/hal", "another\n", 0o644);
    ivy.approve(&request).success();
    let refused = waiting.wait().status(1).errors();
    assert!(
        refused.contains("somebody else changed it meanwhile"),
        "{refused}"
    );
    assert_eq!(read(machine, "/etc/site/hal"), "another\n");
    assert!(edits(&hal).is_empty());
}
