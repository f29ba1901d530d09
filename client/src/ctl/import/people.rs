//! Users, hosts and targets as sudoers(5) writes them.

use std::fmt;

use serde_json::Value;

use super::list::Atom;

/// Who may.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum User {
    All,
    Name(String),
    Group(String),
    /// What our language has no word for, as sudoers writes it.
    Other(String),
}

/// Where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    All,
    /// In lower case; `*` is the only wildcard.
    Name(String),
    Other(String),
}

/// As whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    All,
    /// Whoever asks.
    Caller,
    Name(String),
    Uid(u32),
    Other(String),
}

/// With which group, by `-g`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Group {
    All,
    Name(String),
    Gid(u32),
    Other(String),
}

/// What a list of one kind can hold.
pub(super) trait Kind: Atom + fmt::Display {
    /// The kind of member that names an alias.
    const ALIAS: &'static str;

    /// What a member of this kind and value is; `None` is no member of such a list.
    fn read(kind: &str, value: &Value) -> Option<Self>;

    /// The same of a member of an alias.
    fn read_in_alias(kind: &str, value: &Value) -> Option<Self> {
        Self::read(kind, value)
    }
}

impl Kind for User {
    const ALIAS: &'static str = "useralias";

    fn read(kind: &str, value: &Value) -> Option<Self> {
        Some(match (kind, value.as_str()) {
            ("username", Some("ALL")) => Self::All,
            ("username", Some(name)) if is_account(name) => Self::Name(name.to_owned()),
            ("username", Some(name)) => Self::Other(name.to_owned()),
            ("usergroup", Some(name)) if is_account(name) => Self::Group(name.to_owned()),
            _ => Self::Other(other(kind, value)?),
        })
    }
}

impl Kind for Host {
    const ALIAS: &'static str = "hostalias";

    fn read(kind: &str, value: &Value) -> Option<Self> {
        Some(match (kind, value.as_str()) {
            ("hostname", Some("ALL")) => Self::All,
            ("hostname", Some(name)) if is_host(name) => Self::Name(name.to_ascii_lowercase()),
            ("hostname" | "networkaddr", Some(text)) => Self::Other(text.to_owned()),
            ("netgroup", Some(name)) => Self::Other(format!("+{name}")),
            _ => return None,
        })
    }
}

impl Kind for Target {
    const ALIAS: &'static str = "runasalias";

    fn read(kind: &str, value: &Value) -> Option<Self> {
        Some(match (kind, value.as_str()) {
            ("username", Some("ALL")) => Self::All,
            ("username", Some("")) => Self::Caller,
            ("username", Some(name)) if is_account(name) => Self::Name(name.to_owned()),
            ("username", Some(name)) => Self::Other(name.to_owned()),
            ("userid", None) => id(value).map_or(Self::Other(format!("#{value}")), Self::Uid),
            _ => Self::Other(other(kind, value)?),
        })
    }
}

impl Kind for Group {
    const ALIAS: &'static str = "runasalias";

    fn read(kind: &str, value: &Value) -> Option<Self> {
        Some(match (kind, value.as_str()) {
            ("usergroup" | "username", Some("ALL")) => Self::All,
            ("usergroup" | "username", Some(name)) => match name.strip_prefix('#') {
                Some(digits) => match digits.parse().ok().filter(|gid| *gid <= MAX_ID) {
                    Some(gid) => Self::Gid(gid),
                    None => Self::Other(name.to_owned()),
                },
                None if is_account(name) => Self::Name(name.to_owned()),
                None => Self::Other(name.to_owned()),
            },
            ("userid", None) => id(value).map_or(Self::Other(format!("#{value}")), Self::Gid),
            _ => Self::Other(other(kind, value)?),
        })
    }

    // There groups are written as users are, and a `%group` matches none.
    fn read_in_alias(kind: &str, value: &Value) -> Option<Self> {
        match kind {
            "usergroup" => Some(Self::Other(other(kind, value)?)),
            _ => Self::read(kind, value),
        }
    }
}

const MAX_ID: u32 = i32::MAX as u32;

