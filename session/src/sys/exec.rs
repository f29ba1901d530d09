//! Executing a file.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Words in the shape that exec wants: pointers with a null at the end.
struct Words(Vec<*const libc::c_char>);

impl Words {
    fn of(words: &[CString]) -> Words {
        let pointers = words.iter().map(|word| word.as_ptr());
        Words(pointers.chain([ptr::null()]).collect())
    }
}

/// execve(2); returns only if it failed.
pub(crate) fn by_path(path: &CStr, argv: &[CString], environment: &[CString]) -> io::Error {
    let (argv, environment) = (Words::of(argv), Words::of(environment));
    // SAFETY: the path and every word are NUL-terminated and outlive the call, and both lists end
    // with a null pointer.
    unsafe { libc::execve(path.as_ptr(), argv.0.as_ptr(), environment.0.as_ptr()) };
    io::Error::last_os_error()
}

/// execveat(2) of an open file; returns only if it failed. A script's interpreter opens
/// `/dev/fd/N`, so that the descriptor of a script must stay open across the exec.
pub(crate) fn by_descriptor(
    file: BorrowedFd<'_>,
    argv: &[CString],
    environment: &[CString],
) -> io::Error {
    let (argv, environment) = (Words::of(argv), Words::of(environment));
    // SAFETY: as in `by_path`; the empty path is a static, NUL-terminated string.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file.as_raw_fd(),
            c"".as_ptr(),
            argv.0.as_ptr(),
            environment.0.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    io::Error::last_os_error()
}
