//! Whether the caller's account is in order, by PAM's word (pam_acct_mgmt(3)). It takes a process of
//! its own, beside all else that a beginning needs: on many hosts a module runs a program for it,
//! which takes longer than the rest together.

use std::os::fd::OwnedFd;

use elevate_protocol::ErrorName;
use elevate_protocol::launch::{AccountChecked, AccountRefusal, CheckAccount};
use elevate_protocol::limits::{LAUNCH_BYTES, START_TIME};
use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::leader::failure::{Doing, Failure};
use crate::leader::{SERVICE, pam_failure};
use crate::sys::pam::{Item, Pam, PamError};
use crate::sys::signals;

/// How long PAM may take, in seconds: less than the alarm that would end the leader without a word.
const TIME: u32 = START_TIME.as_secs() as u32 - 5;

/// Answer the [`CheckAccount`] in `body` on `reply`; the exit status of this process.
pub(crate) fn run(body: &[u8], reply: &OwnedFd) -> i32 {
    // A module that hangs ends with the alarm, and whoever waits sees the socket close.
    signals::alarm(TIME);
    let checked = match message::decode::<CheckAccount>(body) {
        Ok(Frame::Message(order)) => check(&order),
        _ => refused(Failure::new(ErrorName::Failed, "malformed order")),
    };
    match seqpacket::send(reply, &message::encode(&checked), &[], Wait::Yes) {
        Ok(()) => 0,
        // Nobody waits any more: what was asked for was refused meanwhile.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            eprintln!("cannot answer: {error}");
            1
        }
    }
}

fn undumpable() -> rustix::io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

fn check(order: &CheckAccount) -> AccountChecked {
    if let Err(failure) = undumpable().doing("become undumpable") {
        return refused(failure);
    }
    match ask(order) {
        Ok(said) => AccountChecked {
            said,
            refusal: None,
        },
        Err(error) => refused(pam_failure("the account", &order.caller, &error)),
    }
}

fn refused(Failure { error, message }: Failure) -> AccountChecked {
    AccountChecked {
        said: Vec::new(),
        refusal: Some(AccountRefusal { error, message }),
    }
}

fn ask(order: &CheckAccount) -> Result<Vec<String>, PamError> {
    let mut pam = Pam::start(SERVICE, &order.caller)?;
    pam.set(Item::RequestingUser, &order.caller)?;
    if let Some(terminal) = &order.terminal {
        pam.set(Item::Terminal, terminal)?;
    }
    pam.check_account()?;
    Ok(pam.take_said())
}

/// Wait for the word on the caller's account: what modules said, or why nothing begins.
pub(crate) fn hear(reply: &OwnedFd) -> Result<Vec<String>, Failure> {
    let packet = seqpacket::receive(reply, LAUNCH_BYTES, Wait::Yes);
    let checked = packet.ok().flatten().and_then(|packet| {
        match message::decode::<AccountChecked>(&packet.body) {
            Ok(Frame::Message(checked)) => Some(checked),
            _ => None,
        }
    });
    match checked {
        Some(AccountChecked {
            said,
            refusal: None,
        }) => Ok(said),
        Some(AccountChecked {
            refusal: Some(AccountRefusal { error, message }),
            ..
        }) => Err(Failure { error, message }),
        None => {
            let message = "PAM gave no word on the caller's account";
            Err(Failure::new(ErrorName::Failed, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(answer: Option<&[u8]>) -> Result<Vec<String>, Failure> {
        let (ours, theirs) = seqpacket::pair().unwrap();
        if let Some(answer) = answer {
            seqpacket::send(&theirs, answer, &[], Wait::Yes).unwrap();
        }
        drop(theirs);
        hear(&ours)
    }

    #[test]
    fn nothing_begins_without_a_word_on_the_account() {
        assert!(heard(None).is_err());
        assert!(heard(Some(b"{}")).is_err());
    }

    #[test]
    fn a_no_is_one_in_its_own_words() {
        let no = refused(Failure::new(ErrorName::Denied, "the account has expired"));
        let failure = heard(Some(&message::encode(&no))).unwrap_err();
        assert_eq!(failure.error, ErrorName::Denied);
        assert_eq!(failure.message, "the account has expired");
    }

    #[test]
    fn a_yes_brings_what_modules_said() {
        let said = vec!["your password expires tomorrow".to_owned()];
        let yes = AccountChecked {
            said: said.clone(),
            refusal: None,
        };
        assert_eq!(heard(Some(&message::encode(&yes))), Ok(said));
    }
}
