//! What is not edited, whatever the rule's paths.

use elevate_tests::{Login, Machine};

use super::{MACHINE, edit, editor, edits, member, of, read};

/// Somebody whose editor would change every file that it gets.
fn writer<'m>(machine: &'m Machine, name: &str) -> Login<'m> {
    let login = member(machine, name, &["editor", "crew"]);
    editor(
        &login,
        "for file; do echo changed > \"$file\"; done; touch ~/ran",
    );
    login
}

/// Refused with these words before any editor ran, once on record; then an honest edit works.
fn is_refused(login: &Login<'_>, path: &str, words: &str) {
    let machine = login.machine();
    let refusals = || {
        let user = of(login);
        let fields = [&[("ELEVATE_EVENT", "refusal")], &user[..]].concat();
        machine.events(&fields).len()
    };
    let before = refusals();
    let home = format!("/home/{}", login.user());
    machine.run(&["rm", "-f", &format!("{home}/ran")]).success();
    let said = edit(login, path);
    assert_ne!(said.status, 0, "{path}");
    assert!(said.errors().contains(words), "{path}: {}", said.errors());
    assert!(
        !machine.has(&format!("{home}/ran")),
        "an editor ran on {path}"
    );
    assert!(edits(login).is_empty());
    machine.poll("one refusal", std::time::Duration::from_secs(20), || {
        (refusals() == before + 1).then_some(())
    });
}

fn still_edits(login: &Login<'_>) {
    let path = format!("/etc/site/honest-{}", login.user());
    edit(login, &path).success();
    assert_eq!(login.machine().read(&path), b"changed\n");
}

#[test]
fn a_file_that_no_rule_names_is_refused_however_it_is_spelled() {
    let machine = &MACHINE.get();
    let jo = writer(machine, "jo");
    machine
        .run(&["ln", "-sfn", "/etc", "/home/jo/folder"])
        .success();
    for path in [
        "/etc/shadow",
        "/etc/site/../shadow",
        "/etc/site/../../etc/shadow",
        "~/folder/shadow",
        "/etc/site/never",
        "/etc/site/x /etc/shadow",
    ] {
        is_refused(&jo, path, "");
    }
    assert!(!read(machine, "/etc/shadow").contains("changed"));
    assert!(!machine.has("/etc/site/x"));
    still_edits(&jo);
}

#[test]
fn what_is_no_ordinary_file_is_refused() {
    let machine = &MACHINE.get();
    let kay = writer(machine, "kay");
    let script = "mkdir -p /etc/site/kay/folder; cd /etc/site/kay
        ln -s /etc/shadow link; mkfifo fifo; truncate -s 16777217 big; mknod /dev/site c 1 3";
    machine.run(&["sh", "-ec", script]).success();
    is_refused(&kay, "/etc/site/kay/link", "is a link");
    is_refused(&kay, "/etc/site/kay/folder", "is a folder");
    is_refused(&kay, "/etc/site/kay/fifo", "is no ordinary file");
    is_refused(&kay, "/dev/site", "is no ordinary file");
    is_refused(&kay, "/etc/site/kay/big", "more than 16 MiB");
    is_refused(&kay, "/etc/site/kay/no/such/x", "there is no folder for");
    still_edits(&kay);
}

#[test]
fn in_a_folder_that_they_may_write_nothing_is_edited() {
    let machine = &MACHINE.get();
    let lee = writer(machine, "lee");
    // A further name for root's file, where they could make one.
    let script = "echo secret > /srv/secret; chmod 600 /srv/secret; ln /srv/secret /srv/shared/hard
        mkdir -p /srv/shared/inner; chmod 755 /srv/shared/inner; chgrp root /srv/shared/inner
        echo root > /srv/shared/inner/conf";
    machine.run(&["sh", "-ec", script]).success();
    is_refused(&lee, "/srv/shared/hard", "lee may write to /srv/shared");
    is_refused(
        &lee,
        "/srv/shared/inner/conf",
        "lee may write to /srv/shared",
    );
    is_refused(&lee, "/srv/shared/new", "lee may write to /srv/shared");
    assert_eq!(machine.read("/srv/secret"), b"secret\n");
    still_edits(&lee);
}

#[test]
fn whoever_may_not_edit_learns_nothing_of_a_file() {
    let machine = &MACHINE.get();
    machine.member("max", &[]);
    let max = machine.login("max");
    editor(&max, "true");
    let script = "mkdir -p /root/max/folder; touch /root/max/file; ln -s file /root/max/link";
    machine.run(&["sh", "-ec", script]).success();
    let said = ["file", "link", "folder", "nothing", "no/folder"].map(|name| {
        let path = format!("/root/max/{name}");
        let said = edit(&max, &path);
        (said.status, said.errors().replace(&path, "PATH"))
    });
    for other in &said[1..] {
        assert_eq!(other, &said[0]);
    }
}
