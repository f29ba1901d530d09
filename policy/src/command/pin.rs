//! `sha256`: a command that must be a certain file.

use super::CommandError;

/// What a file must be, by the hash of its contents (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pin([u8; 32]);

const MARK: &str = "sha256:";
const HOW: &str = "a hash is 64 hexadecimal digits in lower case, as sha256sum prints them";

impl Pin {
    /// The pin before a command, `sha256:HASH COMMAND`, and the command.
    pub(super) fn split(text: &str) -> Result<(Option<Self>, &str), CommandError> {
        let Some(rest) = text.strip_prefix(MARK) else {
            return Ok((None, text));
        };
        let (hash, command) = rest.split_once(' ').unwrap_or((rest, ""));
        let pin = Self::parse(hash).ok_or_else(|| CommandError::new(HOW))?;
        match command {
            "ALL" | "SHELL" => Err(CommandError::new("a hash is of one file")),
            command => Ok((Some(pin), command)),
        }
    }

    fn parse(hash: &str) -> Option<Self> {
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if hash.len() != 64 || !hash.bytes().all(hexadecimal) {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hash[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Whether a file of this hash is the one.
    pub(super) fn is(self, hash: [u8; 32]) -> bool {
        self.0 == hash
    }
}

/// As it stands before a command.
impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MARK)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
