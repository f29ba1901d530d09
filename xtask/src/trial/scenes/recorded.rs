use anyhow::{Result, ensure};

use super::time::running_session;
use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::Stage;

pub(super) const SCENE: Scene = Scene {
    title: "On record: what a session showed, and every program in it",
    steps: &[
        play(
            "alice writes a note in an editor that fills the screen",
            write_note,
        ),
        play("It is listed, and shown with what it executed", list),
        play("What stood on the screen is found", search),
        play("And played", play_it),
    ],
};

const NOTE: &str = "the backup moves to Friday";

fn write_note(stage: &mut Stage<'_>) -> Result<()> {
    stage.begins(Who::Alice, "elevate sh -c 'vi -u NONE /root/note; true'");
    stage.sees(Who::Alice, r#"note" \[New"#);
    stage.left.note = running_session(stage)?;
    stage.presses(Who::Alice, &format!("i{NOTE}"), "i and the keys of a note");
    stage.sees(Who::Alice, NOTE);
    stage.presses(Who::Alice, "\x1b:wq\n", "Esc and :wq");
    stage.ends(Who::Alice, 0, &[])?;
    stage.says(Who::Root, "cat /root/note", 0, &[NOTE])?;
    Ok(())
}

fn list(stage: &mut Stage<'_>) -> Result<()> {
    let id = stage.left.note.clone();
    stage.says(
        Who::Root,
        "elevatectl sessions list --all --user alice",
        0,
        &[&id],
    )?;
    let show = format!("elevatectl sessions show {id}");
    stage.says(Who::Root, &show, 0, &["alice", "vi -u NONE /root/note"])?;
    let execs = format!("journalctl --no-pager -o cat ELEVATE_EVENT=exec ELEVATE_REQUEST={id}");
    stage.says(Who::Root, &execs, 0, &["executes vi -u NONE /root/note"])?;
    Ok(())
}

fn search(stage: &mut Stage<'_>) -> Result<()> {
    let search = format!("elevatectl sessions search '{NOTE}'");
    let found = stage.says(Who::Root, &search, 0, &["alice", NOTE])?;
    let of_it = found.text().contains(&stage.left.note);
    ensure!(of_it, "it should be found in that session");
    Ok(())
}

fn play_it(stage: &mut Stage<'_>) -> Result<()> {
    let play = format!("elevatectl sessions play --dump {}", stage.left.note);
    stage.says(Who::Root, &play, 0, &[NOTE])?;
    Ok(())
}
