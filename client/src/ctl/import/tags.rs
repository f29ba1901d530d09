//! How a command runs: tags and options of sudoers(5).

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::json::Raw;

/// What an entry owes, and how it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tags {
    /// Whether a password is asked for.
    pub(super) password: bool,
    pub(super) noexec: bool,
    pub(super) intercept: bool,
    pub(super) setenv: bool,
    pub(super) log_input: bool,
    /// Whether somebody must be at a terminal.
    pub(super) terminal: bool,
    /// For how many seconds at most.
    pub(super) timeout: Option<u64>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) not_after: Option<Timestamp>,
    /// What it says and our language can't, so that it is left out.
    pub(super) unsayable: Vec<String>,
    /// What it says and need not be said.
    pub(super) notes: Vec<String>,
}

impl Default for Tags {
    fn default() -> Self {
        Self {
            password: true,
            noexec: false,
            intercept: false,
            setenv: false,
            log_input: false,
            terminal: false,
            timeout: None,
            not_before: None,
            not_after: None,
            unsayable: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl Tags {
    /// These with what `options` say; later ones count.
    pub(super) fn with(mut self, options: &[Raw]) -> Self {
        for (key, value) in options.iter().flatten() {
            self.set(key, value);
        }
        self
    }

    /// Takes in one option. An option that isn't known might take something away.
    pub(super) fn set(&mut self, key: &str, value: &Value) {
        let flag = value.as_bool();
        match (key, flag) {
            ("authenticate", Some(on)) => self.password = on,
            ("noexec", Some(on)) => self.noexec = on,
            ("intercept", Some(on)) => self.intercept = on,
            ("setenv", Some(on)) => self.setenv = on,
            ("log_input", Some(on)) => self.log_input = on,
            ("requiretty", Some(on)) => self.terminal = on,
            // Output is recorded anyway, and the journal has every command.
            ("log_output" | "send_mail" | "log_subcmds", Some(_)) => {}
            ("sudoedit_follow", Some(false)) => {}
            ("sudoedit_follow", Some(true)) => self.note("FOLLOW: no link is edited here"),
            ("command_timeout", _) => match seconds(value) {
                Some(0) => self.timeout = None,
                Some(seconds) => self.timeout = Some(seconds),
                None => self.cannot(key, value),
            },
            ("notbefore", _) => match moment(value) {
                Some(moment) => self.not_before = Some(moment),
                None => self.cannot(key, value),
            },
            ("notafter", _) => match moment(value) {
                Some(moment) => self.not_after = Some(moment),
                None => self.cannot(key, value),
            },
            // The caller may choose, and need not.
            ("runcwd", _) if value == "*" => self.note("CWD=*: the working folder is the caller's"),
            ("runchroot", _) if value == "*" => self.note("CHROOT=*: there is no `-R` here"),
            _ => self.cannot(key, value),
        }
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    fn cannot(&mut self, key: &str, value: &Value) {
        let value = value.as_str().map_or(value.to_string(), str::to_owned);
        self.unsayable.push(format!("{key} = {value}"));
    }

    /// Whether it holds at some times only.
    pub(super) fn is_timed(&self) -> bool {
        self.not_before.is_some() || self.not_after.is_some()
    }

    /// Whether these ask for something that `other` don't, where a rule of either would do.
    pub(super) fn ask_more_than(&self, other: &Self) -> bool {
        let shorter = |own| other.timeout.is_none_or(|others| own < others);
        (self.password && !other.password)
            || (self.terminal && !other.terminal)
            || self.timeout.is_some_and(shorter)
    }

    /// `other`, with what these ask for.
    pub(super) fn stricter(&self, other: &Self) -> Self {
        let timeout = [self.timeout, other.timeout];
        Self {
            password: self.password || other.password,
            terminal: self.terminal || other.terminal,
            timeout: timeout.into_iter().flatten().min(),
            ..other.clone()
        }
    }
}

fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

// `20300101000000Z`, as cvtsudoers(1) writes all of them.
fn moment(value: &Value) -> Option<Timestamp> {
    let digits = value.as_str()?.strip_suffix('Z')?;
    let plain = digits.len() == 14 && digits.bytes().all(|b| b.is_ascii_digit());
    let parsed = DateTime::strptime("%Y%m%d%H%M%S", digits)
        .ok()
        .filter(|_| plain)?;
    Some(parsed.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
