use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::{Stage, took};

pub(super) const SCENE: Scene = Scene {
    title: "Time: whatever a session started ends with it",
    steps: &[
        play("After five seconds all of it is gone", deadline),
        play(
            "Also when both daemons were killed in between",
            deadline_without_daemons,
        ),
        play("With its leader killed it is gone at once", leader_killed),
        play("A grant that is revoked ends at once", revoke),
        play("A restart of the daemons leaves sessions running", restart),
    ],
};

const TREE: &str = "sh -c 'setsid sleep 300 & nohup sleep 300 & sleep 300'";
const SLEEPERS: &str = "pgrep --list-full --full '^sleep 300'";
const SESSIONS: &str = "elevatectl sessions list";
/// What our part and the way through ssh may add to a deadline.
const LATE: Duration = Duration::from_secs(2);
const AT_ONCE: Duration = Duration::from_secs(2);

fn deadline(stage: &mut Stage<'_>) -> Result<()> {
    begin(stage, &format!("elevate --for 5s {TREE}"))?;
    ends_on_time(stage)
}

fn deadline_without_daemons(stage: &mut Stage<'_>) -> Result<()> {
    begin(stage, &format!("elevate --for 5s {TREE}"))?;
    let kill = "systemctl kill --kill-whom=main --signal=KILL elevated elevate-launcher";
    stage.says(Who::Root, kill, 0, &[])?;
    ends_on_time(stage)
}

/// Starts three sleepers, two of which run away from their parent.
fn begin(stage: &mut Stage<'_>, line: &str) -> Result<()> {
    stage.begins(Who::Alice, line);
    stage.machine.poll("three sleepers", AT_ONCE, || {
        let found = stage.machine.run(&["pgrep", "--full", "^sleep 300"]);
        (found.text().lines().count() == 3).then_some(())
    });
    stage.says(Who::Root, SLEEPERS, 0, &["sleep 300"])?;
    Ok(())
}

fn ends_on_time(stage: &mut Stage<'_>) -> Result<()> {
    stage.looks_at(Who::Alice, "when the time is over");
    let answer = stage.ends_somehow(Who::Alice);
    let five = Duration::from_secs(5);
    ensure!(
        (five..five + LATE).contains(&answer.took),
        "it should take 5 s and took {}",
        took(answer.took)
    );
    nothing_left(stage)
}

/// Whoever waits for the end may hear of it a moment before the kernel is done with the last process.
fn nothing_left(stage: &mut Stage<'_>) -> Result<()> {
    stage.machine.poll("the end of the sleepers", AT_ONCE, || {
        let found = stage.machine.run(&["pgrep", "--full", "^sleep 300"]);
        (found.status == 1).then_some(())
    });
    stage.says(Who::Root, SLEEPERS, 1, &[])?;
    Ok(())
}

fn leader_killed(stage: &mut Stage<'_>) -> Result<()> {
    begin(stage, &format!("elevate {TREE}"))?;
    let id = running_session(stage)?;
    let ask = format!(
        "busctl get-property org.elevate.Elevated1 /org/elevate/Elevated1/session/{id} \
         org.elevate.Elevated1.Session Leader"
    );
    let leader = stage.says(Who::Root, &ask, 0, &["i "])?.text();
    let pid = leader.trim_start_matches("i ");
    stage.says(Who::Root, &format!("kill -KILL {pid}"), 0, &[])?;
    ends_at_once(stage)
}

fn revoke(stage: &mut Stage<'_>) -> Result<()> {
    begin(stage, &format!("elevate {TREE}"))?;
    let id = running_session(stage)?;
    let revoke = format!(r#"elevatectl grants revoke {id} --reason "that is enough""#);
    stage.says(Who::Root, &revoke, 0, &[])?;
    ends_at_once(stage)
}

/// The id of the one session that runs, from the listing.
pub(super) fn running_session(stage: &mut Stage<'_>) -> Result<String> {
    let listed = stage.says(Who::AliceAgain, SESSIONS, 0, &["running"])?;
    let row = listed.shown.iter().find(|row| row.contains(" running "));
    let id = row.and_then(|row| row.split_whitespace().next());
    Ok(id.context("no session runs")?.to_owned())
}

fn ends_at_once(stage: &mut Stage<'_>) -> Result<()> {
    stage.looks_at(Who::Alice, "at once");
    let since = std::time::Instant::now();
    stage.ends_somehow(Who::Alice);
    let time = since.elapsed();
    ensure!(time < AT_ONCE, "it took {}", took(time));
    nothing_left(stage)
}

fn restart(stage: &mut Stage<'_>) -> Result<()> {
    let line = r#"elevate sh -c 'echo What now?; read word; echo "$word, said $(whoami)"'"#;
    stage.begins(Who::Alice, line);
    stage.sees(Who::Alice, r"What now\?\r\n");
    let before = running_session(stage)?;
    let restart = "systemctl restart elevated elevate-launcher";
    stage.says(Who::Root, restart, 0, &[])?;
    let after = running_session(stage)?;
    ensure!(before == after, "another session is listed: {after}");
    stage.presses(Who::Alice, "still here\n", "the keys of: still here");
    stage.ends(Who::Alice, 0, &["still here, said root"])?;
    stage.left.session = after;
    Ok(())
}
