//! Whatever changes on a server, and in whatever way it tells so: in the end we hold what it holds.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::server::{entry, id_set, person, refreshed, with_id};
use elevate_directory::cursor::Cursor;
use elevate_directory::ldap::reply::Message;
use elevate_directory::members::Members;
use elevate_directory::server::search::{Kind, Mode, Searches};
use elevate_directory::settings::Settings;
use elevate_directory::source::{Event, Problem};
use elevate_protocol::directory::Change;
use proptest::prelude::*;

/// What changes on the server.
#[derive(Clone, Debug)]
enum Step {
    /// A person is there, under this name.
    Person(u8, u8),
    /// A person is not there.
    NoPerson(u8),
    /// A group is there, with these people in it.
    Group(u8, BTreeSet<u8>),
    /// A group is not there.
    NoGroup(u8),
}

/// One connection: what changed before it, how the server tells that, and what changes during it.
#[derive(Clone, Debug)]
struct Session {
    before: Vec<Step>,
    /// Whether what is still there is told, of people and of groups; else what is gone.
    present: [bool; 2],
    new_process: bool,
    during: Vec<Step>,
    /// After how many of these nothing reaches `elevated` any more.
    heard: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Directory {
    people: BTreeMap<u8, String>,
    groups: BTreeMap<u8, BTreeSet<u8>>,
}

const GROUPS: u8 = 100;

impl Directory {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Person(uuid, name) => {
                self.people.insert(*uuid, format!("p{name}"));
            }
            Step::NoPerson(uuid) => {
                self.people.remove(uuid);
            }
            Step::Group(uuid, members) => {
                self.groups.insert(*uuid, members.clone());
            }
            Step::NoGroup(uuid) => {
                self.groups.remove(uuid);
            }
        }
    }

    /// Names and members, as `elevated` is to hold them.
    fn records(&self) -> BTreeMap<String, Vec<String>> {
        let people = self.people.values().map(|name| (name.clone(), Vec::new()));
        let groups = self.groups.iter().map(|(uuid, members)| {
            let mut names: Vec<String> = members
                .iter()
                .filter_map(|member| self.people.get(member))
                .cloned()
                .collect();
            names.sort();
            (format!("g{uuid}"), names)
        });
        people.chain(groups).collect()
    }

    fn person(&self, uuid: u8, cookie: Option<&[u8]>) -> Option<Vec<u8>> {
        let name = self.people.get(&uuid)?;
        // The entry stays where it is when the login name changes.
        let dn = format!("cn={uuid},ou=people,o=x");
        let attributes: [(&str, &[&[u8]]); 2] =
            [("uid", &[name.as_bytes()]), ("uidNumber", &[b"5000"])];
        Some(entry((&dn, uuid), 1, cookie, &attributes))
    }

    fn group(&self, uuid: u8, cookie: Option<&[u8]>) -> Option<Vec<u8>> {
        let members = self.groups.get(&uuid)?.iter();
        let members: Vec<String> = members
            .map(|member| format!("CN={member}, ou=People,o=x"))
            .collect();
        let members: Vec<&[u8]> = members.iter().map(|member| member.as_bytes()).collect();
        let name = format!("g{uuid}");
        let attributes: [(&str, &[&[u8]]); 3] = [
            ("cn", &[name.as_bytes()]),
            ("gidNumber", &[b"6002"]),
            ("member", &members),
        ];
        let dn = format!("cn={name},ou=groups,o=x");
        Some(entry((&dn, GROUPS + uuid), 1, cookie, &attributes))
    }

    /// What a search tells that went on from `old`, or from nothing.
    fn refresh(
        &self,
        kind: Kind,
        old: Option<&Directory>,
        present: bool,
        cookie: &[u8],
    ) -> Vec<Vec<u8>> {
        let nothing = Directory::default();
        let known = old.unwrap_or(&nothing);
        let people: BTreeSet<u8> = self
            .people
            .keys()
            .chain(known.people.keys())
            .copied()
            .collect();
        let groups: BTreeSet<u8> = self
            .groups
            .keys()
            .chain(known.groups.keys())
            .copied()
            .collect();
        let (mut parts, mut same, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for uuid in people {
            let changed = self.people.get(&uuid) != known.people.get(&uuid);
            match self.person(uuid, None) {
                // OpenLDAP calls gone in one search what changed in the other.
                _ if kind == Kind::Groups && changed => gone.push(uuid),
                _ if kind == Kind::Groups => {}
                Some(entry) if changed => parts.push(entry),
                Some(_) => same.push(uuid),
                None => gone.push(uuid),
            }
        }
        for uuid in groups {
            let changed = self.groups.get(&uuid) != known.groups.get(&uuid);
            match self.group(uuid, None) {
                _ if kind == Kind::People && changed => gone.push(GROUPS + uuid),
                _ if kind == Kind::People => {}
                Some(entry) if changed => parts.push(entry),
                Some(_) => same.push(GROUPS + uuid),
                None => gone.push(GROUPS + uuid),
            }
        }
        if old.is_some() {
            parts.push(match present {
                true => id_set(false, &same),
                false => id_set(true, &gone),
            });
        }
        parts.push(refreshed(present, cookie));
        parts
    }
}

