//! The two searches, and what their replies mean for people and groups. It holds no connection.

use elevate_protocol::directory::{Change, Group};
use elevate_protocol::escape;
use elevate_protocol::limits::DIRECTORY_CURSOR_BYTES;

use std::collections::VecDeque;

use super::progress::{Fate, Progress, Told};
use crate::cursor::Cursor;
use crate::dn::Dn;
use crate::ldap::control::{self, Control, Uuid};
use crate::ldap::reply::{Entry, Message, Outcome, REFRESH_REQUIRED, Reply};
use crate::ldap::request::{Request, Search};
use crate::ldap::{Error, filter};
use crate::members::Members;
use crate::record;
use crate::settings::Settings;
use crate::source::{Event, Problem};

/// Entries of one page.
const PAGE: u16 = 500;

/// What a search looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// People.
    People,
    /// Groups.
    Groups,
}

/// How to learn of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The server tells them (RFC 4533).
    Told,
    /// By reading everything in pages (RFC 2696).
    Read,
}

/// A search that is under way.
#[derive(Debug)]
struct Running {
    id: i32,
    progress: Progress,
}

/// Both searches. Groups are searched for once people are known, so that their members by DN are.
#[derive(Debug)]
pub struct Searches {
    mode: Mode,
    server: String,
    people: Option<Running>,
    groups: Option<Running>,
    groups_cookie: Option<Vec<u8>>,
    /// What was read and not yet told.
    pub events: VecDeque<Event>,
    /// A request that is to be sent, for this kind.
    pub wanted: Option<(Kind, Request, Control)>,
}

/// The entryUUID's attribute (RFC 4530), which pages tell and RFC 4533 has a control for.
const ENTRY_UUID: &str = "entryUUID";

impl Searches {
    /// Searches on `server` that go on from the cursor, or begin from nothing.
    pub fn new(
        settings: &Settings,
        mode: Mode,
        server: String,
        cursor: Option<Cursor>,
    ) -> Result<Self, Problem> {
        let (people, groups_cookie) = match cursor {
            Some(cursor) => (Some(cursor.people), Some(cursor.groups)),
            None => (None, None),
        };
        let mut searches = Searches {
            mode,
            server,
            people: None,
            groups: None,
            groups_cookie,
            events: VecDeque::new(),
            wanted: None,
        };
        searches.want(settings, Kind::People, people.as_deref(), &[])?;
        searches.people = Some(Running {
            id: 0,
            progress: Progress::new(people),
        });
        Ok(searches)
    }

    /// The request that was wanted has this id.
    pub fn sent(&mut self, kind: Kind, id: i32) {
        if let Some(running) = self.running(kind) {
            running.id = id;
        }
    }

    fn running(&mut self, kind: Kind) -> Option<&mut Running> {
        match kind {
            Kind::People => self.people.as_mut(),
            Kind::Groups => self.groups.as_mut(),
        }
    }

    fn want(
        &mut self,
        settings: &Settings,
        kind: Kind,
        cookie: Option<&[u8]>,
        page: &[u8],
    ) -> Result<(), Problem> {
        let (place, mut attributes) = match kind {
            Kind::People => (&settings.people, settings.person_attributes()),
            Kind::Groups => (&settings.groups, settings.group_attributes()),
        };
        let control = match self.mode {
            Mode::Told => Control::refresh_and_persist(cookie),
            Mode::Read => {
                attributes.push(ENTRY_UUID.to_owned());
                Control::page(PAGE, page)
            }
        };
        let filter = filter::encode(&place.filter).map_err(Problem::Unreachable)?;
        let request = Request::search(&Search {
            base: &place.base,
            base_only: false,
            filter: &filter,
            attributes: &attributes,
        });
        self.wanted = Some((kind, request, control));
        Ok(())
    }

    /// What a message means. Replies to what is none of the searches mean nothing here.
    pub fn take(
        &mut self,
        message: &Message<'_>,
        settings: &Settings,
        members: &mut Option<Members>,
    ) -> Result<(), Problem> {
        let of = |running: &Option<Running>| running.as_ref().is_some_and(|r| r.id == message.id);
        let kind = match (of(&self.people), of(&self.groups)) {
            (true, _) => Kind::People,
            (_, true) => Kind::Groups,
            _ => return Ok(()),
        };
        match &message.reply {
            Reply::Entry(entry) => self.entry(kind, entry, message.controls, settings, members),
            Reply::Intermediate(content) => self.info(kind, content, settings, members),
            Reply::Done(outcome) => self.done(kind, outcome, message.controls, settings, members),
            Reply::Reference => {
                self.events.push_back(Event::Odd(
                    "the server points to another one, which is not followed".to_owned(),
                ));
                Ok(())
            }
            Reply::Bound(_) | Reply::Extended(..) => Err(malformed(Error::Malformed(
                "something else answers a search",
            ))),
        }
    }

