use anyhow::{Result, ensure};

use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::Stage;

pub(super) const SCENE: Scene = Scene {
    title: "Who does not get in",
    steps: &[
        play("With a wrong code", wrong),
        play("With a code that was used before", used),
        play("Without a role here", no_role),
        play(
            "They heard no reason, and each is on record with one",
            record,
        ),
    ],
};

fn wrong(stage: &mut Stage<'_>) -> Result<()> {
    let wrong = stage.factor(Who::Alice).wrong();
    stage.is_refused(Who::Alice, &wrong, "a code that is wrong")
}

fn used(stage: &mut Stage<'_>) -> Result<()> {
    let used = stage.factor(Who::Alice).shown_before();
    let what = "the last code of the phone that was right, once more";
    stage.is_refused(Who::Alice, &used, what)
}

fn no_role(stage: &mut Stage<'_>) -> Result<()> {
    stage.is_refused(Who::Eve, "123456", "something")
}

fn record(stage: &mut Stage<'_>) -> Result<()> {
    let read = "journalctl --no-pager --output cat SYSLOG_IDENTIFIER=elevate \
                ELEVATE_EVENT=login-refused";
    let reasons = ["wrong", "used already", "no role includes eve"];
    let answer = stage.says(Who::Root, read, 0, &reasons)?;
    ensure!(answer.shown.len() == 3, "there should be three records");
    Ok(())
}
