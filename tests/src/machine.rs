use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::kind::Kind;
use crate::{Command, Entry, Error, Login, Release, Spec, Terminal, journal};

/// A booted machine. It ends when this value is dropped or its process dies.
#[derive(Debug)]
pub struct Machine {
    name: String,
    release: Release,
    kind: Kind,
    /// useradd takes one lock for all of `/etc/passwd` and does not wait for it.
    users: Mutex<()>,
}

impl Machine {
    /// Boots a machine and waits until all of its units are up.
    ///
    /// # Errors
    /// If this process is not root, a cached layer cannot be made, there are no packages to
    /// install, or the boot ends with a failed unit.
    pub fn boot(spec: Spec) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        let kind = Kind::start(&spec)?;
        let machine = Self {
            name: spec.name,
            release: spec.release,
            kind,
            users: Mutex::default(),
        };
        machine.wait_for_boot()?;
        if let Some(prepare) = spec.prepare {
            prepare(&machine);
        }
        Ok(machine)
    }

    /// Its hostname.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Debian release on it.
    pub fn release(&self) -> Release {
        self.release
    }

    /// The pid of a container's PID 1 outside of it, for nsenter and `/proc/PID/root`.
    ///
    /// # Panics
    /// If it is a whole machine.
    #[track_caller]
    pub fn pid1(&self) -> u32 {
        self.kind.container().pid1()
    }

    /// The name that a container's cgroups have on the host.
    ///
    /// # Panics
    /// If it is a whole machine.
    #[track_caller]
    pub fn unique_name(&self) -> &str {
        self.kind.container().unique_name()
    }

    /// A command to run in it as root: no terminal, a clean environment, no login behind it.
    pub fn command(&self, argv: &[&str]) -> Command {
        Command::new(self.kind.enter(argv, false), argv.join(" "))
    }

    /// Runs a command in it as root.
    ///
    /// # Panics
    /// If it cannot be started or takes longer than a minute.
    #[track_caller]
    pub fn run(&self, argv: &[&str]) -> crate::Output {
        self.command(argv).run()
    }

    /// Makes a user with a home, a shell, no password, and the harness's ssh key. Doing so for a
    /// user that is there already changes nothing.
    ///
    /// # Panics
    /// If useradd refuses.
    #[track_caller]
    pub fn user(&self, name: &str) {
        let _one_at_a_time = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let script = r#"
            if id -u "$1" >/dev/null 2>&1; then exit 0; fi
            useradd --create-home --shell /bin/bash "$1"
            install -d -o "$1" -g "$1" -m 700 "/home/$1/.ssh"
            install -o "$1" -g "$1" -m 600 /root/.ssh/id_ed25519.pub "/home/$1/.ssh/authorized_keys"
        "#;
        self.run(&["sh", "-euc", script, "user", name]).success();
    }

    /// Makes a user, and puts them into groups, which are made if missing.
    ///
    /// # Panics
    /// If useradd, groupadd or usermod refuses.
    #[track_caller]
    pub fn member(&self, name: &str, groups: &[&str]) {
        self.user(name);
        let _one_at_a_time = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        for group in groups {
            self.run(&["groupadd", "--force", group]).success();
            self.run(&["usermod", "--append", "--groups", group, name])
                .success();
        }
    }

    /// Takes a user out of a group.
    ///
    /// # Panics
    /// If they are not in it.
    #[track_caller]
    pub fn leave(&self, name: &str, group: &str) {
        let _one_at_a_time = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        self.run(&["gpasswd", "--delete", name, group]).success();
    }

    /// Logs a user in through the machine's sshd: a login as real as any, with a loginuid, an audit
    /// session and a logind session. Everything done with it shares that one login. Where sshd asks
    /// for more than a key see [`ssh`](Self::ssh).
    ///
    /// # Panics
    /// If sshd refuses.
    #[track_caller]
    pub fn login(&self, user: &str) -> Login<'_> {
        self.ssh(user).login(&[])
    }

    /// A command as root on a terminal of 24 rows and 80 columns that belongs to nobody's login. For a terminal inside a
    /// login see [`Login::terminal`].
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    pub fn terminal(&self, argv: &[&str]) -> Terminal {
        let mut terminal = Terminal::start(self.kind.enter(argv, true), argv.join(" "));
        if let Kind::Whole(_) = self.kind {
            terminal.wait_until_raw();
        }
        terminal
    }

    /// Lets the person at this process's terminal work in the machine, as root logged in through
    /// sshd: runs `line`, or without one a login shell, on this process's standard streams.
    ///
    /// # Errors
    /// If ssh cannot be started.
    pub fn interact(&self, line: Option<&str>) -> std::io::Result<process::ExitStatus> {
        let on_terminal = std::io::stdin().is_terminal();
        let terminal = if on_terminal { "-tt" } else { "-T" };
        let mut argv = vec!["ssh", terminal, "-l", "root", "127.0.0.1"];
        argv.extend(line);
        let mut ssh = self.kind.enter(&argv, on_terminal);
        if let Some(kind) = std::env::var_os("TERM") {
            ssh.env("TERM", kind);
        }
        ssh.status()
    }

    /// Writes a file, root's, with this mode; its folder is made if missing.
    ///
    /// # Panics
    /// If it cannot be written.
    #[track_caller]
    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>, mode: u32) {
        // Through a process inside, so that a symlink there never leads to a file of the host.
        let mode = format!("{mode:o}");
        self.command(&["install", "-D", "-m", &mode, "/dev/stdin", path])
            .stdin(contents.as_ref())
            .run()
            .success();
    }

    /// Reads a file.
    ///
    /// # Panics
    /// If it cannot be read.
    #[track_caller]
    pub fn read(&self, path: &str) -> Vec<u8> {
        self.run(&["cat", "--", path]).success().stdout
    }

    /// The journal's entries of this boot with these values in these fields, oldest first. An entry
    /// shows up a moment after it was sent: [`poll`](Self::poll) for what should come.
    ///
    /// # Panics
    /// If journalctl fails.
    #[track_caller]
    pub fn journal(&self, fields: &[(&str, &str)]) -> Vec<Entry> {
        journal::read(self, fields)
    }

    /// Asks again and again until there is an answer; see [`poll`](crate::poll).
    ///
    /// # Panics
    /// If there is none in time. The end of the machine's journal comes with the message.
    #[track_caller]
    pub fn poll<T>(&self, what: &str, timeout: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            if Instant::now() > deadline {
                let end = self.run(&["journalctl", "--no-pager", "--lines=30"]).text();
                panic!("waited {timeout:?} in vain for {what}; the journal ends with:\n{end}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The main pid of a unit as the machine sees it; `None` if it has none.
    ///
    /// # Panics
    /// If systemctl fails.
    #[track_caller]
    pub fn main_pid(&self, unit: &str) -> Option<u32> {
        let shown = self.run(&["systemctl", "show", "--value", "--property=MainPID", unit]);
        shown.success().text().parse().ok().filter(|pid| *pid != 0)
    }

    /// Sends a signal to a process of the machine, by the pid it has there.
    ///
    /// # Panics
    /// If there is no such process.
    #[track_caller]
    pub fn signal(&self, pid: u32, signal: &str) {
        self.run(&["kill", "-s", signal, &pid.to_string()])
            .success();
    }

    fn wait_for_boot(&self) -> Result<(), Error> {
        let patience = self.kind.boot_patience();
        let asked = || {
            let argv = ["systemctl", "is-system-running", "--wait"];
            Command::new(self.kind.enter_booting(&argv), argv.join(" "))
                .timeout(patience)
                .run()
                .text()
        };
        let deadline = Instant::now() + patience;
        loop {
            let state = asked();
            match state.as_str() {
                "running" if self.troubled_units().is_empty() => return Ok(()),
                "degraded" => return Err(self.kind.console().boot_error(&self.troubles())),
                _ if Instant::now() > deadline => {
                    let why = format!("it stayed {state:?}; {}", self.troubles());
                    return Err(self.kind.console().boot_error(&why));
                }
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Units that failed, and those that never do because they are started again each time:
    /// systemd calls a machine with such a one running.
    fn troubled_units(&self) -> Vec<String> {
        let states = "--state=failed,activating";
        let listed = self.run(&["systemctl", "list-units", states, "--plain", "--no-legend"]);
        let listed = listed.text();
        let names = listed
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        // Without udev, no device is ever more than about to be there.
        let names = names.filter(|name| !name.ends_with(".device"));
        names.map(str::to_owned).collect()
    }

    fn troubles(&self) -> String {
        let mut said = String::from("units that are not up:\n");
        for unit in self.troubled_units() {
            let log = self.run(&["journalctl", "--no-pager", "--lines=20", "--unit", &unit]);
            let _ = writeln!(said, "{unit}:\n{}", log.text());
        }
        said
    }
}