    fn entry(
        &mut self,
        kind: Kind,
        entry: &Entry<'_>,
        controls: Option<&[u8]>,
        settings: &Settings,
        members: &mut Option<Members>,
    ) -> Result<(), Problem> {
        let (uuid, fate) = match self.mode {
            Mode::Read => match entry.values(ENTRY_UUID) {
                [value] => match uuid_of(value) {
                    Some(uuid) => (uuid, Fate::Changed),
                    None => return self.odd(entry, "its entryUUID is none"),
                },
                _ => return self.odd(entry, "it has no entryUUID that we may read"),
            },
            Mode::Told => {
                let state = control::state(controls).map_err(malformed)?;
                let state = state.ok_or(malformed(Error::Malformed(
                    "an entry without a word on its state",
                )))?;
                let fate = self.running(kind).map(|r| r.progress.entry(&state));
                (state.uuid, fate.unwrap_or(Fate::Changed))
            }
        };
        match fate {
            Fate::Gone => self.gone(kind, uuid, members),
            Fate::Unchanged => self.unchanged(kind, uuid, members),
            Fate::Changed if kind == Kind::People => self.person(uuid, entry, settings, members)?,
            Fate::Changed => self.group(uuid, entry, settings, members)?,
        }
        self.settle(members);
        Ok(())
    }

    fn person(
        &mut self,
        uuid: Uuid,
        entry: &Entry<'_>,
        settings: &Settings,
        members: &mut Option<Members>,
    ) -> Result<(), Problem> {
        let Some(person) = record::person(id_of(Kind::People, uuid), entry, settings) else {
            // It may have had one before.
            self.gone(Kind::People, uuid, members);
            return self.odd(entry, "it has no login name");
        };
        match (members, Dn::parse(entry.dn)) {
            (Some(members), Some(dn)) => members.person(uuid, dn, &person.name),
            (Some(members), None) => members.person_gone(uuid),
            (None, _) => {}
        }
        self.change(Change {
            person: Some(person),
            ..Change::default()
        });
        Ok(())
    }

    fn group(
        &mut self,
        uuid: Uuid,
        entry: &Entry<'_>,
        settings: &Settings,
        members: &mut Option<Members>,
    ) -> Result<(), Problem> {
        let Some(raw) = record::group(id_of(Kind::Groups, uuid), entry, settings) else {
            self.gone(Kind::Groups, uuid, members);
            return self.odd(entry, "it has no name");
        };
        let group = match members {
            Some(members) => members.group(uuid, raw),
            None if raw.dns.is_empty() => raw.group,
            None => {
                let why = "a group names members by their DNs, so all people must be known";
                return Err(Problem::Anew(why.to_owned()));
            }
        };
        self.group_changed(group);
        Ok(())
    }

    /// OpenLDAP calls gone whatever changed and is none of what a search looks for: of the search
    /// for groups every person that changed. What is gone is therefore told by its kind.
    fn gone(&mut self, kind: Kind, uuid: Uuid, members: &mut Option<Members>) {
        match (kind, members) {
            (Kind::People, Some(members)) => members.person_gone(uuid),
            (Kind::Groups, Some(members)) => members.group_gone(uuid),
            (_, None) => {}
        }
        self.change(Change {
            gone: Some(id_of(kind, uuid)),
            ..Change::default()
        });
    }

    fn unchanged(&mut self, kind: Kind, uuid: Uuid, members: &mut Option<Members>) {
        if let Some(members) = members {
            members.unchanged(uuid);
        }
        self.events.push_back(Event::Unchanged(id_of(kind, uuid)));
    }

    fn group_changed(&mut self, group: Group) {
        self.change(Change {
            group: Some(group),
            ..Change::default()
        });
    }

    fn changed_groups(&mut self, members: &mut Option<Members>) {
        let groups = members.as_mut().map(Members::changed_groups);
        groups
            .into_iter()
            .flatten()
            .for_each(|group| self.group_changed(group));
    }

    fn change(&mut self, change: Change) {
        self.events.push_back(Event::Change(Box::new(change)));
    }

    fn odd(&mut self, entry: &Entry<'_>, why: &str) -> Result<(), Problem> {
        const LONGEST: usize = 200;
        let dn = escape::line(&entry.dn[..entry.dn.len().min(LONGEST)]);
        self.events
            .push_back(Event::Odd(format!("\"{dn}\" is left out: {why}")));
        Ok(())
    }

    fn info(
        &mut self,
        kind: Kind,
        content: &[u8],
        settings: &Settings,
        members: &mut Option<Members>,
    ) -> Result<(), Problem> {
        let Some(info) = control::info(content).map_err(malformed)? else {
            return Ok(());
        };
        let told = self
            .running(kind)
            .map(|running| running.progress.info(info));
        match told.unwrap_or(Told::Nothing) {
            Told::Nothing => {}
            Told::Unchanged(uuids) => {
                for uuid in uuids {
                    self.unchanged(kind, uuid, members);
                }
            }
            Told::Gone(uuids) => uuids
                .into_iter()
                .for_each(|uuid| self.gone(kind, uuid, members)),
            Told::Refreshed => return self.refreshed(kind, settings, members),
        }
        self.settle(members);
        Ok(())
    }

