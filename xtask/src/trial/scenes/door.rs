use anyhow::{Result, ensure};

use super::{Scene, play};
use crate::trial::seat::Who;
use crate::trial::stage::Stage;

pub(super) const SCENE: Scene = Scene {
    title: "The door: sshd asks for a code after the key",
    steps: &[
        play("sshd is told to ask PAM after the key", ask_pam),
        play(
            "Its PAM file gets the module, no other does, and without it is as before",
            enable,
        ),
        play("The console gets it, too, with a rescue for root", rescue),
        play("alice comes in with key and code", key_and_code),
    ],
};

const CODES: &str = "UsePAM yes
KbdInteractiveAuthentication yes
AuthenticationMethods publickey,keyboard-interactive
";

/// A console of the kernel's that nobody is at: tests use those below, and who else shows this at
/// the same time another one.
pub(super) fn console() -> u32 {
    60 + std::process::id() % 3
}

fn ask_pam(stage: &mut Stage<'_>) -> Result<()> {
    let path = "/etc/ssh/sshd_config.d/50-elevate-codes.conf";
    stage.machine.write(path, CODES, 0o644);
    stage.says(Who::Root, &format!("cat {path}"), 0, &[])?;
    stage.says(Who::Root, "sshd -t && systemctl reload ssh", 0, &[])?;
    Ok(())
}

fn enable(stage: &mut Stage<'_>) -> Result<()> {
    const ENABLE: &str = "elevatectl login enable sshd";
    const COMPARE: &str = "diff --recursive --brief /root/pam.d /etc/pam.d";
    stage.says(Who::Root, "cp --archive /etc/pam.d /root", 0, &[])?;
    stage.says(Who::Root, ENABLE, 0, &[])?;
    let changed = stage.says(Who::Root, COMPARE, 1, &["/etc/pam.d/sshd differ"])?;
    ensure!(changed.shown.len() == 1, "one file should differ");
    stage.says(Who::Root, "elevatectl login disable sshd", 0, &[])?;
    let restored = stage.says(Who::Root, COMPARE, 0, &[])?;
    ensure!(restored.shown.is_empty(), "nothing should differ");
    stage.says(Who::Root, ENABLE, 0, &[])?;
    Ok(())
}

fn rescue(stage: &mut Stage<'_>) -> Result<()> {
    let rescue = format!("root@tty{}", console());
    let enable = format!("elevatectl login enable login --rescue {rescue}");
    stage.says(Who::Root, &enable, 0, &[&rescue])?;
    let services = ["sshd", "login"];
    stage.says(Who::Root, "elevatectl login status", 0, &services)?;
    Ok(())
}

fn key_and_code(stage: &mut Stage<'_>) -> Result<()> {
    stage.tells("alice leaves, and comes back; then once more, for a second terminal");
    stage.gets_up(Who::Alice);
    stage.comes_in(Who::Alice)?;
    stage.says(Who::Alice, "id --user --name", 0, &["alice"])?;
    stage.comes_in(Who::AliceAgain)
}
