//! What `cvtsudoers -f json` writes (cvtsudoers(1)).
//!
//! Whatever it holds that isn't known here is an error: it might take something away.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// One member of a list: its kind and value, and whether it is negated.
pub(super) type Raw = Map<String, Value>;

/// Reads it; whatever is no object isn't it.
pub(super) fn read(json: &str) -> Result<Sudoers, serde_json::Error> {
    let whole: Raw = match serde_json::from_str(json) {
        Err(error) if error.is_syntax() => serde_json::from_str(&mended(json))?,
        other => other?,
    };
    serde_json::from_value(Value::Object(whole))
}

/// What cvtsudoers of Debian 12 writes, as JSON: members of some of its lists lack their braces.
fn mended(json: &str) -> String {
    let mut in_list = Vec::new();
    let mut lines = Vec::new();
    for line in json.lines() {
        let text = line.trim();
        if text.starts_with([']', '}']) {
            in_list.pop();
        }
        let named = text.starts_with('"') && text.contains("\": ");
        let opens = text.ends_with(['[', '{']);
        match text.strip_suffix(',').unwrap_or(text) {
            member if named && !opens && in_list.last() == Some(&true) => {
                let comma = &text[member.len()..];
                lines.push(format!("{{ {member} }}{comma}"));
            }
            _ => lines.push(line.to_owned()),
        }
        if opens {
            in_list.push(text.ends_with('['));
        }
    }
    lines.join("\n")
}

/// Lists with names.
pub(super) type Aliases = BTreeMap<String, Vec<Raw>>;

/// A whole sudoers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sudoers {
    #[serde(rename = "Defaults", default)]
    pub(super) defaults: Vec<Defaults>,
    #[serde(rename = "User_Aliases", default)]
    pub(super) users: Aliases,
    #[serde(rename = "Runas_Aliases", default)]
    pub(super) run_as: Aliases,
    #[serde(rename = "Host_Aliases", default)]
    pub(super) hosts: Aliases,
    #[serde(rename = "Command_Aliases", default)]
    pub(super) commands: Aliases,
    #[serde(rename = "User_Specs", default)]
    pub(super) specs: Vec<UserSpec>,
}

/// `Defaults`, of all or of those in `binding`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    #[serde(rename = "Binding", default)]
    pub(super) binding: Vec<Raw>,
    #[serde(rename = "Options")]
    pub(super) options: Vec<Raw>,
}

/// Who may do something on which hosts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserSpec {
    #[serde(rename = "User_List")]
    pub(super) users: Vec<Raw>,
    #[serde(rename = "Host_List")]
    pub(super) hosts: Vec<Raw>,
    #[serde(rename = "Cmnd_Specs")]
    pub(super) commands: Vec<CommandSpec>,
}

/// What, as whom and how.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandSpec {
    #[serde(rename = "runasusers", default)]
    pub(super) users: Vec<Raw>,
    #[serde(rename = "runasgroups", default)]
    pub(super) groups: Vec<Raw>,
    #[serde(rename = "Options", default)]
    pub(super) options: Vec<Raw>,
    /// Options as well, of Debian 12.
    #[serde(rename = "SELinux_Spec", default)]
    pub(super) selinux: Vec<Raw>,
    #[serde(rename = "Commands")]
    pub(super) commands: Vec<Raw>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_DEBIAN_12: &str = r#"{
    "User_Specs": [
        {
            "User_List": [
                { "username": "a" }
            ],
            "Host_List": [
                {
                    "hostname": "b",
                    "negated": true
                }
            ],
            "Cmnd_Specs": [
                {
                    "Options": [
                        "runchroot": "/x",
                        "runcwd": "/a: [",
                        { "command_timeout": 5 }
                    ],
                    "SELinux_Spec": [
                        "role": "r"
                    ],
                    "Commands": [
                        { "command": "/bin/x \"a\": b" }
                    ]
                }
            ]
        }
    ]
}"#;

    #[test]
    fn lists_without_braces_are_read_as_they_are_meant() {
        let sudoers = read(OF_DEBIAN_12).unwrap();
        let commands = &sudoers.specs[0].commands[0];
        let options: Vec<_> = commands.options.iter().flatten().collect();
        assert_eq!(options.len(), 3, "{options:?}");
        assert_eq!(options[1].1, "/a: [");
        assert_eq!(commands.selinux[0]["role"], "r");
        assert_eq!(commands.commands[0]["command"], "/bin/x \"a\": b");
        assert_eq!(sudoers.specs[0].hosts[0].len(), 2);
    }

    #[test]
    fn what_is_broken_otherwise_stays_broken() {
        for json in ["{", "[]", "{\"User_Specs\": [}", "{\"a\": 1}"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
