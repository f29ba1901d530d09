//! The resolver: with the target's rights on files and within a time limit, says which file a
//! command is, or is to be edited. Forked by the launcher, so that it looks in the host's own file system and never in
//! a view that a caller made.

mod contents;
pub(crate) use contents::sha256;
pub(crate) mod edit;
mod find;
mod script;
mod walk;

use std::io;
use std::os::fd::OwnedFd;

use elevate_protocol::launch::{Purpose, Resolution, Resolve};
use elevate_protocol::limits::RESOLVE_TIME;
use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::sys;

/// Answer the [`Resolve`] in `body` on `reply`; the exit status of this process.
pub fn run(body: &[u8], reply: &OwnedFd) -> i32 {
    let resolution = match message::decode::<Resolve>(body) {
        Ok(Frame::Message(order)) => match answer(&order) {
            Ok(resolution) => resolution,
            Err(error) => Resolution::Failed(format!("cannot become the target: {error}")),
        },
        _ => Resolution::Failed("malformed order".into()),
    };
    match seqpacket::send(reply, &message::encode(&resolution), &[], Wait::Yes) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("cannot answer: {error}");
            1
        }
    }
}

fn answer(order: &Resolve) -> io::Result<Resolution> {
    limit_ourselves()?;
    match &order.purpose {
        Purpose::Execute => {
            sys::credentials::become_account(&order.target)?;
            set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
            Ok(find::find(order))
        }
        // It has the rights on files of two people, one after the other.
        Purpose::Edit { caller } => Ok(edit::find(order, caller)),
    }
}

/// For a short time only. A file system that hangs ends with the alarm; `elevated` then sees the
/// reply's socket close.
fn limit_ourselves() -> io::Result<()> {
    sys::signals::alarm(RESOLVE_TIME.as_secs() as u32);
    for (resource, most) in [
        (Resource::Cpu, RESOLVE_TIME.as_secs()),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
