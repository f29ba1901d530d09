//! What a server says to us (RFC 4511 section 4). Everything borrows from the bytes that came.

use std::fmt;

use elevate_protocol::escape;

use super::{Error, ber};

/// A message of a server.
#[derive(Debug)]
pub struct Message<'a> {
    /// Which request it answers; 0 where it answers none.
    pub id: i32,
    /// What it says.
    pub reply: Reply<'a>,
    /// The elements of its controls.
    pub controls: Option<&'a [u8]>,
}

/// What a message says.
#[derive(Debug)]
pub enum Reply<'a> {
    /// One entry of a search.
    Entry(Entry<'a>),
    /// A search would have to go on elsewhere.
    Reference,
    /// Something before the end of a search (section 4.13).
    Intermediate(&'a [u8]),
    /// A search is over.
    Done(Outcome),
    /// The outcome of a bind.
    Bound(Outcome),
    /// The outcome of an extended operation, with its name.
    Extended(Outcome, Option<&'a [u8]>),
}

/// An entry, as it was sent.
#[derive(Debug, Clone, Default)]
pub struct Entry<'a> {
    /// Its DN.
    pub dn: &'a [u8],
    /// Names and values.
    pub attributes: Vec<(&'a [u8], Vec<&'a [u8]>)>,
}

impl<'a> Entry<'a> {
    /// The values of an attribute by its name (RFC 4512 section 2.5: in whatever case), without
    /// those that have options.
    pub fn values(&self, name: &str) -> &[&'a [u8]] {
        self.attributes
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map_or(&[], |(_, values)| values)
    }
}

/// How an operation ended (section 4.1.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The result code.
    pub code: i64,
    /// What the server says about it, made harmless for a log.
    pub text: String,
}

/// `e-syncRefreshRequired` (RFC 4533 section 2.6).
pub const REFRESH_REQUIRED: i64 = 4096;

impl Outcome {
    /// Nothing, where it is a success.
    ///
    /// # Errors
    /// What was refused, as `what` names it.
    pub fn success(self, what: &'static str) -> Result<(), Error> {
        match self.code {
            0 => Ok(()),
            _ => Err(Error::Refused(what, self)),
        }
    }

    fn read(content: &[u8]) -> Result<(Self, ber::Reader<'_>), Error> {
        const LONGEST: usize = 200;
        let mut fields = ber::Reader::new(content);
        let code = ber::integer(fields.expect(ber::ENUMERATED)?)?;
        fields.expect(ber::OCTETS)?;
        let text = fields.expect(ber::OCTETS)?;
        let text = escape::line(&text[..text.len().min(LONGEST)]);
        Ok((Outcome { code, text }, fields))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.code {
            1 => "operationsError",
            2 => "protocolError",
            3 => "timeLimitExceeded",
            4 => "sizeLimitExceeded: the server limits how many entries this account may read",
            8 => "strongerAuthRequired",
            10 => "referral",
            11 => "adminLimitExceeded",
            12 => "unavailableCriticalExtension",
            13 => "confidentialityRequired",
            32 => "noSuchObject: the base is not there, or this account may not see it",
            34 => "invalidDNSyntax",
            48 => "inappropriateAuthentication",
            49 => "invalidCredentials: wrong bind_dn or password",
            50 => "insufficientAccessRights",
            51 => "busy",
            52 => "unavailable",
            53 => "unwillingToPerform",
            80 => "other",
            REFRESH_REQUIRED => "e-syncRefreshRequired",
            _ => "refused",
        };
        write!(f, "{meaning} ({})", self.code)?;
        if self.text.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.text)
    }
}

impl<'a> Message<'a> {
    /// The message that is `bytes`, whole.
    ///
    /// # Errors
    /// It is none.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut fields = ber::Reader::new(ber::Reader::new(bytes).expect(ber::SEQUENCE)?);
        let id = ber::integer(fields.expect(ber::INTEGER)?)?;
        let id = i32::try_from(id).map_err(|_| Error::Malformed("a message id out of range"))?;
        let (tag, content) = fields
            .element()?
            .ok_or(Error::Malformed("a message without an operation"))?;
        let reply = match tag {
            0x64 => Reply::Entry(entry(content)?),
            0x73 => Reply::Reference,
            0x79 => Reply::Intermediate(content),
            0x65 => Reply::Done(Outcome::read(content)?.0),
            0x61 => Reply::Bound(Outcome::read(content)?.0),
            0x78 => {
                let (outcome, mut rest) = Outcome::read(content)?;
                rest.optional(0xa3)?;
                Reply::Extended(outcome, rest.optional(0x8a)?)
            }
            _ => return Err(Error::Malformed("an operation of no known kind")),
        };
        Ok(Message {
            id,
            reply,
            controls: fields.optional(0xa0)?,
        })
    }
}

