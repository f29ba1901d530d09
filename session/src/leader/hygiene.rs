//! What a leader does to itself before anything else.

use std::fs;
use std::io;

use elevate_protocol::ErrorName;
use elevate_protocol::launch::Launch;
use elevate_protocol::limits::START_TIME;
use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, getpid, set_child_subreaper, set_dumpable_behavior, setsid, umask,
};

use super::failure::{Doing, Failure};
use super::limits;
use crate::sys;

/// Become a leader: a session of its own, deaf to signals, closed to debuggers, the parent of
/// every orphan below, in the caller's audit session and with a keyring of the session's own.
///
/// Leaves an alarm running that ends this process: what comes next calls into PAM modules and
/// looks at descriptors of the client's, and both can hang.
pub(super) fn become_leader(launch: &Launch) -> Result<(), Failure> {
    sys::signals::block_all_but_alarm().doing("block signals")?;
    sys::signals::alarm(START_TIME.as_secs() as u32);
    setsid().doing("begin a session")?;
    set_child_subreaper(Some(getpid())).doing("become a subreaper")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).doing("become undumpable")?;
    limits::put_descriptors_back().doing("set the limit of descriptors")?;
    umask(Mode::from_raw_mode(0o022));
    sys::credentials::with_real_user(&launch.target, sys::keyring::join_new_session)
        .doing("make a session keyring")?;
    set_login_uid(launch.login_uid)
}

/// The audit trail names who logged in, not whom the command runs as (loginuid, auditd(8)).
fn set_login_uid(login: Option<u32>) -> Result<(), Failure> {
    const FILE: &str = "/proc/self/loginuid";
    let Some(login) = login else {
        return Ok(());
    };
    let login = login.to_string();
    // Written first: a service has none, and then that is all.
    let written = fs::write(FILE, &login);
    let set = || fs::read_to_string(FILE).is_ok_and(|text| text == login);
    match written {
        Ok(()) => Ok(()),
        Err(_) if set() => Ok(()),
        Err(error) => Err(login_uid_failure(&error)),
    }
}

fn login_uid_failure(error: &io::Error) -> Failure {
    let message = format!("cannot carry the login over to the audit trail: {error}");
    Failure::new(ErrorName::Failed, message)
}
