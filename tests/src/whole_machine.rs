//! The process beside a whole machine that starts and ends it, and the way in.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::console::Console;
use crate::disk::Disk;
use crate::{Error, paths};

/// A computer under qemu, with a kernel of its own.
#[derive(Debug)]
pub(crate) struct WholeMachine {
    /// Held for its standard input: when that closes, the machine ends.
    child: Child,
    console: Console,
    /// The socket of the connection that commands go through.
    wire: PathBuf,
    _disk: Disk,
}

impl WholeMachine {
    /// Boots a machine until commands can come in, some ten seconds. Whoever has `key` comes in.
    pub(crate) fn start(name: &str, disk: Disk, key: &Path) -> Result<Self, Error> {
        let mountpoint = paths::mountpoint()?;
        let (console, log) = Console::create(name)?;
        let failed = |why: std::io::Error| Error::Program {
            program: "unshare",
            said: why.to_string(),
        };
        let mut child = Command::new("unshare")
            .args(["--mount", "--propagation", "private"])
            .args(["--pid", "--fork", "--kill-child"])
            .args(["sh", "-c", include_str!("whole_machine.sh"), "keeper"])
            .arg(name)
            .args([&mountpoint, &disk.kernel(), &disk.image()])
            .arg(key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C at the terminal is for the test process.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let stdout = child.stdout.take().expect("stdout is piped");
        // The socket lies on a tmpfs in the keeper's mount namespace.
        let inside = mountpoint.join("wire");
        let inside = inside.strip_prefix("/").unwrap_or(&inside);
        let machine = Self {
            wire: Path::new("/proc")
                .join(child.id().to_string())
                .join("root")
                .join(inside),
            child,
            console,
            _disk: disk,
        };
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(failed)?;
        match line.trim() {
            "up" => Ok(machine),
            _ => Err(machine.console.boot_error("no command could come in")),
        }
    }

    /// A command that runs `argv` in it with these variables and no others.
    pub(crate) fn enter(
        &self,
        argv: &[&str],
        environment: &[(&str, &str)],
        on_terminal: bool,
    ) -> Command {
        // sshd hands one line to root's shell.
        let mut line = String::from("exec env -i");
        let variables = environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        for word in variables.chain(argv.iter().map(|&word| word.to_owned())) {
            line += &format!(" '{}'", word.replace('\'', r"'\''"));
        }
        let mut command = Command::new("ssh");
        command
            .args(["-F", "none", "-o", "LogLevel=ERROR", "-e", "none", "-S"])
            .arg(&self.wire)
            .arg(if on_terminal { "-tt" } else { "-T" })
            .args(["root@machine", &line]);
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command
    }

    pub(crate) fn console(&self) -> &Console {
        &self.console
    }
}

impl Drop for WholeMachine {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Err(why) = self.child.wait() {
            eprintln!("a whole machine was not ended: {why}");
        }
    }
}