fn entry(content: &[u8]) -> Result<Entry<'_>, Error> {
    let mut fields = ber::Reader::new(content);
    let dn = fields.expect(ber::OCTETS)?;
    let mut list = ber::Reader::new(fields.expect(ber::SEQUENCE)?);
    let mut attributes = Vec::new();
    while !list.is_empty() {
        let mut attribute = ber::Reader::new(list.expect(ber::SEQUENCE)?);
        let name = attribute.expect(ber::OCTETS)?;
        let mut set = ber::Reader::new(attribute.expect(ber::SET)?);
        let mut values = Vec::new();
        while !set.is_empty() {
            values.push(set.expect(ber::OCTETS)?);
        }
        attributes.push((name, values));
    }
    Ok(Entry { dn, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::control;
    use proptest::prelude::*;

    fn message(tag: u8, fill: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        ber::write_all(&mut out, ber::SEQUENCE, |out| {
            ber::write_integer(out, ber::INTEGER, 5);
            ber::write_all(out, tag, fill);
        });
        out
    }

    #[test]
    fn an_entry_is_found_by_its_names_in_whatever_case() {
        let bytes = message(0x64, |out| {
            ber::write(out, ber::OCTETS, b"uid=a");
            ber::write_all(out, ber::SEQUENCE, |out| {
                ber::write_all(out, ber::SEQUENCE, |out| {
                    ber::write(out, ber::OCTETS, b"memberUID");
                    ber::write_all(out, ber::SET, |out| {
                        ber::write(out, ber::OCTETS, b"x");
                        ber::write(out, ber::OCTETS, b"y");
                    });
                });
            });
        });
        let message = Message::read(&bytes).unwrap();
        let Reply::Entry(entry) = message.reply else {
            panic!("{message:?}")
        };
        assert_eq!(entry.dn, b"uid=a");
        assert_eq!(entry.values("memberUid"), [b"x", b"y"]);
        assert!(entry.values("member").is_empty());
    }

    #[test]
    fn what_a_server_says_can_not_steer_a_terminal() {
        let bytes = message(0x65, |out| {
            ber::write_integer(out, ber::ENUMERATED, 49);
            ber::write(out, ber::OCTETS, b"");
            ber::write(out, ber::OCTETS, b"\x1b[2Jno\n");
        });
        let Reply::Done(outcome) = Message::read(&bytes).unwrap().reply else {
            panic!()
        };
        let shown = outcome.to_string();
        assert!(shown.ends_with(": \\x1b[2Jno\\n"), "{shown}");
        assert!(outcome.success("the bind").is_err());
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_messages_or_errors(bytes: Vec<u8>) {
            let _ = Message::read(&bytes);
            let _ = control::info(&bytes);
            let _ = control::state(Some(&bytes));
            let _ = control::done(Some(&bytes));
            let _ = control::next_page(Some(&bytes));
        }

        #[test]
        fn a_message_with_a_hostile_inside_is_one_or_an_error(
            tag in prop::sample::select(vec![0x64u8, 0x73, 0x79, 0x65, 0x61, 0x78]),
            inside: Vec<u8>,
        ) {
            let bytes = message(tag, |out| out.extend_from_slice(&inside));
            if let Ok(Message { reply: Reply::Intermediate(content), controls, .. }) =
                Message::read(&bytes)
            {
                let _ = control::info(content);
                let _ = control::state(controls);
            }
        }
    }

    #[test]
    fn nesting_without_end_costs_nothing() {
        let mut bytes = Vec::new();
        for level in (0..500_000u32).rev() {
            bytes.extend_from_slice(&[0x30, 0x84]);
            bytes.extend_from_slice(&(level * 6).to_be_bytes());
        }
        assert!(Message::read(&bytes).is_err());
    }
}
