//! From the order to lead an edit to its files, open.

use std::os::fd::OwnedFd;

use elevate_protocol::ErrorName;
use elevate_protocol::launch::Edit;
use elevate_protocol::limits::{EDIT_FILES, EDIT_TOTAL_BYTES, START_TIME};
use elevate_protocol::message::{self, Frame};
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior, setsid, umask};

use super::original::Original;
use crate::leader::failure::{Doing, Failure};
use crate::leader::start::wait_for_launcher;
use crate::leader::timer::Timer;
use crate::{account, sys};

/// An edit whose files are open.
pub(super) struct Started {
    pub(super) order: Edit,
    pub(super) originals: Vec<Original>,
    pub(super) signals: OwnedFd,
    pub(super) deadline: Timer,
}

/// Do all that can fail before anybody is told that the edit begins.
pub(super) fn start(body: &[u8], go: &OwnedFd, account: &OwnedFd) -> Result<Started, Failure> {
    let order = read(body)?;
    become_leader()?;
    let signals = sys::signals::descriptor().doing("hear of signals")?;
    let deadline = Timer::until(order.deadline).doing("set the deadline")?;
    wait_for_launcher(go)?;
    // What modules said is for sessions, whose person sees it before the command.
    account::hear(account)?;
    let open = |file| Original::open(file, &order.target, &order.caller);
    let originals = order
        .files
        .iter()
        .map(open)
        .collect::<Result<Vec<_>, _>>()?;
    let all: u64 = originals.iter().map(Original::size).sum();
    if all > EDIT_TOTAL_BYTES {
        let most = EDIT_TOTAL_BYTES / (1024 * 1024);
        let message = format!("the files have more than {most} MiB together; edit fewer at a time");
        return Err(Failure::new(ErrorName::LimitExceeded, message));
    }
    // From here on the deadline is what ends this process.
    sys::signals::alarm(0);
    Ok(Started {
        order,
        originals,
        signals,
        deadline,
    })
}

/// Do what can hang with a file system, and be ended where it does: nothing may come of it late.
pub(super) fn in_time<T>(act: impl FnOnce() -> T) -> T {
    sys::signals::alarm(START_TIME.as_secs() as u32);
    let result = act();
    sys::signals::alarm(0);
    result
}

/// A session of its own, deaf to signals, closed to debuggers. Leaves an alarm running: PAM's modules
/// and file systems can hang.
fn become_leader() -> Result<(), Failure> {
    sys::signals::block_all_but_alarm().doing("block signals")?;
    sys::signals::alarm(START_TIME.as_secs() as u32);
    setsid().doing("begin a session")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).doing("become undumpable")?;
    umask(Mode::from_raw_mode(0o022));
    Ok(())
}

/// What is to be done, as `elevated` decided; checked again is only what would make it something
/// else on the way to the kernel.
fn read(body: &[u8]) -> Result<Edit, Failure> {
    let Ok(Frame::Message(order)) = message::decode::<Edit>(body) else {
        let message = "the order to begin is malformed";
        return Err(Failure::new(ErrorName::Failed, message));
    };
    check(&order).map_err(|why| Failure::new(ErrorName::InvalidArgument, why))?;
    Ok(order)
}

fn check(order: &Edit) -> Result<(), &'static str> {
    let no_id = u32::MAX;
    let accounts = [&order.caller, &order.target];
    let paths = || order.files.iter().map(|file| &file.path);
    if order.files.is_empty() || order.files.len() > EDIT_FILES {
        Err("an edit of no file, or of too many")
    } else if paths().any(|path| !path.starts_with(b"/") || path.has_nul()) {
        Err("a path that is not absolute, or has a NUL in it")
    } else if accounts
        .iter()
        .any(|who| [who.uid, who.gid].contains(&no_id) || who.groups.contains(&no_id))
    {
        // To setfsuid(2) and its kin this number means "leave it as it is".
        Err("4294967295 is no user and no group")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elevate_protocol::Bytes;
    use elevate_protocol::account::Account;
    use elevate_protocol::launch::EditFile;

    fn order() -> Edit {
        let root = Account {
            name: "root".into(),
            uid: 0,
            gid: 0,
            groups: vec![0],
            home: "/root".into(),
            shell: "/bin/sh".into(),
        };
        let file = EditFile {
            path: "/etc/motd".into(),
            identity: None,
        };
        Edit {
            caller: root.clone(),
            target: root,
            files: vec![file],
            deadline: 0,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn an_order_that_the_kernel_would_read_otherwise_is_refused() {
        assert_eq!(check(&order()), Ok(()));
        let changes: [fn(&mut Edit); 7] = [
            |order| order.files.clear(),
            |order| order.files = vec![order.files[0].clone(); EDIT_FILES + 1],
            |order| order.files[0].path = "etc/motd".into(),
            |order| order.files[0].path = Bytes(b"/etc\0/motd".to_vec()),
            |order| order.target.uid = u32::MAX,
            |order| order.target.groups.push(u32::MAX),
            |order| order.caller.gid = u32::MAX,
        ];
        for change in changes {
            let mut order = order();
            change(&mut order);
            assert!(check(&order).is_err(), "{order:?}");
        }
    }
}
