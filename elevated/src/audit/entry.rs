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
    /// An exec that was put on record did not happen.
    ExecFailed,
    /// A file was changed by an edit.
    Edit,
    /// A file passes in or out of a recorded login.
    Transfer,
    /// A session is over.
    End,
    /// A session's terminal is held until a code is given, or goes on.
    Held,
    /// A session may last longer.
    Extend,
    /// Somebody watches a session, or no longer.
    Watch,
    /// A grant is ended by somebody.
    Revoke,
    /// A policy is in force.
    PolicyLoaded,
    /// A policy is not believed.
    PolicyRefused,
    /// Somebody read a recording.
    RecordingRead,
    /// Somebody passed the door: their account phase said yes.
    Login,
    /// Somebody did not pass the door.
    LoginRefused,
    /// A login session opened.
    LoginOpen,
    /// A login session closed.
    LoginClose,
    /// The PAM module stood aside because elevated could not be asked.
    Rescue,
    /// A leaver lost what they had here.
    Leave,
    /// A second factor is in force.
    FactorEnrolled,
    /// A second factor is gone.
    FactorRemoved,
    /// Recovery codes were replaced.
    FactorRenewed,
    /// A code was accepted.
    FactorGiven,
    /// A code was not accepted.
    FactorRefused,
    /// Somebody is in two roles that exclude each other.
    RoleConflict,
    /// The directory is reached again, or no longer.
    DirectoryContact,
    /// A record of the directory is not believed.
    IdentityRefused,
    /// Somebody joined, moved or left this host.
    IdentityChanged,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 35] = [
        Kind::Request,
        Kind::Approval,
        Kind::Denial,
        Kind::Refusal,
        Kind::Withdrawal,
        Kind::Timeout,
        Kind::Grant,
        Kind::Start,
        Kind::Exec,
        Kind::ExecFailed,
        Kind::Edit,
        Kind::Transfer,
        Kind::Held,
        Kind::Extend,
        Kind::Watch,
        Kind::End,
        Kind::Revoke,
        Kind::PolicyLoaded,
        Kind::PolicyRefused,
        Kind::RecordingRead,
        Kind::Login,
        Kind::LoginRefused,
        Kind::LoginOpen,
        Kind::LoginClose,
        Kind::Rescue,
        Kind::Leave,
        Kind::FactorEnrolled,
        Kind::FactorRemoved,
        Kind::FactorRenewed,
        Kind::FactorGiven,
        Kind::FactorRefused,
        Kind::RoleConflict,
        Kind::DirectoryContact,
        Kind::IdentityRefused,
        Kind::IdentityChanged,
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
            Kind::ExecFailed => ("exec-failed", "2b68a9f4504340c388e9147dd65d2c90"),
            Kind::Edit => ("edit", "4d354e104f4d4798a8215cd7bd33f685"),
            Kind::Transfer => ("file-transfer", "c224c7567c674dbdbb6bcdbea7e9d49e"),
            Kind::Held => ("held", "ccb71a5c29b548c0bb99b4dc1d3eca6e"),
            Kind::Extend => ("extend", "a6d91107f4c04f8aa9afb0ccb09cfce1"),
            Kind::Watch => ("watch", "468d06aad0b945c48be549c672a4f218"),
            Kind::End => ("end", "9905f0763c94470d84b5ea0273fcbda7"),
            Kind::Revoke => ("revoke", "541946a39d2d407cbeccc448aa5e8afb"),
            Kind::PolicyLoaded => ("policy-loaded", "31aa0cba6ea04faa9ed7fc9da4eac2d6"),
            Kind::PolicyRefused => ("policy-refused", "3218f9e30b4f41c2bdc38254efda15c1"),
            Kind::RecordingRead => ("recording-read", "28150fd432ce4d54af590f56080d5ff4"),
            Kind::Login => ("login", "a68af9b03adf4a05a7e9f9fa85ccc5a6"),
            Kind::LoginRefused => ("login-refused", "9c95f791c0c84eb0a54b4d179c8d3887"),
            Kind::LoginOpen => ("login-open", "266d32a4a2aa4c8ea52f53a67013b051"),
            Kind::LoginClose => ("login-close", "c6473dbe5a6d442aa5a9b1726ca9fcad"),
            Kind::Rescue => ("rescue", "b33e81863fe84f39be54688ec5208e0a"),
            Kind::Leave => ("leave", "30de968d34504239b60e6c04a59db284"),
            Kind::FactorEnrolled => ("factor-enrolled", "a24df59254c34dadad38224c4deeee8c"),
            Kind::FactorRemoved => ("factor-removed", "c56d0e48b22041aaa06b340a643aa463"),
            Kind::FactorRenewed => ("factor-renewed", "0c8b84faa482479e89ff416ee823404e"),
            Kind::FactorGiven => ("factor-given", "cc1400008e474879944c2b51e4bc196c"),
            Kind::FactorRefused => ("factor-refused", "9a3479d76f0d4d05bcee7e6b5555a81b"),
            Kind::RoleConflict => ("role-conflict", "049e697879764bda8836e3005c52f2f1"),
            Kind::DirectoryContact => ("directory-contact", "c332b3c8896e4049a68e011387d2bf56"),
            Kind::IdentityRefused => ("identity-refused", "8dce302a2f4348168fc89eb29b1b2a79"),
            Kind::IdentityChanged => ("identity-changed", "6ca6e0ca9fe54a9f956f6121e209fde2"),
        }
    }

    /// The value of `PRIORITY` (syslog(3)).
    pub fn priority(self) -> u8 {
        match self {
            Kind::Refusal
            | Kind::Denial
            | Kind::PolicyRefused
            | Kind::LoginRefused
            | Kind::Rescue
            | Kind::RoleConflict
            | Kind::FactorRefused
            | Kind::IdentityRefused => 4,
            Kind::Exec | Kind::ExecFailed | Kind::Transfer => 6,
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
