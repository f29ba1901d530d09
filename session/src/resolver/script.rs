//! The first line of a script, read as the kernel reads it (execve(2), "Interpreter scripts").

/// As much of a file as the kernel looks at (BINPRM_BUF_SIZE).
pub(super) const HEAD_BYTES: usize = 256;
/// How many interpreters may be scripts themselves.
pub(super) const MOST_INTERPRETERS: u32 = 4;

/// The interpreter that the beginning of a file names; `None` if the file is no script.
pub(super) fn interpreter(head: &[u8]) -> Option<&[u8]> {
    let head = head.get(..HEAD_BYTES).unwrap_or(head);
    let line = head.strip_prefix(b"#!")?;
    let end = line.iter().position(|&byte| byte == b'\n');
    let line = without_blanks(&line[..end.unwrap_or(line.len())]);
    let end = line.iter().position(|&byte| is_blank(byte) || byte == 0);
    let path = &line[..end.unwrap_or(line.len())];
    (!path.is_empty()).then_some(path)
}

/// Without the spaces and tabs in front; the kernel knows no other blanks here.
fn without_blanks(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|&byte| !is_blank(byte));
    &line[start.unwrap_or(line.len())..]
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_word_after_the_mark_is_the_interpreter() {
        for (head, expected) in [
            (&b"#!/bin/sh\necho"[..], Some(&b"/bin/sh"[..])),
            (b"#! \t/usr/bin/env python3\n", Some(b"/usr/bin/env")),
            (b"#!/bin/sh", Some(b"/bin/sh")),
            (b"#!/bin/sh\t-e\n", Some(b"/bin/sh")),
            (b"#!\n/bin/sh\n", None),
            (b"#!", None),
            (b"\x7fELF", None),
            (b" #!/bin/sh", None),
            (b"", None),
        ] {
            assert_eq!(interpreter(head), expected, "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(head: Vec<u8>) {
            let _ = interpreter(&head);
            let script = [b"#!".to_vec(), head].concat();
            if let Some(path) = interpreter(&script) {
                prop_assert!(!path.iter().any(|byte| b" \t\n\0".contains(byte)));
            }
        }
    }
}
