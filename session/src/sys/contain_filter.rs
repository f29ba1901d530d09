//! A seccomp filter that takes the system calls from a contained session that lead out of it
//! (seccomp(2)). It stays for all that the session starts.

use std::io;

use libc::{c_long, sock_filter};

const RET_KILL_PROCESS: u32 = 0x8000_0000;
const RET_ERRNO: u32 = 0x0005_0000;
const RET_ALLOW: u32 = 0x7fff_0000;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_IF_NOT_LESS: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where seccomp_data holds the system call's number, its convention and its first argument.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;

/// This machine's own calling convention (`AUDIT_ARCH_*`). Others have tables of their own, and who
/// uses one ends: 32-bit programs don't run contained.
#[cfg(target_arch = "x86_64")]
const OWN_ARCH: u32 = 62 | 0xc000_0000;
#[cfg(target_arch = "aarch64")]
const OWN_ARCH: u32 = 183 | 0xc000_0000;
/// From here on the numbers are x32's.
const X32: u32 = 0x4000_0000;

/// What an argument of a call must be, by its lower half: none of those looked at has another.
#[derive(Clone, Copy)]
enum Test {
    /// Any of these bits.
    AnyOf(u8, u32),
    /// Exactly this.
    Is(u8, u32),
    /// Anything else.
    Not(u8, u32),
}

use Test::{AnyOf, Is, Not};

