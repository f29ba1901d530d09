//! Recovery codes: for people without their authenticator, each once.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use constant_time_eq::constant_time_eq_32;
use elevate_protocol::Secret;
use elevate_protocol::limits::RECOVERY_CODES;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::hex;

/// Crockford's base32 in lower case, as in our ids: nothing that could be read as something else.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of a code, without its hyphens: 60 bits.
pub(super) const LENGTH: usize = 12;
/// Characters between two hyphens.
const GROUP: usize = 4;
/// Bytes of randomness for one code; a character takes the low five bits of one.
pub(super) const RANDOM_BYTES: usize = LENGTH;
/// Bytes of a salt.
pub(super) const SALT_BYTES: usize = 16;

/// Memory in KiB and passes of one hash, as OWASP's "Password Storage Cheat Sheet" has them.
const MEMORY: u32 = 12 * 1024;
const PASSES: u32 = 3;
/// The C library maps a block above this size and gives it back when it is freed; a smaller one it
/// would keep.
const MAPPED: usize = 33 * 1024 * 1024;

/// A code as argon2id made it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hashed([u8; 32]);

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashed(…)")
    }
}

impl From<Hashed> for String {
    fn from(hashed: Hashed) -> Self {
        hex::encode(&hashed.0)
    }
}

impl TryFrom<String> for Hashed {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "a hash of a recovery code is 64 hexadecimal digits";
        let bytes = hex::decode(&text).ok_or(WRONG)?;
        Ok(Hashed(bytes.as_slice().try_into().map_err(|_| WRONG)?))
    }
}

/// What is mixed into every code of one set, so that one hash tells whether a code is among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt([u8; SALT_BYTES]);

impl From<[u8; SALT_BYTES]> for Salt {
    fn from(bytes: [u8; SALT_BYTES]) -> Self {
        Salt(bytes)
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        hex::encode(&salt.0)
    }
}

impl TryFrom<String> for Salt {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "a salt is 32 hexadecimal digits";
        let bytes = hex::decode(&text).ok_or(WRONG)?;
        Ok(Salt(bytes.as_slice().try_into().map_err(|_| WRONG)?))
    }
}

/// The codes of one person that are left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    salt: Salt,
    codes: Vec<Hashed>,
}

impl Recovery {
    /// A set of these codes.
    pub fn new(salt: Salt, codes: Vec<Hashed>) -> Self {
        Recovery { salt, codes }
    }

    /// What the codes were hashed with.
    pub fn salt(&self) -> Salt {
        self.salt.clone()
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.codes.len()
    }

    /// Use `code` up; whether it was one of them. All are looked at, in constant time.
    pub fn take(&mut self, code: &Hashed) -> bool {
        let mut place = None;
        for (at, known) in self.codes.iter().enumerate() {
            if constant_time_eq_32(&known.0, &code.0) {
                place = Some(at);
            }
        }
        place.map(|at| self.codes.remove(at)).is_some()
    }
}

/// The code that `random` makes, without hyphens.
pub(super) fn code(random: &[u8; RANDOM_BYTES]) -> Secret {
    let character = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
    let mut text = String::with_capacity(LENGTH);
    text.extend(random.iter().map(character));
    text.into()
}

/// A code as people see it: `xxxx-xxxx-xxxx`.
pub(super) fn shown(code: &Secret) -> Secret {
    let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (place, character) in code.reveal().chars().enumerate() {
        if place > 0 && place.is_multiple_of(GROUP) {
            text.push('-');
        }
        text.push(character);
    }
    text.into()
}

/// Whether `text`, in lower case and without hyphens, could be a code.
pub(super) fn is_code(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// Hash a code; it takes tens of milliseconds.
pub(super) fn hash(salt: &Salt, code: &Secret) -> Hashed {
    let params = Params::new(MEMORY, PASSES, 1, Some(32)).unwrap_or(Params::DEFAULT);
    let blocks = params.block_count();
    let mut memory: Vec<Block> = Vec::with_capacity(MAPPED / Block::SIZE);
    memory.resize(blocks, Block::new());
    let mut hashed = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let done = argon2.hash_password_into_with_memory(
        code.reveal().as_bytes(),
        &salt.0,
        &mut hashed,
        &mut memory,
    );
    memory.iter_mut().for_each(Zeroize::zeroize);
    assert!(
        done.is_ok(),
        "salt, code and hash are of lengths that argon2 takes"
    );
    Hashed(hashed)
}

/// What a set of codes is made of.
pub(super) type Randoms = Zeroizing<[[u8; RANDOM_BYTES]; RECOVERY_CODES]>;

/// A set's randomness, drawn code by code.
pub(super) fn randoms(draw: impl Fn() -> [u8; RANDOM_BYTES]) -> Randoms {
    Zeroizing::new(std::array::from_fn(|_| draw()))
}

/// A set of codes that `randoms` make, and how it is stored; it takes a fraction of a second.
pub(super) fn set(salt: Salt, randoms: &Randoms) -> (Vec<Secret>, Recovery) {
    let codes: Vec<Secret> = randoms.iter().map(code).collect();
    let hashes = codes.iter().map(|code| hash(&salt, code)).collect();
    let seen = codes.iter().map(shown).collect();
    (seen, Recovery::new(salt, hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn salt(byte: u8) -> Salt {
        [byte; SALT_BYTES].into()
    }

    #[test]
    fn a_code_is_three_groups_of_four_unambiguous_characters() {
        let random = [0, 1, 2, 31, 32, 255, 9, 10, 18, 20, 24, 27];
        let code = code(&random);
        assert_eq!(code.reveal(), "012z0z9ajmrv");
        assert_eq!(shown(&code).reveal(), "012z-0z9a-jmrv");
        assert!(is_code(code.reveal()));
        for wrong in ["", "123456", "il0123456789", "012z-0z9a-jmr", "é23456789ab"] {
            assert!(!is_code(wrong), "{wrong}");
        }
    }

    #[test]
    fn each_code_of_a_set_counts_once() {
        let mut randoms = Zeroizing::new([[0; RANDOM_BYTES]; RECOVERY_CODES]);
        for (place, random) in randoms.iter_mut().enumerate() {
            random[0] = place as u8;
        }
        let (seen, mut recovery) = set(salt(1), &randoms);
        assert_eq!(seen.len(), RECOVERY_CODES);
        assert_eq!(recovery.left(), RECOVERY_CODES);
        let third = code(&randoms[2]);
        let hashed = hash(&recovery.salt(), &third);
        assert!(recovery.take(&hashed));
        assert!(!recovery.take(&hashed));
        assert_eq!(recovery.left(), RECOVERY_CODES - 1);
        assert!(!recovery.take(&hash(&salt(2), &code(&randoms[3]))));
        assert!(recovery.take(&hash(&salt(1), &code(&randoms[3]))));
    }

    #[test]
    fn neither_the_store_nor_a_debug_print_has_a_code() {
        let randoms = Zeroizing::new([[7; RANDOM_BYTES]; RECOVERY_CODES]);
        let (seen, recovery) = set(salt(1), &randoms);
        let stored = serde_json::to_string(&recovery).unwrap();
        let printed = format!("{seen:?} {recovery:?}");
        for text in [&stored, &printed] {
            assert!(!text.contains("7777"), "{text}");
        }
        assert_eq!(serde_json::from_str::<Recovery>(&stored).unwrap(), recovery);
    }
}
