//! Codes of an authenticator: TOTP (RFC 6238) with SHA-1, six digits and 30 seconds, which is what
//! every one of them can do.

use elevate_protocol::Secret;
use totp_rs::{Builder, Totp};

/// Bytes of a secret, as RFC 4226 section 4 recommends.
pub(super) const SECRET_BYTES: usize = 20;
/// Digits of a code.
pub(super) const DIGITS: usize = 6;
/// Seconds of a step.
pub(super) const STEP: u64 = 30;
/// By how many steps the clocks may differ, each way (RFC 6238 section 5.2).
const SKEW: u64 = 1;

/// What a code says of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// It is this step's code.
    Step(u64),
    /// It is the code of a step that is not after the last one that counted.
    Used,
    /// It is none of the codes of now.
    None,
}

/// What `code` is at `seconds` since 1970, where codes up to and with those of step `last` are
/// used up. Every step is looked at, so that the time this takes tells nothing.
pub(super) fn check(secret: &[u8], code: &str, seconds: u64, last: u64) -> Match {
    let Some(totp) = totp(secret) else {
        return Match::None;
    };
    let now = seconds / STEP;
    let mut found = Match::None;
    for step in now.saturating_sub(SKEW)..=now + SKEW {
        let fits = totp.check(code, step * STEP).is_some();
        found = match found {
            Match::Step(_) => found,
            _ if fits && step > last => Match::Step(step),
            _ if fits => Match::Used,
            _ => found,
        };
    }
    found
}

/// Without a skew of its own: each step is asked for by itself.
fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new()
        .with_secret(secret)
        .with_skew(0)
        .with_digits(DIGITS as u8)
        .with_step_duration(STEP)
        .build()
        .ok()
}

/// The secret as people type it: base32 (RFC 4648 section 6).
pub(super) fn base32(secret: &[u8]) -> Secret {
    totp_rs::Secret::from(secret).to_base32().into()
}

/// The secret as an authenticator scans it
/// (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).
pub(super) fn uri(secret: &[u8], user: &str, host: &str) -> Secret {
    let (user, host) = (percent(user), percent(host));
    let secret = base32(secret);
    let begin = format!("otpauth://totp/{host}:{user}%40{host}?secret=");
    let end = format!("&issuer={host}&algorithm=SHA1&digits={DIGITS}&period={STEP}");
    let parts = [&begin, secret.reveal(), &end];
    // At its full length at once: a string that grows leaves copies behind.
    let mut uri = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| uri.push_str(part));
    uri.into()
}

/// Everything but the unreserved characters (RFC 3986 section 2.3) as `%XX`.
fn percent(text: &str) -> String {
    let shown = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, the last six of its eight digits.
    const VECTORS: [(u64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn the_vectors_of_the_standard_are_accepted() {
        for (seconds, code) in VECTORS {
            let step = Match::Step(seconds / STEP);
            assert_eq!(check(SECRET, code, seconds, 0), step, "{seconds}");
        }
    }

    #[test]
    fn a_code_counts_one_step_early_and_one_step_late_and_no_more() {
        let (seconds, code) = VECTORS[3];
        let step = seconds / STEP;
        for (shift, fits) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let at = seconds.saturating_add_signed(shift * STEP as i64);
            let found = check(SECRET, code, at, 0);
            assert_eq!(found == Match::Step(step), fits, "{shift}");
        }
    }

    #[test]
    fn a_code_of_the_last_step_or_before_it_is_used_up() {
        let (seconds, code) = VECTORS[3];
        let step = seconds / STEP;
        assert_eq!(check(SECRET, code, seconds, step - 1), Match::Step(step));
        for last in [step, step + 1, u64::MAX] {
            assert_eq!(check(SECRET, code, seconds, last), Match::Used);
        }
        assert_eq!(check(SECRET, "000000", seconds, 0), Match::None);
    }

    #[test]
    fn authenticators_read_the_uri() {
        let uri = uri(SECRET, "alice", "web 1:x");
        assert_eq!(
            uri.reveal(),
            "otpauth://totp/web%201%3Ax:alice%40web%201%3Ax\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=web%201%3Ax\
             &algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(base32(SECRET).reveal(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
