//! Who is at the other end of a socket (unix(7), SO_PEERCRED).

use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

/// The uid of whoever made the socket at the other end.
///
/// By hand, since a peer of another pid namespace has the pid 0, which the usual wrappers can't
/// hold.
pub(crate) fn peer_uid(socket: BorrowedFd<'_>) -> Result<u32, Errno> {
    let mut peer = libc::ucred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as it is borrowed; the kernel writes at most
    // `length` bytes into `peer`, which has that many, and any bytes are a valid ucred.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut length,
        )
    };
    if status != 0 {
        return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO));
    }
    match length as usize == size_of::<libc::ucred>() {
        true => Ok(peer.uid),
        false => Err(Errno::IO),
    }
}
