//! The process's real controlling terminal. `PAM_TTY` is what the host program says, and a program
//! may be talked into saying anything; the kernel's word is in `/proc/self/stat` (proc(5)).

use elevate_protocol::terminal::{name, numbers};

/// The terminal's name below `/dev`, where this process has one.
pub(crate) fn real() -> Option<String> {
    let stat = std::fs::read("/proc/self/stat").ok()?;
    let (major, minor) = number(&stat)?;
    name(major, minor).or_else(|| {
        let path = format!("/sys/dev/char/{major}:{minor}/uevent");
        device_name(&std::fs::read_to_string(path).ok()?)
    })
}

/// Major and minor number of the controlling terminal in a line of `/proc/PID/stat`. The process's
/// name, in the second field, may hold anything, parentheses and spaces too: what comes after the
/// last parenthesis is the kernel's.
fn number(stat: &[u8]) -> Option<(u32, u32)> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(&stat[name_end + 1..]).ok()?;
    // State, parent, group, session, terminal.
    let terminal: i32 = rest.split_ascii_whitespace().nth(4)?.parse().ok()?;
    numbers(terminal.cast_unsigned())
}

/// The name in a device's `uevent` in sysfs.
fn device_name(uevent: &str) -> Option<String> {
    let mut lines = uevent.lines();
    lines.find_map(|line| line.strip_prefix("DEVNAME=").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(name: &str, terminal: i64) -> Vec<u8> {
        format!("42 ({name}) S 1 42 42 {terminal} 42 4194560 1 2 3").into_bytes()
    }

    fn real_name(terminal: i64) -> Option<String> {
        number(&stat("login", terminal)).and_then(|(major, minor)| name(major, minor))
    }

    #[test]
    fn terminals_have_their_names() {
        assert_eq!(real_name(0), None);
        assert_eq!(real_name(0x401).as_deref(), Some("tty1"));
        assert_eq!(real_name(0x440).as_deref(), Some("ttyS0"));
        assert_eq!(real_name(229 << 8).as_deref(), Some("hvc0"));
        assert_eq!(real_name(136 << 8 | 7).as_deref(), Some("pts/7"));
        // The 300th: the minor number's upper bits are above the major number.
        assert_eq!(
            real_name(136 << 8 | 44 | 1 << 20).as_deref(),
            Some("pts/300")
        );
        assert_eq!(real_name(204 << 8 | 64), None);
        assert_eq!(
            device_name("MAJOR=204\nDEVNAME=ttyAMA0\n").as_deref(),
            Some("ttyAMA0")
        );
    }

    #[test]
    fn a_process_name_never_passes_for_a_terminal() {
        for name in ["a) S 1 1 1 1025 1", ") ) )", "x\n1 (y) S 1 1 1 1025"] {
            assert_eq!(number(&stat(name, 0)), None, "{name}");
            assert_eq!(number(&stat(name, 0x402)), Some((4, 2)), "{name}");
        }
        for broken in [&b""[..], b"42 (x", b"42 (x) S 1", b"42 (x) S 1 1 1 tty1 "] {
            assert_eq!(number(broken), None);
        }
    }
}
