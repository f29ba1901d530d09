//! Framing: one packet of a `SOCK_SEQPACKET` Unix socket is one message (unix(7)).
//!
//! Calls never set `O_NONBLOCK`, which an end would share with whoever else holds it; whether a
//! call may wait is said with each call.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recv, recvmsg,
    sendmsg, socketpair,
};

use crate::limits::DESCRIPTORS;

/// Who sent a packet, by the kernel's word (`SCM_CREDENTIALS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials {
    /// Process id in the receiver's namespace; never 0.
    pub pid: i32,
    /// Real user id.
    pub uid: u32,
}

/// One received packet.
#[derive(Debug)]
pub struct Packet {
    /// The message.
    pub body: Vec<u8>,
    /// Descriptors that came with it, close-on-exec.
    pub descriptors: Vec<OwnedFd>,
    /// The sender, where [`want_credentials`] was called on the receiving end.
    pub credentials: Option<Credentials>,
}

/// Whether a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Until it can be done.
    Yes,
    /// Not at all: `WouldBlock` instead.
    No,
}

/// Two connected ends, close-on-exec.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

/// Have the kernel attach the sender's credentials to every packet this end receives.
pub fn want_credentials(socket: impl AsFd) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_passcred(socket, true)?)
}

/// Send one packet. An empty body is refused, since the receiver would take it for the end.
pub fn send(
    socket: impl AsFd,
    body: &[u8],
    descriptors: &[BorrowedFd<'_>],
    wait: Wait,
) -> io::Result<()> {
    if body.is_empty() || descriptors.len() > DESCRIPTORS {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut flags = SendFlags::NOSIGNAL;
    flags.set(SendFlags::DONTWAIT, wait == Wait::No);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    retry(|| sendmsg(&socket, &[IoSlice::new(body)], &mut control, flags))?;
    Ok(())
}

/// Receive one packet of at most `limit` bytes; `None` when the other end is gone.
///
/// A longer packet, or one with more descriptors than fit, is an error: nothing is acted on in
/// part.
pub fn receive(socket: impl AsFd, limit: usize, wait: Wait) -> io::Result<Option<Packet>> {
    let mut flags = RecvFlags::CMSG_CLOEXEC;
    flags.set(RecvFlags::DONTWAIT, wait == Wait::No);
    // A buffer for the longest packet would cost more, cleared for each, than to ask first.
    let look = flags | RecvFlags::PEEK | RecvFlags::TRUNC;
    let (_, length) = until_said(|| recv(&socket, &mut [0; 0], look))?;
    let mut body = vec![0; length.min(limit)];
    let mut space =
        [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS), ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = until_said(|| {
        recvmsg(
            &socket,
            &mut [IoSliceMut::new(&mut body)],
            &mut control,
            flags,
        )
    })?;
    if got.bytes == 0 {
        return Ok(None);
    }
    body.truncate(got.bytes);
    let mut packet = Packet {
        body,
        descriptors: Vec::new(),
        credentials: None,
    };
    for message in control.drain() {
        match message {
            RecvAncillaryMessage::ScmRights(descriptors) => packet.descriptors.extend(descriptors),
            RecvAncillaryMessage::ScmCredentials(sender) => {
                packet.credentials = Some(Credentials {
                    pid: sender.pid.as_raw_nonzero().get(),
                    uid: sender.uid.as_raw(),
                });
            }
            _ => {}
        }
    }
    if got
        .flags
        .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
    {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a message was too long",
        ));
    }
    Ok(Some(packet))
}

/// Receive past what is said once where the peer left with packets of ours unread: what it said
/// before it left is still in the queue.
fn until_said<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match retry(&mut call) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            other => return other,
        }
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_arrives_whole_with_its_descriptors_and_its_sender() {
        let (left, right) = pair().unwrap();
        want_credentials(&right).unwrap();
        send(&left, b"hello", &[left.as_fd()], Wait::Yes).unwrap();
        let packet = receive(&right, 64, Wait::No).unwrap().unwrap();
        assert_eq!(packet.body, b"hello");
        assert_eq!(packet.descriptors.len(), 1);
        assert_eq!(packet.credentials.unwrap().pid, std::process::id() as i32);
    }

    #[test]
    fn a_packet_that_is_too_long_is_refused_whole() {
        let (left, right) = pair().unwrap();
        send(&left, b"too long", &[], Wait::Yes).unwrap();
        send(&left, b"next", &[], Wait::Yes).unwrap();
        let error = receive(&right, 4, Wait::No).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let next = receive(&right, 4, Wait::No).unwrap().unwrap();
        assert_eq!(next.body, b"next");
    }

    #[test]
    fn last_words_arrive_though_the_peer_left_without_listening() {
        let (left, right) = pair().unwrap();
        send(&right, b"unread", &[], Wait::Yes).unwrap();
        send(&left, b"last words", &[], Wait::Yes).unwrap();
        drop(left);
        assert_eq!(
            receive(&right, 64, Wait::No).unwrap().unwrap().body,
            b"last words"
        );
        assert!(receive(&right, 64, Wait::No).unwrap().is_none());
    }

    #[test]
    fn the_end_is_told_from_nothing_yet() {
        let (left, right) = pair().unwrap();
        let nothing = receive(&right, 4, Wait::No).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        drop(left);
        assert!(receive(&right, 4, Wait::No).unwrap().is_none());
    }
}
