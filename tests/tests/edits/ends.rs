//! Edits whose time is over, that are revoked, or whose editor comes to nothing.

use std::time::Duration;

use super::{
    MACHINE, WAITING, begin, edit, editor, edits, member, names, no_copies_are_left, of, read,
};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn at_the_deadline_nothing_is_written_and_the_text_is_kept() {
    let machine = &MACHINE.get();
    let tia = member(machine, "tia", &["late"]);
    machine.write("/etc/site/tia", "old\n", 0o644);
    editor(&tia, WAITING);
    let mut terminal = begin(&tia, "/etc/site/tia");
    terminal.expect_within("its time was over", PATIENCE);
    terminal.expect("stays in the copy");
    let end = machine.event("end", &of(&tia));
    assert!(end.is("ELEVATE_OUTCOME", "deadline"), "{end:?}");
    terminal.send("\n");
    let kept = terminal.expect(r"what you changed is kept in (\S+)");
    assert_eq!(terminal.wait(), 1);
    assert_eq!(read(machine, &kept), "mine\n");
    assert_eq!(read(machine, "/etc/site/tia"), "old\n");
    assert!(edits(&tia).is_empty());
    tia.run(&format!("rm -r {}", kept.split("/etc/").next().unwrap()))
        .success();
}

#[test]
fn an_edit_that_is_revoked_writes_nothing() {
    let machine = &MACHINE.get();
    let uma = member(machine, "uma", &["editor"]);
    machine.write("/etc/site/uma", "old\n", 0o644);
    editor(&uma, "echo editing; read -r");
    let mut terminal = begin(&uma, "/etc/site/uma");
    let request = machine.event("start", &of(&uma)).request();
    let revoke = ["elevatectl", "grants", "revoke", &request];
    machine.run(&revoke).success();
    terminal.expect("revoked it");
    terminal.send("\n");
    assert_eq!(terminal.wait(), 1);
    assert_eq!(read(machine, "/etc/site/uma"), "old\n");
    let end = machine.event("end", &of(&uma));
    assert!(end.is("ELEVATE_OUTCOME", "revoked"), "{end:?}");
    no_copies_are_left(&uma);
}

#[test]
fn an_edit_goes_on_while_the_daemon_restarts() {
    let machine = &MACHINE.get();
    let vic = member(machine, "vic", &["editor"]);
    machine.write("/etc/site/vic", "old\n", 0o644);
    editor(&vic, WAITING);
    let mut terminal = begin(&vic, "/etc/site/vic");
    machine
        .run(&["systemctl", "restart", "elevated", "elevate-launcher"])
        .success();
    terminal.send("\n");
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    assert_eq!(read(machine, "/etc/site/vic"), "mine\n");
    let event = machine.event("edit", &of(&vic));
    assert!(event.get("ELEVATE_DIFF").unwrap().contains("+mine"));
}

#[test]
fn an_editor_that_fails_or_is_not_there_writes_nothing() {
    let machine = &MACHINE.get();
    let wes = member(machine, "wes", &["editor"]);
    machine.write("/etc/site/wes", "old\n", 0o644);
    editor(&wes, "exit 7");
    let said = edit(&wes, "/etc/site/wes").status(7).errors();
    assert!(
        said.contains("the editor ended with status 7; nothing was written"),
        "{said}"
    );
    let said = wes
        .run("EDITOR=/no/such/editor elevate -e /etc/site/wes")
        .status(1)
        .errors();
    assert!(
        said.contains("cannot run the editor /no/such/editor"),
        "{said}"
    );
    assert_eq!(read(machine, "/etc/site/wes"), "old\n");
    no_copies_are_left(&wes);
}

