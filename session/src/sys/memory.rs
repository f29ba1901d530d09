//! Memory: another process's, and our own allocator's.

/// Read memory of process `pid` at `address` into `into`; how many bytes could be read.
///
/// See process_vm_readv(2). The caller makes sure afterwards that `pid` was still that process.
pub(crate) fn read_process(pid: i32, address: u64, into: &mut [u8]) -> usize {
    let local = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: into.len(),
    };
    let remote = libc::iovec {
        iov_base: address as usize as *mut libc::c_void,
        iov_len: into.len(),
    };
    // SAFETY: `local` describes `into`, which is borrowed mutably for the call; the remote address
    // is only ever used by the kernel, in the other process.
    let got = unsafe { libc::process_vm_readv(pid, &local, 1, &remote, 1, 0) };
    usize::try_from(got).unwrap_or(0)
}

/// Have large buffers always come from the kernel and go back to it (mallopt(3)). By default glibc
/// keeps the first one freed, and a launcher would carry a megabyte into every leader.
pub(crate) fn return_large_buffers() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt has no preconditions.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 * 1024);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_process_holds_can_be_read_and_what_it_has_not_cannot() {
        let text = *b"in plain sight";
        let mut read = [0; 14];
        let own = std::process::id() as i32;
        assert_eq!(read_process(own, text.as_ptr() as u64, &mut read), 14);
        assert_eq!(read, text);
        assert_eq!(read_process(own, 0, &mut read), 0);
    }
}
