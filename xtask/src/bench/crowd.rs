//! Many sessions at once: until all of them run and until all are gone, what they hold, and what one
//! more costs beside them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::{Login, Machine, Running};
use serde_json::{Value, json};

use super::cases::{CASES, OURS, SUDO, USER};
use super::memory::{self, Memory};
use super::statistics::ratio;
use super::timing::{self, Place};
use crate::table::Table;

/// What a filter may name.
pub(super) const NAME: &str = "sessions at once";
/// How many sessions there are, beside the one that is measured.
const SIZES: [usize; 3] = [0, 50, 200];
/// Who has them: one user may not begin as many at the same moment.
const USERS: usize = 10;
/// How often one more is timed.
const ROUNDS: usize = 60;
const LIMIT: Duration = Duration::from_secs(300);

const PROGRAM: &str = include_str!("crowd.py");
const PATH: &str = "/usr/local/lib/bench/crowd.py";

const COMMAND: &str = "#!/bin/sh
echo >> /run/bench/begun; read nothing < /run/bench/gate; exit 0
";

const POLICY: &str = r#"
[role.crowd]
members = ["%crowd"]

[rule.crowd]
roles    = ["crowd"]
run_as   = "root"
commands = ["/opt/bench/wait"]
require  = {}
"#;

/// So many sessions at once.
#[derive(Debug)]
struct Row {
    sessions: usize,
    /// Until all commands run, and from their end until all clients are gone.
    begun: Duration,
    gone: Duration,
    /// The medians of one more `elevate true`, and of sudo's.
    one_more: Duration,
    sudo: Duration,
    elevated: Memory,
    leaders: Vec<Memory>,
}

#[derive(Debug)]
pub(super) struct Crowd(Vec<Row>);

/// Measures in `machine`, whose user is prepared.
pub(super) fn measure(machine: &Machine) -> Result<Crowd> {
    let users: Vec<String> = (0..USERS).map(|number| format!("crowd{number}")).collect();
    for user in &users {
        machine.member(user, &["crowd"]);
    }
    machine.write(PATH, PROGRAM, 0o644);
    machine.write("/opt/bench/wait", COMMAND, 0o755);
    machine.write("/etc/elevate/policy.d/crowd.toml", POLICY, 0o644);
    eprintln!("measuring ({NAME}) ...");
    let logins: Vec<_> = users.iter().map(|user| machine.login(user)).collect();
    let own = machine.login(USER);
    let rows = SIZES.map(|size| row(machine, &logins, &own, size));
    Ok(Crowd(rows.into_iter().collect::<Result<_>>()?))
}