#[test]
fn a_client_that_is_ended_or_killed_changes_nothing() {
    let machine = &MACHINE.get();
    let xia = member(machine, "xia", &["editor"]);
    machine.write("/etc/site/xia", "old\n", 0o644);
    editor(&xia, "echo editing; echo $PPID > ~/client; read -r");
    for signal in ["TERM", "HUP", "KILL"] {
        let mut terminal = begin(&xia, "/etc/site/xia");
        xia.run(&format!("kill -{signal} $(cat ~/client)"))
            .success();
        if signal == "KILL" {
            // The editor, which lives on, is the person's own.
            terminal.send("\n");
        }
        terminal.wait();
    }
    machine.poll("three ends", PATIENCE, || {
        let ends = machine.events(&[("ELEVATE_EVENT", "end"), ("ELEVATE_USER", "xia")]);
        let gone = ends
            .iter()
            .filter(|end| end.is("ELEVATE_OUTCOME", "client-gone"));
        (gone.count() == 3).then_some(())
    });
    assert_eq!(read(machine, "/etc/site/xia"), "old\n");
    assert!(edits(&xia).is_empty());
}

#[test]
fn where_there_is_no_room_the_file_stays_as_it_is() {
    let machine = &MACHINE.get();
    let yan = member(machine, "yan", &["editor"]);
    let mount = "mkdir -p /etc/site/yan; mount -t tmpfs -o size=64k,mode=755 none /etc/site/yan";
    machine.run(&["sh", "-ec", mount]).success();
    machine.write("/etc/site/yan/conf", "old\n", 0o644);
    editor(&yan, "head -c 200000 /dev/zero | tr '\\0' x > $1");
    let said = edit(&yan, "/etc/site/yan/conf").status(1).errors();
    assert!(said.contains("No space left on device"), "{said}");
    assert!(said.contains("what you changed is kept in"), "{said}");
    assert_eq!(read(machine, "/etc/site/yan/conf"), "old\n");
    assert_eq!(names(machine, "/etc/site/yan"), "conf");
    assert!(edits(&yan).is_empty());
}

/// Kills the leader of an edit, which has the file open, as soon as it makes the one that is to take
/// its place.
const KILLER: &str = r#"
my ($folder, $file) = @ARGV;
my @leaders = grep {
    my $pid = $_;
    grep { (readlink($_) // "") eq $file } glob "/proc/$pid/fd/*"
} map { m{(\d+)$} } glob "/proc/[0-9]*";
@leaders == 1 or die "@leaders";
$| = 1;
print "ready\n";
until (glob "$folder/.elevate-*") {}
kill "KILL", @leaders;
"#;

#[test]
fn a_change_whose_leader_was_killed_amid_it_is_on_record() {
    let machine = &MACHINE.get();
    let zed = member(machine, "zed", &["editor"]);
    machine.write("/root/killer", KILLER, 0o600);
    // As much as there may be, so that writing it takes a while.
    editor(
        &zed,
        "echo editing; read -r; head -c 16M /dev/zero | tr '\\0' x > $1",
    );
    let kill = [
        "perl",
        "/root/killer",
        "/etc/site/zed",
        "/etc/site/zed/conf",
    ];
    let mut tries = 0;
    let interrupted = machine.poll("a kill amid the writing", 4 * PATIENCE, || {
        tries += 1;
        machine.write("/etc/site/zed/conf", "old\n", 0o644);
        let mut terminal = begin(&zed, "/etc/site/zed/conf");
        let killer = machine.command(&kill).start();
        machine.poll("the killer", PATIENCE, || {
            killer.stdout_so_far().contains("ready").then_some(())
        });
        terminal.send("\n");
        killer.wait().success();
        // It may wait for a key, to tell where the text is kept.
        terminal.send("\n");
        terminal.wait_within(PATIENCE);
        machine.poll("the end", PATIENCE, || {
            let ends = machine.events(&[("ELEVATE_EVENT", "end"), ("ELEVATE_USER", "zed")]);
            (ends.len() == tries).then_some(())
        });
        // Written or not, there is one for each.
        let mut edits = edits(&zed);
        assert_eq!(edits.len(), tries, "{edits:?}");
        let last = edits.pop()?;
        last.is("ELEVATE_OUTCOME", "interrupted").then_some(last)
    });
    assert!(interrupted.is("ELEVATE_PATH", "/etc/site/zed/conf"));
    let sum = interrupted.get("ELEVATE_SHA256_BEFORE").unwrap();
    let old = machine.run(&["sh", "-c", "echo old | sha256sum"]).text();
    assert!(old.starts_with(&sum));
}
