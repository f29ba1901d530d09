use anyhow::{Result, ensure};

use super::{Scene, line, play};
use crate::trial::seat::Who;
use crate::trial::stage::{Stage, Typed};

pub(super) const SCENE: Scene = Scene {
    title: "A standing rule: alice's everyday commands run at once",
    steps: &[
        line(
            "She is root for one command",
            Typed {
                who: Who::Alice,
                line: "elevate id",
                status: 0,
                shows: &["uid=0(root)"],
            },
        ),
        line(
            "The exit status comes back",
            Typed {
                who: Who::Alice,
                line: "elevate sh -c 'exit 7'",
                status: 7,
                shows: &[],
            },
        ),
        line(
            "She can be another account than root",
            Typed {
                who: Who::Alice,
                line: "elevate -u postgres whoami",
                status: 0,
                shows: &["postgres"],
            },
        ),
        line(
            "It works in a pipe",
            Typed {
                who: Who::Alice,
                line: "getent passwd alice | elevate tr a-z A-Z | cut -d: -f1",
                status: 0,
                shows: &["ALICE"],
            },
        ),
        play("A program that fills the terminal works too", full_screen),
        line(
            "eve has no role: she is refused, and told why and what to do",
            Typed {
                who: Who::Eve,
                line: "elevate id",
                status: 1,
                shows: &["no rule lets you", "ask an administrator"],
            },
        ),
    ],
};

fn full_screen(stage: &mut Stage<'_>) -> Result<()> {
    stage.begins(Who::Alice, "elevate top");
    let screen = stage.sees(Who::Alice, r"PID USER.*?systemd");
    ensure!(screen.contains("load average"), "that is not top's screen");
    stage.presses(Who::Alice, "q", "q");
    stage.ends(Who::Alice, 0, &[])?;
    Ok(())
}
