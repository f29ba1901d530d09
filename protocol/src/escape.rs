//! Text from users, made harmless for a terminal, a listing or a log line.

/// `bytes` as text on one line in which nothing steers a terminal or a reader's eye: control
/// characters, invalid UTF-8, bidirectional overrides and invisible characters become escapes
/// (`\n`, `\x1b`, `\u{202e}`), and a backslash is doubled so that an escape can't be faked.
pub fn line(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push(&mut out, c));
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Several words of a command as one line, each quoted for a shell where it needs to be.
pub fn command<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> String {
    let words: Vec<String> = words.into_iter().map(word).collect();
    words.join(" ")
}

/// One word, quoted for a shell where it needs to be.
pub fn word(bytes: &[u8]) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(b);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let escaped = line(bytes);
    if escaped.as_bytes() == bytes && !escaped.contains('\'') {
        format!("'{escaped}'")
    } else {
        // The shell's own notation for words with escapes.
        format!("$'{}'", escaped.replace('\'', "\\'"))
    }
}

fn push(out: &mut String, c: char) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
        c if misleads(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
        c => out.push(c),
    }
}

/// Characters that show nothing or reorder what is shown (Unicode TR36, TR9).
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || (c.is_whitespace() && c != ' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_steers_a_terminal_is_shown_as_an_escape() {
        assert_eq!(line(b"a\x1b[2Jb\n"), "a\\x1b[2Jb\\n");
        assert_eq!(line("\u{202e}gpj.exe".as_bytes()), "\\u{202e}gpj.exe");
        assert_eq!(line(b"\xff\xfe"), "\\xff\\xfe");
        assert_eq!(line(b"\\n"), "\\\\n");
    }

    #[test]
    fn words_can_be_pasted_into_a_shell() {
        assert_eq!(command([&b"sh"[..], b"-c", b"exit 7"]), "sh -c 'exit 7'");
        assert_eq!(word(b""), "''");
        assert_eq!(word(b"it's"), "$'it\\'s'");
        assert_eq!(word(b"a\nb"), "$'a\\nb'");
    }

    proptest! {
        #[test]
        fn no_control_character_ever_passes(bytes: Vec<u8>) {
            prop_assert!(!line(&bytes).chars().any(|c| c.is_control() || misleads(c)));
        }

        #[test]
        fn different_bytes_never_look_the_same(a: Vec<u8>, b: Vec<u8>) {
            prop_assert_eq!(a == b, line(&a) == line(&b));
        }
    }
}
