//! What our own standard descriptors are.

use std::os::fd::{AsFd, BorrowedFd};

use elevate_protocol::stdio::{Kind, Three};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::failure::Failure;

const NAMES: Three<&str> = ["standard input", "standard output", "standard error"];

/// Magic numbers (statfs(2)) of file systems on which it does not matter who writes to a file that
/// is already open. Everything else is [`Kind::Other`]: it costs a copy, and nothing else.
const ORDINARY: &[u64] = &[
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // xfs
    0x9123_683e, // btrfs
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
    0x794c_7630, // overlay
    0xf2f5_2010, // f2fs
    0x2fc1_2fc1, // zfs
    0xca45_1a4e, // bcachefs
    0x3153_464a, // jfs
    0x5265_4973, // reiserfs
    0x4d44,      // vfat
    0x2011_bab0, // exfat
    0x7366_746e, // ntfs3
    0x9660,      // iso9660
    0x7371_7368, // squashfs
    0xe0f5_e1e2, // erofs
    0x6969,      // nfs: it uses the credentials of whoever opened the file
];

/// What standard input, output and error are; refuses what no command could use.
pub fn inspect() -> Result<Three<Kind>, Failure> {
    let [input, output, error] = [
        rustix::stdio::stdin(),
        rustix::stdio::stdout(),
        rustix::stdio::stderr(),
    ];
    Ok([kind(input, 0)?, kind(output, 1)?, kind(error, 2)?])
}

fn kind(descriptor: BorrowedFd<'_>, number: usize) -> Result<Kind, Failure> {
    kind_of(descriptor).map_err(|why| {
        Failure::usage(format!("{} is {why}", NAMES[number]))
            .hint("connect it to a file, a pipe or a terminal")
    })
}

/// What `descriptor` is, or why it cannot be a standard stream of anything.
pub fn kind_of(descriptor: impl AsFd) -> Result<Kind, &'static str> {
    let flags = match rustix::fs::fcntl_getfl(&descriptor) {
        Ok(flags) => flags,
        Err(Errno::BADF) => return Ok(Kind::Closed),
        Err(_) => return Err("of a kind that cannot be inspected"),
    };
    if flags.contains(rustix::fs::OFlags::PATH) {
        return Err("opened for its path only (O_PATH)");
    }
    let Ok(status) = rustix::fs::fstat(&descriptor) else {
        return Err("of a kind that cannot be inspected");
    };
    match FileType::from_raw_mode(status.st_mode) {
        FileType::Directory => Err("a folder"),
        FileType::Fifo => Ok(Kind::Pipe),
        FileType::RegularFile => Ok(file(&descriptor)),
        FileType::CharacterDevice => Ok(device(&descriptor, &status)),
        _ => Ok(Kind::Other),
    }
}

fn file(descriptor: impl AsFd) -> Kind {
    match rustix::fs::fstatfs(descriptor) {
        Ok(system) if ORDINARY.contains(&(system.f_type as u64 & 0xffff_ffff)) => Kind::File,
        _ => Kind::Other,
    }
}

fn device(descriptor: impl AsFd, status: &Stat) -> Kind {
    let (major, minor) = (
        rustix::fs::major(status.st_rdev),
        rustix::fs::minor(status.st_rdev),
    );
    match (major, minor) {
        // /dev/null. The standard library opens it in place of descriptors that were closed when
        // we started, and for the command the two are the same.
        (1, 3) => Kind::Closed,
        // /dev/ptmx: the wrong end of a terminal answers questions for the other.
        (5, 2) => Kind::Other,
        // Only the controlling terminal tells its session (ioctl_tty(2), TIOCGSID).
        _ => match rustix::termios::tcgetsid(descriptor) {
            Ok(session) if rustix::process::getsid(None) == Ok(session) => Kind::Terminal,
            _ => Kind::Other,
        },
    }
}
