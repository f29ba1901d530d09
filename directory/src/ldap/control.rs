//! The controls of content synchronisation (RFC 4533) and of paged results (RFC 2696).

use super::{Error, ber};

const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
const SYNC_STATE: &[u8] = b"1.3.6.1.4.1.4203.1.9.1.2";
const SYNC_DONE: &[u8] = b"1.3.6.1.4.1.4203.1.9.1.3";
const SYNC_INFO: &[u8] = b"1.3.6.1.4.1.4203.1.9.1.4";
const PAGED: &str = "1.2.840.113556.1.4.319";

/// A control of a request, which the server must not leave aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    name: &'static str,
    value: Vec<u8>,
}

impl Control {
    /// Send what is there, or what changed since the cookie, and then what changes (section 2.2).
    pub fn refresh_and_persist(cookie: Option<&[u8]>) -> Self {
        const REFRESH_AND_PERSIST: i64 = 3;
        let mut value = Vec::new();
        ber::write_all(&mut value, ber::SEQUENCE, |out| {
            ber::write_integer(out, ber::ENUMERATED, REFRESH_AND_PERSIST);
            if let Some(cookie) = cookie {
                ber::write(out, ber::OCTETS, cookie);
            }
        });
        Control {
            name: SYNC_REQUEST,
            value,
        }
    }

    /// Send a page of entries (RFC 2696 section 2); the cookie is the last page's, empty at first.
    pub fn page(size: u16, cookie: &[u8]) -> Self {
        let mut value = Vec::new();
        ber::write_all(&mut value, ber::SEQUENCE, |out| {
            ber::write_integer(out, ber::INTEGER, i64::from(size));
            ber::write(out, ber::OCTETS, cookie);
        });
        Control { name: PAGED, value }
    }

    /// Appends it to a message's controls.
    pub fn write(&self, out: &mut Vec<u8>) {
        ber::write_all(out, ber::SEQUENCE, |out| {
            ber::write(out, ber::OCTETS, self.name.as_bytes());
            ber::write_boolean(out, true);
            ber::write(out, ber::OCTETS, &self.value);
        });
    }
}

/// What a server names in `supportedControl` that can follow changes.
pub const SYNCHRONISES: &[u8] = SYNC_REQUEST.as_bytes();

/// The length of an entryUUID (RFC 4530), as it is sent in binary.
pub type Uuid = [u8; 16];

/// What an entry's message says about it (section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State<'a> {
    /// What happened to it.
    pub state: EntryState,
    /// Its entryUUID.
    pub uuid: Uuid,
    /// From where to go on after it.
    pub cookie: Option<&'a [u8]>,
}

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// It is there, as before.
    Present,
    /// It is new here.
    Add,
    /// It is not as before.
    Modify,
    /// It is not there any more.
    Delete,
}

/// What a server says besides entries (section 2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Info<'a> {
    /// From where to go on.
    NewCookie(&'a [u8]),
    /// A phase ended.
    PhaseEnd {
        /// Whether it was a present phase, in which everything that is still there was named;
        /// otherwise what is gone was.
        present: bool,
        /// From where to go on.
        cookie: Option<&'a [u8]>,
        /// Whether what follows are changes as they happen.
        refreshed: bool,
    },
    /// Some entries.
    IdSet {
        /// From where to go on after them.
        cookie: Option<&'a [u8]>,
        /// Whether they are gone; otherwise they are there, as before.
        gone: bool,
        /// Their entryUUIDs.
        uuids: Vec<Uuid>,
    },
}

/// What the end of a search says (section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done<'a> {
    /// From where to go on.
    pub cookie: Option<&'a [u8]>,
}

/// The value of the reply's control of this name, if it has one.
fn value<'a>(controls: Option<&'a [u8]>, name: &[u8]) -> Result<Option<&'a [u8]>, Error> {
    let mut controls = ber::Reader::new(controls.unwrap_or_default());
    while let Some((tag, control)) = controls.element()? {
        if tag != ber::SEQUENCE {
            return Err(Error::Malformed("a control that is none"));
        }
        let mut control = ber::Reader::new(control);
        if control.expect(ber::OCTETS)? == name {
            control.optional(ber::BOOLEAN)?;
            return control.optional(ber::OCTETS);
        }
    }
    Ok(None)
}

