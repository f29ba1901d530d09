//! What the kernel says of a process, in `/proc/PID` (proc(5)).

use std::fs;
use std::io::{self, Read as _};

use elevate_protocol::{Id, paths, terminal};
use serde::{Deserialize, Serialize};

use crate::factors::{Place, Terminal};

/// An audit uid that was never set.
const UNSET: u32 = u32::MAX;

/// The login behind a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// The uid that logged in; none for children of services.
    pub uid: Option<u32>,
    /// Whether the process runs inside a session of ours.
    pub elevated: bool,
    /// Which, as its scope says.
    pub session: Option<Id>,
    /// Whether it has a controlling terminal.
    pub terminal: bool,
    /// Where it is, for codes that count there; none without an audit session.
    pub place: Option<Place>,
}

/// The login behind `pid`. Only true while something proves that `pid` is still the same process.
pub fn login(pid: i32) -> io::Result<Login> {
    let uid = fs::read_to_string(format!("/proc/{pid}/loginuid"))?;
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    Ok(Login {
        uid: parse_login_uid(&uid)?,
        elevated: in_slice(&cgroup),
        session: session(&cgroup),
        terminal: stat(pid)?.terminal != 0,
        place: place(pid)?,
    })
}

/// The session in whose scope `pid` is.
pub fn session_of(pid: i32) -> Option<Id> {
    session(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

fn place(pid: i32) -> io::Result<Option<Place>> {
    let Some(audit_session) = audit_session(pid)? else {
        return Ok(None);
    };
    let own = stat(pid)?;
    // A leader that is gone, or left the terminal, has none to lend.
    let leader = stat(own.session).ok();
    let leads = |leader: &Stat| leader.session == own.session && leader.terminal == own.terminal;
    let terminal = leader.filter(leads).map(|leader| Terminal {
        number: own.terminal,
        leader: leader.process,
    });
    Ok(Some(Place {
        audit_session,
        terminal: terminal.filter(|terminal| terminal.number != 0),
    }))
}

/// The audit session of `pid`; none for children of services. Only true while something proves that
/// `pid` is still the same process.
pub fn audit_session(pid: i32) -> io::Result<Option<u32>> {
    parse_login_uid(&fs::read_to_string(format!("/proc/{pid}/sessionid"))?)
}

/// A process, told from a later one with the same pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its pid.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub start: u64,
}

/// What `/proc/PID/stat` says (proc_pid_stat(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The process.
    pub process: ProcessId,
    /// Its parent's pid.
    pub parent: i32,
    /// The leader of its session (setsid(2)).
    pub session: i32,
    /// The device number of its controlling terminal; 0 without one.
    pub terminal: u32,
}

/// What the kernel says of `pid`.
pub fn stat(pid: i32) -> io::Result<Stat> {
    // The kernel makes it whole for one read; fs::read would feel its way.
    let mut text = [0; 1024];
    let length = fs::File::open(format!("/proc/{pid}/stat"))?.read(&mut text)?;
    let text = String::from_utf8_lossy(&text[..length]);
    parse_stat(pid, &text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A process chooses its own name, which may hold spaces and parentheses: only what follows the
/// last one counts.
fn parse_stat(pid: i32, text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // The first of these is the third of the manual page.
    let number = |place: usize| fields.get(place - 3)?.parse::<i64>().ok();
    Some(Stat {
        process: ProcessId {
            pid,
            start: fields.get(22 - 3)?.parse().ok()?,
        },
        parent: i32::try_from(number(4)?).ok()?,
        session: i32::try_from(number(6)?).ok()?,
        terminal: number(7)? as u32,
    })
}

/// The real uid of `pid`: of a set-uid program, who runs it.
pub fn real_uid(pid: i32) -> io::Result<u32> {
    let mut text = Vec::new();
    let file = fs::File::open(format!("/proc/{pid}/status"))?;
    file.take(4096).read_to_end(&mut text)?;
    parse_real_uid(&String::from_utf8_lossy(&text)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The name of the process comes before, on one line: the kernel escapes its newlines.
fn parse_real_uid(status: &str) -> Option<u32> {
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    uids.split_whitespace().next()?.parse().ok()
}

/// The path of the controlling terminal of `pid`; none where it has none, or one of another kind than
/// people log in at.
pub fn terminal_path(pid: i32) -> Option<String> {
    let (major, minor) = terminal::numbers(stat(pid).ok()?.terminal)?;
    Some(format!("/dev/{}", terminal::name(major, minor)?))
}

fn parse_login_uid(text: &str) -> io::Result<Option<u32>> {
    let uid: u32 = text
        .trim()
        .parse()
        .map_err(|_| io::ErrorKind::InvalidData)?;
    Ok((uid != UNSET).then_some(uid))
}

/// Whether the unified hierarchy's line of `/proc/PID/cgroup` lies in the sessions' slice.
fn in_slice(cgroup: &str) -> bool {
    let unified = cgroup.lines().filter_map(|line| line.strip_prefix("0::"));
    unified
        .flat_map(|path| path.split('/'))
        .any(|folder| folder == paths::SLICE)
}

/// The session whose scope that is.
fn session(cgroup: &str) -> Option<Id> {
    let unified = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mut folders = unified
        .split('/')
        .skip_while(|folder| *folder != paths::SLICE);
    let scope = folders.nth(1)?.strip_prefix("elevate-")?;
    scope.strip_suffix(".scope")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unset_login_is_no_login() {
        assert_eq!(parse_login_uid("4294967295").unwrap(), None);
        assert_eq!(parse_login_uid("1000\n").unwrap(), Some(1000));
        assert!(parse_login_uid("").is_err());
    }

    #[test]
    fn a_process_name_fools_nobody() {
        let text = "7 (a) S 1 1 1 1 (b) S 5 6 77 34817 9 0 0 0 0 0 0 0 0 0 0 0 1 0 4242 1 1\n";
        let stat = parse_stat(7, text).unwrap();
        assert_eq!((stat.parent, stat.session, stat.terminal), (5, 77, 34817));
        assert_eq!(stat.process.start, 4242);
        assert_eq!(parse_stat(7, "7 (a S 1"), None);
        let own = super::stat(std::process::id() as i32).unwrap();
        assert!(own.process.start > 0 && own.parent > 0);
    }

    #[test]
    fn a_set_uid_program_is_its_users() {
        let status = "Name:\tx\\nUid:\t0\t0\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\n";
        assert_eq!(parse_real_uid(status), Some(1000));
        assert_eq!(parse_real_uid("Name:\tUid:\t0\n"), None);
        let own = real_uid(std::process::id() as i32).unwrap();
        assert_eq!(own, rustix::process::getuid().as_raw());
    }

    #[test]
    fn only_the_slice_itself_counts_as_elevated() {
        assert!(in_slice("0::/elevate.slice/elevate-k7m2x9qd.scope\n"));
        assert!(!in_slice(
            "0::/user.slice/user-1000.slice/session-3.scope\n"
        ));
        assert!(!in_slice("0::/user.slice/not-elevate.slice\n"));
        let inner = "0::/elevate.slice/elevate-k7m2x9qd.scope/inner\n";
        assert_eq!(session(inner).unwrap().as_str(), "k7m2x9qd");
        assert_eq!(session("0::/elevate-k7m2x9qd.scope\n"), None);
    }
}
