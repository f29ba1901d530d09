//! What an approver sees, as one hash: a vote covers exactly this.

use std::fmt;
use std::str::FromStr;

use elevate_protocol::stdio::Kind;
use elevate_protocol::{Bytes, Id};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Asked, Subject};

/// A SHA-256, written in lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(Sha256::digest(bytes).into())
    }

    /// Its bytes.
    pub fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a digest is 64 hexadecimal digits";
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(WRONG);
        }
        let mut digest = [0; 32];
        for (place, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).map_err(|_| WRONG)?;
        }
        Ok(Digest(digest))
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Digest(bytes)
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

/// Everything an approver is shown, in a fixed order.
#[derive(Serialize)]
pub struct Shown<'a> {
    machine: &'a str,
    user: &'a str,
    uid: u32,
    login_uid: Option<u32>,
    target: &'a str,
    target_uid: u32,
    target_gid: u32,
    argv: &'a [Bytes],
    subject: &'a Subject,
    cwd: &'a Bytes,
    environment: &'a [Bytes],
    standard_input: Kind,
    reason: Option<&'a str>,
    ticket: Option<&'a str>,
    duration_ms: u64,
    rule: &'a str,
    rule_content: Digest,
    extends: Option<Id>,
}

impl<'a> Shown<'a> {
    /// What is shown of `asked` on the machine with the id `machine` (machine-id(5)), under a rule
    /// of this name and content; `extends` is the session that is to last longer.
    pub fn new(
        machine: &'a str,
        asked: &'a Asked,
        (rule, rule_content): (&'a str, Digest),
        extends: Option<Id>,
    ) -> Self {
        Shown {
            machine,
            user: &asked.caller.account.name,
            uid: asked.caller.account.uid,
            login_uid: asked.caller.login_uid,
            target: &asked.target.name,
            target_uid: asked.target.uid,
            target_gid: asked.target.gid,
            argv: &asked.argv,
            subject: &asked.subject,
            cwd: &asked.cwd,
            environment: &asked.environment,
            standard_input: asked.stdio[0],
            reason: asked.reason.as_deref(),
            ticket: asked.ticket.as_deref(),
            duration_ms: asked.duration.as_millis() as u64,
            rule,
            rule_content,
            extends,
        }
    }

    /// The hash of it.
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}
