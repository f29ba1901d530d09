//! `elevatectl directory`: how the directory is that people come from.

use serde::{Serialize, Serializer};
use zbus::wire::{DeserializeDict, Type};

use super::output;
use super::text::{escaped, or_dash, time};
use crate::bus::{block_on, call, connect};
use crate::failure::Failure;

/// How the directory is. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, DeserializeDict, Type, Serialize)]
#[zbus(signature = "dict", rename_all = "kebab-case")]
struct Directory {
    state: String,
    source: Option<String>,
    problem: Option<String>,
    last_contact: Option<u64>,
    valid_until: Option<u64>,
    people: Option<u32>,
    admitted: Option<u32>,
    groups: Option<u32>,
    #[serde(serialize_with = "refused")]
    refused: Option<Vec<(String, String)>>,
}

fn refused<S: Serializer>(
    records: &Option<Vec<(String, String)>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Record<'a> {
        name: &'a str,
        why: &'a str,
    }
    // Told to root alone: null to others, where there may be some.
    match records {
        Some(records) => to.collect_seq(records.iter().map(|(name, why)| Record { name, why })),
        None => to.serialize_none(),
    }
}

/// `elevatectl directory status`
pub(super) fn status(json: bool) -> Result<(), Failure> {
    let directory: Directory = block_on(async {
        let reply = call(&connect().await?, "DirectoryStatus", &()).await?;
        Ok(reply.body().deserialize()?)
    })?;
    match json {
        true => output::json(&directory),
        false => output::write(lines(&directory).as_bytes()),
    }
}

/// `elevatectl directory sync`
pub(super) fn sync() -> Result<(), Failure> {
    block_on(async { call(&connect().await?, "SyncDirectory", &()).await })?;
    output::line("elevate-directory compares everything anew; see: elevatectl directory status")
}

fn lines(directory: &Directory) -> String {
    let text = |value: &Option<String>| or_dash(value.as_deref().map(escaped).unwrap_or_default());
    let mut lines = String::new();
    let mut line = |name: &str, text: &str| lines += &format!("{name:<13} {text}\n");
    line("state", &state(&directory.state));
    if directory.state == "none" {
        return lines;
    }
    line("source", &text(&directory.source));
    line("problem", &text(&directory.problem));
    line("last contact", &time(directory.last_contact.unwrap_or(0)));
    line("valid until", &time(directory.valid_until.unwrap_or(0)));
    let people = directory.people.unwrap_or(0);
    let admitted = directory.admitted.unwrap_or(0);
    line(
        "people",
        &format!("{people}, of whom {admitted} are admitted to this host"),
    );
    line("groups", &directory.groups.unwrap_or(0).to_string());
    for (name, why) in directory.refused.iter().flatten() {
        line("refused", &format!("{}: {}", escaped(name), escaped(why)));
    }
    lines
}

/// The state in words; one of a newer daemon as it is.
pub(super) fn state(state: &str) -> String {
    let meaning = match state {
        "none" => "nobody comes from a directory",
        "connected" => return state.to_owned(),
        "disconnected" => "what was heard last is in force",
        "expired" => "what was heard last is too old, and nobody in it counts",
        other => return escaped(other),
    };
    format!("{state}: {meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_refused_is_told_with_its_reason_and_cannot_forge_a_line() {
        let directory = Directory {
            state: "disconnected".into(),
            problem: Some("cannot reach ldap.example.org\nstate connected".into()),
            people: Some(20),
            admitted: Some(12),
            refused: Some(vec![("ro\x1b[1Aot".into(), "uid 0 is never taken".into())]),
            ..Directory::default()
        };
        let shown = lines(&directory);
        assert!(shown.starts_with("state         disconnected: what was heard last is in force\n"));
        assert!(shown.contains("people        20, of whom 12 are admitted to this host\n"));
        assert!(
            shown.contains("refused       ro\\x1b[1Aot: uid 0 is never taken\n"),
            "{shown}"
        );
        assert!(shown.contains("example.org\\nstate connected\n"), "{shown}");
        let json = serde_json::to_value(&directory).unwrap();
        assert_eq!(json["refused"][0]["why"], "uid 0 is never taken");
        assert_eq!(json["last_contact"], serde_json::Value::Null);
    }

    #[test]
    fn without_a_directory_there_is_one_line() {
        let none = Directory {
            state: "none".into(),
            ..Directory::default()
        };
        assert_eq!(
            lines(&none),
            "state         none: nobody comes from a directory\n"
        );
    }
}