/// What `elevated` holds.
#[derive(Default)]
struct Held {
    records: BTreeMap<String, (String, Vec<String>)>,
    named: BTreeSet<String>,
    cursor: Option<String>,
}

impl Held {
    fn take(&mut self, event: Event) {
        match event {
            Event::Change(change) => self.change(*change),
            Event::Unchanged(id) => {
                assert!(self.records.contains_key(&id), "{id} is not held");
                self.named.insert(id);
            }
            Event::Refreshed { everything, cursor } => {
                if everything {
                    self.records.retain(|id, _| self.named.contains(id));
                }
                self.cursor = cursor;
            }
            Event::Cursor(cursor) => self.cursor = Some(cursor),
            other => panic!("{other:?}"),
        }
    }

    fn change(&mut self, change: Change) {
        let record = match change {
            Change {
                person: Some(person),
                ..
            } => (person.id, (person.name, Vec::new())),
            Change {
                group: Some(mut group),
                ..
            } => {
                group.members.sort();
                (group.id, (group.name, group.members))
            }
            Change { gone, .. } => {
                self.records.remove(&gone.unwrap());
                return;
            }
        };
        self.named.insert(record.0.clone());
        self.records.insert(record.0, record.1);
    }

    fn records(&self) -> BTreeMap<String, Vec<String>> {
        self.records.values().cloned().collect()
    }
}

struct Client {
    settings: Settings,
    members: Option<Members>,
    searches: Searches,
    held: Held,
    /// Whether what is heard reaches `elevated`.
    linked: bool,
}

impl Client {
    fn new() -> Self {
        let settings = common::settings("ldap://localhost", "");
        Client {
            searches: Searches::new(&settings, Mode::Told, String::new(), None).unwrap(),
            settings,
            members: None,
            held: Held::default(),
            linked: true,
        }
    }

    fn hear(&mut self, kind: Kind, part: &[u8]) -> Result<(), Problem> {
        let id = match kind {
            Kind::People => 1,
            Kind::Groups => 2,
        };
        let bytes = with_id(part, id);
        let message = Message::read(&bytes).unwrap();
        self.searches
            .take(&message, &self.settings, &mut self.members)?;
        while let Some(event) = self.searches.events.pop_front() {
            if self.linked {
                self.held.take(event);
            }
        }
        Ok(())
    }

    /// Begins, from the cursor if that can be. From what of the server's history.
    fn begin(&mut self, from_nothing: bool) -> [Option<usize>; 2] {
        let uri = "ldap://localhost".parse().unwrap();
        let cursor = self.held.cursor.as_deref().and_then(Cursor::read);
        let cursor = cursor.filter(|c| !from_nothing && c.serves(&uri, self.members.is_some()));
        let number = |cookie: &[u8]| String::from_utf8_lossy(cookie).parse().unwrap();
        let from = match &cursor {
            Some(cursor) => [&cursor.people, &cursor.groups].map(|cookie| Some(number(cookie))),
            None => [None; 2],
        };
        match &mut self.members {
            members if cursor.is_none() => *members = Some(Members::default()),
            Some(members) => members.begin(),
            None => {}
        }
        self.held.named.clear();
        self.linked = true;
        let server = uri.to_string();
        self.searches = Searches::new(&self.settings, Mode::Told, server, cursor).unwrap();
        self.searches.sent(Kind::People, 1);
        from
    }

