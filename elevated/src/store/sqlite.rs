//! SQLite, bound to the machine it was made on.

use std::path::Path;

use elevate_protocol::Id;
use rusqlite::{Connection, OptionalExtension, params};
use rusqlite_migration::{M, Migrations};

use super::{Error, IdentityChange, Store};
use crate::elevation::Elevation;

const MIGRATIONS: &[M<'_>] = &[
    M::up(
        "CREATE TABLE host (machine_id TEXT NOT NULL) STRICT;
     CREATE TABLE elevation (
         id TEXT PRIMARY KEY NOT NULL,
         boot_id TEXT NOT NULL,
         state TEXT NOT NULL,
         requested_ms INTEGER NOT NULL,
         record TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;",
    ),
    M::up(
        "CREATE TABLE factor (
         user TEXT PRIMARY KEY NOT NULL,
         record TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE identity (
         id TEXT PRIMARY KEY NOT NULL,
         record TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE note (
         name TEXT PRIMARY KEY NOT NULL,
         text TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;",
    ),
];

/// A database file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    boot_id: String,
}

impl Sqlite {
    /// Open the database at `path`. One that was made on another machine (a cloned image) is set
    /// aside as `….of-MACHINE-ID`, and an empty one takes its place.
    pub fn open(path: &Path, machine_id: &str, boot_id: &str) -> Result<Self, Error> {
        let connection = connect(path)?;
        let made_on: Option<String> = connection
            .query_row("SELECT machine_id FROM host", [], |row| row.get(0))
            .optional()?;
        let connection = match made_on {
            Some(other) if other != machine_id => {
                connection.close().map_err(|(_, error)| error)?;
                let aside = path.with_extension(format!("of-{other}"));
                std::fs::rename(path, &aside)?;
                eprintln!(
                    "the state of another machine is set aside as {}; this one begins with none",
                    aside.display()
                );
                connect(path)?
            }
            _ => connection,
        };
        connection.execute(
            "INSERT INTO host SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM host)",
            [machine_id],
        )?;
        Ok(Sqlite {
            connection,
            boot_id: boot_id.to_owned(),
        })
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Migrations::from_slice(MIGRATIONS).to_latest(&mut connection)?;
    Ok(connection)
}

impl Store for Sqlite {
    fn load(&mut self) -> Result<Vec<(Elevation, bool)>, Error> {
        let mut statement = self
            .connection
            .prepare("SELECT record, boot_id FROM elevation")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.map(|row| {
            let (record, boot_id): (String, String) = row?;
            Ok((serde_json::from_str(&record)?, boot_id == self.boot_id))
        })
        .collect()
    }

    fn save(&mut self, elevation: &Elevation) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO elevation (id, boot_id, state, requested_ms, record)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        statement.execute(params![
            elevation.id.as_str(),
            self.boot_id,
            elevation.request_state(),
            elevation.requested.wall as i64,
            serde_json::to_string(elevation)?,
        ])?;
        Ok(())
    }

    fn forget(&mut self, id: Id) -> Result<(), Error> {
        self.connection
            .prepare_cached("DELETE FROM elevation WHERE id = ?1")?
            .execute([id.as_str()])?;
        Ok(())
    }

    fn factors(&mut self) -> Result<Vec<(String, String)>, Error> {
        pairs(&self.connection, "SELECT user, record FROM factor")
    }

    fn save_factor(&mut self, user: &str, record: &str) -> Result<(), Error> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO factor (user, record) VALUES (?1, ?2)")?
            .execute([user, record])?;
        Ok(())
    }

    fn forget_factor(&mut self, user: &str) -> Result<(), Error> {
        self.connection
            .prepare_cached("DELETE FROM factor WHERE user = ?1")?
            .execute([user])?;
        Ok(())
    }

    fn each_identity(&mut self, each: &mut dyn FnMut(&str, &str)) -> Result<(), Error> {
        let mut statement = self.connection.prepare("SELECT id, record FROM identity")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str()?);
            each(text(0)?, text(1)?);
        }
        Ok(())
    }

    fn change_identities(&mut self, change: &IdentityChange) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        if change.clear {
            transaction.execute("DELETE FROM identity", [])?;
        }
        for (id, record) in &change.put {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO identity (id, record) VALUES (?1, ?2)")?
                .execute([id, record])?;
        }
        for id in &change.drop {
            transaction
                .prepare_cached("DELETE FROM identity WHERE id = ?1")?
                .execute([id])?;
        }
        for (name, text) in &change.notes {
            set_note(&transaction, name, text.as_deref())?;
        }
        Ok(transaction.commit()?)
    }

    fn note(&mut self, name: &str) -> Result<Option<String>, Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT text FROM note WHERE name = ?1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    fn set_note(&mut self, name: &str, text: Option<&str>) -> Result<(), Error> {
        set_note(&self.connection, name, text)
    }
}

