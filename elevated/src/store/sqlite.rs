//! SQLite, bound to the machine it was made on.

use std::path::Path;

use elevate_protocol::Id;
use rusqlite::{Connection, OptionalExtension, params};
use rusqlite_migration::{M, Migrations};

use super::{Error, Store};
use crate::elevation::Elevation;

const MIGRATIONS: &[M<'_>] = &[M::up(
    "CREATE TABLE host (machine_id TEXT NOT NULL) STRICT;
     CREATE TABLE elevation (
         id TEXT PRIMARY KEY NOT NULL,
         boot_id TEXT NOT NULL,
         state TEXT NOT NULL,
         requested_ms INTEGER NOT NULL,
         record TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;",
)];

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
                std::fs::rename(path, path.with_extension(format!("of-{other}")))?;
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
