//! Forking a resolver, a leader or a sweeper.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use elevate_protocol::Id;
use elevate_protocol::launch::{Header, Order};
use elevate_protocol::seqpacket::Packet;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};

use super::children::{self, Child};
use crate::leader::Sockets;
use crate::sys::descriptors::close_all_but;
use crate::sys::fork::fork;
use crate::{account, editor, leader, resolver, sweeper};

/// Fork what `header` asks for. The descriptors of the packet are the child's; ours are closed.
pub(super) fn spawn(header: Header, packet: Packet) -> io::Result<Child> {
    let Packet {
        body, descriptors, ..
    } = packet;
    let body = &body[Header::LENGTH..];
    match header.order {
        Order::Resolve => spawn_short(
            c"elevate-resolve",
            resolver::run,
            body,
            exactly(descriptors)?,
        ),
        Order::CheckAccount => spawn_short(
            c"elevate-account",
            account::run,
            body,
            exactly(descriptors)?,
        ),
        Order::Lead => spawn_leader(
            c"elevate-leader",
            leader::run,
            header.id,
            body,
            exactly(descriptors)?,
        ),
        Order::Edit => spawn_leader(
            c"elevate-editor",
            editor::run,
            header.id,
            body,
            exactly(descriptors)?,
        ),
        Order::EndUser => spawn_short(c"elevate-sweep", sweeper::run, body, exactly(descriptors)?),
    }
}

fn exactly<const N: usize>(descriptors: Vec<OwnedFd>) -> io::Result<[OwnedFd; N]> {
    descriptors
        .try_into()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "an order without its sockets"))
}

/// Fork who gives one answer, by `run`, and ends.
fn spawn_short(
    name: &CStr,
    run: fn(&[u8], &OwnedFd) -> i32,
    body: &[u8],
    [reply]: [OwnedFd; 1],
) -> io::Result<Child> {
    let pid = fork(|| {
        if let Err(error) = own(&[&reply], name) {
            eprintln!("{error}");
            return 1;
        }
        run(body, &reply)
    })?;
    Ok(Child {
        pidfd: known(pid)?,
        leads: None,
    })
}

/// Fork who leads something, by `run`, until it is over.
fn spawn_leader(
    name: &CStr,
    run: fn(Id, &[u8], Sockets, OwnedFd) -> i32,
    id: Id,
    body: &[u8],
    [control, stream, account]: [OwnedFd; 3],
) -> io::Result<Child> {
    let (go, hold) = pipe_with(PipeFlags::CLOEXEC)?;
    let sockets = Sockets {
        control,
        stream,
        account,
    };
    let mut own_ends = Some((sockets, go));
    let pid = fork(|| {
        let Some((sockets, go)) = own_ends.take() else {
            return 1;
        };
        let Sockets {
            control,
            stream,
            account,
        } = &sockets;
        if let Err(error) = own(&[control, stream, account, &go], name) {
            eprintln!("session {id}: {error}");
            return 1;
        }
        run(id, body, sockets, go)
    })?;
    let pidfd = known(pid)?;
    // Should this fail, closing the pipe ends the leader: one that no launcher would know of
    // after a restart must not begin. Its end is seen like any other's.
    let stored = children::store(id, pidfd.as_fd());
    if let Err(error) = stored.and_then(|()| Ok(rustix::io::write(&hold, b"!").map(drop)?)) {
        eprintln!("session {id}: systemd cannot keep its leader: {error}");
    }
    let leads = Some(id);
    Ok(Child { pidfd, leads })
}

/// The pidfd of a child of ours. One that we could not follow is not left to itself.
fn known(pid: Pid) -> io::Result<OwnedFd> {
    pidfd_open(pid, PidfdFlags::empty()).map_err(|error| {
        let _ = kill_process(pid, Signal::KILL);
        let _ = waitpid(Some(pid), WaitOptions::empty());
        error.into()
    })
}

/// Make the forked process its own: no descriptor of the launcher's, and a name of its own.
fn own(kept: &[&OwnedFd], name: &CStr) -> io::Result<()> {
    let kept: Vec<_> = kept.iter().map(|descriptor| descriptor.as_fd()).collect();
    close_all_but(&kept)?;
    rustix::thread::set_name(name)?;
    Ok(())
}
