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
    let whole: Raw = serde_json::from_str(json)?;
    serde_json::from_value(Value::Object(whole))
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
    #[serde(rename = "Commands")]
    pub(super) commands: Vec<Raw>,
}
