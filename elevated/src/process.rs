//! What the kernel says of a process, in `/proc/PID` (proc(5)).

use std::fs;
use std::io;

use elevate_protocol::paths;

/// An audit uid that was never set.
const UNSET: u32 = u32::MAX;

/// The login behind a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// The uid that logged in; none for children of services.
    pub uid: Option<u32>,
    /// Whether the process runs inside an elevated session.
    pub elevated: bool,
}

/// The login behind `pid`. Only true while something proves that `pid` is still the same process.
pub fn login(pid: i32) -> io::Result<Login> {
    let uid = fs::read_to_string(format!("/proc/{pid}/loginuid"))?;
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    Ok(Login {
        uid: parse_login_uid(&uid)?,
        elevated: in_slice(&cgroup),
    })
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
    fn only_the_slice_itself_counts_as_elevated() {
        assert!(in_slice("0::/elevate.slice/elevate-k7m2x9qd.scope\n"));
        assert!(!in_slice(
            "0::/user.slice/user-1000.slice/session-3.scope\n"
        ));
        assert!(!in_slice("0::/user.slice/not-elevate.slice\n"));
    }
}
