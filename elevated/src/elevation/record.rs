//! One request and what became of it.

use std::collections::BTreeMap;
use std::time::Duration;

use elevate_protocol::account::Account;
use elevate_protocol::launch::{EditFile, File};
use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::{EndReason, Status, Window};
use elevate_protocol::{Bytes, ErrorName, Id};
use serde::{Deserialize, Serialize};

use super::{Digest, Terms, each};
use crate::clock::Moment;

/// Who asks, as the bus and the kernel say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The account of the uid that the bus vouches for.
    pub account: Account,
    /// The login behind the process; none for children of services.
    pub login_uid: Option<u32>,
    /// The process that talks on the stream.
    pub pid: i32,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// This file is executed.
    Command(File),
    /// This file is executed by the target's shell, the second one, as at a login (`-i COMMAND`).
    ByLoginShell(File, File),
    /// These files are edited, and nothing is executed.
    Edit(Vec<EditFile>),
    /// This shell is that of a login, which is recorded; nobody gains anything.
    Login(File),
    /// The same for a program that passes files (`sftp`): what it says of them is recorded, and not
    /// the files.
    Transfer(File),
}

impl Subject {
    /// The file that is executed, as the policy judged it.
    pub fn command(&self) -> Option<&File> {
        match self {
            Subject::Command(file)
            | Subject::ByLoginShell(file, _)
            | Subject::Login(file)
            | Subject::Transfer(file) => Some(file),
            Subject::Edit(_) => None,
        }
    }

    /// The paths that it is about, for people.
    pub fn paths(&self) -> Vec<&Bytes> {
        match self {
            Subject::Edit(files) => files.iter().map(|file| &file.path).collect(),
            other => other.command().map(|file| &file.path).into_iter().collect(),
        }
    }

    /// Whether it is somebody's own login, and elevates nobody.
    pub fn is_login(&self) -> bool {
        matches!(self, Subject::Login(_) | Subject::Transfer(_))
    }
}

/// What is asked for, all of it; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who.
    pub caller: Caller,
    /// As whom.
    pub target: Account,
    /// The group that was asked for, where it is not the target's own.
    pub target_group: Option<String>,
    /// Which words.
    pub argv: Vec<Bytes>,
    /// What is done with them.
    pub subject: Subject,
    /// Where.
    pub cwd: Bytes,
    /// With which of the caller's variables, `NAME=value`.
    pub environment: Vec<Bytes>,
    /// The caller's umask.
    #[serde(default)]
    pub umask: u32,
    /// What the standard streams are.
    pub stdio: Three<Kind>,
    /// The caller's terminal.
    pub window: Option<Window>,
    /// Why.
    pub reason: Option<String>,
    /// The ticket that it is for.
    #[serde(default)]
    pub ticket: Option<String>,
    /// For how long.
    pub duration: Duration,
}

/// The second factor behind a request or a vote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// None was owed.
    #[default]
    None,
    /// A code of the authenticator.
    Totp,
    /// A recovery code.
    Recovery,
    /// A code that was given there so many milliseconds before.
    Fresh(u64),
}

impl Given {
    /// One word, for the record.
    pub fn word(self) -> &'static str {
        match self {
            Given::None => "none",
            Given::Totp => "totp",
            Given::Recovery => "recovery",
            Given::Fresh(_) => "fresh",
        }
    }

    /// How old the code was, in milliseconds; none without one.
    pub fn age(self) -> Option<u64> {
        match self {
            Given::None => None,
            Given::Totp | Given::Recovery => Some(0),
            Given::Fresh(age) => Some(age),
        }
    }
}

/// A vote that counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub voter: String,
    /// Their uid.
    pub uid: u32,
    /// Yes or no.
    pub approved: bool,
    /// Why.
    pub comment: String,
    /// As which of the request's approvers, by their places.
    #[serde(default)]
    pub covers: Vec<usize>,
    /// What they gave for it.
    #[serde(default)]
    pub factor: Given,
    /// When.
    pub at: Moment,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How the command ended; none where nobody could tell, or it never began.
    pub status: Option<Status>,
    /// Why.
    pub reason: EndReason,
    /// When.
    pub at: Moment,
}

/// Where an elevation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It waits for approvals.
    Waiting,
    /// It ended before it was granted.
    Closed {
        /// In one word: denied, withdrawn, timed-out, changed.
        outcome: Closing,
    },
    /// It is granted; the session is being set up.
    Granted,
    /// The command runs.
    Running,
    /// It was granted and it is over.
    Over(End),
    /// It was granted, and with it a session lasts longer.
    Extended,
    /// It was granted, and the session could not begin.
    Failed {
        /// What kind of failure.
        error: ErrorName,
        /// What failed.
        message: String,
    },
}

