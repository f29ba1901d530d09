use anyhow::Result;

use super::{Scene, line, play};
use crate::trial::seat::Who;
use crate::trial::stage::{Stage, Typed};

pub(super) const SCENE: Scene = Scene {
    title: "Meanwhile: the record",
    steps: &[
        play("What alice's terminal showed can be played", play_recording),
        line(
            "Why something is allowed, the policy explains",
            Typed {
                who: Who::Bob,
                line: "elevatectl policy why -- systemctl restart cron",
                status: 0,
                shows: &["services"],
            },
        ),
        line(
            "The daemon says how it is",
            Typed {
                who: Who::Root,
                line: "elevatectl status",
                status: 0,
                shows: &["disconnected"],
            },
        ),
    ],
};

fn play_recording(stage: &mut Stage<'_>) -> Result<()> {
    let id = &stage.left.session;
    let play = format!("elevatectl sessions play --idle-limit 200ms {id}");
    let wanted = ["What now?", "still here, said root"];
    stage.says(Who::Root, &play, 0, &wanted)?;
    Ok(())
}
