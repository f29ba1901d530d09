//! A seccomp filter that stops a process at every exec until a listener lets it go on
//! (seccomp(2), seccomp_unotify(2)), and where it asks for a listener of its own.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use libc::sock_filter;

const RET_KILL_PROCESS: u32 = 0x8000_0000;
const RET_USER_NOTIF: u32 = 0x7fc0_0000;
const RET_ALLOW: u32 = 0x7fff_0000;

const AUDIT_ARCH_64BIT: u32 = 0x8000_0000;
const AUDIT_ARCH_LITTLE_ENDIAN: u32 = 0x4000_0000;

/// One calling convention of a machine.
pub(crate) struct Convention {
    /// Its number in seccomp_data (`AUDIT_ARCH_*`).
    pub(crate) arch: u32,
    /// Its numbers of execve(2).
    pub(crate) execve: &'static [i32],
    /// Its numbers of execveat(2).
    pub(crate) execveat: &'static [i32],
    /// Its numbers of seccomp(2).
    pub(crate) seccomp: &'static [i32],
    /// Whether system calls of `number` pass pointers of four bytes.
    pub(crate) narrow: fn(number: i32) -> bool,
}

/// What x32 adds to the numbers of x86-64.
#[cfg(target_arch = "x86_64")]
const X32: i32 = 0x4000_0000;

/// Every calling convention that a process of this machine can use.
#[cfg(target_arch = "x86_64")]
pub(crate) const CONVENTIONS: &[Convention] = &[
    Convention {
        arch: 62 | AUDIT_ARCH_64BIT | AUDIT_ARCH_LITTLE_ENDIAN,
        execve: &[59, X32 | 520, X32 | 59],
        execveat: &[322, X32 | 545, X32 | 322],
        seccomp: &[317, X32 | 317],
        narrow: |number| number & X32 != 0,
    },
    Convention {
        arch: 3 | AUDIT_ARCH_LITTLE_ENDIAN,
        execve: &[11],
        execveat: &[358],
        seccomp: &[354],
        narrow: |_| true,
    },
];

/// Every calling convention that a process of this machine can use.
#[cfg(target_arch = "aarch64")]
pub(crate) const CONVENTIONS: &[Convention] = &[
    Convention {
        arch: 183 | AUDIT_ARCH_64BIT | AUDIT_ARCH_LITTLE_ENDIAN,
        execve: &[221],
        execveat: &[281],
        seccomp: &[277],
        narrow: |_| false,
    },
    Convention {
        arch: 40 | AUDIT_ARCH_LITTLE_ENDIAN,
        execve: &[11],
        execveat: &[387],
        seccomp: &[383],
        narrow: |_| true,
    },
];

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_IF_ANY: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where seccomp_data holds the system call's number, the calling convention, and the lower halves
/// of the first two arguments; seccomp(2) looks at no more of its own.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const OPERATION: u32 = 16;
const FLAGS: u32 = 24;

/// The program: notify on the execs of each convention, and on a wish for a listener; allow its
/// other calls, and kill a process that uses a convention not listed, whose execs we could not tell.
fn program(conventions: &[Convention]) -> Vec<sock_filter> {
    let mut program = vec![instruction(LOAD, 0, 0, ARCH)];
    for convention in conventions {
        let block = block(convention);
        let past = block.len() as u8;
        program.push(instruction(JUMP_IF_EQUAL, 0, past, convention.arch));
        program.extend(block);
    }
    program.push(instruction(RETURN, 0, 0, RET_KILL_PROCESS));
    program
}

/// What is done with the calls of one convention.
fn block(convention: &Convention) -> Vec<sock_filter> {
    let execs = convention.execve.iter().chain(convention.execveat);
    let stopped = execs.map(|&number| (number, true));
    let looked_at = convention.seccomp.iter().map(|&number| (number, false));
    let calls: Vec<_> = stopped.chain(looked_at).collect();
    let mut block = vec![instruction(LOAD, 0, 0, NUMBER)];
    for (place, &(number, notify)) in calls.iter().enumerate() {
        // Past the comparisons: a return, and either of the two ends below.
        let left = (calls.len() - place - 1) as u8;
        let target = left + if notify { 6 } else { 1 };
        block.push(instruction(JUMP_IF_EQUAL, target, 0, number as u32));
    }
    let filter = libc::SECCOMP_SET_MODE_FILTER;
    let listener = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER as u32;
    block.extend([
        instruction(RETURN, 0, 0, RET_ALLOW),
        instruction(LOAD, 0, 0, OPERATION),
        instruction(JUMP_IF_EQUAL, 0, 2, filter),
        instruction(LOAD, 0, 0, FLAGS),
        instruction(JUMP_IF_ANY, 1, 0, listener),
        instruction(RETURN, 0, 0, RET_ALLOW),
        instruction(RETURN, 0, 0, RET_USER_NOTIF),
    ]);
    block
}

fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// Put this process and all it will fork under the filter; the descriptor hears of every exec.
///
/// Needs CAP_SYS_ADMIN, and then not `no_new_privs`, under which sudo and its kin could not work
/// in the session. Fails with EBUSY where a listener is above us already.
pub(crate) fn install() -> io::Result<OwnedFd> {
    /// The notified process sleeps so that only a fatal signal interrupts it: with an ordinary
    /// sleep every signal restarts the system call and the notification.
    const WAIT_KILLABLE_RECV: libc::c_ulong = 1 << 5;
    let mut program = program(CONVENTIONS);
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `filter` describes `program`, both live during the call, and the kernel copies them.
    let descriptor = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE_RECV,
            &raw const filter,
        )
    };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as libc::c_int) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would do with the program: the few instructions that it uses.
    fn run(program: &[sock_filter], arch: u32, number: u32, arguments: [u32; 2]) -> u32 {
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let instruction = program[at];
            at += 1;
            let mut jump = |when| {
                at += usize::from(if when { instruction.jt } else { instruction.jf });
            };
            match (instruction.code, instruction.k) {
                (LOAD, NUMBER) => accumulator = number,
                (LOAD, ARCH) => accumulator = arch,
                (LOAD, OPERATION) => accumulator = arguments[0],
                (LOAD, FLAGS) => accumulator = arguments[1],
                (JUMP_IF_EQUAL, k) => jump(k == accumulator),
                (JUMP_IF_ANY, k) => jump(k & accumulator != 0),
                (RETURN, k) => return k,
                other => panic!("no such instruction {other:?}"),
            }
        }
    }

    #[test]
    fn every_exec_of_every_convention_is_stopped_and_nothing_else() {
        let program = program(CONVENTIONS);
        for convention in CONVENTIONS {
            let execs: Vec<i32> = [convention.execve, convention.execveat].concat();
            for number in (0..1024).chain((0..1024).map(|number| number | 0x4000_0000)) {
                let expected = match execs.contains(&number) {
                    true => RET_USER_NOTIF,
                    false => RET_ALLOW,
                };
                let outcome = run(&program, convention.arch, number as u32, [0, 0]);
                assert_eq!(outcome, expected, "{number}");
            }
        }
    }

    #[test]
    fn of_seccomp_only_a_wish_for_a_listener_is_stopped() {
        const LOG: u32 = 2;
        const LISTENER: u32 = 8;
        let program = program(CONVENTIONS);
        for convention in CONVENTIONS {
            for &number in convention.seccomp {
                let outcome = |arguments| run(&program, convention.arch, number as u32, arguments);
                assert_eq!(outcome([1, LISTENER]), RET_USER_NOTIF);
                assert_eq!(outcome([1, LISTENER | LOG]), RET_USER_NOTIF);
                assert_eq!(outcome([1, LOG]), RET_ALLOW);
                assert_eq!(outcome([0, LISTENER]), RET_ALLOW);
                assert_eq!(outcome([2, LISTENER]), RET_ALLOW);
            }
        }
    }

    #[test]
    fn a_convention_that_is_not_known_ends_the_process() {
        let outcome = run(&program(CONVENTIONS), 0xdead_beef, 59, [0, 0]);
        assert_eq!(outcome, RET_KILL_PROCESS);
    }

    #[test]
    fn the_numbers_are_this_machines() {
        let own = &CONVENTIONS[0];
        assert_eq!(own.execve[0] as libc::c_long, libc::SYS_execve);
        assert_eq!(own.execveat[0] as libc::c_long, libc::SYS_execveat);
        assert_eq!(own.seccomp[0] as libc::c_long, libc::SYS_seccomp);
    }
}
