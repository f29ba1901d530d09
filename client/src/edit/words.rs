//! Splitting an editor variable into words, as sudo does (sudoedit(8), "SUDO_EDITOR").

/// The words of `text`. A word that begins with a quote goes to the next such quote, as it is;
/// elsewhere a backslash keeps a blank within its word, and goes.
pub(super) fn split(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start();
        let Some(&first) = rest.first() else {
            return words;
        };
        let quoted = |quote| rest[1..].iter().position(|&byte| byte == quote);
        let closing = match first {
            b'"' | b'\'' => quoted(first),
            _ => None,
        };
        match closing {
            Some(length) => {
                words.push(rest[1..=length].to_vec());
                rest = &rest[length + 2..];
            }
            None => {
                let (word, length) = plain(rest);
                words.push(word);
                rest = &rest[length..];
            }
        }
    }
}

/// The word that `text` begins with, and how many bytes it took.
fn plain(text: &[u8]) -> (Vec<u8>, usize) {
    let mut word = Vec::new();
    let mut bytes = text.iter().enumerate();
    while let Some((place, &byte)) = bytes.next() {
        match byte {
            b'\\' => word.extend(bytes.next().map(|(_, &escaped)| escaped)),
            byte if byte.is_ascii_whitespace() => return (word, place),
            byte => word.push(byte),
        }
    }
    (word, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_those_that_sudo_finds() {
        let cases: [(&str, &[&str]); 9] = [
            ("vi", &["vi"]),
            ("  code --wait\t-n ", &["code", "--wait", "-n"]),
            ("'/opt/my editor' -x", &["/opt/my editor", "-x"]),
            ("\"a b\" 'c d'", &["a b", "c d"]),
            ("/opt/my\\ editor", &["/opt/my editor"]),
            ("emacs -eval=\"x y\"", &["emacs", "-eval=\"x", "y\""]),
            ("'not closed", &["'not", "closed"]),
            ("''", &[""]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            let words = split(text.as_bytes());
            let expected: Vec<_> = expected.iter().map(|word| word.as_bytes()).collect();
            assert_eq!(words, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_split_without_a_panic(text: Vec<u8>) {
            let words = split(&text);
            prop_assert!(words.concat().len() <= text.len());
        }
    }
}
