//! `elevate -e`, in a real terminal, with editors that are scripts.

use std::path::{Path, PathBuf};

use elevate_protocol::Id;
use elevate_protocol::message::{self, Channel, Frame};
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{ChangedFile, CopyOf, EndReason, Status, ToClient, ToServer};
use rustix::process::Signal;

use crate::stage::{Stage, client, shell_status};

/// The client with `editor`, a script whose last argument is a copy, as the person's editor; the
/// script writes the path of the copy beside the stream first.
fn editing(editor: &str) -> Stage {
    editing_in("exec $CLIENT", editor)
}

/// The same where `shell` runs it.
fn editing_in(shell: &str, editor: &str) -> Stage {
    let shell = shell.replace("$CLIENT", &format!("{} -e", client()));
    let script = format!(
        "cat >$ELEVATE_TEST_STREAM.editor <<'END'
#!/bin/bash
for copy; do true; done
echo $copy >$ELEVATE_TEST_STREAM.copy
{editor}
END
        chmod +x $ELEVATE_TEST_STREAM.editor
        export EDITOR=$ELEVATE_TEST_STREAM.editor
        echo $BASHPID >$ELEVATE_TEST_STREAM.pid
        {shell}"
    );
    let mut stage = Stage::script(&script);
    stage.say(&ToClient::Attach {
        session: Id::from_random(7),
        routes: [Route::Null; 3],
        terminal: false,
    });
    stage.until_seen("kinds");
    stage
}

/// Hand over copies of these files; none is one that would be made.
fn copies(stage: &Stage, files: &[(&str, Option<&[u8]>)]) {
    let copy = |(path, contents): &(&str, Option<&[u8]>)| CopyOf {
        path: (*path).into(),
        size: contents.map_or(0, |contents| contents.len() as u64),
        new: contents.is_none(),
    };
    let announced = files.iter().map(copy).collect();
    stage.say(&ToClient::Copies { files: announced });
    for chunk in files
        .iter()
        .flat_map(|(_, contents)| contents.unwrap_or_default().chunks(30_000))
    {
        stage.send(Channel::File, chunk);
    }
}

const ONE: &[(&str, Option<&[u8]>)] = &[("/etc/x.conf", Some(b"old\n"))];

/// What comes back.
fn changes(stage: &mut Stage) -> Vec<(u32, Vec<u8>)> {
    let ToServer::Changed { files } = stage.message() else {
        panic!("not what changed");
    };
    let contents = |file: ChangedFile| {
        let mut contents = Vec::new();
        while (contents.len() as u64) < file.size {
            let packet = stage.packet();
            match message::decode::<ToServer>(&packet.body).unwrap() {
                Frame::Data(Channel::File, bytes) => contents.extend_from_slice(bytes),
                other => panic!("{other:?}"),
            }
        }
        (file.index, contents)
    };
    files.into_iter().map(contents).collect()
}

fn copy_of(stage: &Stage) -> PathBuf {
    stage.read_beside("copy").trim().into()
}

/// The folder that all copies of an edit are in.
fn folder(copy: &Path) -> PathBuf {
    copy.iter().take(4).collect()
}

fn end_badly(stage: &Stage, reason: EndReason) {
    let status = Status::Exited(1);
    stage.say(&ToClient::Ended { status, reason });
}

/// The path that is told, and still holds this; removed then.
fn is_kept(stage_seen: &str, copy: &Path, contents: &str) {
    let told = format!("what you changed is kept in {}", copy.display());
    assert!(
        stage_seen.replace("\r\n", "\n").contains(&told),
        "{stage_seen}"
    );
    assert_eq!(std::fs::read_to_string(copy).unwrap(), contents);
    std::fs::remove_dir_all(folder(copy)).unwrap();
}

#[test]
fn what_the_editor_wrote_is_given_back_and_the_copies_are_gone() {
    let mut stage = editing("sed -i s/old/new/ $copy");
    copies(&stage, ONE);
    assert_eq!(changes(&mut stage), [(0, b"new\n".to_vec())]);
    let copy = copy_of(&stage);
    assert!(copy.ends_with("etc/x.conf"), "{copy:?}");
    assert!(copy.exists());
    stage.end(Status::Exited(0));
    let (status, _) = stage.finish();
    assert_eq!(shell_status(status), 0);
    assert!(!folder(&copy).exists());
}

#[test]
fn of_several_files_those_that_changed_come_back_and_the_others_are_named() {
    let mut stage =
        editing("printf %s\\\\n \"${@: -3}\" | wc -l; sed -i s/b/B/ \"$2\"; echo made >$copy");
    let big = vec![b'a'; 200_000];
    copies(
        &stage,
        &[
            ("/etc/a", Some(&big)),
            ("/etc/b", Some(b"b\n")),
            ("/etc/new", None),
        ],
    );
    assert_eq!(
        changes(&mut stage),
        [(1, b"B\n".to_vec()), (2, b"made\n".to_vec())]
    );
    stage.end(Status::Exited(0));
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 0);
    assert!(seen.contains("elevate: /etc/a is unchanged"), "{seen}");
}

#[test]
fn an_unchanged_file_is_not_given_back() {
    let mut stage = editing("touch $copy");
    copies(&stage, ONE);
    assert_eq!(changes(&mut stage), []);
    stage.end(Status::Exited(0));
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 0);
    assert!(seen.contains("elevate: /etc/x.conf is unchanged"), "{seen}");
}

