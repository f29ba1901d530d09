//! Session keyrings (session-keyring(7)).

use std::io;

/// Leave the session keyring that was inherited for a new, empty one of the real user.
pub(crate) fn join_new_session() -> io::Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_long = 1;
    let anonymous = std::ptr::null::<libc::c_char>();
    // SAFETY: a null name asks for an anonymous keyring; no memory is read or written.
    let serial = unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, anonymous) };
    if serial < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