fn pairs(connection: &Connection, query: &str) -> Result<Vec<(String, String)>, Error> {
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn set_note(connection: &Connection, name: &str, text: Option<&str>) -> Result<(), Error> {
    match text {
        Some(text) => connection
            .prepare_cached("INSERT OR REPLACE INTO note (name, text) VALUES (?1, ?2)")?
            .execute([name, text])?,
        None => connection
            .prepare_cached("DELETE FROM note WHERE name = ?1")?
            .execute([name])?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::elevation::samples;

    const NOW: Moment = Moment { boot: 1, wall: 2 };

    fn open(path: &Path, machine: &str, boot: &str) -> Sqlite {
        Sqlite::open(path, machine, boot).unwrap()
    }

    fn identities(store: &mut Sqlite) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut each = |id: &str, record: &str| all.push((id.to_owned(), record.to_owned()));
        store.each_identity(&mut each).unwrap();
        all
    }

    #[test]
    fn what_was_saved_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let elevation = samples::request(1, 1, 1000, NOW);
        open(&path, "machine", "boot").save(&elevation).unwrap();
        let loaded = open(&path, "machine", "boot").load().unwrap();
        assert_eq!(loaded, [(elevation.clone(), true)]);
        let loaded = open(&path, "machine", "another boot").load().unwrap();
        assert_eq!(loaded, [(elevation.clone(), false)]);
        let mut store = open(&path, "machine", "boot");
        store.forget(elevation.id).unwrap();
        assert_eq!(store.load().unwrap(), []);
    }

    #[test]
    fn identities_and_their_cursor_change_together() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(&folder.path().join("state.db"), "machine", "boot");
        let pair = |text: &str| (text.to_owned(), text.to_owned());
        let change = IdentityChange {
            put: vec![pair("a"), pair("b")],
            drop: vec!["a".into()],
            notes: vec![("cursor".into(), Some("1".into()))],
            ..IdentityChange::default()
        };
        store.change_identities(&change).unwrap();
        assert_eq!(identities(&mut store), [pair("b")]);
        assert_eq!(store.note("cursor").unwrap().as_deref(), Some("1"));
        let cleared = IdentityChange {
            clear: true,
            notes: vec![("cursor".into(), None)],
            ..IdentityChange::default()
        };
        store.change_identities(&cleared).unwrap();
        assert_eq!(identities(&mut store), []);
        assert_eq!(store.note("cursor").unwrap(), None);
    }

    #[test]
    fn a_factor_is_replaced_and_forgotten_by_its_user() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(&folder.path().join("state.db"), "machine", "boot");
        store.save_factor("alice", "1").unwrap();
        store.save_factor("alice", "2").unwrap();
        assert_eq!(store.factors().unwrap(), [("alice".into(), "2".into())]);
        store.forget_factor("alice").unwrap();
        assert_eq!(store.factors().unwrap(), []);
    }

    #[test]
    fn a_cloned_image_starts_empty_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        open(&path, "machine", "boot")
            .save(&samples::request(1, 1, 1000, NOW))
            .unwrap();
        assert_eq!(open(&path, "clone", "boot").load().unwrap(), []);
        assert!(folder.path().join("state.of-machine").exists());
    }
}
