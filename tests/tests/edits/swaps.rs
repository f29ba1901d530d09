//! Files and folders that are exchanged, or changed by somebody else, while the editor runs.

use super::{MACHINE, WAITING, begin, editor, edits, member, of, read};

/// With the editor of `name` open on `/etc/site/NAME/conf`, root does this; the edit then writes
/// nothing, says why, and keeps the person's text.
fn refused_after(name: &str, meanwhile: &str, words: &str) {
    let machine = &MACHINE.get();
    let login = member(machine, name, &["editor"]);
    let folder = format!("/etc/site/{name}");
    machine.write(&format!("{folder}/conf"), "old\n", 0o644);
    editor(&login, WAITING);
    let mut terminal = begin(&login, &format!("{folder}/conf"));
    let script = format!("cd {folder}; {meanwhile}");
    machine.run(&["sh", "-ec", &script]).success();
    terminal.send("\n");
    terminal.expect(words);
    terminal.expect("nothing was written");
    let kept = terminal.expect(r"what you changed is kept in (\S+)");
    assert_eq!(terminal.wait(), 1);
    assert_eq!(read(machine, &kept), "mine\n");
    let owner = machine.run(&["stat", "-c", "%U %a", &kept]).text();
    assert_eq!(owner, format!("{name} 600"));
    let mine = format!("grep -rlx mine {folder} {folder}-* /srv/swap-{name} 2>/dev/null");
    assert_eq!(machine.run(&["sh", "-c", &mine]).text(), "");
    machine.event("end", &of(&login));
    assert!(edits(&login).is_empty());
    login
        .run(&format!("rm -r {}", kept.split("/etc/").next().unwrap()))
        .success();
}

#[test]
fn what_somebody_else_wrote_meanwhile_stays() {
    refused_after(
        "ned",
        "echo theirs > conf",
        "somebody else changed it meanwhile",
    );
    assert_eq!(read(&MACHINE.get(), "/etc/site/ned/conf"), "theirs\n");
}

#[test]
fn a_link_in_its_place_is_not_written_through() {
    refused_after(
        "ola",
        "rm conf; echo theirs > /srv/swap-ola; ln -s /srv/swap-ola conf",
        "is a link",
    );
    assert_eq!(read(&MACHINE.get(), "/srv/swap-ola"), "theirs\n");
}

#[test]
fn another_folder_in_the_place_of_its_own_gets_nothing() {
    let swap = "mv /etc/site/pam /etc/site/pam-old; mkdir /etc/site/pam; cp -p ../pam-old/conf /etc/site/pam/";
    refused_after("pam", swap, "somebody else changed it meanwhile");
}

#[test]
fn a_folder_that_became_a_link_is_not_followed() {
    let swap = "mv /etc/site/quin /etc/site/quin-old; ln -s quin-old /etc/site/quin";
    refused_after("quin", swap, "cannot be edited");
}

#[test]
fn what_is_mounted_over_its_folder_gets_nothing() {
    let swap =
        "mkdir /srv/swap-ray; cp -p conf /srv/swap-ray; mount --bind /srv/swap-ray /etc/site/ray";
    refused_after("ray", swap, "somebody else changed it meanwhile");
}

#[test]
fn a_folder_that_became_theirs_meanwhile_gets_nothing() {
    refused_after("sam", "chown sam .", "sam may write to /etc/site/sam");
}
