//! Elevate's main job, done by people at terminals of a throwaway machine while one watches.

mod cast;
mod door;
mod journal;
mod scenes;
mod screen;
mod seat;
mod stage;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, anyhow};
use elevate_tests::{Machine, Release, Spec};

use self::scenes::{Act, Step};
use self::stage::{Stage, took};
use crate::command::command;
use crate::dist;
use crate::style::Style;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Leave the machine up afterwards and open a shell in it
    #[arg(long)]
    shell: bool,
    /// The Debian release: trixie or bookworm
    #[arg(long, default_value = "trixie")]
    release: Release,
}

/// Fails if any step went wrong.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let style = Style::of_output();
    let begun = Instant::now();
    let debs = dist::run()?;
    let built = took(begun.elapsed());

    let begun = Instant::now();
    let machine = Machine::boot(Spec::new("server").release(arguments.release).debs(debs))?;
    let booted = took(begun.elapsed());
    let release = arguments.release;
    println!("Built and packaged in {built}; a machine with Debian {release} was up in {booted}.");
    cast::enter(&machine);
    introduce(style);

    let begun = Instant::now();
    let failures = play(&machine, style);
    let failures = failures.into_iter().chain(review(&machine, style));
    let failures = conclude(failures.collect(), style, &took(begun.elapsed()));
    if arguments.shell {
        offer_shell(&machine, style)?;
    }
    Ok(failures)
}

fn introduce(style: Style) {
    println!(
        "It also runs slapd, with twenty people in seven groups; eve has an account of its own."
    );
    for (path, text) in [
        ("policy.d/try.toml", cast::POLICY),
        ("directory.toml", cast::DIRECTORY),
    ] {
        println!();
        println!("/etc/elevate/{path}:");
        println!();
        for line in text.lines() {
            println!("     {} {line}", style.dim("│"));
        }
    }
}

/// Plays every step. Returns what went wrong.
fn play(machine: &Machine, style: Style) -> Vec<String> {
    let mut stage = Stage::new(machine, style);
    let mut failures = Vec::new();
    for (scene_number, scene) in (1..).zip(scenes::ALL) {
        println!();
        println!(
            "{}",
            style.bold(&format!("{scene_number}  {}", scene.title))
        );
        for (number, step) in (1..).zip(scene.steps) {
            println!();
            println!("{scene_number}.{number}  {}", step.what);
            match perform(&mut stage, |stage| act(stage, step)) {
                Ok(()) => println!("     {}", style.good("✓ as it should be")),
                Err(why) => {
                    println!("     {}", style.bad(&format!("✗ {why:#}")));
                    failures.push(format!("{scene_number}.{number} {}: {why:#}", step.what));
                    // Whom that keeps out is missed by what they should do next.
                    let _ = perform(&mut stage, Stage::starts_over);
                }
            }
        }
    }
    failures
}

fn act(stage: &mut Stage<'_>, step: &Step) -> Result<()> {
    match &step.act {
        Act::Line(typed) => stage.plays(typed),
        Act::Play(play) => play(stage),
    }
}

/// The harness panics where a terminal stays silent or a program hangs.
fn perform<'m>(
    stage: &mut Stage<'m>,
    what: impl FnOnce(&mut Stage<'m>) -> Result<()>,
) -> Result<()> {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let performed = catch_unwind(AssertUnwindSafe(|| what(stage)));
    std::panic::set_hook(told);
    performed.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(anyhow!("{}", text.unwrap_or("it panicked")))
    })
}

/// Shows what the journal has. Returns what is missing there.
fn review(machine: &Machine, style: Style) -> Vec<String> {
    let entries = journal::read(machine);
    println!();
    println!("{}", style.bold("What the journal recorded"));
    println!("     root# journalctl SYSLOG_IDENTIFIER=elevate -o json");
    println!();
    print!("{}", journal::table(&entries));
    let missing = journal::missing(&entries);
    missing
        .into_iter()
        .map(|what| format!("journal: {what}"))
        .collect()
}

fn conclude(failures: Vec<String>, style: Style, time: &str) -> ExitCode {
    let steps: usize = scenes::ALL.iter().map(|scene| scene.steps.len()).sum();
    println!();
    if failures.is_empty() {
        let all = format!("All {steps} steps went as they should, in {time}.");
        println!("{}", style.good(&all));
        return ExitCode::SUCCESS;
    }
    println!("{}", style.bad("Not everything went as it should:"));
    for failure in failures {
        println!("     {failure}");
    }
    ExitCode::FAILURE
}

fn offer_shell(machine: &Machine, style: Style) -> Result<()> {
    let pid = machine.pid1().to_string();
    println!();
    println!(
        "{}",
        style.bold("The machine is yours until you leave this shell.")
    );
    println!("You are root at its console. Everybody else comes in with a key and a code:");
    println!("     ssh bob@127.0.0.1        (or carol)");
    println!(
        "Give them a second factor that you have the secret of, and ask for a code of it with:"
    );
    println!("     elevatectl mfa remove bob; elevatectl mfa enrol bob");
    println!("     oathtool --totp --base32 SECRET");
    println!("and for a second terminal, from another shell of this host:");
    println!("     nsenter --target {pid} --all ssh carol@127.0.0.1");
    println!("Try: elevate --reason \"because\" systemctl restart cron, as bob; then, as carol:");
    println!("     elevatectl requests, elevatectl show ID, elevatectl approve ID");
    // sshd lets in nobody any more who has no role, and root has none.
    let shell = ["--target", &pid, "--all", "bash", "--login"];
    command("nsenter", &shell).status()?;
    Ok(())
}
