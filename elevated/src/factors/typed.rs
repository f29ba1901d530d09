//! What somebody typed where a code was asked for.

use elevate_protocol::Secret;
use elevate_protocol::limits::CODE_BYTES;

use super::{recovery, totp};

/// What it could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A code of an authenticator.
    Totp(Secret),
    /// A recovery code, without hyphens.
    Recovery(Secret),
    /// No code.
    Nonsense,
}

impl Typed {
    /// Look at `text`, whose spaces and hyphens don't count.
    pub fn read(text: &Secret) -> Self {
        if text.reveal().len() > CODE_BYTES {
            return Typed::Nonsense;
        }
        // At its full length at once, so that no shorter copy stays behind.
        let mut plain = String::with_capacity(CODE_BYTES);
        let counts = |c: &char| !c.is_whitespace() && *c != '-';
        let kept = text.reveal().chars().filter(counts);
        plain.extend(kept.map(|c| c.to_ascii_lowercase()));
        let plain = Secret::from(plain);
        let digits = plain.reveal().bytes().all(|byte| byte.is_ascii_digit());
        if plain.reveal().len() == totp::DIGITS && digits {
            Typed::Totp(plain)
        } else if recovery::is_code(plain.reveal()) {
            Typed::Recovery(plain)
        } else {
            Typed::Nonsense
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Typed {
        Typed::read(&text.to_owned().into())
    }

    #[test]
    fn spaces_hyphens_and_capitals_make_no_difference() {
        for text in ["123456", "123 456", " 123-456\n"] {
            assert_eq!(read(text), Typed::Totp("123456".to_owned().into()));
        }
        for text in ["abcd-0123-efgh", "ABCD 0123 EFGH", "abcd0123efgh"] {
            let code = "abcd0123efgh".to_owned().into();
            assert_eq!(read(text), Typed::Recovery(code));
        }
        let long = "1".repeat(CODE_BYTES + 1);
        for text in ["", "12345", "1234567", "12345x", "١٢٣٤٥٦", &long] {
            assert_eq!(read(text), Typed::Nonsense, "{text}");
        }
    }
}
