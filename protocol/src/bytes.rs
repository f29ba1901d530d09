//! Bytes that are mostly text: command words, paths and environment values.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use serde::{Deserialize, Serialize};

/// A byte string without NUL restrictions, written in JSON as a string where it is UTF-8 and as
/// an array of numbers where it is not, so that no byte is lost and logs stay readable.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Bytes(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Raw(Vec<u8>),
}

impl From<Written> for Bytes {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => Bytes(text.into_bytes()),
            Written::Raw(raw) => Bytes(raw),
        }
    }
}

impl From<Bytes> for Written {
    fn from(bytes: Bytes) -> Self {
        match String::from_utf8(bytes.0) {
            Ok(text) => Written::Text(text),
            Err(error) => Written::Raw(error.into_bytes()),
        }
    }
}

impl Bytes {
    /// The bytes as the operating system's kind of string.
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }

    /// Whether a NUL byte is among them; such bytes can be neither argument nor path.
    pub fn has_nul(&self) -> bool {
        self.0.contains(&0)
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Bytes(text.as_bytes().to_vec())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Bytes(text.into_bytes())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(bytes)
    }
}

impl From<OsString> for Bytes {
    fn from(text: OsString) -> Self {
        Bytes(text.into_vec())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_is_lost_in_json() {
        for bytes in [&b"plain"[..], b"", b"\xff\x00\xc3", "\u{e9}".as_bytes()] {
            let before = Bytes(bytes.to_vec());
            let json = serde_json::to_string(&before).unwrap();
            assert_eq!(
                serde_json::from_str::<Bytes>(&json).unwrap(),
                before,
                "{json}"
            );
        }
    }
}