    /// One search is up to date: the other one begins, or both are.
    fn refreshed(
        &mut self,
        kind: Kind,
        settings: &Settings,
        members: &mut Option<Members>,
    ) -> Result<(), Problem> {
        if kind == Kind::People {
            let cookie = self.groups_cookie.take();
            self.want(settings, Kind::Groups, cookie.as_deref(), &[])?;
            self.groups = Some(Running {
                id: 0,
                progress: Progress::new(cookie),
            });
            return Ok(());
        }
        let everything =
            |running: &Option<Running>| running.as_ref().is_some_and(|r| r.progress.everything());
        let everything = match (everything(&self.people), everything(&self.groups)) {
            (people, groups) if people == groups => people,
            // What is gone of the one is told, of the other it would have to be found out.
            _ => {
                let why = "the server told what is gone in two ways at once";
                return Err(Problem::Anew(why.to_owned()));
            }
        };
        if everything {
            members.iter_mut().for_each(Members::everything_was_named);
            if members.as_ref().is_some_and(|members| !members.has_dns()) {
                *members = None;
            }
        }
        self.changed_groups(members);
        self.events.push_back(Event::Refreshed {
            everything,
            cursor: self.cursor(members),
        });
        Ok(())
    }

    fn done(
        &mut self,
        kind: Kind,
        outcome: &Outcome,
        controls: Option<&[u8]>,
        settings: &Settings,
        members: &mut Option<Members>,
    ) -> Result<(), Problem> {
        const UNWILLING: i64 = 53;
        const PROTOCOL_ERROR: i64 = 2;
        let of = match kind {
            Kind::People => "people",
            Kind::Groups => "groups",
        };
        let progress = self.running(kind).map(|running| &running.progress);
        // A server that was set back says "unwilling" to a cookie from its future.
        let doubtful = progress.is_some_and(|p| p.began_from_cookie() && !p.refreshed());
        match outcome.code {
            0 if self.mode == Mode::Read => {
                match control::next_page(controls).map_err(malformed)? {
                    Some(page) if !page.is_empty() => self.want(settings, kind, None, page),
                    _ => {
                        self.all_pages_read(kind);
                        self.refreshed(kind, settings, members)
                    }
                }
            }
            0 => Err(Problem::Unreachable(format!(
                "the server ended the search for {of}"
            ))),
            REFRESH_REQUIRED => Err(Problem::Anew(format!("the search for {of}: {outcome}"))),
            UNWILLING | PROTOCOL_ERROR if doubtful => {
                Err(Problem::Anew(format!("the search for {of}: {outcome}")))
            }
            _ => Err(Problem::Unreachable(format!(
                "the search for {of}: {outcome}"
            ))),
        }
    }

    fn all_pages_read(&mut self, kind: Kind) {
        if let Some(running) = self.running(kind) {
            running.progress.info(control::Info::PhaseEnd {
                present: true,
                cookie: None,
                refreshed: true,
            });
        }
    }

    /// After the refresh each change moves the cursor, and groups are told whose members changed.
    /// Before it, an interrupted refresh begins again where the last whole one ended.
    fn settle(&mut self, members: &mut Option<Members>) {
        let refreshed =
            |running: &Option<Running>| running.as_ref().is_some_and(|r| r.progress.refreshed());
        if refreshed(&self.people) && refreshed(&self.groups) {
            self.changed_groups(members);
            let cursor = self.cursor(members);
            self.events.extend(cursor.map(Event::Cursor));
        }
    }

    fn cursor(&self, members: &Option<Members>) -> Option<String> {
        let cookie = |running: &Option<Running>| running.as_ref()?.progress.cookie().map(Vec::from);
        let cursor = Cursor {
            server: self.server.clone(),
            people: cookie(&self.people)?,
            groups: cookie(&self.groups)?,
            member_dns: members.is_some(),
        };
        // A server with cookies of any length is read from nothing each time.
        Some(cursor.write()).filter(|cursor| cursor.len() <= DIRECTORY_CURSOR_BYTES)
    }
}

fn malformed(error: Error) -> Problem {
    Problem::Unreachable(error.to_string())
}

/// The entryUUID as RFC 4122 section 3 writes it, after the kind: an entry may be found by both
/// searches.
fn id_of(kind: Kind, uuid: Uuid) -> String {
    let mut id = String::with_capacity(43);
    id.push_str(match kind {
        Kind::People => "person/",
        Kind::Groups => "group/",
    });
    for (at, byte) in uuid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            id.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    id
}

fn uuid_of(text: &[u8]) -> Option<Uuid> {
    let mut digits = text.iter().filter(|byte| **byte != b'-');
    let mut uuid = Uuid::default();
    for byte in &mut uuid {
        let mut digit = || char::from(*digits.next()?).to_digit(16);
        *byte = (digit()? << 4 | digit()?) as u8;
    }
    (digits.next().is_none() && text.len() == 36).then_some(uuid)
}
