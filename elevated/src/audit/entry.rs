//! One event, as fields for the journal.

use elevate_protocol::escape;

/// What kind of event. Each has a fixed id, which the journal's catalog explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Somebody asks.
    Request,
    /// Somebody agreed.
    Approval,
    /// Somebody said no.
    Denial,
    /// The policy, or we, said no.
    Refusal,
    /// The requester took it back.
    Withdrawal,
    /// Nobody agreed in time.
    Timeout,
    /// A grant begins.
    Grant,
    /// A command begins.
    Start,
    /// A process of a session executes something.
    Exec,
    /// A session is over.
    End,
    /// A grant is ended by somebody.
    Revoke,
    /// A policy is in force.
    PolicyLoaded,
    /// A policy is not believed.
    PolicyRefused,
    /// Somebody read a recording.
    RecordingRead,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 14] = [
        Kind::Request,
        Kind::Approval,
        Kind::Denial,
        Kind::Refusal,
        Kind::Withdrawal,
        Kind::Timeout,
        Kind::Grant,
        Kind::Start,
        Kind::Exec,
        Kind::End,
        Kind::Revoke,
        Kind::PolicyLoaded,
        Kind::PolicyRefused,
        Kind::RecordingRead,
    ];

    /// The value of `ELEVATE_EVENT`.
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// The value of `MESSAGE_ID` (systemd.journal-fields(7)).
    pub fn message_id(self) -> &'static str {
        self.facts().1
    }

    fn facts(self) -> (&'static str, &'static str) {
        match self {
            Kind::Request => ("request", "22ccda70b69b4d5d85159d7e7b9146d1"),
            Kind::Approval => ("approval", "efdf7dea7c3743ec884cd4ce7146f38b"),
            Kind::Denial => ("denial", "9638a43f2f804eb7b628fb9672bbd610"),
            Kind::Refusal => ("refusal", "540642d8af304daa8eacdc814b5713cf"),
            Kind::Withdrawal => ("withdrawal", "821f1e02d453431b8ebd000c7fe78bf7"),
            Kind::Timeout => ("timeout", "d0c4035295fb4a008cd43a2df48a6c1d"),
            Kind::Grant => ("grant", "14c87bf810854819867dbc5b85e33193"),
            Kind::Start => ("start", "bee42a515f104a67b51c9ac7cd544a31"),
            Kind::Exec => ("exec", "b980130a4d54465d98f9a692008a9b5f"),
            Kind::End => ("end", "9905f0763c94470d84b5ea0273fcbda7"),
            Kind::Revoke => ("revoke", "541946a39d2d407cbeccc448aa5e8afb"),
            Kind::PolicyLoaded => ("policy-loaded", "31aa0cba6ea04faa9ed7fc9da4eac2d6"),
            Kind::PolicyRefused => ("policy-refused", "3218f9e30b4f41c2bdc38254efda15c1"),
            Kind::RecordingRead => ("recording-read", "28150fd432ce4d54af590f56080d5ff4"),
        }
    }

    /// The value of `PRIORITY` (syslog(3)).
    pub fn priority(self) -> u8 {
        match self {
            Kind::Refusal | Kind::Denial | Kind::PolicyRefused => 4,
            Kind::Exec => 6,
            _ => 5,
        }
    }
}

/// One event with its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What kind.
    pub kind: Kind,
    /// One line for people, with everything from users escaped.
    pub message: String,
    /// `ELEVATE_*` fields, values made harmless for a terminal.
    pub fields: Vec<(&'static str, String)>,
}

impl Entry {
    /// An entry without fields yet.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Entry {
            kind,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// With this field; what users wrote is escaped.
    pub fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push((name, escape::line(value.as_ref())));
        self
    }

    /// With this field, whose value is escaped already.
    pub fn with_shown(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}
