//! What an edit changed, for the record.

use std::time::Duration;

use elevate_protocol::launch::Edited;
use elevate_protocol::limits::EDIT_DIFF_BYTES;
use elevate_protocol::{Bytes, escape};
use similar::TextDiff;

use crate::resolver::sha256;

/// How long to look for the shortest diff; after that a longer one is taken.
const TIME: Duration = Duration::from_millis(500);

/// The record of a change of `path` from `before` (none where it was made) to `after`.
pub(super) fn edited(path: &Bytes, before: Option<&[u8]>, after: &[u8]) -> std::io::Result<Edited> {
    let (diff, cut) = diff(path, before.unwrap_or_default(), after);
    Ok(Edited {
        path: path.clone(),
        before: before.map(sha256).transpose()?,
        after: sha256(after)?,
        diff,
        cut,
    })
}

/// As `diff -u` says it, and whether there is more.
fn diff(path: &Bytes, before: &[u8], after: &[u8]) -> (String, bool) {
    let path = escape::line(path);
    let (Some(before), Some(after)) = (text(before), text(after)) else {
        return (format!("{path} is no text, before or after\n"), false);
    };
    let lines = TextDiff::configure()
        .timeout(TIME)
        .diff_lines(before, after);
    let mut whole = Room::default();
    whole.push(&format!("--- {path}\n+++ {path}\n"));
    for hunk in lines.unified_diff().context_radius(3).iter_hunks() {
        if !whole.push(&hunk.to_string()) {
            break;
        }
    }
    (whole.text, whole.cut)
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}

/// As much as may be put on record.
#[derive(Default)]
struct Room {
    text: String,
    used: usize,
    cut: bool,
}

impl Room {
    /// Whether all of `text` fitted.
    fn push(&mut self, text: &str) -> bool {
        for c in text.chars() {
            self.used += encoded(c);
            if self.used > EDIT_DIFF_BYTES {
                self.cut = true;
                return false;
            }
            self.text.push(c);
        }
        true
    }
}

/// Bytes of `c` in a message, which is JSON (RFC 8259 section 7).
fn encoded(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\x08' | '\x0c' => 2,
        c if (c as u32) < 0x20 => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path() -> Bytes {
        "/etc/motd".into()
    }

    #[test]
    fn a_change_is_told_as_diff_tells_it() {
        let edited = edited(&path(), Some(b"a\nb\nc\n"), b"a\nB\nc\n").unwrap();
        let expected = "--- /etc/motd\n+++ /etc/motd\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";
        assert_eq!(edited.diff, expected);
        assert!(!edited.cut);
        assert_eq!(edited.before, Some(sha256(&b"a\nb\nc\n"[..]).unwrap()));
        assert_eq!(edited.after, sha256(&b"a\nB\nc\n"[..]).unwrap());
    }

    #[test]
    fn a_file_that_is_made_has_no_before_and_a_last_line_without_end_shows() {
        let edited = edited(&path(), None, b"a").unwrap();
        assert_eq!(edited.before, None);
        assert!(
            edited.diff.contains("+a\n\\ No newline at end of file"),
            "{}",
            edited.diff
        );
    }

    #[test]
    fn what_is_no_text_is_told_by_one_line_and_its_hashes() {
        for after in [&b"\xff\xfe"[..], b"a\0b"] {
            let edited = edited(&path(), Some(b"text\n"), after).unwrap();
            assert_eq!(edited.diff, "/etc/motd is no text, before or after\n");
        }
    }

    #[test]
    fn a_path_cannot_fake_lines_of_a_diff() {
        let path = Bytes(b"/etc/a\n+root::0:0::/:/bin/sh".to_vec());
        let edited = edited(&path, Some(b""), b"b\n").unwrap();
        assert_eq!(
            edited
                .diff
                .lines()
                .filter(|line| line.starts_with('+'))
                .count(),
            2
        );
    }

    #[test]
    fn a_huge_change_is_cut_and_says_so() {
        let after = "x\n".repeat(EDIT_DIFF_BYTES);
        let edited = edited(&path(), Some(b""), after.as_bytes()).unwrap();
        assert!(edited.cut && edited.diff.starts_with("--- "));
        assert!(elevate_protocol::message::encode(&edited.diff).len() <= EDIT_DIFF_BYTES + 2);
    }

    proptest! {
        #[test]
        fn no_contents_make_a_record_too_big_for_a_message(before: Vec<u8>, after: Vec<u8>, repeat in 1usize..3000) {
            let after = after.repeat(repeat);
            let edited = edited(&path(), Some(&before), &after).unwrap();
            prop_assert!(elevate_protocol::message::encode(&edited.diff).len() <= EDIT_DIFF_BYTES + 2);
        }
    }
}
