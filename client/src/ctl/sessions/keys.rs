//! Keys of a player, as a terminal sends them.

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Stand still, or go on.
    Pause,
    /// One event on.
    Step,
    /// A few seconds back.
    Back,
    /// A few seconds on.
    Forward,
    /// Twice as fast, or so.
    Faster,
    /// Half as fast, or so.
    Slower,
    /// To the beginning of the next command.
    NextCommand,
    /// To the beginning of the last command.
    LastCommand,
    /// Enough.
    Quit,
}

/// The keys in what was read from a terminal at once. What is no key of ours is passed over, whole:
/// the end of a longer sequence must not count as a key.
pub(super) fn read(mut bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    while let Some((&first, rest)) = bytes.split_first() {
        let key;
        (key, bytes) = match (first, rest) {
            (0x1b, [b'[' | b'O', rest @ ..]) => sequence(rest),
            // Alt and a key.
            (0x1b, [_, rest @ ..]) => (None, rest),
            (byte, rest) => (plain(byte), rest),
        };
        keys.extend(key);
    }
    keys
}

fn plain(byte: u8) -> Option<Key> {
    match byte {
        b' ' => Some(Key::Pause),
        b'.' => Some(Key::Step),
        b'<' => Some(Key::Back),
        b'>' => Some(Key::Forward),
        b'+' | b'=' => Some(Key::Faster),
        b'-' | b'_' => Some(Key::Slower),
        b']' => Some(Key::NextCommand),
        b'[' => Some(Key::LastCommand),
        b'q' | b'Q' => Some(Key::Quit),
        _ => None,
    }
}

/// What follows `ESC [`, up to its final byte (ECMA-48 section 5.4).
fn sequence(bytes: &[u8]) -> (Option<Key>, &[u8]) {
    let is_final = |byte: &u8| (0x40..=0x7e).contains(byte);
    let Some(end) = bytes.iter().position(is_final) else {
        return (None, &[]);
    };
    let key = match &bytes[..=end] {
        b"D" => Some(Key::Back),
        b"C" => Some(Key::Forward),
        _ => None,
    };
    (key, &bytes[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_what_is_none_is_passed_over_whole() {
        assert_eq!(read(b" .q"), [Key::Pause, Key::Step, Key::Quit]);
        assert_eq!(
            read(b"\x1b[D\x1bOC<>"),
            [Key::Back, Key::Forward, Key::Back, Key::Forward]
        );
        assert_eq!(
            read(b"+-]["),
            [Key::Faster, Key::Slower, Key::NextCommand, Key::LastCommand]
        );
        assert_eq!(read(b"\x1b[1;5D\x1b[24~\x1bq\x1b"), []);
        assert_eq!(read(b"\x1b[A\xc3\xa9x"), []);
    }
}
