//! Files whose change must not wait until somebody asks: a role that is gone ends logins, and one
//! that is new publishes people (inotify(7)).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::paths;
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::daemon::Daemon;

/// Where account files are; of everything else in it nothing matters here.
const ETC: &str = "/etc";
const ACCOUNTS: [&[u8]; 2] = [b"passwd", b"group"];
/// Several changes in a row, as an editor or a package makes them, are one.
const PAUSE: Duration = Duration::from_millis(100);

/// Have the daemon look again whenever one of its files changes; never ends.
pub async fn watch(daemon: Arc<Daemon>) {
    if let Err(error) = follow(&daemon).await {
        eprintln!("changed files are noticed with the next question only: {error}");
    }
}

async fn follow(daemon: &Daemon) -> io::Result<()> {
    let watcher = begin()?;
    loop {
        // A folder that was made anew is another one.
        let etc = add(watcher.get_ref())?;
        let mut ready = watcher.readable().await?;
        let matters = read(watcher.get_ref(), etc)?;
        ready.clear_ready();
        if matters {
            tokio::time::sleep(PAUSE).await;
            daemon.identities.changed.notify_one();
        }
    }
}

#[expect(
    deprecated,
    reason = "the successor is unsafe for descriptors that nobody owns, and this one is owned"
)]
fn begin() -> io::Result<AsyncFd<OwnedFd>> {
    let watcher = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    AsyncFd::with_interest(watcher, Interest::READABLE)
}

/// Watch every folder that is there; which watch is that of [`ETC`].
fn add(watcher: &OwnedFd) -> io::Result<i32> {
    let flags = WatchFlags::CLOSE_WRITE
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVE
        | WatchFlags::ATTRIB;
    for folder in [paths::POLICY, paths::VENDOR_POLICY] {
        for folder in [Some(Path::new(folder)), Path::new(folder).parent()] {
            match inotify::add_watch(watcher, folder.unwrap_or(Path::new("/")), flags) {
                Ok(_) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(inotify::add_watch(watcher, ETC, flags)?)
}

/// Whether any of what happened matters.
fn read(watcher: &OwnedFd, etc: i32) -> io::Result<bool> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(watcher, &mut buffer);
    let mut matters = false;
    loop {
        match reader.next() {
            Ok(event) => {
                let name = event.file_name().map_or(&b""[..], |name| name.to_bytes());
                matters |= event.wd() != etc || ACCOUNTS.contains(&name);
            }
            Err(Errno::AGAIN) => return Ok(matters),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
