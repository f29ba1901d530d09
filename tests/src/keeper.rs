//! The process beside a machine that starts and ends it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{process, thread};

use crate::console::Console;
use crate::{Error, overlay, paths};

/// How long a machine may take until its PID 1 is there. It takes some 50 ms.
const START: Duration = Duration::from_secs(30);

/// The service of the base root in whose cgroup our commands run.
const HARNESS_UNIT: &str = "system.slice/harness.service";

/// Joins the cgroups named before `--`, forgets the host's login, and becomes what follows.
const ENTER: &str = r#"
while [ "$1" != -- ]; do echo 0 >"$1"; shift; done; shift
if [ "$(cat /proc/self/loginuid)" != 4294967295 ]; then echo 4294967295 >/proc/self/loginuid; fi
exec "$@""#;

#[derive(Debug)]
pub(crate) struct Keeper {
    /// Held for its standard input: when that closes, the machine ends.
    child: Child,
    name: String,
    console: Console,
    pid1: u32,
}

impl Keeper {
    /// Starts a machine over these folders, the lowest last.
    pub(crate) fn start(name: &str, lower: &[PathBuf]) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let unique = format!("elevate-machine-{name}-{}-{number}", process::id());
        let mountpoint = paths::mountpoint()?;
        let (console, log) = Console::create(name)?;
        let failed = |why: std::io::Error| Error::Program {
            program: "unshare",
            said: why.to_string(),
        };

        let mut child = Command::new("unshare")
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                include_str!("keeper.sh"),
            ])
            .args(["keeper", &unique, name])
            .arg(&mountpoint)
            .arg(overlay::joined(lower))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C at the terminal is for the test process; the machine ends in an orderly way.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(failed)?;
        let mut keeper = Self {
            child,
            name: unique,
            console,
            pid1: 0,
        };
        let nspawn = line
            .trim()
            .parse()
            .map_err(|_| keeper.console.boot_error("it never started"))?;
        keeper.pid1 = keeper.find_pid1(nspawn)?;
        Ok(keeper)
    }

    /// The machine's PID 1, as this process sees it.
    pub(crate) fn pid1(&self) -> u32 {
        self.pid1
    }

    /// The name of its cgroups: no other machine has it.
    pub(crate) fn unique_name(&self) -> &str {
        &self.name
    }

    /// A command that runs `argv` in it with these variables and no others, as one of its services
    /// would.
    pub(crate) fn enter(&self, argv: &[&str], environment: &[(&str, &str)]) -> Command {
        self.enter_in(&self.cgroups_of(HARNESS_UNIT), argv, environment)
    }

    /// [`enter`](Self::enter) while its services may not be up yet.
    pub(crate) fn enter_booting(&self, argv: &[&str], environment: &[(&str, &str)]) -> Command {
        self.enter_in(&[], argv, environment)
    }

    fn enter_in(
        &self,
        cgroups: &[PathBuf],
        argv: &[&str],
        environment: &[(&str, &str)],
    ) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", ENTER, "enter"]).args(cgroups);
        command
            .args(["--", "nsenter", "--all", "--target"])
            .args([&self.pid1.to_string(), "--"])
            .args(argv);
        command.env_clear().envs(environment.iter().copied());
        command
    }

    /// cgroup.procs files to join so that a process counts among the machine's and is in `unit`'s
    /// cgroup. They lie in the keeper's mount namespace, where cgroup2 is surely mounted.
    fn cgroups_of(&self, unit: &str) -> Vec<PathBuf> {
        let root = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        let v1 = PathBuf::from("/sys/fs/cgroup/pids")
            .join(&self.name)
            .join("cgroup.procs");
        let mut files: Vec<_> = v1.exists().then_some(v1).into_iter().collect();
        if let Some(machine) = self.cgroup() {
            let inside = machine.trim_start_matches('/');
            files.push(
                root.join("sys/fs/cgroup")
                    .join(inside)
                    .join(unit)
                    .join("cgroup.procs"),
            );
        }
        files
    }

    /// Where the machine's own cgroup root lies in the whole tree.
    fn cgroup(&self) -> Option<String> {
        let all = fs::read_to_string(format!("/proc/{}/cgroup", self.pid1)).ok()?;
        let pid1 = all.lines().find_map(|line| line.strip_prefix("0::"))?;
        Some(pid1.strip_suffix("/init.scope").unwrap_or(pid1).to_owned())
    }

    /// nspawn's child that is PID 1 of a namespace of its own.
    fn find_pid1(&mut self, nspawn: u32) -> Result<u32, Error> {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            let children = fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children"));
            let Ok(children) = children else {
                return Err(self.console.boot_error("nspawn ended"));
            };
            let pids = children
                .split_whitespace()
                .filter_map(|pid| pid.parse().ok());
            if let Some(pid) = pids.into_iter().find(|pid| is_pid1(*pid)) {
                return Ok(pid);
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err(self.console.boot_error("nspawn started nothing"))
    }

    pub(crate) fn console(&self) -> &Console {
        &self.console
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It has the machine's whole tree killed and its cgroups removed when it ends.
        if let Err(why) = self.child.wait() {
            eprintln!("machine {} was not ended: {why}", self.name);
        }
    }
}

fn is_pid1(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let ours = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    ours.and_then(|pids| pids.split_whitespace().last()) == Some("1")
}
