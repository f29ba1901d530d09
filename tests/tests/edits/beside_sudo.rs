//! The lines of "Coming from sudo" in the admin guide that are about `-e`: what sudoedit does there.

use super::{MACHINE, WAITING, edit, editor, line, member, read};

#[test]
fn sudoedit_differs_as_the_guide_says() {
    let machine = &MACHINE.get();
    let ada = member(machine, "ada", &["editor", "crew"]);
    let rule = "ada ALL=(root) NOPASSWD: sudoedit /etc/site/ada, sudoedit /srv/shared/ada/conf\n";
    machine.write("/etc/sudoers.d/ada", rule, 0o440);
    let path = "/etc/site/ada";
    machine.write(path, "old\n", 0o644);
    let sudoedit = |path: &str| format!("EDITOR=~/editor sudo -e {path}");
    let inode = || machine.run(&["stat", "-c", "%i", path]).text();

    // In place, or another file.
    let before = inode();
    editor(&ada, "echo sudo > $1");
    ada.run(&sudoedit(path)).success();
    assert_eq!(
        (read(machine, path), inode()),
        ("sudo\n".into(), before.clone())
    );
    editor(&ada, "echo ours > $1");
    edit(&ada, path).success();
    assert_ne!(inode(), before);

    // An editor that fails.
    editor(&ada, "echo failed > $1; exit 1");
    edit(&ada, path).status(1);
    assert_eq!(read(machine, path), "ours\n");
    ada.run(&sudoedit(path));
    assert_eq!(read(machine, path), "failed\n");

    // A change of somebody else's meanwhile.
    editor(&ada, WAITING);
    for (line, wanted) in [(sudoedit(path), "mine\n"), (line(path), "theirs\n")] {
        let mut terminal = ada.terminal(&line);
        terminal.expect("editing");
        machine.write(path, "theirs\n", 0o644);
        terminal.send("\n");
        terminal.wait();
        assert_eq!(read(machine, path), wanted, "{line}");
    }

    // A folder on the way that they may write, though not the file's own.
    let folder = "mkdir /srv/shared/ada; chgrp root /srv/shared/ada; chmod 755 /srv/shared/ada";
    machine.run(&["sh", "-ec", folder]).success();
    machine.write("/srv/shared/ada/conf", "old\n", 0o644);
    editor(&ada, "echo sudo > $1");
    ada.run(&sudoedit("/srv/shared/ada/conf")).success();
    assert_eq!(read(machine, "/srv/shared/ada/conf"), "sudo\n");
    edit(&ada, "/srv/shared/ada/conf").status(1);

    // An editor variable with --: the next one, or none at all.
    editor(&ada, "echo next > $1");
    let smuggling = "SUDO_EDITOR='vim -- /etc/shadow' EDITOR=~/editor";
    ada.run(&format!("{smuggling} sudo -e {path}"));
    assert_eq!(read(machine, path), "next\n");
    ada.run(&format!("{smuggling} elevate -e {path}")).status(2);
}
