//! Who is at the other end of a stream. The bus vouches for a uid; the process behind it proves
//! itself here, and its login is read while it provably lives:
//! kernel credentials on a message, a pidfd opened for that pid, a nonce returned with the same
//! credentials while the pidfd lives, then `/proc`.

use std::os::fd::OwnedFd;

use elevate_protocol::ErrorName;
use elevate_protocol::limits::PROOF_TIME;
use elevate_protocol::seqpacket::Credentials;
use elevate_protocol::stream::{ToClient, ToServer};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::stream::{Refusal, Stop, Stream, unexpected};
use crate::daemon::Daemon;
use crate::process::{self, Login};

/// A process that proved itself, and the login behind it.
#[derive(Debug)]
pub struct Proved {
    /// Its id; the same process as long as `process` is not readable.
    pub pid: i32,
    /// The process itself.
    pub process: OwnedFd,
    /// The login behind it.
    pub login: Login,
}

/// Have the client of `uid` prove itself.
pub(super) async fn prove(daemon: &Daemon, stream: &Stream, uid: u32) -> Result<Proved, Stop> {
    let proved = proof(stream, uid, daemon.nonce()).await?;
    Ok(Proved {
        login: daemon.seen_from_outside(proved.login),
        ..proved
    })
}

async fn proof(stream: &Stream, uid: u32, nonce: String) -> Result<Proved, Stop> {
    let proof = tokio::time::timeout(PROOF_TIME, exchange(stream, uid, nonce));
    proof.await.unwrap_or_else(|_| {
        Err(Refusal::new(
            ErrorName::TimedOut,
            "the client did not say who it is in time",
        )
        .into())
    })
}

async fn exchange(stream: &Stream, uid: u32, nonce: String) -> Result<Proved, Stop> {
    let (ToServer::Hello, first) = stream.receive().await? else {
        return Err(unexpected());
    };
    let sender = believe(first, uid)?;
    let pid = Pid::from_raw(sender.pid).ok_or_else(impostor)?;
    let process = pidfd_open(pid, PidfdFlags::empty()).map_err(|_| impostor())?;
    stream
        .send(&ToClient::Challenge {
            nonce: nonce.clone(),
        })
        .await?;
    let (ToServer::Proof { nonce: returned }, second) = stream.receive().await? else {
        return Err(unexpected());
    };
    if believe(second, uid)? != sender || returned != nonce {
        return Err(impostor());
    }
    let login = process::login(sender.pid).map_err(|_| impostor())?;
    if !is_alive(&process) {
        return Err(impostor());
    }
    Ok(Proved {
        pid: sender.pid,
        process,
        login,
    })
}

fn believe(credentials: Option<Credentials>, uid: u32) -> Result<Credentials, Stop> {
    credentials
        .filter(|sender| sender.uid == uid)
        .ok_or_else(impostor)
}

/// Whether the process of this pidfd has not ended.
pub(super) fn is_alive(process: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(process, PollFlags::IN)];
    let now = rustix::time::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    matches!(poll(&mut polled, Some(&now)), Ok(0))
}

fn impostor() -> Stop {
    Refusal::new(
        ErrorName::NotAuthorized,
        "the process on the stream is not the one that asked on the bus",
    )
    .into()
}
