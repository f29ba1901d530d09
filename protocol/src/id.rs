//! Short ids: one id serves a request, the grant it becomes and the session it runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Crockford's base32 in lower case: no `i`, `l`, `o` or `u`, so that an id can be read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Length of an id in characters; 5 bits each.
pub const LENGTH: usize = 8;

/// An id of 40 random bits, eight characters of lower-case Crockford base32.
///
/// It is safe in file names, unit names and object paths: it holds nothing but letters and digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id([u8; LENGTH]);

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is {LENGTH} letters and digits such as k7m2x9qd")]
pub struct InvalidId;

impl Id {
    /// The id made of the low 40 bits of `random`.
    pub fn from_random(random: u64) -> Self {
        let mut characters = [0; LENGTH];
        for (place, character) in characters.iter_mut().enumerate() {
            *character = ALPHABET[(random >> (5 * place)) as usize & 31];
        }
        Id(characters)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // The alphabet is ASCII, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The transient scope that holds the session of this id.
    pub fn scope(&self) -> String {
        format!("elevate-{self}.scope")
    }
}

impl FromStr for Id {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let characters: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| InvalidId)?;
        if characters.iter().all(|c| ALPHABET.contains(c)) {
            Ok(Id(characters))
        } else {
            Err(InvalidId)
        }
    }
}

impl TryFrom<String> for Id {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> String {
        id.as_str().to_owned()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text() {
        let id = Id::from_random(0x0123_4567_89ab);
        assert_eq!(id.as_str().parse(), Ok(id));
        assert_eq!(id.as_str().len(), LENGTH);
    }

    #[test]
    fn nothing_but_the_alphabet_is_an_id() {
        for text in [
            "",
            "../../..",
            "k7m2x9q",
            "k7m2x9qdd",
            "K7M2X9QD",
            "k7m2x9q\n",
            "k7m2x9qi",
        ] {
            assert_eq!(text.parse::<Id>(), Err(InvalidId), "{text:?}");
        }
    }
}
