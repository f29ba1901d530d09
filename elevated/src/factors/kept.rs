//! What the store has of second factors at the start, and whether the key that is there fits it.

use std::collections::BTreeMap;

use super::factor::Factor;
use super::key::Places;
use super::seal::{Item, Seal, Sealed};
use crate::store::{Error, Store};

/// The note that tells whether a key is the one that everything was sealed with.
const CHECK: &str = "secrets-check";
const CHECK_ITEM: Item<'_> = Item {
    kind: "check",
    user: "",
    uid: 0,
};
const CHECK_TEXT: &[u8] = b"this key fits";

/// Factors and their seal.
#[derive(Debug)]
pub struct Kept {
    /// The seal, or why nothing can be opened.
    pub seal: Result<Seal, String>,
    /// By user; none where a record can't be read, which then stands for a factor that nobody can
    /// give.
    pub factors: BTreeMap<String, Option<Factor>>,
}

impl Kept {
    /// Read what `store` has, and the key in `places`.
    ///
    /// # Errors
    /// Where the store can't be used at all. A key that is missing or doesn't fit is no error here:
    /// everything else goes on, and no factor can be verified.
    pub fn load(store: &mut dyn Store, places: &Places, machine_id: &str) -> Result<Self, Error> {
        let factors: BTreeMap<_, _> = store
            .factors()?
            .into_iter()
            .map(|(user, record)| {
                let factor = read(&user, &record);
                (user, factor)
            })
            .collect();
        let unused = factors.is_empty();
        let seal = match places.load(machine_id, unused) {
            Ok(key) => fitting(store, Seal::new(&key, machine_id), unused)?,
            Err(error) => Err(error.to_string()),
        };
        let seal = seal.map_err(|why| format!("no second factor can be verified: {why}"));
        Ok(Kept { seal, factors })
    }
}

fn read(user: &str, record: &str) -> Option<Factor> {
    let factor: Result<Factor, _> = serde_json::from_str(record);
    match factor {
        Ok(factor) if factor.user == user => Some(factor),
        Ok(_) => {
            eprintln!("the second factor of {user} can't be used: it is somebody else's");
            None
        }
        Err(error) => {
            eprintln!("the second factor of {user} can't be read: {error}");
            None
        }
    }
}

/// `seal`, if it opens what was sealed when the first key was there. While nothing depends on a key
/// any key will do.
fn fitting(store: &mut dyn Store, seal: Seal, unused: bool) -> Result<Result<Seal, String>, Error> {
    let check = store.note(CHECK)?.map(Sealed::try_from);
    let fits = |sealed: &Sealed| {
        let opened = seal.open(&CHECK_ITEM, sealed);
        opened.is_ok_and(|text| **text == *CHECK_TEXT)
    };
    if let Some(Ok(sealed)) = &check
        && fits(sealed)
    {
        return Ok(Ok(seal));
    }
    if !unused {
        let why = "its key is not the one that factors are stored under; restore that key and \
                   restart elevated, or remove every factor (elevatectl mfa remove USER), restart \
                   elevated and enrol anew";
        return Ok(Err(why.to_owned()));
    }
    let sealed = seal.seal(&CHECK_ITEM, CHECK_TEXT, super::random());
    store.set_note(CHECK, Some(&String::from(sealed)))?;
    Ok(Ok(seal))
}

#[cfg(test)]
mod tests {
    use super::super::recovery::Recovery;
    use super::*;
    use crate::clock::Moment;
    use crate::store::Sqlite;
    use std::path::Path;
    use tempfile::TempDir;

    fn store(folder: &Path, machine: &str) -> Sqlite {
        Sqlite::open(&folder.join("state.db"), machine, "boot").unwrap()
    }

    fn places(folder: &Path) -> Places {
        Places {
            credentials: None,
            file: folder.join("secrets.key"),
        }
    }

    fn load(folder: &Path, machine: &str) -> Kept {
        Kept::load(&mut store(folder, machine), &places(folder), machine).unwrap()
    }

    /// A factor of alice, stored.
    fn enrolled(folder: &Path) -> Factor {
        let seal = load(folder, "machine").seal.unwrap();
        let sealed = seal.seal(&Factor::item("alice", 1000), &[7; 20], [0; 24]);
        let recovery = Recovery::new([0; 16].into(), Vec::new());
        let now = Moment { boot: 1, wall: 2 };
        let factor = Factor::new(("alice", 1000), sealed, 5, recovery, now);
        let record = serde_json::to_string(&factor).unwrap();
        store(folder, "machine")
            .save_factor("alice", &record)
            .unwrap();
        factor
    }

    #[test]
    fn what_was_stored_is_there_and_opens_after_a_restart() {
        let folder = TempDir::new().unwrap();
        let factor = enrolled(folder.path());
        let kept = load(folder.path(), "machine");
        assert_eq!(kept.factors["alice"].as_ref(), Some(&factor));
        let seal = kept.seal.unwrap();
        let opened = seal.open(&Factor::item("alice", 1000), factor.secret());
        assert_eq!(**opened.unwrap(), [7; 20]);
    }

    #[test]
    fn a_lost_or_other_key_opens_nothing_and_is_said() {
        let folder = TempDir::new().unwrap();
        enrolled(folder.path());
        let file = places(folder.path()).file;
        let right = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let why = load(folder.path(), "machine").seal.unwrap_err();
        assert!(
            why.starts_with("no second factor can be verified: "),
            "{why}"
        );
        assert!(why.contains("is missing"), "{why}");
        assert!(!file.exists(), "a new key was made in silence");
        // A whole and well-kept key, but another one.
        places(folder.path()).load("machine", true).unwrap();
        let why = load(folder.path(), "machine").seal.unwrap_err();
        assert!(
            why.contains("not the one that factors are stored under"),
            "{why}"
        );
        std::fs::write(&file, right).unwrap();
        load(folder.path(), "machine").seal.unwrap();
    }

    #[test]
    fn once_every_factor_is_removed_another_key_will_do() {
        let folder = TempDir::new().unwrap();
        enrolled(folder.path());
        std::fs::remove_file(places(folder.path()).file).unwrap();
        load(folder.path(), "machine").seal.unwrap_err();
        store(folder.path(), "machine")
            .forget_factor("alice")
            .unwrap();
        load(folder.path(), "machine").seal.unwrap();
        enrolled(folder.path());
        load(folder.path(), "machine").seal.unwrap();
    }

    #[test]
    fn a_cloned_image_has_neither_factors_nor_the_key_of_the_original() {
        let folder = TempDir::new().unwrap();
        enrolled(folder.path());
        let before = std::fs::read(places(folder.path()).file).unwrap();
        let kept = load(folder.path(), "clone");
        assert!(kept.factors.is_empty());
        kept.seal.unwrap();
        assert_ne!(std::fs::read(places(folder.path()).file).unwrap(), before);
        let aside = folder.path().join("secrets.of-machine");
        assert_eq!(std::fs::read(aside).unwrap(), before);
    }

    #[test]
    fn an_unreadable_record_still_stands_for_a_factor() {
        let folder = TempDir::new().unwrap();
        let factor = enrolled(folder.path());
        let record = serde_json::to_string(&factor).unwrap();
        let mut store = store(folder.path(), "machine");
        store.save_factor("bob", &record).unwrap();
        store.save_factor("carol", "{}").unwrap();
        let kept = load(folder.path(), "machine");
        assert_eq!(kept.factors["bob"], None);
        assert_eq!(kept.factors["carol"], None);
        assert!(kept.factors["alice"].is_some());
    }
}
