//! Names of terminals, by the device numbers that the kernel has for them in `/proc/PID/stat` (proc(5)).

/// The major and the minor number of a `tty_nr`; `None` where a process has no terminal.
pub fn numbers(device: u32) -> Option<(u32, u32)> {
    let major = (device >> 8) & 0xfff;
    // The minor number's upper bits are above the major number.
    let minor = (device & 0xff) | ((device >> 12) & 0xfff00);
    (device != 0).then_some((major, minor))
}

/// The name below `/dev` of the usual consoles and pseudo-terminals (the kernel's devices.txt).
pub fn name(major: u32, minor: u32) -> Option<String> {
    match (major, minor) {
        (4, 1..=63) => Some(format!("tty{minor}")),
        (4, 64..=255) => Some(format!("ttyS{}", minor - 64)),
        (229, _) => Some(format!("hvc{minor}")),
        (136..=143, _) => Some(format!("pts/{}", (major - 136) * 256 + minor)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_named_as_in_dev() {
        let named = |device| numbers(device).and_then(|(major, minor)| name(major, minor));
        assert_eq!(named(0), None);
        assert_eq!(named(4 << 8 | 1).as_deref(), Some("tty1"));
        assert_eq!(named(4 << 8 | 64).as_deref(), Some("ttyS0"));
        assert_eq!(named(229 << 8).as_deref(), Some("hvc0"));
        assert_eq!(named(136 << 8 | 3).as_deref(), Some("pts/3"));
        assert_eq!(named(137 << 8 | 3).as_deref(), Some("pts/259"));
        assert_eq!(named(136 << 8 | 4 | 1 << 20).as_deref(), Some("pts/260"));
        assert_eq!(named(1 << 8 | 3), None);
    }
}
