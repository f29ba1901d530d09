//! The journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
//!
//! What journald does not take at once a thread of its own sends, so that a journald that hangs
//! holds up no request; what its queue can't take is counted and said later.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::net::{
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr, sendto,
};

use super::{Entry, lost};

const SOCKET: &str = "/run/systemd/journal/socket";
/// Entries that wait for journald at most.
const QUEUE: usize = 16 * 1024;

/// The way into the journal.
#[derive(Debug, Clone)]
pub struct Journal {
    journald: Arc<Journald>,
    queue: SyncSender<Entry>,
    /// Entries in the queue, or on their way from there.
    waiting: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
}

impl Journal {
    /// Start the thread that writes.
    pub fn start() -> io::Result<Self> {
        Journal::to(SocketAddrUnix::new(SOCKET)?)
    }

    fn to(address: SocketAddrUnix) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        let (queue, entries) = sync_channel(QUEUE);
        let journal = Journal {
            journald: Arc::new(Journald { socket, address }),
            queue,
            waiting: Arc::default(),
            dropped: Arc::default(),
        };
        let Journal {
            journald,
            waiting,
            dropped,
            ..
        } = journal.clone();
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                for entry in entries {
                    let missing = dropped.swap(0, Ordering::Relaxed);
                    if missing > 0 {
                        journald.report(&lost(missing));
                    }
                    journald.report(&entry);
                    waiting.fetch_sub(1, Ordering::Release);
                }
            })?;
        Ok(journal)
    }

    /// Put an entry on record, after those before it. At once where journald has room: to wake a
    /// thread for it takes longer than to send it.
    pub fn record(&self, entry: Entry) {
        let all_sent = self.waiting.load(Ordering::Acquire) == 0;
        let all_sent = all_sent && self.dropped.load(Ordering::Relaxed) == 0;
        let at_once = SendFlags::DONTWAIT;
        if all_sent && self.journald.send(&encode(&entry), at_once).is_ok() {
            return;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(entry).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[derive(Debug)]
struct Journald {
    socket: UnixDatagram,
    address: SocketAddrUnix,
}

impl Journald {
    /// Send an entry, however long that takes.
    fn report(&self, entry: &Entry) {
        let packet = encode(entry);
        let sent = match self.send(&packet, SendFlags::empty()) {
            Err(Errno::MSGSIZE) => self.send_sealed(&packet),
            other => other.map_err(io::Error::from),
        };
        if let Err(error) = sent {
            // Standard error reaches the journal another way, where there is one.
            eprintln!("the journal took no entry ({error}): {}", entry.message);
        }
    }

    fn send(&self, packet: &[u8], flags: SendFlags) -> Result<(), Errno> {
        let flags = flags | SendFlags::NOSIGNAL;
        sendto(&self.socket, packet, flags, &self.address).map(drop)
    }

    /// What is too long for a datagram goes in a sealed memfd.
    fn send_sealed(&self, packet: &[u8]) -> io::Result<()> {
        let memfd = memfd_create("journal", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut file = std::fs::File::from(memfd);
        file.write_all(packet)?;
        fcntl_add_seals(
            &file,
            SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
        )?;
        let descriptors = [file.as_fd()];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let (socket, flags) = (&self.socket, SendFlags::NOSIGNAL);
        sendmsg_addr(socket, &self.address, &[], &mut control, flags)?;
        Ok(())
    }
}

fn encode(entry: &Entry) -> Vec<u8> {
    let mut packet = Vec::with_capacity(1024);
    let mut field = |name: &str, value: &str| {
        packet.extend_from_slice(name.as_bytes());
        packet.push(b'\n');
        packet.extend_from_slice(&(value.len() as u64).to_le_bytes());
        packet.extend_from_slice(value.as_bytes());
        packet.push(b'\n');
    };
    field("SYSLOG_IDENTIFIER", "elevate");
    field("MESSAGE", &entry.message);
    field("PRIORITY", &entry.kind.priority().to_string());
    field("SYSLOG_FACILITY", "10"); // authpriv
    field("MESSAGE_ID", entry.kind.message_id());
    field("ELEVATE_EVENT", entry.kind.name());
    for (name, value) in entry.fields.iter().filter(|(_, value)| !value.is_empty()) {
        field(name, value);
    }
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Kind;

    #[test]
    fn a_newline_in_a_value_begins_no_new_field() {
        let entry = Entry::new(Kind::Request, "x").with("ELEVATE_REASON", "a\nPRIORITY=0");
        let packet = encode(&entry);
        let text = String::from_utf8_lossy(&packet);
        assert!(text.contains("a\\nPRIORITY=0"), "{text}");
    }

    #[test]
    fn what_journald_takes_only_later_comes_whole_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::to(SocketAddrUnix::new(&path).unwrap()).unwrap();
        // More than any socket holds, and one that fits into no datagram.
        let entry = |number: usize| {
            let length = if number == 700 { 1 << 20 } else { 10 };
            Entry::new(Kind::Request, format!("{number} {}", "x".repeat(length)))
        };
        (0..2000).for_each(|number| journal.record(entry(number)));
        for number in (0..2000).filter(|&number| number != 700) {
            let mut packet = [0; 4096];
            let mut length = journald.recv(&mut packet).unwrap();
            if length == 0 {
                // The sealed one.
                length = journald.recv(&mut packet).unwrap();
            }
            let text = String::from_utf8_lossy(&packet[..length]);
            assert!(text.contains(&format!("{number} xxx")), "{number}: {text}");
        }
    }

    #[test]
    fn every_kind_is_explained_in_the_catalog() {
        let catalog = include_str!("../../../systemd/elevate.catalog");
        for kind in Kind::ALL {
            assert!(
                catalog.contains(&format!("-- {}", kind.message_id())),
                "{kind:?}"
            );
        }
    }
}
