use anyhow::{Result, ensure};

use super::{Scene, play};
use crate::trial::cast::PASSWORD;
use crate::trial::seat::Who;
use crate::trial::stage::Stage;

pub(super) const SCENE: Scene = Scene {
    title: "Another rule wants a reason and one approval",
    steps: &[
        play("alice asks, and bob hears of it at his own terminal", ask),
        play(
            "alice cannot approve herself, not through a shared account either",
            not_oneself,
        ),
        play("eve neither sees nor approves it", not_eve),
        play("bob looks at exactly what would run", show),
        play("bob approves with a code of his own, and it runs", approve),
        play("What bob denies does not run", deny),
        play("What alice takes back does not run", withdraw),
    ],
};

const CRON: &str = "systemctl show --property=MainPID,ActiveState cron";
const NOT_THERE: &[&str] = &["no such request"];

fn ask(stage: &mut Stage<'_>) -> Result<()> {
    let before = stage.says(Who::Root, CRON, 0, &["ActiveState=active"])?;
    stage.left.cron = before.text();
    let line = r#"elevate --reason "restart after config change" systemctl restart cron"#;
    stage.left.request = request(stage, line)?;
    Ok(())
}

/// Has alice ask, and bob hear of it. Returns the request's id.
fn request(stage: &mut Stage<'_>, line: &str) -> Result<String> {
    request_of(stage, Who::Alice, line)
}

/// The same at another terminal.
pub(super) fn request_of(stage: &mut Stage<'_>, who: Who, line: &str) -> Result<String> {
    stage.begins(who, line);
    let waits = stage.sees(who, "waiting for 1 approval[^\r]*left");
    let id = waits.rsplit("request ").next().and_then(|id| id.get(..8));
    let id = id.unwrap_or_default().to_owned();
    stage.looks_at(Who::Bob, "where nobody typed anything");
    let told = stage.sees(Who::Bob, r"elevatectl approve [^\r]*\r+\n");
    ensure!(told.contains(&id), "bob should be told of request {id}");
    Ok(id)
}

/// The request that the first step left.
fn waiting(stage: &Stage<'_>) -> Result<String> {
    let id = stage.left.request.clone();
    ensure!(
        !id.is_empty(),
        "there is no request, since alice's question went wrong"
    );
    Ok(id)
}

fn not_oneself(stage: &mut Stage<'_>) -> Result<()> {
    let approve = format!("elevatectl approve --yes {}", waiting(stage)?);
    let refusal = ["nobody approves their own request"];
    stage.says(Who::AliceAgain, &approve, 1, &refusal)?;
    stage.begins(Who::AliceAgain, &format!("su deploy -c '{approve}'"));
    stage.sees(Who::AliceAgain, "Password: ");
    stage.presses(
        Who::AliceAgain,
        &format!("{PASSWORD}\n"),
        "the keys of deploy's password",
    );
    stage.ends(Who::AliceAgain, 1, &refusal)?;
    Ok(())
}

fn not_eve(stage: &mut Stage<'_>) -> Result<()> {
    let id = waiting(stage)?;
    stage.says(Who::Eve, "elevatectl requests", 0, &["no requests"])?;
    stage.says(Who::Eve, &format!("elevatectl show {id}"), 1, NOT_THERE)?;
    let approve = format!("elevatectl approve --yes {id}");
    stage.says(Who::Eve, &approve, 1, NOT_THERE)?;
    Ok(())
}

fn show(stage: &mut Stage<'_>) -> Result<()> {
    let show = format!("elevatectl show {}", waiting(stage)?);
    let wanted = ["/usr/bin/systemctl", "restart after config change", "alice"];
    stage.reads(Who::Bob, &show, &wanted)?;
    Ok(())
}

fn approve(stage: &mut Stage<'_>) -> Result<()> {
    let id = waiting(stage)?;
    stage.begins(Who::Bob, &format!("elevatectl approve {id}"));
    stage.sees(Who::Bob, r"Approve\? \[y/N\] ");
    stage.presses(Who::Bob, "y\n", "y and Enter");
    stage.gives_code(Who::Bob);
    stage.ends(Who::Bob, 0, &["approved request"])?;
    stage.looks_at(Who::Alice, "where her request was waiting");
    stage.ends(Who::Alice, 0, &["bob approved (1 of 1)"])?;
    let after = stage.says(Who::Root, CRON, 0, &["ActiveState=active"])?;
    ensure!(after.text() != stage.left.cron, "cron was not restarted");
    stage.left.cron = after.text();
    Ok(())
}

fn deny(stage: &mut Stage<'_>) -> Result<()> {
    let line = r#"elevate --reason "it is in the way" systemctl stop cron"#;
    let id = request(stage, line)?;
    let deny = format!(r#"elevatectl deny {id} --comment "not during the day""#);
    stage.says(Who::Bob, &deny, 0, &["denied request"])?;
    stage.looks_at(Who::Alice, "where her request was waiting");
    stage.ends(Who::Alice, 1, &["denied"])?;
    untouched(stage)
}

fn withdraw(stage: &mut Stage<'_>) -> Result<()> {
    let id = request(stage, r#"elevate --reason "oh well" systemctl stop cron"#)?;
    stage.presses(Who::Alice, "\x03", "Ctrl-C");
    stage.ends(Who::Alice, 130, &["the request is withdrawn"])?;
    let approve = format!("elevatectl approve --yes {id}");
    stage.says(Who::Bob, &approve, 1, &["withdrawn"])?;
    untouched(stage)
}

fn untouched(stage: &mut Stage<'_>) -> Result<()> {
    let now = stage.says(Who::Root, CRON, 0, &[])?;
    ensure!(now.text() == stage.left.cron, "something happened to cron");
    Ok(())
}
