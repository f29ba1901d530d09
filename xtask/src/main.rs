//! The workspace's own commands: `cargo xtask --help`.

mod bench;
mod command;
mod dist;
mod machine;
mod player;
mod setup;
mod style;
mod table;
mod test;
mod trial;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "Builds, tests and shows Elevate on throwaway machines"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Measure Elevate beside sudo, sudo-rs, doas, pkexec and run0 on a throwaway machine
    Bench(bench::Arguments),
    /// Build the packages into target/dist/
    Dist,
    /// Boot a throwaway machine with our packages and open a shell in it, or run a command
    Machine(machine::Arguments),
    /// Install what the other commands need; they do so themselves, too
    Setup,
    /// Run every tier of tests: the crates' own, then those on booted machines
    Test(test::Arguments),
    /// Boot a throwaway machine and do Elevate's main job on it while you watch
    Try(trial::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Bench(arguments) => bench::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Dist => dist::run().map(|_| ExitCode::SUCCESS),
        Task::Machine(arguments) => machine::run(&arguments),
        Task::Setup => setup::ready().map(|()| ExitCode::SUCCESS),
        Task::Test(arguments) => test::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Try(arguments) => trial::run(&arguments),
    };
    done.unwrap_or_else(|why| {
        eprintln!("error: {why:#}");
        ExitCode::FAILURE
    })
}
