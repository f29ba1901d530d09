//! The journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
//!
//! A thread of its own sends, so that a journald that hangs holds up no request; what its queue
//! can't take is counted and said later.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

use super::{Entry, lost};

const SOCKET: &str = "/run/systemd/journal/socket";
/// Entries that wait for journald at most.
const QUEUE: usize = 16 * 1024;

/// The way into the journal.
#[derive(Debug, Clone)]
pub struct Journal {
    queue: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

impl Journal {
    /// Start the thread that writes.
    pub fn start() -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        let (queue, entries) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&dropped);
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || write_all(&socket, &entries, &counter))?;
        Ok(Journal { queue, dropped })
    }

    /// Put an entry on record.
    pub fn record(&self, entry: Entry) {
        if self.queue.try_send(entry).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_all(socket: &UnixDatagram, entries: &Receiver<Entry>, dropped: &AtomicU64) {
    for entry in entries {
        let missing = dropped.swap(0, Ordering::Relaxed);
        if missing > 0 {
            report(socket, &lost(missing));
        }
        report(socket, &entry);
    }
}

fn report(socket: &UnixDatagram, entry: &Entry) {
    if let Err(error) = send(socket, &encode(entry)) {
        // Standard error reaches the journal another way, where there is one.
        eprintln!("the journal took no entry ({error}): {}", entry.message);
    }
}

fn send(socket: &UnixDatagram, packet: &[u8]) -> io::Result<()> {
    match socket.send_to(packet, SOCKET) {
        Err(error) if error.raw_os_error() == Some(Errno::MSGSIZE.raw_os_error()) => {
            send_sealed(socket, packet)
        }
        other => other.map(drop),
    }
}

/// What is too long for a datagram goes in a sealed memfd.
fn send_sealed(socket: &UnixDatagram, packet: &[u8]) -> io::Result<()> {
    use rustix::net::{
        SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr,
    };
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
    let address = SocketAddrUnix::new(SOCKET)?;
    sendmsg_addr(socket, &address, &[], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
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