fn uuid(content: &[u8]) -> Result<Uuid, Error> {
    content
        .try_into()
        .map_err(|_| Error::Malformed("an entryUUID that is not 16 bytes long"))
}

/// What the controls of an entry say.
///
/// # Errors
/// They don't say it as RFC 4533 does.
pub fn state(controls: Option<&[u8]>) -> Result<Option<State<'_>>, Error> {
    let Some(value) = value(controls, SYNC_STATE)? else {
        return Ok(None);
    };
    let mut fields = ber::Reader::new(ber::Reader::new(value).expect(ber::SEQUENCE)?);
    let state = match ber::integer(fields.expect(ber::ENUMERATED)?)? {
        0 => EntryState::Present,
        1 => EntryState::Add,
        2 => EntryState::Modify,
        3 => EntryState::Delete,
        _ => return Err(Error::Malformed("an entry in no known state")),
    };
    Ok(Some(State {
        state,
        uuid: uuid(fields.expect(ber::OCTETS)?)?,
        cookie: fields.optional(ber::OCTETS)?,
    }))
}

/// What the controls of a search's end say.
///
/// # Errors
/// They don't say it as RFC 4533 does.
pub fn done(controls: Option<&[u8]>) -> Result<Done<'_>, Error> {
    let Some(value) = value(controls, SYNC_DONE)? else {
        return Ok(Done::default());
    };
    let mut fields = ber::Reader::new(ber::Reader::new(value).expect(ber::SEQUENCE)?);
    Ok(Done {
        cookie: fields.optional(ber::OCTETS)?,
    })
}

/// The cookie of the next page; empty after the last one.
///
/// # Errors
/// The controls don't say it as RFC 2696 does.
pub fn next_page(controls: Option<&[u8]>) -> Result<Option<&[u8]>, Error> {
    let Some(value) = value(controls, PAGED.as_bytes())? else {
        return Ok(None);
    };
    let mut fields = ber::Reader::new(ber::Reader::new(value).expect(ber::SEQUENCE)?);
    fields.expect(ber::INTEGER)?;
    fields.expect(ber::OCTETS).map(Some)
}

/// What an intermediate message says; `None` if it is about something else.
///
/// # Errors
/// It doesn't say it as RFC 4533 does.
pub fn info(content: &[u8]) -> Result<Option<Info<'_>>, Error> {
    let mut fields = ber::Reader::new(content);
    if fields.optional(0x80)? != Some(SYNC_INFO) {
        return Ok(None);
    }
    let value = fields.expect(0x81)?;
    match ber::Reader::new(value).element()? {
        Some((0x80, cookie)) => Ok(Some(Info::NewCookie(cookie))),
        Some((tag @ (0xa1 | 0xa2), content)) => {
            let mut fields = ber::Reader::new(content);
            let cookie = fields.optional(ber::OCTETS)?;
            let refreshed = fields.optional(ber::BOOLEAN)?;
            Ok(Some(Info::PhaseEnd {
                present: tag == 0xa2,
                cookie,
                refreshed: refreshed.map_or(Ok(true), ber::boolean)?,
            }))
        }
        Some((0xa3, content)) => id_set(content).map(Some),
        _ => Err(Error::Malformed(
            "a synchronisation message of no known kind",
        )),
    }
}

fn id_set(content: &[u8]) -> Result<Info<'_>, Error> {
    let mut fields = ber::Reader::new(content);
    let cookie = fields.optional(ber::OCTETS)?;
    let gone = fields.optional(ber::BOOLEAN)?;
    let mut set = ber::Reader::new(fields.expect(ber::SET)?);
    let mut uuids = Vec::new();
    while !set.is_empty() {
        uuids.push(uuid(set.expect(ber::OCTETS)?)?);
    }
    Ok(Info::IdSet {
        cookie,
        gone: gone.map_or(Ok(false), ber::boolean)?,
        uuids,
    })
}
