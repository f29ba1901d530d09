//! What the kernel lets a process do beside what its uid brings.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::suggest::nearest;
use crate::wrong::Wrong;

/// By their numbers, 0 to 40, without `CAP_` (capabilities(7), linux/capability.h).
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// A set of capabilities: all that a command has and can ever get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Capabilities(u64);

impl Capabilities {
    /// What a contained session never has: with any of these it could reach what lies outside.
    pub const NEVER_CONTAINED: Self = Self(
        1 << 2      // DAC_READ_SEARCH: open_by_handle_at(2) knows no mount namespace
            | 1 << 16 // SYS_MODULE
            | 1 << 17 // SYS_RAWIO
            | 1 << 19 // SYS_PTRACE
            | 1 << 21 // SYS_ADMIN
            | 1 << 27 // MKNOD
            | 1 << 29 // AUDIT_WRITE
            | 1 << 30 // AUDIT_CONTROL
            | 1 << 37 // AUDIT_READ
            | 1 << 39, // BPF
    );

    /// A bit for each, by its number.
    #[must_use]
    pub fn mask(self) -> u64 {
        self.0
    }

    /// The names, by their numbers: `CAP_NET_ADMIN`.
    pub fn names(self) -> impl Iterator<Item = String> {
        let held = NAMES
            .iter()
            .enumerate()
            .filter(move |(at, _)| self.0 & (1 << at) != 0);
        held.map(|(_, name)| format!("CAP_{name}"))
    }

    /// Those that are in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// One name, as in `CAP_NET_ADMIN`.
    pub(crate) fn parse(word: &str) -> Result<Self, Wrong> {
        let upper = word.to_ascii_uppercase();
        let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let number = NAMES.iter().position(|name| *name == short);
        match number {
            Some(number) if word == format!("CAP_{short}") => Ok(Self(1 << number)),
            Some(_) => Err(Wrong::suggesting(
                "a capability is written in full and in capitals",
                Some(format!("CAP_{short}")),
            )),
            None => Err(Wrong::suggesting(
                "unknown capability (see capabilities(7))",
                nearest(short, NAMES).map(|name| format!("CAP_{name}")),
            )),
        }
    }
}

impl FromIterator<Self> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        Self(all.into_iter().fold(0, |mask, one| mask | one.0))
    }
}

/// `CAP_NET_ADMIN, CAP_NET_RAW`, or `none`.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("none"),
            _ => f.write_str(&self.names().collect::<Vec<_>>().join(", ")),
        }
    }
}

impl From<Capabilities> for Vec<String> {
    fn from(capabilities: Capabilities) -> Self {
        capabilities.names().collect()
    }
}

impl TryFrom<Vec<String>> for Capabilities {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let parse = |name: &String| Self::parse(name).map_err(|wrong| wrong.what);
        names.iter().map(parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggestion(word: &str) -> Option<String> {
        Capabilities::parse(word).unwrap_err().suggestion
    }

    #[test]
    fn names_stand_at_the_numbers_that_the_kernel_gives_them() {
        for (name, number) in [
            ("CAP_CHOWN", 0),
            ("CAP_SETUID", 7),
            ("CAP_NET_ADMIN", 12),
            ("CAP_SYS_ADMIN", 21),
            ("CAP_SYSLOG", 34),
            ("CAP_BPF", 39),
            ("CAP_CHECKPOINT_RESTORE", 40),
        ] {
            assert_eq!(Capabilities::parse(name).unwrap().mask(), 1 << number);
        }
    }

    #[test]
    fn the_header_of_this_host_agrees_where_there_is_one() {
        let Ok(header) = std::fs::read_to_string("/usr/include/linux/capability.h") else {
            return;
        };
        for line in header.lines() {
            let mut words = line.split_whitespace();
            let (Some("#define"), Some(name), Some(number)) =
                (words.next(), words.next(), words.next())
            else {
                continue;
            };
            if let (true, Ok(number)) = (name.starts_with("CAP_"), number.parse::<u32>()) {
                assert_eq!(
                    Capabilities::parse(name).unwrap().mask(),
                    1 << number,
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn another_way_of_writing_one_is_told_the_right_one() {
        for word in ["cap_net_admin", "NET_ADMIN", "Net_Admin", "CAP_NET_ADMN"] {
            assert_eq!(suggestion(word).as_deref(), Some("CAP_NET_ADMIN"), "{word}");
        }
        for word in ["", "ALL", "CAP_", "CAP_WEATHER"] {
            assert_eq!(suggestion(word), None, "{word}");
        }
    }

    #[test]
    fn what_leads_out_of_a_contained_session_is_what_the_plan_names() {
        assert_eq!(
            Capabilities::NEVER_CONTAINED.to_string(),
            "CAP_DAC_READ_SEARCH, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_PTRACE, CAP_SYS_ADMIN, \
             CAP_MKNOD, CAP_AUDIT_WRITE, CAP_AUDIT_CONTROL, CAP_AUDIT_READ, CAP_BPF"
        );
    }

    #[test]
    fn in_json_they_are_names() {
        let both: Capabilities = ["CAP_NET_RAW", "CAP_NET_ADMIN"]
            .map(|name| Capabilities::parse(name).unwrap())
            .into_iter()
            .collect();
        let json = serde_json::to_string(&both).unwrap();
        assert_eq!(json, r#"["CAP_NET_ADMIN","CAP_NET_RAW"]"#);
        assert_eq!(serde_json::from_str::<Capabilities>(&json).unwrap(), both);
        assert!(serde_json::from_str::<Capabilities>(r#"["CAP_X"]"#).is_err());
        assert_eq!(Capabilities::default().to_string(), "none");
    }
}
