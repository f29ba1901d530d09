use anyhow::{Context as _, Result, ensure};
use elevate_tests::Factor;

use super::{Scene, line, play};
use crate::trial::seat::Who;
use crate::trial::stage::{Stage, Typed};

pub(super) const SCENE: Scene = Scene {
    title: "Enrolment: a second factor for everybody, while a key alone still lets in",
    steps: &[
        play("alice enrols her phone, and a code of it confirms", alice),
        play("bob and carol do so, too", others),
        line(
            "What is known of it tells no secret",
            Typed {
                who: Who::Alice,
                line: "elevatectl mfa status",
                status: 0,
                shows: &["10 left"],
            },
        ),
    ],
};

/// Cells of a picture that a camera reads.
const BLOCKS: [char; 3] = ['█', '▀', '▄'];

fn alice(stage: &mut Stage<'_>) -> Result<()> {
    let picture = enrol(stage, Who::Alice, Stage::sees_all)?;
    let cells = picture.matches(BLOCKS).count();
    ensure!(cells > 200, "that is no QR code");
    Ok(())
}

fn others(stage: &mut Stage<'_>) -> Result<()> {
    stage.comes_in_by_key(Who::Carol)?;
    for who in [Who::Bob, Who::Carol] {
        enrol(stage, who, Stage::sees)?;
    }
    Ok(())
}

/// Has somebody enrol at their shell. Returns what was shown up to the question for a code.
fn enrol<'m>(
    stage: &mut Stage<'m>,
    who: Who,
    sees: fn(&mut Stage<'m>, Who, &str) -> String,
) -> Result<String> {
    stage.begins(who, "elevatectl mfa enrol");
    let shown = sees(stage, who, "Verification code: ");
    ensure!(shown.contains("URI: otpauth://totp/"), "there is no URI");
    let secret = shown.lines().find_map(|line| line.strip_prefix("Secret: "));
    let secret = secret.context("there is no secret in text")?;
    let mut factor = Factor::new(stage.machine, secret, []);
    let code = factor.totp();
    stage.presses(
        who,
        &format!("{code}\n"),
        "the keys of the code that the phone shows",
    );
    stage.seat(who).note_recovery_codes(&mut factor);
    let paper = factor.recovery_codes().map(|code| format!("  {code}"));
    let paper: Vec<_> = paper.collect();
    stage.tells("Recovery codes, for a sheet of paper:");
    stage.output(&paper);
    stage.factors.push((who.account(), factor));
    let enrolled = format!("Enrolled {}.", who.account());
    let answer = stage.ends(who, 0, &[&enrolled])?;
    ensure!(!answer.text().contains(&code), "the code was echoed");
    Ok(shown)
}
