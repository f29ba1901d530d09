use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::server_gone::{STATUS, until_state};
use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::{Stage, took};

pub(super) const SCENE: Scene = Scene {
    title: "What is known of the directory grows too old",
    steps: &[
        play("After `cache_max_age`, 30 s here, it counts no more", stops),
        play("When the server is back, it counts again", back),
    ],
};

/// The age, and what it takes to notice.
const PAST: Duration = Duration::from_secs(60);
const RULE: &str = "elevate id";

fn stops(stage: &mut Stage<'_>) -> Result<()> {
    let since = Instant::now();
    stage.tells("waiting for it ...");
    until_state(stage, "expired", PAST);
    stage.tells(&format!("that was {} more", took(since.elapsed())));
    stage.says(Who::Root, STATUS, 0, &["expired"])?;
    stage.says(Who::Carol, RULE, 1, &["cache_max_age"])?;
    let code = stage.factor(Who::Bob).code();
    stage.is_refused(Who::Bob, &code, "a code that is right")?;
    let refusal = [("ELEVATE_USER", "bob"), ("ELEVATE_EVENT", "login-refused")];
    let last = stage.machine.events(&refusal).pop();
    let why = last.and_then(|last| last.get("ELEVATE_REASON"));
    let why = why.context("no record")?;
    stage.tells(&format!("on record, and nowhere else, stands why: {why}"));
    ensure!(why.contains("cache_max_age"), "that is another reason");
    Ok(())
}

fn back(stage: &mut Stage<'_>) -> Result<()> {
    // Who follows it tries again in at most half a minute, and at once after a restart.
    let start = "systemctl start directory-server && systemctl restart elevate-directory";
    stage.says(Who::Root, start, 0, &[])?;
    until_state(stage, "connected", PAST);
    stage.says(Who::Carol, RULE, 0, &["uid=0(root)"])?;
    Ok(())
}
