//! What our standard descriptors are taken for, tried on real ones.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use elevate_client::stdio::kind_of;
use elevate_protocol::stdio::Kind;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

#[test]
fn a_pipe_is_a_pipe() {
    let (read, write) = std::io::pipe().unwrap();
    assert_eq!(kind_of(&read), Ok(Kind::Pipe));
    assert_eq!(kind_of(&write), Ok(Kind::Pipe));
}

#[test]
fn a_file_of_an_ordinary_file_system_is_a_file() {
    let program = std::env::current_exe().unwrap();
    assert_eq!(kind_of(File::open(program).unwrap()), Ok(Kind::File));
}

#[test]
fn files_that_look_at_who_uses_them_are_never_handed_over() {
    for path in [
        "/proc/self/mem",
        "/proc/self/status",
        "/sys/kernel/notes",
        "/proc/version",
    ] {
        if let Ok(file) = File::open(path) {
            assert_eq!(kind_of(&file), Ok(Kind::Other), "{path}");
        }
    }
}

#[test]
fn sockets_and_devices_are_copied_and_not_handed_over() {
    let (socket, _other) = UnixStream::pair().unwrap();
    assert_eq!(kind_of(&socket), Ok(Kind::Other));
    assert_eq!(kind_of(File::open("/dev/zero").unwrap()), Ok(Kind::Other));
}

#[test]
fn what_stands_in_for_a_closed_descriptor_counts_as_closed() {
    assert_eq!(kind_of(File::open("/dev/null").unwrap()), Ok(Kind::Closed));
}

#[test]
fn a_terminal_of_somebody_else_is_not_ours() {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave: OwnedFd =
        ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    assert_eq!(kind_of(&slave), Ok(Kind::Other));
    assert_eq!(kind_of(&master), Ok(Kind::Other));
}

#[test]
fn what_can_be_neither_read_nor_written_is_refused() {
    let folder = File::open("/").unwrap();
    assert_eq!(kind_of(&folder), Err("a folder"));
    let path = open("/etc/passwd", OFlags::PATH, Mode::empty()).unwrap();
    assert_eq!(kind_of(&path), Err("opened for its path only (O_PATH)"));
}
