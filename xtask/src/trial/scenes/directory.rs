use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use elevate_tests::Machine;

use super::{Scene, line, play};
use crate::trial::seat::Who;
use crate::trial::stage::{Stage, Typed, took};

pub(super) const SCENE: Scene = Scene {
    title: "The directory: people who are in no file of this server",
    steps: &[
        line(
            "Its files know none of them",
            Typed {
                who: Who::Root,
                line: "grep -E '^(alice|bob|carol):' /etc/passwd",
                status: 1,
                shows: &[],
            },
        ),
        play("elevate-directory reads them from slapd over TLS", follow),
        play(
            "Whom a role admits here is on the server, and nobody else",
            known,
        ),
        play("sshd has alice's key from the directory", by_key),
        play("Who joins is on the server within two seconds", joiner),
    ],
};

/// As long as the directory's changes may take.
pub(super) const AT_ONCE: Duration = Duration::from_secs(2);
const STATUS: &str = "elevatectl directory status";

fn follow(stage: &mut Stage<'_>) -> Result<()> {
    let begin = "systemctl enable --quiet --now elevate-directory";
    stage.says(Who::Root, begin, 0, &[])?;
    until_known(stage.machine, "alice")?;
    // The directory's eve would be the eve who is here already.
    let wanted = ["state         connected", "people        20", "eve: "];
    stage.reads(Who::Root, STATUS, &wanted)?;
    Ok(())
}

fn known(stage: &mut Stage<'_>) -> Result<()> {
    let entry = ["alice:x:5001:6000:Alice Archer:/home/alice:/bin/bash"];
    stage.says(Who::Root, "getent passwd alice", 0, &entry)?;
    let groups = ["uid=5001(alice)", "(people)", "(dba)", "(oncall)"];
    stage.says(Who::Root, "id alice", 0, &groups)?;
    let carol = stage.says(Who::Root, "id carol", 1, &["no such user"]);
    carol.context("carol has no role here")?;
    Ok(())
}

fn by_key(stage: &mut Stage<'_>) -> Result<()> {
    let keys = "userdbctl ssh-authorized-keys alice";
    stage.says(Who::Root, keys, 0, &["ssh-ed25519 "])?;
    stage.comes_in_by_key(Who::Alice)?;
    let line = "id --user --name; cat /proc/self/loginuid; echo";
    stage.says(Who::Alice, line, 0, &["alice", "5001"])?;
    stage.tells("bob comes in like this, too, and eve, whose key is in her home");
    stage.comes_in_by_key(Who::Bob)?;
    stage.comes_in_by_key(Who::Eve)
}

fn joiner(stage: &mut Stage<'_>) -> Result<()> {
    let change = "ldapmodify -Q -f carol-joins.ldif";
    stage.says(Who::Root, change, 0, &["modifying entry"])?;
    let since = Instant::now();
    until_known(stage.machine, "carol")?;
    let time = since.elapsed();
    stage.tells(&format!(
        "`id carol` knows her {} after ldapmodify",
        took(time)
    ));
    stage.says(Who::Root, "id carol", 0, &["uid=5003(carol)"])?;
    ensure!(time < AT_ONCE, "that is too long");
    Ok(())
}

pub(super) fn is_known(machine: &Machine, user: &str) -> bool {
    machine.run(&["id", user]).status == 0
}

fn until_known(machine: &Machine, user: &str) -> Result<()> {
    let patience = Duration::from_secs(10);
    machine.poll(&format!("{user} is on the server"), patience, || {
        is_known(machine, user).then_some(())
    });
    Ok(())
}
