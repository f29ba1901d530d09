use anyhow::Result;

use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::Stage;

pub(super) const SCENE: Scene = Scene {
    title: "victor is from outside: whole logins of his are recorded",
    steps: &[
        play("What his own shell shows is on record", shell),
        play("Files that he passes are, by their names", files),
    ],
};

fn shell(stage: &mut Stage<'_>) -> Result<()> {
    stage.comes_in_by_key(Who::Victor)?;
    stage.says(
        Who::Victor,
        "echo $SHELL; id -un",
        0,
        &["/bin/bash", "victor"],
    )?;
    stage.says(Who::Victor, "echo just looking around", 0, &[])?;
    stage.tells("what is shown reaches the disk within a second:");
    let search = "sleep 1; elevatectl sessions search 'just looking around'";
    let found = ["victor", "just looking around"];
    stage.says(Who::Root, search, 0, &found)?;
    Ok(())
}

fn files(stage: &mut Stage<'_>) -> Result<()> {
    let remote = "victor@127.0.0.1:/home/victor/price list";
    stage.tells("at victor's own computer, which is this one:");
    stage.says(Who::Root, &format!("scp -q /etc/fstab '{remote}'"), 0, &[])?;
    // In a batch nobody could be asked for a code, and sshd has to be able to ask.
    let sftp = "sftp -q -oBatchMode=no -b - victor@127.0.0.1";
    let batch = format!("echo 'rm \"/home/victor/price list\"' | {sftp}");
    stage.says(Who::Root, &batch, 0, &[])?;
    let journal = "journalctl --no-pager -o cat ELEVATE_EVENT=file-transfer";
    let events = [
        "put '/home/victor/price list' (asked)",
        "put '/home/victor/price list' (done)",
        "remove '/home/victor/price list' (asked)",
    ];
    stage.says(Who::Root, journal, 0, &events)?;
    Ok(())
}
