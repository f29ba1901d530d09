//! Secrets at rest: XChaCha20-Poly1305 under a key that is made of the master key and of this
//! machine's id (HKDF-SHA256, RFC 5869), each bound to whose and what it is.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::hex;

/// Bytes of the master key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes of a nonce, which is random: 192 bits never meet twice.
pub(super) const NONCE_BYTES: usize = 24;

/// What everything else is derived from. Wiped when dropped, shown by no debug print.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

impl MasterKey {
    /// The key of these bytes.
    pub fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        MasterKey(bytes)
    }

    /// The bytes themselves.
    pub(super) fn reveal(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Whose secret it is, and what for: one that is put in another's place does not open.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// What kind of secret.
    pub kind: &'static str,
    /// Account name.
    pub user: &'a str,
    /// Uid.
    pub uid: u32,
}

impl Item<'_> {
    /// No name holds a NUL, so that no two items share these bytes.
    fn bytes(&self) -> Vec<u8> {
        format!("{}\0{}\0{}", self.kind, self.user, self.uid).into_bytes()
    }
}

/// A sealed secret: the nonce, and what it was sealed to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sealed(Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl From<Sealed> for String {
    fn from(sealed: Sealed) -> Self {
        hex::encode(&sealed.0)
    }
}

impl TryFrom<String> for Sealed {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = hex::decode(&text).ok_or("a sealed secret is not in hexadecimal digits")?;
        Ok(Sealed(bytes.to_vec()))
    }
}

/// It was sealed with another key, on another machine, for somebody else, or changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret does not open: its key is another one, or it was changed")]
pub struct DoesNotOpen;

/// Seals and opens on one machine.
#[derive(Clone)]
pub struct Seal(Zeroizing<[u8; KEY_BYTES]>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// The seal of this key on the machine of this id.
    pub fn new(master: &MasterKey, machine_id: &str) -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let derived = Hkdf::<Sha256>::new(Some(machine_id.as_bytes()), master.reveal())
            .expand(b"elevate secrets at rest, 1", &mut *key);
        assert!(derived.is_ok(), "HKDF-SHA256 makes up to 8160 bytes");
        Seal(key)
    }

    /// Seal `secret` as `item`.
    pub fn seal(&self, item: &Item<'_>, secret: &[u8], nonce: [u8; NONCE_BYTES]) -> Sealed {
        let payload = Payload {
            msg: secret,
            aad: &item.bytes(),
        };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        // It fails for 256 GiB and more.
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed.unwrap_or_default());
        Sealed(bytes)
    }

    /// The secret that was sealed as `item`.
    ///
    /// # Errors
    /// Where it was not, not here, or not with this key.
    pub fn open(
        &self,
        item: &Item<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (nonce, msg) = sealed
            .0
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(DoesNotOpen)?;
        let aad = &item.bytes();
        let opened = self
            .cipher()
            .decrypt(&XNonce::from(*nonce), Payload { msg, aad });
        opened.map(Zeroizing::new).map_err(|_| DoesNotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(user: &str) -> Item<'_> {
        Item {
            kind: "totp",
            user,
            uid: 1000,
        }
    }

    fn key(byte: u8) -> MasterKey {
        MasterKey::new(Zeroizing::new([byte; KEY_BYTES]))
    }

    #[test]
    fn a_secret_opens_with_its_key_on_its_machine_for_its_item_alone() {
        let seal = Seal::new(&key(1), "machine");
        let sealed = seal.seal(&item("alice"), b"secret", [7; NONCE_BYTES]);
        assert_eq!(&**seal.open(&item("alice"), &sealed).unwrap(), b"secret");
        let other_uid = Item {
            uid: 1001,
            ..item("alice")
        };
        let other_kind = Item {
            kind: "check",
            ..item("alice")
        };
        for other in [item("bob"), other_uid, other_kind] {
            assert_eq!(seal.open(&other, &sealed), Err(DoesNotOpen));
        }
        for other in [Seal::new(&key(2), "machine"), Seal::new(&key(1), "clone")] {
            assert_eq!(other.open(&item("alice"), &sealed), Err(DoesNotOpen));
        }
    }

    #[test]
    fn a_changed_or_cut_secret_does_not_open() {
        let seal = Seal::new(&key(1), "machine");
        let sealed = seal.seal(&item("alice"), b"secret", [7; NONCE_BYTES]);
        for place in 0..sealed.0.len() {
            let mut changed = sealed.clone();
            changed.0[place] ^= 1;
            assert_eq!(seal.open(&item("alice"), &changed), Err(DoesNotOpen));
            let cut = Sealed(sealed.0[..place].to_vec());
            assert_eq!(seal.open(&item("alice"), &cut), Err(DoesNotOpen));
        }
    }

    #[test]
    fn what_is_stored_comes_back_and_holds_nothing_in_clear() {
        let seal = Seal::new(&key(1), "machine");
        let sealed = seal.seal(&item("alice"), b"secret", [7; NONCE_BYTES]);
        let stored = serde_json::to_string(&sealed).unwrap();
        assert!(!stored.contains(&hex::encode(b"secret")));
        assert_eq!(serde_json::from_str::<Sealed>(&stored).unwrap(), sealed);
    }

    #[test]
    fn no_debug_print_shows_a_key_or_a_secret() {
        let seal = Seal::new(&key(0xab), "machine");
        let sealed = seal.seal(&item("alice"), b"secret", [7; NONCE_BYTES]);
        assert_eq!(format!("{:?}", key(0xab)), "MasterKey(…)");
        assert_eq!(format!("{seal:?} {sealed:?}"), "Seal(…) Sealed(…)");
    }
}
