//! The launcher: forks resolvers, session leaders and sweepers for `elevated`, and ends the tree of
//! every leader that is gone. It parses nothing that a user wrote.

mod children;
mod orphans;
mod peer;
mod spawn;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;

use elevate_protocol::launch::Header;
use elevate_protocol::limits::LAUNCH_BYTES;
use elevate_protocol::seqpacket::{self, Packet, Wait};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SocketFlags, accept_with};

use self::children::Children;
use self::orphans::Orphans;
use crate::{leader, sys};

/// How soon to look again at a tree that should be gone.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Run as the service `elevate-launcher`, until killed.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("elevate-launcher: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        // Without it the pidfds of leaders would be kept nowhere.
        return Err(io::Error::other("to be started by systemd, not by hand"));
    }
    sys::memory::return_large_buffers();
    leader::preload();
    let (listener, stored) = sort_passed(sys::descriptors::passed_by_systemd()?)?;
    let children = Children::from_stored(stored);
    let orphans = Orphans::without_leader(&children);
    let mut launcher = Launcher {
        listener,
        connection: None,
        children,
        orphans,
    };
    sd_notify::notify(&[sd_notify::NotifyState::Ready])?;
    loop {
        launcher.turn()?;
    }
}

/// The listening socket, and the pidfds that an earlier run stored.
fn sort_passed(passed: Vec<(OwnedFd, String)>) -> io::Result<(OwnedFd, Vec<(OwnedFd, String)>)> {
    let (mut sockets, stored): (Vec<_>, Vec<_>) = passed
        .into_iter()
        .partition(|(_, name)| !name.starts_with(children::STORED_NAME));
    match (sockets.pop(), sockets.pop()) {
        (Some((listener, _)), None) => Ok((listener, stored)),
        _ => Err(io::Error::other(
            "expected one listening socket from systemd",
        )),
    }
}

struct Launcher {
    listener: OwnedFd,
    /// `elevated`, when it is there.
    connection: Option<OwnedFd>,
    children: Children,
    orphans: Orphans,
}

impl Launcher {
    /// Wait for something to happen, and deal with it.
    fn turn(&mut self) -> io::Result<()> {
        let ready = self.wait()?;
        self.orphans.look();
        for child in ready.children {
            if let Some(id) = self.children.remove(child) {
                self.orphans.add(id);
            }
        }
        if ready.connection {
            self.serve_connection();
        }
        if ready.listener {
            self.accept();
        }
        Ok(())
    }

    fn wait(&self) -> io::Result<Ready> {
        let mut polled = vec![PollFd::new(&self.listener, PollFlags::IN)];
        polled.extend(
            self.children
                .pidfds()
                .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)),
        );
        let connection = self.connection.as_ref();
        polled.extend(connection.map(|fd| PollFd::new(fd, PollFlags::IN)));
        let soon = Timespec {
            tv_sec: 0,
            tv_nsec: LOOK_AGAIN.as_nanos() as i64,
        };
        match poll(&mut polled, (!self.orphans.is_empty()).then_some(&soon)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Ready::default()),
            Err(error) => return Err(error.into()),
        }
        let happened = |place: usize| !polled[place].revents().is_empty();
        let count = self.children.len();
        Ok(Ready {
            listener: happened(0),
            // From the last, so that removing one moves none that is still to be removed.
            children: (0..count)
                .rev()
                .filter(|place| happened(place + 1))
                .collect(),
            connection: connection.is_some() && happened(count + 1),
        })
    }

    /// A proved newcomer takes the place of who was there: `elevated` restarted.
    fn accept(&mut self) {
        let accepted = accept_with(&self.listener, SocketFlags::CLOEXEC)
            .map_err(io::Error::from)
            .and_then(|socket| peer::prove(socket.as_fd()).map(|()| socket));
        match accepted {
            Ok(socket) => self.connection = Some(socket),
            Err(error) => eprintln!("refused a connection: {error}"),
        }
    }

    fn serve_connection(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        match seqpacket::receive(connection, LAUNCH_BYTES, Wait::No) {
            Ok(Some(packet)) => self.obey(packet),
            Ok(None) => self.connection = None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Its descriptors are closed with it, and so `elevated` hears of it.
            Err(error) => eprintln!("dropped an order: {error}"),
        }
    }

    fn obey(&mut self, packet: Packet) {
        let Some((header, _)) = Header::split(&packet.body) else {
            eprintln!("dropped an order without a header");
            return;
        };
        match spawn::spawn(header, packet) {
            Ok(child) => self.children.add(child),
            Err(error) => eprintln!("session {}: cannot fork: {error}", header.id),
        }
    }
}

/// What happened.
#[derive(Default)]
struct Ready {
    listener: bool,
    connection: bool,
    children: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(names: &[&str]) -> Vec<(OwnedFd, String)> {
        let any = || seqpacket::pair().unwrap().0;
        names
            .iter()
            .map(|name| (any(), (*name).to_owned()))
            .collect()
    }

    #[test]
    fn the_socket_is_told_from_stored_leaders() {
        let names = [
            "leader-k7m2x9qd",
            "elevate-launcher.socket",
            "leader-00000000",
        ];
        let (_, stored) = sort_passed(passed(&names)).unwrap();
        assert_eq!(stored.len(), 2);
    }

    #[test]
    fn without_exactly_one_socket_there_is_nothing_to_serve() {
        assert!(sort_passed(passed(&["leader-k7m2x9qd"])).is_err());
        assert!(sort_passed(passed(&["a.socket", "b.socket"])).is_err());
    }
}
