//! Judging descriptors that a client handed over for the command. They are looked at and never
//! read or written here: this process is root, and the kernel would take it for root's doing.

use std::os::fd::BorrowedFd;

use elevate_protocol::ErrorName;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, fstatfs};

use super::failure::{Doing, Failure};

/// Fails unless `descriptor` is a pipe or FIFO, or a regular file of a file system that stores
/// files. No terminal, device, folder or socket, nothing opened only as a place (O_PATH).
pub(super) fn judge(descriptor: BorrowedFd<'_>) -> Result<(), Failure> {
    let flags = fcntl_getfl(descriptor).doing("look at a standard stream")?;
    let stat = fstat(descriptor).doing("look at a standard stream")?;
    if flags.contains(OFlags::PATH) {
        return refuse("opened only as a place (O_PATH)");
    }
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => Ok(()),
        FileType::RegularFile => {
            let system = fstatfs(descriptor).doing("look at a standard stream")?;
            match kernels_own(system.f_type as u32) {
                Some(name) => refuse(&format!("a file of {name}")),
                None => Ok(()),
            }
        }
        other => refuse(&format!("neither a pipe nor a file ({other:?})")),
    }
}

fn refuse(what: &str) -> Result<(), Failure> {
    let message = format!("a standard stream was handed over that is {what}");
    Err(Failure::new(ErrorName::InvalidArgument, message))
}

/// The name of a file system whose files are the kernel's own: there, a write by a process of root
/// means something else than one by whoever opened the file. By the numbers of linux/magic.h and
/// of the file systems' sources.
pub(super) fn kernels_own(magic: u32) -> Option<&'static str> {
    KERNELS_OWN
        .iter()
        .find(|(number, _)| *number == magic)
        .map(|(_, name)| *name)
}

const KERNELS_OWN: &[(u32, &str)] = &[
    (0x0000_9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x0027_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0x6265_6570, "configfs"),
    (0xcafe_4a11, "bpf"),
    (0x6165_676c, "pstore"),
    (0xde5e_81e4, "efivarfs"),
    (0x0000_1cd1, "devpts"),
    (0xf97c_ff8c, "selinuxfs"),
    (0x4341_5d53, "smackfs"),
    (0x4249_4e4d, "binfmt_misc"),
    (0x1980_0202, "mqueue"),
    (0x0904_1934, "anon_inodefs"),
    (0x6e73_6673, "nsfs"),
    (0x5049_4446, "pidfs"),
    (0x0765_5821, "resctrl"),
    (0x6573_5543, "fusectl"),
    (0x0000_0187, "autofs"),
    (0x6e66_7364, "nfsd"),
    (0x6759_6969, "rpc_pipefs"),
    (0x0a64_7361, "functionfs"),
    (0xaee7_1ee7, "gadgetfs"),
    (0xabba_1974, "xenfs"),
    (0x454d_444d, "devmem"),
    (0x444d_4142, "dmabuf"),
    (0x0000_9fa1, "openpromfs"),
    (0x6c6f_6f70, "binderfs"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use elevate_protocol::seqpacket;
    use rustix::fs::{Mode, open};
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn pipes_and_ordinary_files_reach_the_command() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        assert_eq!(judge(read.as_fd()), Ok(()));
        assert_eq!(judge(write.as_fd()), Ok(()));
        let file = tempfile::tempfile().unwrap();
        assert_eq!(judge(file.as_fd()), Ok(()));
    }

    #[test]
    fn everything_else_is_refused() {
        let (socket, _) = seqpacket::pair().unwrap();
        let place = open("/etc/passwd", OFlags::PATH, Mode::empty()).unwrap();
        let terminal = rustix::pty::openpt(rustix::pty::OpenptFlags::NOCTTY).unwrap();
        let refused = [
            socket,
            place,
            terminal,
            File::open("/").unwrap().into(),
            File::open("/dev/null").unwrap().into(),
            File::open("/proc/self/mem").unwrap().into(),
            File::open("/proc/sys/kernel/hostname").unwrap().into(),
            File::open("/sys/kernel/notes").unwrap().into(),
        ];
        for descriptor in refused {
            let failure = judge(descriptor.as_fd()).unwrap_err();
            assert_eq!(failure.error, ErrorName::InvalidArgument, "{descriptor:?}");
        }
    }
}
