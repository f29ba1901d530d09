//! What a record is found by.

/// The bytes of a UUID as text (RFC 4122 section 3).
const UUID_TEXT: usize = 36;

/// A record's id. Those that end in a UUID, as a directory gives them, take no allocation of their
/// own: there may be a hundred thousand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    /// What stands before the UUID, of up to [`BEFORE`] bytes with NULs after it, and the UUID.
    Uuid([u8; BEFORE], [u8; 16]),
    /// Any other.
    Text(Box<str>),
}

/// As much as makes a key no longer than it is anyway.
const BEFORE: usize = 7;

impl From<&str> for Key {
    fn from(id: &str) -> Self {
        let compact = || {
            let (before, uuid) = id.split_at_checked(id.len().checked_sub(UUID_TEXT)?)?;
            let mut prefix = [0; BEFORE];
            prefix
                .get_mut(..before.len())?
                .copy_from_slice(before.as_bytes());
            let key = Key::Uuid(prefix, parse(uuid)?);
            // Another way to write the same UUID is another id.
            (key.to_string() == id).then_some(key)
        };
        compact().unwrap_or_else(|| Key::Text(id.into()))
    }
}

/// As it was.
impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (before, bytes) = match self {
            Key::Text(text) => return f.write_str(text),
            Key::Uuid(before, bytes) => (before, bytes),
        };
        let end = before.iter().position(|byte| *byte == 0);
        f.write_str(&String::from_utf8_lossy(&before[..end.unwrap_or(BEFORE)]))?;
        for (index, byte) in bytes.iter().enumerate() {
            let dash = if matches!(index, 4 | 6 | 8 | 10) {
                "-"
            } else {
                ""
            };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok();
    number.filter(|_| digits.len() == 32).map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_of_directories_take_no_allocation() {
        assert_eq!(size_of::<Key>(), 24);
        for id in [
            "12345678-1111-4222-8333-4444444444ff",
            "person:12345678-1111-4222-8333-4444444444ff",
            "group:12345678-1111-4222-8333-4444444444ff",
        ] {
            assert!(matches!(Key::from(id), Key::Uuid(..)), "{id}");
            assert_eq!(Key::from(id).to_string(), id);
        }
    }

    proptest! {
        #[test]
        fn different_ids_are_different_keys(
            one in "\\PC{0,8}([0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?",
            other in "(\\x00|[a-f+-]){0,48}",
        ) {
            prop_assert_eq!(Key::from(one.as_str()).to_string(), one.clone());
            prop_assert_eq!(Key::from(other.as_str()).to_string(), other.clone());
            prop_assert_eq!(Key::from(one.as_str()) == Key::from(other.as_str()), one == other);
        }
    }
}