fn id(value: &Value) -> Option<u32> {
    let id = u32::try_from(value.as_u64()?).ok()?;
    (id <= MAX_ID).then_some(id)
}

/// Members of users and targets that our language has no word for.
fn other(kind: &str, value: &Value) -> Option<String> {
    let text = value.as_str().map_or(value.to_string(), str::to_owned);
    let sign = match kind {
        "userid" => "#",
        "usergroup" => "%",
        "usergid" => "%#",
        "netgroup" => "+",
        "nonunixgroup" => "%:",
        "nonunixgid" => "%:#",
        _ => return None,
    };
    Some(format!("{sign}{text}"))
}

/// Whether the policy takes it for the name of a user or group, and reads it as sudo does, to which
/// `Bob` is `bob`.
fn is_account(name: &str) -> bool {
    let bad = |c: char| {
        c.is_whitespace() || c.is_control() || c.is_uppercase() || "/:,%\"*?[]".contains(c)
    };
    let only_digits = name.bytes().all(|b| b.is_ascii_digit());
    let begins_badly = name.starts_with(['#', '+', '!', '-', '@']);
    !name.is_empty()
        && name.len() <= 256
        && !name.contains(bad)
        && !begins_badly
        && !only_digits
        && !matches!(name, "ALL" | "SELF")
        && !name.starts_with("attr:")
}

/// Whether the policy takes it for the name of a host, and reads it as sudo does.
fn is_host(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*');
    let local = name.split('.').next().unwrap_or_default();
    // sudo's star takes dots too, ours does not.
    let narrower = name.contains('*') && name.contains('.');
    name.bytes().all(good)
        && name.split('.').all(|part| !part.is_empty())
        && name.len() <= 253
        && !name.starts_with('-')
        && !name.contains("**")
        && !narrower
        && !local.eq_ignore_ascii_case("localhost")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

impl Atom for User {
    fn covers(&self, other: &Self) -> bool {
        *self == Self::All || self == other
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Name(a), Self::Name(b)) if a != b)
    }
}

impl Atom for Host {
    fn covers(&self, other: &Self) -> bool {
        *self == Self::All || self == other
    }

    // A name without a domain is the first part of one with it.
    fn is_apart_from(&self, other: &Self) -> bool {
        let (Self::Name(a), Self::Name(b)) = (self, other) else {
            return false;
        };
        let wild = a.contains('*') || b.contains('*');
        let first = |name: &str| name.split('.').next().map(str::to_owned);
        let whole = a.contains('.') == b.contains('.');
        !wild && (first(a) != first(b) || (whole && a != b))
    }
}

impl Atom for Target {
    fn covers(&self, other: &Self) -> bool {
        let root = |target: &Self| match target {
            Self::Name(name) => name == "root",
            Self::Uid(uid) => *uid == 0,
            _ => false,
        };
        *self == Self::All || self == other || (root(self) && root(other))
    }

    // Whether a number is somebody's, and who asks, is not known here.
    fn is_apart_from(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a != b,
            (Self::Uid(a), Self::Uid(b)) => a != b,
            _ => false,
        }
    }
}

impl Atom for Group {
    fn covers(&self, other: &Self) -> bool {
        *self == Self::All || self == other
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a != b,
            (Self::Gid(a), Self::Gid(b)) => a != b,
            _ => false,
        }
    }
}

/// As sudoers writes it.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("ALL"),
            Self::Name(name) | Self::Other(name) => f.write_str(name),
            Self::Group(name) => write!(f, "%{name}"),
        }
    }
}

/// As sudoers writes it.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("ALL"),
            Self::Name(name) | Self::Other(name) => f.write_str(name),
        }
    }
}

/// As sudoers writes it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("ALL"),
            Self::Caller => Ok(()),
            Self::Name(name) | Self::Other(name) => f.write_str(name),
            Self::Uid(uid) => write!(f, "#{uid}"),
        }
    }
}

/// As sudoers writes it.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("ALL"),
            Self::Name(name) | Self::Other(name) => f.write_str(name),
            Self::Gid(gid) => write!(f, "#{gid}"),
        }
    }
}
