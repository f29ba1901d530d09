use anyhow::Result;

use super::{Scene, line, play};
use crate::trial::seat::Who;
use crate::trial::stage::{Stage, Typed};

pub(super) const SCENE: Scene = Scene {
    title: "Editing: the editor is alice's, on a copy, and only what came of it is written",
    steps: &[
        play(
            "She changes a file of root's, which is on record as a diff",
            edit,
        ),
        line(
            "What no rule names she can't edit",
            Typed {
                who: Who::Alice,
                line: "elevate -e /etc/shadow",
                status: 1,
                shows: &["no rule lets you"],
            },
        ),
    ],
};

fn edit(stage: &mut Stage<'_>) -> Result<()> {
    let before = "[shop]\nport = 80\n";
    stage.machine.write("/etc/shop.conf", before, 0o644);
    let edit = "EDITOR='sed -i s/80/8080/' elevate -e /etc/shop.conf";
    stage.says(Who::Alice, edit, 0, &[])?;
    stage.says(Who::Root, "cat /etc/shop.conf", 0, &["port = 8080"])?;
    let journal = "journalctl --no-pager -o cat --output-fields=ELEVATE_DIFF ELEVATE_EVENT=edit";
    stage.says(Who::Root, journal, 0, &["-port = 80\n", "+port = 8080"])?;
    Ok(())
}
