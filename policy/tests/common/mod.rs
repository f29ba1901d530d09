//! A policy and its people, so that a test reads as a sentence.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use std::sync::OnceLock;
use std::time::Duration;

use elevate_policy::{
    Allowance, Decision, Defaults, Denial, DenialKind, Diagnostics, Door, HostFacts, Membership,
    Origin, People, Policy, Question, Scene, Source, TimeZoneDatabase, Verdict, load,
};
use jiff::Timestamp;

/// Two roles and nothing granted.
pub const PEOPLE: &str = r#"
[role.operator]
members = ["alice", "%ops"]
[role.lead]
members = ["bob"]
"#;

pub fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.into(),
        text: text.into(),
    }
}

pub fn try_load(texts: &[&str]) -> Result<Policy, Diagnostics> {
    let sources: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| source(&format!("{i}.toml"), text))
        .collect();
    load(&sources, &with_zones(), &an_hour())
}

/// What the host lends where a rule says nothing: a quarter of an hour, an hour at most.
pub fn an_hour() -> Defaults {
    Defaults {
        limit_default: Duration::from_secs(15 * 60),
        limit_max: Duration::from_secs(60 * 60),
    }
}

/// What is known of a host with the system's time zones and nothing else.
pub fn with_zones() -> HostFacts {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    let zones = || TimeZoneDatabase::from_dir("/usr/share/zoneinfo").expect("tzdata is installed");
    HostFacts {
        zones: ZONES.get_or_init(zones).clone(),
        ..HostFacts::default()
    }
}

/// A policy of the two roles and these rules.
#[track_caller]
pub fn policy(rules: &str) -> Policy {
    try_load(&[PEOPLE, rules]).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// What a file is told that stands beside the two roles; itself it is called `p`.
pub fn told(text: &str) -> Vec<String> {
    let sources = [source("people", PEOPLE), source("p", text)];
    match load(&sources, &with_zones(), &an_hour()) {
        Ok(_) => Vec::new(),
        Err(wrong) => wrong.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
pub fn one(text: &str, expected: &str) {
    assert_eq!(told(text), [expected], "of:\n{text}");
}

/// `carol` is in ops, and `erin` in the department `dba`; what `dave` has or is in cannot be found
/// out.
pub struct Town;

impl People for Town {
    fn member(&self, user: &str, group: &str) -> Membership {
        match (user, group) {
            ("carol", "ops") | ("olga", "oncall") => Membership::Yes,
            ("dave", _) => Membership::Unknown,
            _ => Membership::No,
        }
    }

    fn attribute(&self, user: &str, name: &str, value: &str) -> Membership {
        match (user, name, value) {
            ("erin", "department", "dba") => Membership::Yes,
            ("dave", _, _) => Membership::Unknown,
            _ => Membership::No,
        }
    }
}

/// A question in the making: alice, as root, for nothing special.
#[derive(Clone, Debug)]
pub struct Ask {
    pub user: String,
    pub uid: u32,
    pub target: (String, u32),
    pub group: Option<(String, u32)>,
    pub file: Vec<u8>,
    pub real: Vec<u8>,
    pub sha256: Option<[u8; 32]>,
    pub args: Vec<Vec<u8>>,
    pub shell: bool,
    pub edit: Vec<Vec<u8>>,
    pub rule: Option<String>,
    pub wanted: Option<Duration>,
    pub host: Vec<&'static str>,
    pub door: Option<(&'static str, Origin)>,
    pub terminal: bool,
    pub at: Timestamp,
}

pub fn ask(argv: &str) -> Ask {
    let mut words = argv.split(' ').map(|word| word.as_bytes().to_vec());
    Ask {
        user: "alice".into(),
        uid: 1000,
        target: ("root".into(), 0),
        group: None,
        real: argv.split(' ').next().unwrap_or_default().into(),
        file: words.next().unwrap_or_default(),
        sha256: None,
        args: words.collect(),
        shell: false,
        edit: Vec::new(),
        rule: None,
        wanted: None,
        host: vec!["db1.example.org", "db1"],
        door: None,
        terminal: true,
        at: "2026-01-09T12:00:00Z".parse().expect("a Friday"),
    }
}

/// The edit of these files.
pub fn edit(paths: &str) -> Ask {
    Ask {
        edit: paths.split(' ').map(Into::into).collect(),
        ..ask("")
    }
}

impl Ask {
    pub fn by(mut self, user: &str) -> Self {
        self.user = user.into();
        self.uid = match user {
            "root" => 0,
            "alice" => 1000,
            _ => 1001,
        };
        self
    }

    pub fn running_as(mut self, name: &str, uid: u32) -> Self {
        self.target = (name.into(), uid);
        self
    }

    pub fn with_group(mut self, name: &str, gid: u32) -> Self {
        self.group = Some((name.into(), gid));
        self
    }

    pub fn by_rule(mut self, name: &str) -> Self {
        self.rule = Some(name.into());
        self
    }

    pub fn for_secs(mut self, secs: u64) -> Self {
        self.wanted = Some(Duration::from_secs(secs));
        self
    }

    /// Logged in by ssh from this address.
    pub fn from(mut self, address: &str) -> Self {
        let address = address.parse().expect("an address");
        self.door = Some(("sshd", Origin::Address(address)));
        self
    }

    /// Logged in so.
    pub fn through(mut self, service: &'static str, from: Origin) -> Self {
        self.door = Some((service, from));
        self
    }

    /// On the host of this name.
    pub fn on(mut self, host: &'static str) -> Self {
        self.host = vec![host];
        self
    }

    pub fn at(mut self, time: &str) -> Self {
        self.at = time.parse().expect("a time");
        self
    }

    pub fn without_a_terminal(mut self) -> Self {
        self.terminal = false;
        self
    }

    /// What is asked for is a link to this.
    pub fn leading_to(mut self, real: &str) -> Self {
        self.real = real.into();
        self
    }

    pub fn shell(mut self) -> Self {
        self.shell = true;
        self
    }

    pub fn question(&self) -> Question<'_> {
        Question {
            user: &self.user,
            uid: self.uid,
            target_user: &self.target.0,
            target_uid: self.target.1,
            target_group: self.group.as_ref().map(|(name, _)| name.as_str()),
            target_gid: self.group.as_ref().map(|(_, gid)| *gid),
            file: &self.file,
            real: &self.real,
            sha256: self.sha256,
            args: &self.args,
            shell: self.shell,
            edit: &self.edit,
            rule: self.rule.as_deref(),
            wanted: self.wanted,
            scene: Scene {
                host: &self.host,
                door: self.door.map(|(service, from)| Door { service, from }),
                terminal: self.terminal,
                at: self.at,
            },
        }
    }

    pub fn of(&self, policy: &Policy) -> Verdict {
        policy.judge(&self.question(), &Town)
    }

    #[track_caller]
    pub fn allowed(&self, policy: &Policy) -> Allowance {
        match self.of(policy).decision {
            Decision::Allowed(allowance) => allowance,
            Decision::Denied(denial) => panic!("denied: {denial:?}"),
        }
    }

    #[track_caller]
    pub fn denied(&self, policy: &Policy) -> Denial {
        match self.of(policy).decision {
            Decision::Denied(denial) => denial,
            Decision::Allowed(allowance) => panic!("allowed: {allowance:?}"),
        }
    }

    #[track_caller]
    pub fn denied_as(&self, policy: &Policy, kind: DenialKind) {
        assert_eq!(self.denied(policy).kind, kind);
    }
}
