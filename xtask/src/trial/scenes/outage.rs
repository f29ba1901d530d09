use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::door::console;
use super::{Scene, play};
use crate::trial::cast::PASSWORD;
use crate::trial::seat::Who;
use crate::trial::stage::Stage;

pub(super) const SCENE: Scene = Scene {
    title: "elevated itself is gone",
    steps: &[
        play("While it is stopped nobody gets in through sshd", refused),
        play("root at the named console does, by password", rescued),
        play("When it is back, both are on record", recorded),
        play("A login waits for a restart, and succeeds", held),
    ],
};

/// How long the module waits for an answer at most, and some time for ssh.
const IN_TIME: Duration = Duration::from_secs(10 + 5);
const STOP: &str = "systemctl stop elevate-login.socket elevate-directory.socket elevated";

fn refused(stage: &mut Stage<'_>) -> Result<()> {
    stage.says(Who::Root, STOP, 0, &[])?;
    let begun = Instant::now();
    let screen = stage.is_sent_away(Who::Bob);
    let why = "elevated does not answer";
    ensure!(screen.contains(why), "it should say that {why}");
    ensure!(begun.elapsed() < IN_TIME, "that took too long");
    Ok(())
}

fn rescued(stage: &mut Stage<'_>) -> Result<()> {
    let password = format!("Password: ={PASSWORD}");
    let number = console();
    let line = format!(
        "python3 /usr/local/bin/on-console {number} '{password}' '#=tty >/root/where; exit' \
         -- login root"
    );
    stage.tells("somebody sits at a console, and types the password and a line:");
    stage.says(Who::Root, &line, 0, &["this is a rescue, and on record"])?;
    let terminal = format!("/dev/tty{number}");
    stage.says(Who::Root, "cat /root/where", 0, &[&terminal])?;
    Ok(())
}

fn recorded(stage: &mut Stage<'_>) -> Result<()> {
    stage.says(Who::Root, "systemctl start elevated", 0, &[])?;
    let machine = stage.machine;
    machine.event("rescue", &[("ELEVATE_USER", "root")]);
    machine.event("login-refused", &[("ELEVATE_USER", "bob")]);
    let read = "journalctl --no-pager --output cat SYSLOG_IDENTIFIER=elevate \
                ELEVATE_EVENT=rescue + ELEVATE_EVENT=login-refused ELEVATE_USER=bob";
    stage.says(Who::Root, read, 0, &["root", "bob"])?;
    Ok(())
}

/// Stopped where it stands, elevated answers nobody; the restart is what helps.
fn held(stage: &mut Stage<'_>) -> Result<()> {
    stage.says(Who::Root, "systemctl kill --signal=STOP elevated", 0, &[])?;
    stage.gets_up(Who::Bob);
    let door = stage.knocks(Who::Bob);
    stage.tells("it waits, for elevated hangs");
    stage.says(Who::Root, "systemctl restart elevated", 0, &[])?;
    stage.answers(Who::Bob, door)
}
