//! Changing what mounts allow (mount_setattr(2), which rustix lacks), and leaving namespaces.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::thread::UnshareFlags;

/// What a mount allows (`MOUNT_ATTR_*` of linux/mount.h).
pub(crate) const READ_ONLY: u64 = 1;
/// No file gives its owner's rights, or capabilities, to who executes it.
pub(crate) const NO_SETUID: u64 = 2;
/// No device node leads to a device.
pub(crate) const NO_DEVICES: u64 = 4;

/// `struct mount_attr` of linux/mount.h.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Forbid what `attributes` says on the mount at `path` and on all below, and let none of them hear
/// of mounts elsewhere any more, nor tell of its own.
pub(crate) fn restrict_all(path: &Path, attributes: u64) -> io::Result<()> {
    let attributes = Attributes {
        set: attributes,
        propagation: libc::MS_PRIVATE,
        ..Attributes::default()
    };
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is NUL-terminated, and both live during the call.
    unsafe { set(libc::AT_FDCWD, &path, libc::AT_RECURSIVE, &attributes) }
}

/// Forbid what `set` says on this one mount, and allow what `clear` says.
pub(crate) fn change(mount: BorrowedFd<'_>, set: u64, clear: u64) -> io::Result<()> {
    let attributes = Attributes {
        set,
        clear,
        ..Attributes::default()
    };
    // SAFETY: the empty path is a static, NUL-terminated string, and both live during the call.
    unsafe { self::set(mount.as_raw_fd(), c"", libc::AT_EMPTY_PATH, &attributes) }
}

/// # Safety
/// None beyond what the types say; the kernel reads the path and the attributes.
unsafe fn set(
    folder: libc::c_int,
    path: &std::ffi::CStr,
    flags: libc::c_int,
    attributes: &Attributes,
) -> io::Result<()> {
    // SAFETY: the path is NUL-terminated, and the size is that of what the pointer leads to.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            folder,
            path.as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<Attributes>(),
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Leave for new namespaces of these kinds. The table of descriptors stays.
pub(crate) fn leave_for_new(namespaces: UnshareFlags) -> io::Result<()> {
    debug_assert!(!namespaces.contains(UnshareFlags::FILES));
    // SAFETY: only a descriptor table that other threads share would need care, and it stays.
    Ok(unsafe { rustix::thread::unshare_unsafe(namespaces) }?)
}
