use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use elevate_tests::Machine;

use super::approval::request_of;
use super::directory::{AT_ONCE, is_known};
use super::server_gone::until_state;
use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::{Stage, took};

pub(super) const SCENE: Scene = Scene {
    title: "Somebody leaves: alice is disabled in the directory",
    steps: &[
        play("She has two logins, a session, a request", before),
        play("Within two seconds nothing of it is left", gone),
        play("She can't come back", no_return),
    ],
};

const UID: &str = "5001";
/// How long nothing of her may take at the very most, so that the step ends.
const PATIENCE: Duration = Duration::from_secs(20);

fn before(stage: &mut Stage<'_>) -> Result<()> {
    // elevate-directory met a daemon that was away, and may take a moment to try again.
    until_state(stage, "connected", PATIENCE);
    stage.begins(Who::Alice, "elevate sleep 300");
    stage.machine.poll("her session", AT_ONCE, || {
        (stage.machine.processes("sleep 300") == 1).then_some(())
    });
    let line = r#"elevate --reason "before I go" systemctl restart cron"#;
    request_of(stage, Who::AliceAgain, line)?;
    let listed = "elevatectl sessions list; elevatectl requests";
    stage.says(Who::Root, listed, 0, &["running", "before I go"])?;
    Ok(())
}

/// What she has, and how to tell that it is gone.
type Gone = (&'static str, fn(&Stage<'_>) -> bool);

const ALL: &[Gone] = &[
    ("her logins", |stage| {
        let hers = |who: &Who| who.account() == "alice";
        let seats = stage.seats.iter().filter(|(who, _)| hers(who));
        seats.clone().count() == 2 && seats.clone().all(|(_, seat)| seat.is_over())
    }),
    ("her session", |stage| {
        stage.machine.processes("sleep 300") == 0
    }),
    ("every process of hers", |stage| {
        let found = stage.machine.run(&["pgrep", "--euid", UID]);
        found.text().is_empty()
    }),
    ("her grant and her request", |stage| {
        nothing_open(stage.machine, "grants list") && nothing_open(stage.machine, "requests")
    }),
    ("her account and its memberships", |stage| {
        !is_known(stage.machine, "alice") && !published(stage.machine)
    }),
];

fn gone(stage: &mut Stage<'_>) -> Result<()> {
    let change = "ldapmodify -Q -f alice-leaves.ldif";
    stage.says(Who::Root, change, 0, &["modifying entry"])?;
    let since = Instant::now();
    let mut left: Vec<_> = ALL.iter().collect();
    let mut last = Duration::ZERO;
    while !left.is_empty() && since.elapsed() < PATIENCE {
        left.retain(|(what, is_gone)| {
            if !is_gone(stage) {
                return true;
            }
            last = since.elapsed();
            stage.tells(&format!("after {:>6}: {what}", took(last)));
            false
        });
    }
    ensure!(left.is_empty(), "{} stayed", left[0].0);
    ensure!(last < AT_ONCE, "it took {}", took(last));
    stage.gets_up(Who::Alice);
    stage.gets_up(Who::AliceAgain);
    let event = stage.machine.event("leave", &[("ELEVATE_USER", "alice")]);
    ensure!(event.is("ELEVATE_UID", UID), "the record is of another uid");
    Ok(())
}

fn nothing_open(machine: &Machine, listing: &str) -> bool {
    let words: Vec<_> = ["elevatectl"]
        .into_iter()
        .chain(listing.split(' '))
        .collect();
    let listed = machine.run(&[&words[..], &["--json"]].concat()).success();
    let all: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
    let over = ["ended", "withdrawn", "denied", "timed-out", "changed"];
    all.as_array().is_some_and(|all| {
        let mut states = all.iter().map(|one| one["state"].as_str());
        states.all(|state| state.is_some_and(|state| over.contains(&state)))
    })
}

fn published(machine: &Machine) -> bool {
    let found = machine.run(&["find", "/run/userdb", "-name", "alice*"]);
    !found.success().text().is_empty()
}

fn no_return(stage: &mut Stage<'_>) -> Result<()> {
    let screen = stage.is_sent_away(Who::Alice);
    ensure!(screen.contains("Permission denied"), "sshd should deny it");
    stage.says(Who::Root, "id alice", 1, &["no such user"])?;
    Ok(())
}