    fn refresh(
        &mut self,
        history: &[Directory],
        present: [bool; 2],
        from_nothing: bool,
    ) -> Result<(), Problem> {
        let from = self.begin(from_nothing);
        let (now, number) = (&history[history.len() - 1], history.len() - 1);
        for (index, kind) in [Kind::People, Kind::Groups].into_iter().enumerate() {
            let old = from[index].map(|number| &history[number]);
            let cookie = number.to_string();
            for part in now.refresh(kind, old, present[index], cookie.as_bytes()) {
                self.hear(kind, &part)?;
            }
            self.searches.sent(Kind::Groups, 2);
        }
        Ok(())
    }

    /// What the daemon does: from nothing, where it can't go on.
    fn follow(&mut self, history: &[Directory], present: [bool; 2]) {
        match self.refresh(history, present, false) {
            Ok(()) => {}
            Err(Problem::Anew(_)) => self.refresh(history, [false; 2], true).unwrap(),
            Err(problem) => panic!("{problem}"),
        }
    }
}

/// How the server tells a step as it happens, with the cookie after it.
fn live(there: &Directory, step: &Step, cookie: &[u8]) -> Option<(Kind, Vec<u8>)> {
    let mut now = there.clone();
    now.take(step);
    let gone = |uuid| entry(("o=x", uuid), 3, Some(cookie), &[]);
    match step {
        Step::Person(uuid, _) => Some((Kind::People, now.person(*uuid, Some(cookie))?)),
        Step::Group(uuid, _) => Some((Kind::Groups, now.group(*uuid, Some(cookie))?)),
        Step::NoPerson(uuid) => there
            .people
            .contains_key(uuid)
            .then(|| (Kind::People, gone(*uuid))),
        Step::NoGroup(uuid) => there
            .groups
            .contains_key(uuid)
            .then(|| (Kind::Groups, gone(GROUPS + uuid))),
    }
}

fn play(sessions: &[Session]) {
    let mut client = Client::new();
    let mut history = vec![Directory::default()];
    for session in sessions {
        let mut now = history[history.len() - 1].clone();
        session.before.iter().for_each(|step| now.take(step));
        history.push(now);
        // The daemon forgets what may not have arrived.
        if session.new_process || !client.linked {
            client.members = None;
        }
        client.follow(&history, session.present);
        let expected = history[history.len() - 1].records();
        assert_eq!(client.held.records(), expected, "after the refresh");
        for (index, step) in session.during.iter().enumerate() {
            let mut now = history[history.len() - 1].clone();
            let cookie = history.len().to_string();
            let told = live(&now, step, cookie.as_bytes());
            now.take(step);
            history.push(now);
            client.linked &= index < session.heard;
            match told.map(|(kind, part)| client.hear(kind, &part)) {
                None | Some(Ok(())) => {}
                Some(Err(Problem::Anew(_))) => {
                    client.refresh(&history, [false; 2], true).unwrap();
                }
                Some(Err(problem)) => panic!("{problem}"),
            }
            if client.linked {
                let expected = history[history.len() - 1].records();
                assert_eq!(client.held.records(), expected, "after {step:?}");
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Names are each person's own: two of one name are elevated's to refuse.
    let step = prop_oneof![
        (1..6u8, 0..3u8).prop_map(|(uuid, name)| Step::Person(uuid, uuid * 10 + name)),
        (1..6u8).prop_map(Step::NoPerson),
        (1..4u8, prop::collection::btree_set(1..6u8, 0..4))
            .prop_map(|(uuid, members)| Step::Group(uuid, members)),
        (1..4u8).prop_map(Step::NoGroup),
    ];
    prop::collection::vec(step, 0..8)
}

fn session() -> impl Strategy<Value = Session> {
    (
        steps(),
        any::<[bool; 2]>(),
        any::<bool>(),
        steps(),
        0..12usize,
    )
        .prop_map(|(before, present, new_process, during, heard)| Session {
            before,
            present,
            new_process,
            during,
            heard,
        })
}

proptest! {
    #[test]
    fn we_hold_what_the_server_holds(sessions in prop::collection::vec(session(), 1..5)) {
        play(&sessions);
    }
}

#[test]
fn people_of_rfc_2307_directories_are_not_remembered() {
    let mut now = Directory::default();
    now.take(&Step::Person(1, 10));
    let mut client = Client::new();
    client.follow(&[now], [false; 2]);
    assert!(client.members.is_none());
    client
        .hear(Kind::People, &person("bob", 2, "5002"))
        .unwrap();
    assert_eq!(client.begin(false), [Some(0); 2], "a new process goes on");
}