/// How a request ended without a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closing {
    /// An approver said no.
    Denied,
    /// The requester took it back, or their client went away.
    Withdrawn,
    /// Nobody agreed in time.
    TimedOut,
    /// The rule or its roles changed while it waited.
    Changed,
}

/// One request, from the moment the policy allowed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elevation {
    /// Its id, and that of its grant and session.
    pub id: Id,
    /// What was asked.
    pub asked: Asked,
    /// The rule it comes under.
    pub rule: String,
    /// What that rule and its roles said, hashed.
    pub rule_content: Digest,
    /// The second factor that was given for it.
    #[serde(default)]
    pub factor: Given,
    /// Approvals it needs.
    pub needed: u32,
    /// Whether it needs one of each of its approvers, and not any so many.
    #[serde(default)]
    pub each: bool,
    /// Who may give them, as the rule names them.
    pub approvers: Vec<String>,
    /// What an approver sees, hashed.
    pub digest: Digest,
    /// How the session runs.
    pub terms: Terms,
    /// When it was asked.
    pub requested: Moment,
    /// When it lapses, on the boot clock.
    pub expires: u64,
    /// Votes that counted.
    pub votes: Vec<Vote>,
    /// Where it stands.
    pub stage: Stage,
    /// When it was granted.
    pub begun: Option<Moment>,
    /// When the grant ends, on the boot clock; set with `begun`.
    pub deadline: Option<u64>,
    /// The leader and the command, once they are there.
    pub processes: Option<(i32, i32)>,
    /// Execs reported so far, or in all.
    pub execs: u64,
    /// The session that is to last longer; none where this is one of its own.
    #[serde(default)]
    pub extends: Option<Id>,
}

impl Elevation {
    /// Approvals given so far, as far as they count.
    pub fn agreed(&self) -> u32 {
        let agreed = self.votes.iter().filter(|vote| vote.approved);
        match self.each {
            true => each::taken(agreed.map(|vote| &vote.covers[..])) as u32,
            false => agreed.count() as u32,
        }
    }

    /// Take earlier votes for what their voters may approve now, by uid; whoever may approve nothing
    /// any more has not agreed.
    pub(super) fn reconsider(&mut self, mut now: BTreeMap<u32, Vec<usize>>) {
        for vote in &mut self.votes {
            vote.covers = now.remove(&vote.uid).unwrap_or_default();
        }
        self.votes
            .retain(|vote| !vote.approved || !vote.covers.is_empty());
    }

    /// The grant begins, and ends with what was asked or with the rule's time.
    pub(super) fn begin(&mut self, now: Moment) {
        self.stage = Stage::Granted;
        self.begun = Some(now);
        let end = now.boot + self.asked.duration.as_millis() as u64;
        self.deadline = Some(end.min(self.latest_end().unwrap_or(end)));
    }

    /// Whether the grant has begun and not ended.
    pub fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Granted | Stage::Running)
    }

    /// The latest end that the rule could ever allow it, on the boot clock; none before its grant.
    pub fn latest_end(&self) -> Option<u64> {
        let begun = self.begun?;
        let latest = begun.boot + self.terms.longest.as_millis() as u64;
        Some(latest.min(self.terms.until.unwrap_or(latest)))
    }

    /// For how long the rule could ever allow it, from its grant on.
    pub fn longest(&self) -> Duration {
        let begun = self.begun.map_or(0, |begun| begun.boot);
        let latest = self.latest_end().unwrap_or_default();
        Duration::from_millis(latest.saturating_sub(begun))
    }

    /// Whether nothing more will happen to it.
    pub fn is_over(&self) -> bool {
        !self.is_live() && self.stage != Stage::Waiting
    }

    /// The request's state in one word, as its D-Bus property says it.
    pub fn request_state(&self) -> &'static str {
        match &self.stage {
            Stage::Waiting => "waiting",
            Stage::Closed {
                outcome: Closing::Denied,
            } => "denied",
            Stage::Closed {
                outcome: Closing::Withdrawn,
            } => "withdrawn",
            Stage::Closed {
                outcome: Closing::TimedOut,
            } => "timed-out",
            Stage::Closed {
                outcome: Closing::Changed,
            } => "changed",
            Stage::Granted | Stage::Running | Stage::Over(_) | Stage::Extended => "granted",
            Stage::Failed { .. } => "failed",
        }
    }

    /// The session's state in one word; none where there was never a grant.
    pub fn session_state(&self) -> Option<&'static str> {
        match &self.stage {
            Stage::Granted => Some("starting"),
            Stage::Running => Some("running"),
            Stage::Over(_) | Stage::Failed { .. } => Some("ended"),
            Stage::Waiting | Stage::Closed { .. } | Stage::Extended => None,
        }
    }

    /// The words of the command, made harmless for a terminal.
    pub fn command(&self) -> String {
        elevate_protocol::escape::command(self.asked.argv.iter().map(|word| &word[..]))
    }
}
