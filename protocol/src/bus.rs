//! Names on D-Bus, and the keys of what is passed there.

/// The well-known name of the daemon.
pub const NAME: &str = "org.elevate.Elevated1";
/// The object of the daemon itself.
pub const PATH: &str = "/org/elevate/Elevated1";
/// The interface of [`PATH`].
pub const MANAGER: &str = "org.elevate.Elevated1.Manager";
/// The interface of one request.
pub const REQUEST: &str = "org.elevate.Elevated1.Request";
/// The interface of one grant.
pub const GRANT: &str = "org.elevate.Elevated1.Grant";
/// The interface of one session.
pub const SESSION: &str = "org.elevate.Elevated1.Session";

/// The object of request `id`.
pub fn request_path(id: crate::Id) -> String {
    format!("{PATH}/request/{id}")
}

/// The object of grant `id`.
pub fn grant_path(id: crate::Id) -> String {
    format!("{PATH}/grant/{id}")
}

/// The object of session `id`.
pub fn session_path(id: crate::Id) -> String {
    format!("{PATH}/session/{id}")
}

/// Keys of the one argument of `Manager.Elevate`, an `a{sv}`. Only `argv` must be there.
pub mod ask {
    /// `aay`: the command's words, the first of them the command.
    pub const ARGV: &str = "argv";
    /// `s`: the target user's name or `#uid`; `root` if absent.
    pub const USER: &str = "user";
    /// `s`: the target group's name or `#gid`; the target user's own if absent.
    pub const GROUP: &str = "group";
    /// `ay`: the caller's working directory, absolute.
    pub const CWD: &str = "cwd";
    /// `aay`: variables as `NAME=value`, only names of [`KEPT_ENVIRONMENT`](crate::stream::KEPT_ENVIRONMENT).
    pub const ENVIRONMENT: &str = "environment";
    /// `s`: why.
    pub const REASON: &str = "reason";
    /// `s`: the ticket that it is for.
    pub const TICKET: &str = "ticket";
    /// `t`: for how long, in milliseconds.
    pub const DURATION: &str = "duration";
    /// `s`: the rule to use.
    pub const RULE: &str = "rule";
    /// `as`: what standard input, output and error are (see [`Kind`](crate::stdio::Kind)).
    pub const STDIO: &str = "stdio";
    /// `(qq)`: rows and columns of the caller's terminal; absent without one.
    pub const WINDOW: &str = "window";
    /// `b`: never ask anything, never wait for approvals (`-n`).
    pub const NON_INTERACTIVE: &str = "non-interactive";
    /// `u`: the caller's umask (umask(2)); what it takes from new files, the command's takes too.
    pub const UMASK: &str = "umask";
    /// `b`: questions can be answered though there is no terminal (`-S`, `-A`).
    pub const ANSWERS: &str = "answers";
    /// `s`: a shell is asked for, `plain` (`-s`) or `login` (`-i`). With words in [`ARGV`], those
    /// are the command; without, the shell itself is.
    pub const SHELL: &str = "shell";
    /// `b`: the words are absolute paths of files to be edited (`-e`).
    pub const EDIT: &str = "edit";
    /// `aay`: variables as `NAME=value` that must be set, or nothing runs: `VAR=value` and
    /// `--preserve-env=LIST`.
    pub const SET: &str = "set";
    /// `b`: keep the whole environment (`-E`), where a rule keeps `*`.
    pub const PRESERVE: &str = "preserve";
    /// `b`: no code that was given before counts (`-k COMMAND`).
    pub const FORGET: &str = "forget";
}

/// Keys of the one argument of `Manager.Why`, an `a{sv}`, beside those of [`ask`]. All of them are root's
/// alone, but for one's own name.
pub mod why {
    /// `s`: as if this user asked, by name or `#uid`.
    pub const USER: &str = "for-user";
    /// `s`: as if it were asked on the host of this name.
    pub const HOST: &str = "on-host";
    /// `t`: as if it were asked then, in milliseconds since 1970.
    pub const AT: &str = "at";
    /// `s`: as if they had logged in from this address, or from `console`.
    pub const FROM: &str = "from";
    /// `s`: as if they had logged in by this PAM service.
    pub const SERVICE: &str = "service";
}

/// Keys of the one argument of `Manager.Extend`, an `a{sv}`. Only `id` must be there.
pub mod extend {
    /// `s`: which grant.
    pub const ID: &str = "id";
    /// `t`: by how long, in milliseconds; by the rule's default time if absent.
    pub const DURATION: &str = "duration";
    /// `s`: why.
    pub const REASON: &str = "reason";
    /// `b`: never ask anything, never wait for approvals.
    pub const NON_INTERACTIVE: &str = "non-interactive";
    /// `b`: whether there is a terminal to ask on.
    pub const TERMINAL: &str = "terminal";
}

/// Keys of each recording in the reply of `Manager.ListRecordings`, an `aa{sv}`.
pub mod recording {
    /// `s`: the session.
    pub const ID: &str = "id";
    /// `s`: who asked; absent where its record is gone.
    pub const USER: &str = "user";
    /// `s`: as whom.
    pub const TARGET: &str = "target";
    /// `s`: the command, escaped.
    pub const COMMAND: &str = "command";
    /// `s`: the rule.
    pub const RULE: &str = "rule";
    /// `t`: when it began, in milliseconds since 1970.
    pub const BEGUN: &str = "begun";
    /// `t`: bytes on disk.
    pub const SIZE: &str = "size";
    /// `b`: whether nothing more is written to it.
    pub const COMPLETE: &str = "complete";
}

/// Keys of the reply of `Manager.FactorStatus`, an `a{sv}`.
pub mod factor {
    /// `s`: whose factor it is.
    pub const USER: &str = "user";
    /// `b`: whether there is a confirmed one.
    pub const ENROLLED: &str = "enrolled";
    /// `t`: since when, in milliseconds since 1970; absent without one.
    pub const SINCE: &str = "since";
    /// `u`: recovery codes that are left.
    pub const RECOVERY_CODES: &str = "recovery-codes";
    /// `t`: for how many more milliseconds no code is looked at; absent if codes are.
    pub const LOCKED: &str = "locked";
}

/// Keys of the reply of `Manager.DirectoryStatus`, an `a{sv}`.
pub mod directory {
    /// `s`: `none` (no records and no `elevate-directory`), `connected`, `disconnected` (the cache
    /// is in force) or `expired` (the cache is too old and nobody in it counts).
    pub const STATE: &str = "state";
    /// `s`: where the records come from.
    pub const SOURCE: &str = "source";
    /// `s`: what is wrong; empty if nothing is.
    pub const PROBLEM: &str = "problem";
    /// `t`: when the directory was last reached, in milliseconds since 1970; absent if never.
    pub const LAST_CONTACT: &str = "last-contact";
    /// `t`: when the cache stops counting, in milliseconds since 1970; absent without one.
    pub const VALID_UNTIL: &str = "valid-until";
    /// `u`: people with a record.
    pub const PEOPLE: &str = "people";
    /// `u`: people whom a role admits to this host, and who are published on it.
    pub const ADMITTED: &str = "admitted";
    /// `u`: groups with a record.
    pub const GROUPS: &str = "groups";
    /// `a(ss)`: records that are not believed, by name, and why; for root alone.
    pub const REFUSED: &str = "refused";
}
