//! Words of others, made fit for a message: no control or direction character gets through.

use std::fmt::Write as _;

/// A text with everything escaped that could move a cursor, break a line or turn direction.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_direction(c) {
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Bytes that need not be UTF-8, shown the same way, foreign bytes as `\xNN`.
pub(crate) fn shown_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&shown(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

// Bidirectional controls, zero-width characters and line separators (Unicode TR 36, TR 9).
fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_newlines_and_direction_marks_do_not_get_through() {
        assert_eq!(
            shown("a\x1b[2J\n\u{202e}b é"),
            r"a\u{1b}[2J\u{a}\u{202e}b é"
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown_as_hex() {
        assert_eq!(shown_bytes(b"a\xffb"), r"a\xffb");
    }
}