/// A system call, the error it gets, and which of its arguments make it that one.
struct Denied(c_long, i32, &'static [Test]);

/// Numbers that libc does not have on every machine of ours.
const SYS_FCHMODAT2: c_long = 452;
const SYS_OPEN_TREE_ATTR: c_long = 467;

/// The bits that give a file's owner's or group's rights to who executes it. Inside they do
/// nothing; outside, where a writable folder is the same, they would.
const SETUID: u32 = 0o6000;
const CREATES: u32 = libc::O_CREAT as u32 | 0o20_000_000;
const NEW_NAMESPACES: u32 = 0x7e02_0000;
const NEW_TIME_NAMESPACE: u32 = 0x80;

const fn never(number: c_long) -> Denied {
    Denied(number, libc::EPERM, &[])
}

/// What is denied, by its reason.
const DENIED: &[Denied] = &[
    // A view of its own: mounts, and namespaces, in which it would have every capability.
    never(libc::SYS_mount),
    never(libc::SYS_umount2),
    never(libc::SYS_pivot_root),
    never(libc::SYS_open_tree),
    never(libc::SYS_move_mount),
    never(libc::SYS_fsopen),
    never(libc::SYS_fsconfig),
    never(libc::SYS_fsmount),
    never(libc::SYS_fspick),
    never(libc::SYS_mount_setattr),
    never(SYS_OPEN_TREE_ATTR),
    never(libc::SYS_setns),
    Denied(
        libc::SYS_unshare,
        libc::EPERM,
        &[AnyOf(0, NEW_NAMESPACES | NEW_TIME_NAMESPACE)],
    ),
    Denied(libc::SYS_clone, libc::EPERM, &[AnyOf(0, NEW_NAMESPACES)]),
    // Its flags are in memory, where no filter sees them; C libraries go on with clone.
    Denied(libc::SYS_clone3, libc::ENOSYS, &[]),
    // Files by other ways than their path.
    never(libc::SYS_open_by_handle_at),
    never(libc::SYS_fanotify_init),
    // Descriptors of the host's files, which would lead around every mount here: they come over
    // Unix sockets, of which only connected pairs are left, and by pidfd. So do services' own
    // sockets, of the file system and of the abstract names that a network shares; and what nobody
    // needs is none of its business.
    Denied(
        libc::SYS_socket,
        libc::EAFNOSUPPORT,
        &[
            Not(0, libc::AF_INET as u32),
            Not(0, libc::AF_INET6 as u32),
            Not(0, libc::AF_NETLINK as u32),
            Not(0, libc::AF_PACKET as u32),
        ],
    ),
    // Datagram pairs can be connected anew: SOCK_DGRAM and SOCK_RAW have this bit, SOCK_STREAM and
    // SOCK_SEQPACKET don't.
    Denied(libc::SYS_socketpair, libc::EPERM, &[AnyOf(1, 2)]),
    never(libc::SYS_pidfd_getfd),
    // Other processes' memory.
    never(libc::SYS_ptrace),
    never(libc::SYS_process_vm_readv),
    never(libc::SYS_process_vm_writev),
    never(libc::SYS_kcmp),
    // Keys belong to users, not to sessions.
    never(libc::SYS_keyctl),
    never(libc::SYS_add_key),
    never(libc::SYS_request_key),
    // The kernel and the machine.
    never(libc::SYS_bpf),
    never(libc::SYS_perf_event_open),
    never(libc::SYS_userfaultfd),
    never(libc::SYS_init_module),
    never(libc::SYS_finit_module),
    never(libc::SYS_delete_module),
    never(libc::SYS_kexec_load),
    never(libc::SYS_kexec_file_load),
    never(libc::SYS_reboot),
    never(libc::SYS_acct),
    never(libc::SYS_swapon),
    never(libc::SYS_swapoff),
    never(libc::SYS_quotactl),
    #[cfg(target_arch = "x86_64")]
    never(libc::SYS_iopl),
    #[cfg(target_arch = "x86_64")]
    never(libc::SYS_ioperm),
    // Does the work of other system calls, unseen.
    Denied(libc::SYS_io_uring_setup, libc::ENOSYS, &[]),
    Denied(libc::SYS_io_uring_enter, libc::ENOSYS, &[]),
    Denied(libc::SYS_io_uring_register, libc::ENOSYS, &[]),
    // Keys pressed for somebody else.
    Denied(libc::SYS_ioctl, libc::EPERM, &[Is(1, libc::TIOCSTI as u32)]),
    Denied(libc::SYS_ioctl, libc::EPERM, &[Is(1, 0x541c)]), // TIOCLINUX
    // Setuid and setgid files.
    #[cfg(target_arch = "x86_64")]
    Denied(libc::SYS_chmod, libc::EPERM, &[AnyOf(1, SETUID)]),
    Denied(libc::SYS_fchmod, libc::EPERM, &[AnyOf(1, SETUID)]),
    Denied(libc::SYS_fchmodat, libc::EPERM, &[AnyOf(2, SETUID)]),
    Denied(SYS_FCHMODAT2, libc::EPERM, &[AnyOf(2, SETUID)]),
    #[cfg(target_arch = "x86_64")]
    Denied(
        libc::SYS_open,
        libc::EPERM,
        &[AnyOf(1, CREATES), AnyOf(2, SETUID)],
    ),
    #[cfg(target_arch = "x86_64")]
    Denied(libc::SYS_creat, libc::EPERM, &[AnyOf(1, SETUID)]),
    Denied(
        libc::SYS_openat,
        libc::EPERM,
        &[AnyOf(2, CREATES), AnyOf(3, SETUID)],
    ),
    // Its mode is in memory; programs go on with openat.
    Denied(libc::SYS_openat2, libc::ENOSYS, &[]),
    #[cfg(target_arch = "x86_64")]
    Denied(libc::SYS_mknod, libc::EPERM, &[AnyOf(1, SETUID)]),
    Denied(libc::SYS_mknodat, libc::EPERM, &[AnyOf(2, SETUID)]),
];

fn program() -> Vec<sock_filter> {
    let mut program = vec![
        instruction(LOAD, 0, 0, ARCH),
        instruction(JUMP_IF_EQUAL, 1, 0, OWN_ARCH),
        instruction(RETURN, 0, 0, RET_KILL_PROCESS),
        instruction(LOAD, 0, 0, NUMBER),
        instruction(JUMP_IF_NOT_LESS, 0, 1, X32),
        instruction(RETURN, 0, 0, RET_KILL_PROCESS),
    ];
    for Denied(number, error, tests) in DENIED {
        let refuse = instruction(RETURN, 0, 0, RET_ERRNO | *error as u32);
        // The tests, the return, and the number again for what comes next.
        let rest = (tests.len() * TEST_LENGTH + 2) as u8;
        if tests.is_empty() {
            program.push(instruction(JUMP_IF_EQUAL, 0, 1, *number as u32));
            program.push(refuse);
            continue;
        }
        program.push(instruction(JUMP_IF_EQUAL, 0, rest, *number as u32));
        for (place, test) in tests.iter().enumerate() {
            // To the load of the number, past the tests that follow and the return.
            let past = ((tests.len() - place - 1) * TEST_LENGTH + 1) as u8;
            program.extend(instructions(*test, past));
        }
        program.push(refuse);
        program.push(instruction(LOAD, 0, 0, NUMBER));
    }
    program.push(instruction(RETURN, 0, 0, RET_ALLOW));
    program
}

const TEST_LENGTH: usize = 3;

/// Goes on with the next instruction if the test holds, else `past` instructions further.
fn instructions(test: Test, past: u8) -> [sock_filter; TEST_LENGTH] {
    let (argument, mask, yes, no, value) = match test {
        AnyOf(argument, bits) => (argument, bits, past, 0, 0),
        Is(argument, value) => (argument, u32::MAX, 0, past, value),
        Not(argument, value) => (argument, u32::MAX, past, 0, value),
    };
    // Machines of ours are little-endian: the lower half comes first.
    [
        instruction(LOAD, 0, 0, ARGUMENTS + 8 * u32::from(argument)),
        instruction(AND, 0, 0, mask),
        instruction(JUMP_IF_EQUAL, yes, no, value),
    ]
}

fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// Put this process and all it will start under the filter, for good. Needs no_new_privs.
pub(crate) fn install() -> io::Result<()> {
    let mut program = program();
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `filter` describes `program`, both live during the call, and the kernel copies them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const filter,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would do with this call: the few instructions that the program uses.
    fn verdict(arch: u32, number: c_long, arguments: [u32; 4]) -> u32 {
        let program = program();
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let instruction = program[at];
            at += 1;
            let k = instruction.k;
            let jump = |yes| usize::from(if yes { instruction.jt } else { instruction.jf });
            match instruction.code {
                LOAD if k == NUMBER => accumulator = number as u32,
                LOAD if k == ARCH => accumulator = arch,
                LOAD => accumulator = arguments[(k - ARGUMENTS) as usize / 8],
                AND => accumulator &= k,
                JUMP_IF_EQUAL => at += jump(accumulator == k),
                JUMP_IF_NOT_LESS => at += jump(accumulator >= k),
                RETURN => return k,
                other => panic!("no such instruction {other:?}"),
            }
        }
    }

    fn own(number: c_long, arguments: [u32; 4]) -> u32 {
        verdict(OWN_ARCH, number, arguments)
    }

    const EPERM: u32 = RET_ERRNO | libc::EPERM as u32;

    #[test]
    fn what_every_program_needs_goes_on() {
        for number in [
            libc::SYS_read,
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_rt_sigaction,
            libc::SYS_exit_group,
            libc::SYS_memfd_create,
        ] {
            assert_eq!(own(number, [0; 4]), RET_ALLOW, "{number}");
        }
        assert_eq!(
            own(libc::SYS_clone, [libc::SIGCHLD as u32, 0, 0, 0]),
            RET_ALLOW
        );
        assert_eq!(
            own(libc::SYS_unshare, [libc::CLONE_FILES as u32, 0, 0, 0]),
            RET_ALLOW
        );
        assert_eq!(own(libc::SYS_fchmodat, [0, 0, 0o755, 0]), RET_ALLOW);
    }

    #[test]
    fn what_takes_no_condition_is_always_denied() {
        for Denied(number, error, tests) in DENIED {
            if tests.is_empty() {
                assert_eq!(own(*number, [0; 4]), RET_ERRNO | *error as u32, "{number}");
            }
        }
    }

    #[test]
    fn namespaces_cannot_be_made() {
        for flag in [
            libc::CLONE_NEWUSER,
            libc::CLONE_NEWNS,
            libc::CLONE_NEWPID,
            libc::CLONE_NEWNET,
            libc::CLONE_NEWIPC,
            libc::CLONE_NEWUTS,
            libc::CLONE_NEWCGROUP,
        ] {
            let flags = [flag as u32 | libc::SIGCHLD as u32, 0, 0, 0];
            assert_eq!(own(libc::SYS_clone, flags), EPERM, "{flag:#x}");
            assert_eq!(own(libc::SYS_unshare, flags), EPERM, "{flag:#x}");
        }
        assert_eq!(own(libc::SYS_unshare, [0x80, 0, 0, 0]), EPERM);
    }

    #[test]
    fn only_connected_pairs_of_unix_sockets_are_left() {
        let socket = |family: i32| own(libc::SYS_socket, [family as u32, 1, 0, 0]);
        for family in [libc::AF_UNIX, libc::AF_VSOCK, libc::AF_ALG, libc::AF_TIPC] {
            assert_eq!(socket(family), RET_ERRNO | libc::EAFNOSUPPORT as u32);
        }
        for family in [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK] {
            assert_eq!(socket(family), RET_ALLOW);
        }
        let pair = |kind: i32| {
            let kind = (kind | libc::SOCK_CLOEXEC) as u32;
            own(libc::SYS_socketpair, [libc::AF_UNIX as u32, kind, 0, 0])
        };
        assert_eq!(pair(libc::SOCK_STREAM), RET_ALLOW);
        assert_eq!(pair(libc::SOCK_SEQPACKET), RET_ALLOW);
        assert_eq!(pair(libc::SOCK_DGRAM), EPERM);
        assert_eq!(pair(libc::SOCK_RAW), EPERM);
    }

    #[test]
    fn no_setuid_file_is_made() {
        for bits in [0o4755, 0o2755, 0o6000] {
            assert_eq!(own(libc::SYS_fchmod, [0, bits, 0, 0]), EPERM);
            assert_eq!(own(libc::SYS_fchmodat, [0, 0, bits, 0]), EPERM);
            assert_eq!(own(SYS_FCHMODAT2, [0, 0, bits, 0]), EPERM);
            assert_eq!(own(libc::SYS_mknodat, [0, 0, bits, 0]), EPERM);
            let create = libc::O_CREAT as u32;
            assert_eq!(own(libc::SYS_openat, [0, 0, create, bits]), EPERM);
            let nameless = libc::O_TMPFILE as u32;
            assert_eq!(own(libc::SYS_openat, [0, 0, nameless, bits]), EPERM);
            // Without a file to be made the fourth argument is whatever was there.
            assert_eq!(own(libc::SYS_openat, [0, 0, 0, bits]), RET_ALLOW);
        }
    }

    #[test]
    fn a_folder_that_is_opened_makes_no_file() {
        let folder = libc::O_DIRECTORY as u32;
        assert_eq!(own(libc::SYS_openat, [0, 0, folder, 0o6755]), RET_ALLOW);
    }

    #[test]
    fn other_calling_conventions_end_the_process() {
        assert_eq!(verdict(3 | 0x4000_0000, 11, [0; 4]), RET_KILL_PROCESS);
        assert_eq!(own(0x4000_0000 | 520, [0; 4]), RET_KILL_PROCESS);
    }
}
