use std::time::Duration;

use anyhow::Result;

use super::{Scene, line, play};
use crate::trial::seat::Who;
use crate::trial::stage::{Stage, Typed};

pub(super) const SCENE: Scene = Scene {
    title: "Rules that want a code",
    steps: &[
        line(
            "The code of the login counts for it",
            Typed {
                who: Who::Alice,
                line: LOGS,
                status: 0,
                shows: &["cron"],
            },
        ),
        play(
            "carol logged in before the door asked for codes: she is asked, once",
            asked_once,
        ),
        play(
            "A code that is too old for the rule is asked for again",
            too_old,
        ),
        line(
            "Who can't be asked hears so, and nothing runs",
            Typed {
                who: Who::Alice,
                line: "sleep 2; elevate -n passwd --status root",
                status: 1,
                shows: &["needs a verification code"],
            },
        ),
        line(
            "eve has no second factor, and no role anyway",
            Typed {
                who: Who::Eve,
                line: LOGS,
                status: 1,
                shows: &["no rule lets you"],
            },
        ),
    ],
};

const LOGS: &str = "elevate journalctl --no-pager --unit cron --lines 1";
const PASSWORDS: &str = "elevate passwd --status root";
/// As old as the rule allows a code to be.
const FRESH: Duration = Duration::from_secs(2);

fn asked_once(stage: &mut Stage<'_>) -> Result<()> {
    stage.begins(Who::Carol, LOGS);
    stage.gives_code(Who::Carol);
    stage.ends(Who::Carol, 0, &["cron"])?;
    stage.says(Who::Carol, LOGS, 0, &["cron"])?;
    Ok(())
}

/// The rule takes two seconds, and the codes of the logins are older.
fn too_old(stage: &mut Stage<'_>) -> Result<()> {
    std::thread::sleep(FRESH);
    stage.begins(Who::Alice, PASSWORDS);
    stage.sees(Who::Alice, "Verification code: ");
    let wrong = stage.factor(Who::Alice).wrong();
    stage.presses(
        Who::Alice,
        &format!("{wrong}\n"),
        "the keys of a wrong code",
    );
    stage.gives_code(Who::Alice);
    stage.ends(Who::Alice, 0, &["root P "])?;
    stage.tells("and at once again, without a question:");
    stage.says(Who::Alice, PASSWORDS, 0, &["root P "])?;
    Ok(())
}
