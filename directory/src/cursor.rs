//! From where to go on with a server, as one line that `elevated` keeps for us.

use serde::{Deserialize, Serialize};

use crate::ldap::uri::Uri;

/// Where the two searches stand, after all that was handed on so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Which server's cookies they are. Another one may count otherwise.
    pub server: String,
    /// The cookie of the search for people (RFC 4533 section 2.1.2).
    pub people: Vec<u8>,
    /// The cookie of the search for groups.
    pub groups: Vec<u8>,
    /// Whether groups name members by their DNs. Who has which is not kept, so that with these a
    /// new process has to read everything.
    pub member_dns: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    server: String,
    people: String,
    groups: String,
    member_dns: bool,
}

impl Cursor {
    /// The cursor that was written so, if it is one of ours.
    pub fn read(text: &str) -> Option<Self> {
        let written: Written = serde_json::from_str(text).ok()?;
        Some(Cursor {
            server: written.server,
            people: unhex(&written.people)?,
            groups: unhex(&written.groups)?,
            member_dns: written.member_dns,
        })
    }

    /// Whether this server, and a process that knows the DNs of people or not, can go on from it.
    pub fn serves(&self, server: &Uri, knows_dns: bool) -> bool {
        self.server == server.to_string() && (knows_dns || !self.member_dns)
    }

    /// As it is read.
    pub fn write(&self) -> String {
        let written = Written {
            server: self.server.clone(),
            people: hex(&self.people),
            groups: hex(&self.groups),
            member_dns: self.member_dns,
        };
        serde_json::to_string(&written).unwrap_or_default()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn another_server_does_not_go_on_from_it() {
        let cursor = Cursor {
            server: "ldap://a:389".into(),
            people: Vec::new(),
            groups: Vec::new(),
            member_dns: true,
        };
        let (a, b): (Uri, Uri) = ("ldap://a".parse().unwrap(), "ldap://b".parse().unwrap());
        assert!(cursor.serves(&a, true));
        assert!(!cursor.serves(&b, true));
        assert!(!cursor.serves(&a, false), "who has which DN is forgotten");
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(people: Vec<u8>, groups: Vec<u8>, member_dns: bool) {
            let server = "ldaps://a:636".to_owned();
            let cursor = Cursor { server, people, groups, member_dns };
            prop_assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        }

        #[test]
        fn other_text_is_none_of_ours(text: String) {
            let _ = Cursor::read(&text);
            prop_assert_eq!(Cursor::read("rid=000,csn=x"), None);
        }
    }
}
