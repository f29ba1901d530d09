//! The process beside a machine that starts and ends it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{process, thread};

use crate::{Error, paths};

/// How long a machine may take until its PID 1 is there. It takes some 50 ms.
const START: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Keeper {
    /// Held for its standard input: when that closes, the machine ends.
    child: Child,
    name: String,
    console: PathBuf,
    pid1: u32,
}

impl Keeper {
    /// Starts a machine over these folders, the lowest last.
    pub(crate) fn start(name: &str, lower: &[PathBuf]) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let unique = format!("elevate-machine-{name}-{}-{number}", process::id());
        let dir = paths::machines_dir()?;
        // Every machine mounts on this folder, each in its own mount namespace.
        let mountpoint = dir.join("mount");
        fs::create_dir_all(&mountpoint).map_err(Error::file(&mountpoint))?;
        let console = dir.join("console").join(format!("{name}.log"));
        let log = create_log(&console)?;
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
            .arg(
                lower
                    .iter()
                    .map(|dir| dir.as_os_str())
                    .collect::<Vec<_>>()
                    .join(":".as_ref()),
            )
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
            .map_err(|_| keeper.boot_error("it never started"))?;
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

    /// cgroup.procs files to join so that a process counts among the machine's and is in `unit`'s
    /// cgroup. They lie in the keeper's mount namespace, where cgroup2 is surely mounted.
    pub(crate) fn cgroups_of(&self, unit: &str) -> Vec<PathBuf> {
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
                return Err(self.boot_error("nspawn ended"));
            };
            let pids = children
                .split_whitespace()
                .filter_map(|pid| pid.parse().ok());
            if let Some(pid) = pids.into_iter().find(|pid| is_pid1(*pid)) {
                return Ok(pid);
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err(self.boot_error("nspawn started nothing"))
    }

    /// Why it did not boot, with what it printed.
    pub(crate) fn boot_error(&self, why: &str) -> Error {
        let console = fs::read(&self.console).unwrap_or_default();
        let console = String::from_utf8_lossy(&console);
        let why = format!(
            "{why}; its console ({}):\n{console}",
            self.console.display()
        );
        Error::Boot {
            name: self.name.clone(),
            why,
        }
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

fn create_log(path: &PathBuf) -> Result<File, Error> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(Error::file(dir))?;
    }
    File::create(path).map_err(Error::file(path))
}

fn is_pid1(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let ours = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    ours.and_then(|pids| pids.split_whitespace().last()) == Some("1")
}
