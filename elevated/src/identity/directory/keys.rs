//! Lines for sshd's `authorized_keys` (sshd(8)).

use elevate_protocol::limits::{SSH_KEY_BYTES, SSH_KEYS};

/// Types of keys that people have. Certificates are none, and DSA is broken.
const TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// The keys among `lines`, and why the others are none. Options before a key (`environment=`,
/// `cert-authority`, `tunnel=`) would give more than a key does, and a key whose `command=` or
/// `from=` were cut off would give more than was meant: a line with options is left out whole.
pub(super) fn check(lines: &[String]) -> Result<(Vec<String>, Vec<String>), String> {
    if lines.len() > SSH_KEYS {
        return Err(format!("it has more than {SSH_KEYS} ssh keys"));
    }
    let (mut keys, mut left_out) = (Vec::new(), Vec::new());
    for (index, line) in lines.iter().enumerate() {
        match key(line.trim()) {
            Ok(()) => keys.push(line.trim().to_owned()),
            Err(why) => left_out.push(format!("its ssh key {} is left out: {why}", index + 1)),
        }
    }
    Ok((keys, left_out))
}

fn key(line: &str) -> Result<(), String> {
    if line.len() > SSH_KEY_BYTES {
        return Err(format!("it is longer than {SSH_KEY_BYTES} bytes"));
    }
    if line.chars().any(char::is_control) {
        return Err("it is not one line of text".into());
    }
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let kind = words.next().unwrap_or_default();
    if !TYPES.contains(&kind) {
        let why = "it does not begin with a type of key that is taken here; options are not taken";
        return Err(why.into());
    }
    let blob = words.next().and_then(decode).unwrap_or_default();
    // RFC 4253 section 6.6: its type and its numbers, each with its length before it.
    match parts(&blob)[..] {
        [named, _, ..] if named == kind.as_bytes() => Ok(()),
        _ => Err(format!("it is no {kind} key")),
    }
}

/// The parts of a key (RFC 4251 section 5, `string`); none where they don't fill it.
fn parts(mut blob: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = blob.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((part, rest)) = rest.split_at_checked(length) else {
            return Vec::new();
        };
        parts.push(part);
        blob = rest;
    }
    if blob.is_empty() { parts } else { Vec::new() }
}

/// Base64 (RFC 4648 section 4), with its padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - bare.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in bare.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for byte in chunk {
            bits = bits << 6 | u32::from(sextet(*byte)?);
        }
        bits <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const KEY: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn keys_are_kept_with_their_comments() {
        let lines = [KEY.to_owned(), format!("  {KEY} alice@example.org \n")];
        let (keys, left_out) = check(&lines).unwrap();
        assert_eq!(keys, [KEY.to_owned(), format!("{KEY} alice@example.org")]);
        assert_eq!(left_out, [""; 0]);
    }

    #[test]
    fn what_is_more_or_less_than_a_key_is_left_out_whole() {
        let wrong = [
            format!("command=\"/bin/sh\" {KEY}"),
            format!("environment=\"LD_PRELOAD=/tmp/x.so\" {KEY}"),
            format!("cert-authority {KEY}"),
            format!("restrict,pty {KEY}"),
            format!("{KEY}\n{KEY}"),
            format!("# {KEY}"),
            KEY.replace("ssh-ed25519 ", "ssh-rsa "),
            KEY.replace("ssh-ed25519 ", "ssh-dss "),
            KEY[..60].to_owned(),
            "ssh-ed25519".into(),
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5".into(),
            String::new(),
            format!("{KEY} {}", "x".repeat(SSH_KEY_BYTES)),
        ];
        for line in wrong {
            let (keys, left_out) = check(std::slice::from_ref(&line)).unwrap();
            assert_eq!((keys.len(), left_out.len()), (0, 1), "{line}");
        }
        assert!(check(&vec![KEY.to_owned(); SSH_KEYS + 1]).is_err());
    }

    #[test]
    fn base64_is_decoded_as_its_standard_says() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        for wrong in ["Zg", "Zg=", "Z===", "====", "Zm9v!mFy", "Zm9vYmF\u{e9}"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