#[test]
fn an_editor_that_fails_writes_nothing_and_the_change_is_kept() {
    let mut stage = editing("echo mine >$copy; exit 3");
    copies(&stage, ONE);
    stage.until_seen("ended with status 3; nothing was written");
    let copy = copy_of(&stage);
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 3);
    is_kept(&seen, &copy, "mine\n");
}

#[test]
fn an_editor_that_is_not_there_leaves_nothing_behind() {
    let mut stage = editing("true");
    stage.write_beside("editor", "#!/no/such/interpreter\n");
    copies(&stage, ONE);
    stage.until_seen("cannot run the editor");
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 1);
    assert!(!seen.contains("kept"), "{seen}");
}

#[test]
fn a_change_that_could_not_be_written_is_kept() {
    let mut stage = editing("echo mine >$copy");
    copies(&stage, ONE);
    changes(&mut stage);
    let text = "/etc/x.conf cannot be edited: somebody else changed it meanwhile".into();
    stage.say(&ToClient::Notice { text });
    end_badly(&stage, EndReason::Finished);
    let copy = copy_of(&stage);
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 1);
    assert!(
        seen.contains("somebody else changed it meanwhile"),
        "{seen}"
    );
    is_kept(&seen, &copy, "mine\n");
}

#[test]
fn past_the_deadline_the_person_hears_of_it_at_once_and_their_text_is_kept() {
    let mut stage = editing("echo begun; read -r line; echo \"$line\" >$copy");
    copies(&stage, ONE);
    stage.until_seen("begun");
    let text = "this edit ends in 30 seconds".into();
    stage.say(&ToClient::Notice { text });
    stage.until_seen("elevate: this edit ends in 30 seconds");
    end_badly(&stage, EndReason::Deadline);
    stage.until_seen("what you save from now on stays in the copy");
    // The editor is the person's own: it goes on.
    stage.type_keys(b"typed afterwards\n");
    stage.until_seen("is kept in");
    let copy = copy_of(&stage);
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 1);
    assert!(
        seen.contains("the grant ended: its time was over; nothing was written"),
        "{seen}"
    );
    is_kept(&seen, &copy, "typed afterwards\n");
}

#[test]
fn a_leader_that_dies_costs_no_text() {
    let mut stage = editing("echo mine >$copy; echo begun; read -r");
    copies(&stage, ONE);
    stage.until_seen("begun");
    stage.drop_leader();
    stage.until_seen("the edit's supervisor went away");
    stage.type_keys(b"\n");
    let copy = copy_of(&stage);
    let (_, seen) = stage.finish();
    is_kept(&seen, &copy, "mine\n");
}

#[test]
fn a_signal_reaches_the_editor_and_leaves_nothing_behind() {
    for signal in [Signal::TERM, Signal::HUP, Signal::USR1] {
        let mut stage = editing("echo begun; read -r");
        copies(&stage, ONE);
        stage.until_seen("begun");
        let copy = copy_of(&stage);
        stage.signal(signal);
        let (status, seen) = stage.finish();
        assert_eq!(shell_status(status), 128 + signal.as_raw(), "{seen}");
        assert!(!folder(&copy).exists());
    }
}

#[test]
fn ctrl_c_is_the_editors_to_understand() {
    let mut stage =
        editing("trap 'echo caught; echo mine >$copy' INT; echo begun; read -r; read -r");
    copies(&stage, ONE);
    stage.until_seen("begun");
    // A shell that was about to read heeds its trap only after a line.
    stage.type_keys(b"\x03\n\n");
    stage.until_seen("caught");
    assert_eq!(changes(&mut stage), [(0, b"mine\n".to_vec())]);
    stage.end(Status::Exited(0));
    assert_eq!(shell_status(stage.finish().0), 0);
}

#[test]
fn we_stop_with_the_editor_and_continue_with_the_shell() {
    let shell = "set -m; $CLIENT; echo stopped; read -r; fg; echo done $?";
    // Alone, or with its whole job, as the keyboard does it.
    for stopping in ["kill -STOP $$", "kill -TSTP 0"] {
        let editor = format!("echo begun; {stopping}; read -r line; echo $line >$copy");
        let mut stage = editing_in(shell, &editor);
        copies(&stage, ONE);
        stage.until_seen("stopped");
        assert!(stage.is_silent());
        stage.type_keys(b"go on\nmine\n");
        assert_eq!(changes(&mut stage), [(0, b"mine\n".to_vec())], "{stopping}");
        stage.end(Status::Exited(0));
        stage.until_seen("done 0");
        let (_, seen) = stage.finish();
        assert_eq!(seen.matches("stopped").count(), 1, "{seen}");
    }
}

#[test]
fn an_interrupt_before_the_editor_begins_ends_it() {
    let stage = editing("echo must not run");
    stage.signal(Signal::INT);
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 128 + Signal::INT.as_raw(), "{seen}");
    assert!(!seen.contains("must not run"), "{seen}");
}

#[test]
fn the_editor_inherits_neither_our_signal_mask_nor_what_we_catch() {
    let mut stage = editing("cat /proc/self/status >$copy");
    copies(&stage, ONE);
    let status = String::from_utf8(changes(&mut stage).remove(0).1).unwrap();
    let value = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
    };
    assert_eq!(value("SigBlk:"), 0, "{status}");
    assert_eq!(value("SigCgt:"), 0, "{status}");
    stage.end(Status::Exited(0));
    assert_eq!(shell_status(stage.finish().0), 0);
}
