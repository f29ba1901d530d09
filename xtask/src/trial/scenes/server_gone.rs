use std::time::Duration;

use anyhow::Result;

use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::Stage;

pub(super) const SCENE: Scene = Scene {
    title: "The directory server is gone",
    steps: &[
        play("It is noticed", noticed),
        play("Logins and rules go on from what is known", go_on),
    ],
};

pub(super) const STATUS: &str = "elevatectl directory status";
const NOTICED: Duration = Duration::from_secs(20);

fn noticed(stage: &mut Stage<'_>) -> Result<()> {
    stage.says(Who::Root, "systemctl stop directory-server", 0, &[])?;
    until_state(stage, "disconnected", NOTICED);
    stage.says(Who::Root, STATUS, 0, &["disconnected"])?;
    Ok(())
}

fn go_on(stage: &mut Stage<'_>) -> Result<()> {
    stage.gets_up(Who::Carol);
    stage.comes_in(Who::Carol)?;
    stage.says(Who::Carol, "elevate id", 0, &["uid=0(root)"])?;
    Ok(())
}

/// Waits until the directory is in this state.
pub(super) fn until_state(stage: &Stage<'_>, state: &str, within: Duration) {
    let machine = stage.machine;
    let ask = ["elevatectl", "directory", "status", "--json"];
    machine.poll(&format!("the directory is {state}"), within, || {
        let status: serde_json::Value = serde_json::from_slice(&machine.run(&ask).stdout).ok()?;
        (status["state"] == state).then_some(())
    });
}
