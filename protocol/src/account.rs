//! A person or service account of this host, resolved before anything is forked.

use serde::{Deserialize, Serialize};

/// One account with all the groups a process of it would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Supplementary group ids, the primary one included.
    pub groups: Vec<u32>,
    /// Home folder.
    pub home: String,
    /// Login shell; `/bin/sh` where the account names none (passwd(5)).
    pub shell: String,
}
