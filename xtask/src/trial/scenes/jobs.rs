use anyhow::Result;

use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::Stage;

pub(super) const SCENE: Scene = Scene {
    title: "A session is a job of its shell like any other",
    steps: &[
        play("Ctrl-Z stops it, and fg goes on", stop_and_go_on),
        play(
            "In the background it stops when it wants to read",
            background,
        ),
        play("Ctrl-C ends it", interrupt),
    ],
};

const ASK: &str = "elevate sh -c 'echo Which fruit?; read word; echo got $word; exit 5'";

fn stop_and_go_on(stage: &mut Stage<'_>) -> Result<()> {
    stage.begins(Who::Alice, ASK);
    stage.sees(Who::Alice, r"Which fruit\?\r\n");
    stage.presses(Who::Alice, "\x1a", "Ctrl-Z");
    stage.ends(Who::Alice, 148, &["Stopped"])?;
    take_up(stage)
}

fn background(stage: &mut Stage<'_>) -> Result<()> {
    stage.begins(Who::Alice, &format!("{ASK} & sleep 2"));
    stage.ends(Who::Alice, 0, &["Which fruit?"])?;
    stage.says(Who::Alice, "jobs", 0, &["Stopped"])?;
    take_up(stage)
}

fn take_up(stage: &mut Stage<'_>) -> Result<()> {
    stage.begins(Who::Alice, "fg");
    stage.presses(Who::Alice, "apple\n", "the keys of: apple");
    stage.ends(Who::Alice, 5, &["got apple"])?;
    Ok(())
}

fn interrupt(stage: &mut Stage<'_>) -> Result<()> {
    stage.begins(Who::Alice, "elevate sh -c 'echo Asleep; sleep 300'");
    stage.sees(Who::Alice, r"Asleep\r\n");
    stage.presses(Who::Alice, "\x03", "Ctrl-C");
    stage.ends(Who::Alice, 130, &[])?;
    stage.says(Who::Root, "pgrep --full '^sleep 300'", 1, &[])?;
    Ok(())
}