fn row(machine: &Machine, logins: &[Login<'_>], own: &Login<'_>, sessions: usize) -> Result<Row> {
    let prepared = "mkdir -p /run/bench; cd /run/bench; rm -f *; mkfifo -m 666 go gate; : > begun";
    machine.run(&["sh", "-euc", prepared]).success();
    let clients = gather(logins, sessions);
    let begun = match sessions {
        0 => Duration::ZERO,
        _ => Duration::from_nanos(said(machine, "conduct", &[sessions])?),
    };
    let (one_more, sudo) = one_more(own)?;
    let elevated = machine.main_pid("elevated").context("elevated is down")?;
    let elevated = memory::of(machine, "elevated", elevated, None)?;
    let leaders = memory::leaders(machine)?;
    ensure!(leaders.len() == sessions, "{} leaders", leaders.len());
    let released = match sessions {
        0 => 0,
        _ => said(machine, "release", &[])?,
    };
    let ended = clients.into_iter().map(last).collect::<Result<Vec<_>>>()?;
    let gone = ended.into_iter().max().unwrap_or(released);
    Ok(Row {
        sessions,
        begun,
        gone: Duration::from_nanos(gone.saturating_sub(released)),
        one_more,
        sudo,
        elevated,
        leaders,
    })
}

/// Has clients wait for the word to begin so many `sessions`.
fn gather(logins: &[Login<'_>], sessions: usize) -> Vec<Running> {
    let each = sessions / logins.len();
    let line = format!("python3 {PATH} begin {each}");
    let logins = logins.iter().filter(|_| each > 0);
    let clients: Vec<_> = logins
        .map(|login| login.command(&line).timeout(LIMIT).start())
        .collect();
    for client in &clients {
        elevate_tests::poll("a crowd that is ready", LIMIT, || {
            client.stdout_so_far().contains("ready").then_some(())
        });
    }
    clients
}

/// What the program says to root.
fn said(machine: &Machine, verb: &str, numbers: &[usize]) -> Result<u64> {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    let mut words = vec!["python3", PATH, verb];
    words.extend(numbers.iter().map(String::as_str));
    let output = machine.command(&words).timeout(LIMIT).run();
    ensure!(output.status == 0, "{}", output.describe());
    Ok(output.text().trim().parse()?)
}

/// When the last session of one login was gone.
fn last(client: Running) -> Result<u64> {
    let output = client.wait();
    let text = output.text();
    let last = text.lines().last().and_then(|line| line.split_once(' '));
    match last {
        Some((when, "0")) if output.status == 0 => Ok(when.parse()?),
        _ => anyhow::bail!("{}", output.describe()),
    }
}

fn one_more(own: &Login<'_>) -> Result<(Duration, Duration)> {
    let cases: Vec<_> = [OURS, SUDO]
        .iter()
        .filter_map(|name| CASES.iter().find(|case| case.name == *name))
        .collect();
    let measured = timing::measure(own, Place::Pipes, &cases, ROUNDS)?;
    let medians = measured.iter().filter_map(|one| one.as_ref().ok());
    let medians: Vec<_> = medians.map(|samples| samples.median()).collect();
    match medians[..] {
        [ours, sudo] => Ok((ours, sudo)),
        _ => anyhow::bail!("{OURS} or {SUDO} fails"),
    }
}

impl Row {
    /// The leaders' own memory, all of it, in KiB: what they share counts once.
    fn all_leaders(&self) -> u64 {
        self.leaders.iter().map(|leader| leader.pss).sum()
    }

    /// What one leader holds of something, on average.
    fn one_leader(&self, held: impl Fn(&Memory) -> u64) -> u64 {
        let all: u64 = self.leaders.iter().map(held).sum();
        all.checked_div(self.leaders.len() as u64).unwrap_or(0)
    }
}

impl Crowd {
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&[
            ">sessions",
            ">all run s",
            ">all gone s",
            ">one more ms",
            ">of sudo",
            ">elevated RSS MiB",
            ">leaders PSS MiB",
            ">a leader's RSS",
            ">own MiB",
        ]);
        let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
        let mebibytes = |kib: u64| format!("{:.1}", kib as f64 / 1024.0);
        for row in &self.0 {
            table.push([
                row.sessions.to_string(),
                seconds(row.begun),
                seconds(row.gone),
                format!("{:.2}", row.one_more.as_secs_f64() * 1e3),
                format!("{:.2}", ratio(row.one_more, row.sudo)),
                mebibytes(row.elevated.rss),
                mebibytes(row.all_leaders()),
                mebibytes(row.one_leader(|leader| leader.rss)),
                mebibytes(row.one_leader(|leader| leader.own)),
            ]);
        }
        table
    }

    pub(super) fn json(&self) -> Value {
        let rows = self.0.iter().map(|row| {
            json!({
                "sessions": row.sessions,
                "all_run_ms": row.begun.as_secs_f64() * 1e3,
                "all_gone_ms": row.gone.as_secs_f64() * 1e3,
                "one_more_us": row.one_more.as_secs_f64() * 1e6,
                "sudo_us": row.sudo.as_secs_f64() * 1e6,
                "elevated": row.elevated.json(),
                "leaders_pss_kib": row.all_leaders(),
                "leader_rss_kib": row.one_leader(|leader| leader.rss),
                "leader_own_kib": row.one_leader(|leader| leader.own),
            })
        });
        rows.collect()
    }
}
