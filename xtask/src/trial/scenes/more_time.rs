use anyhow::Result;

use super::time::running_session;
use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::Stage;

pub(super) const SCENE: Scene = Scene {
    title: "More time: before its end a session says so",
    steps: &[play("alice is warned, and goes on for longer", extend)],
};

fn extend(stage: &mut Stage<'_>) -> Result<()> {
    stage.begins(
        Who::Alice,
        "elevate --for 34s sh -c 'echo Go on?; read word; echo $word'",
    );
    stage.sees(Who::Alice, r"Go on\?\r\n");
    let id = running_session(stage)?;
    stage.tells("waiting for the last 30 seconds ...");
    stage.sees(Who::Alice, r"the session ends in [^\r]*\r\n");
    let extend = format!("elevatectl extend {id} --for 5m");
    stage.says(Who::AliceAgain, &extend, 0, &[])?;
    stage.looks_at(Who::Alice, "where nobody typed anything");
    stage.sees(Who::Alice, r"the session is extended[^\r]*\r\n");
    stage.presses(Who::Alice, "in time\n", "the keys of: in time");
    stage.ends(Who::Alice, 0, &["in time"])?;
    Ok(())
}
