//! The PAM session around a command, once the caller's account was found to be in order.

use elevate_protocol::launch::Launch;
use elevate_protocol::{ErrorName, escape};

use super::failure::Failure;
use crate::sys::pam::{Item, Pam, PamError};
use crate::sys::signals;

/// The name of our stack, `/etc/pam.d/elevate`.
pub(crate) const SERVICE: &std::ffi::CStr = c"elevate";
/// How long modules may take to close a session, in seconds.
const CLOSE_TIME: u32 = 30;

/// PAM_PERM_DENIED, PAM_AUTH_ERR and the like: a module said no, rather than failed.
const DENIALS: [i32; 4] = [6, 7, 10, 11];
/// PAM_ACCT_EXPIRED.
const EXPIRED: i32 = 13;

/// Have the modules of our stack loaded before a leader is forked: about a quarter of the time that
/// opening a session takes goes there otherwise.
pub(crate) fn preload() {
    if let Err(error) = Pam::preload(SERVICE) {
        // The sessions that this concerns will fail by themselves, and say why.
        eprintln!("cannot load the PAM modules yet: {}", error.text);
    }
}

/// Credentials and an open session, until dropped.
pub(super) struct PamSession {
    pam: Pam,
    open: bool,
}

impl PamSession {
    /// Open the session of `launch`; `terminal` is the name of its terminal.
    pub(super) fn open(launch: &Launch, terminal: Option<&str>) -> Result<PamSession, Failure> {
        let (caller, target) = (&launch.caller.name, &launch.target.name);
        let of_target = |error| failure("a session", target, &error);
        let mut pam = Pam::start(SERVICE, target).map_err(of_target)?;
        pam.set(Item::RequestingUser, caller).map_err(of_target)?;
        if let Some(terminal) = terminal {
            pam.set(Item::Terminal, terminal).map_err(of_target)?;
        }
        pam.establish_credentials().map_err(of_target)?;
        let mut session = PamSession { pam, open: false };
        session.pam.open_session().map_err(of_target)?;
        session.open = true;
        Ok(session)
    }

    /// Variables that modules set, `NAME=value` each.
    pub(super) fn environment(&mut self) -> Vec<Vec<u8>> {
        self.pam.environment()
    }

    /// What modules had to say, harmless for a terminal.
    pub(super) fn take_said(&mut self) -> Vec<String> {
        self.pam.take_said()
    }
}

impl Drop for PamSession {
    /// What fails here fails for the journal only: the command is over.
    fn drop(&mut self) {
        signals::alarm(CLOSE_TIME);
        if self.open
            && let Err(error) = self.pam.close_session()
        {
            eprintln!("cannot close the PAM session: {}", error.text);
        }
        if let Err(error) = self.pam.delete_credentials() {
            eprintln!("cannot delete the PAM credentials: {}", error.text);
        }
    }
}

/// What the user hears of PAM's refusal of `what` of `user`.
pub(crate) fn failure(what: &str, user: &str, error: &PamError) -> Failure {
    let user = escape::line(user.as_bytes());
    match error.code {
        EXPIRED => Failure::new(
            ErrorName::Denied,
            format!("the account of {user} has expired"),
        ),
        code if DENIALS.contains(&code) => {
            let message = format!("PAM refuses {what} of {user}: {}", error.text);
            Failure::new(ErrorName::Denied, message)
        }
        _ => {
            let message = format!("PAM fails at {what} of {user}: {}", error.text);
            Failure::new(ErrorName::Failed, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_says_no_is_told_from_one_that_breaks() {
        let told = |code| {
            let text = "because".into();
            failure("the account", "alice", &PamError { code, text })
        };
        assert_eq!(told(13).message, "the account of alice has expired");
        assert_eq!(told(13).error, ErrorName::Denied);
        assert_eq!(told(6).error, ErrorName::Denied);
        assert_eq!(told(6).message, "PAM refuses the account of alice: because");
        assert_eq!(told(4).error, ErrorName::Failed);
    }
}
