//! What is asked of the policy.

use std::time::Duration;

use super::spoken;
use super::verdict::{Condition, Denial, DenialKind};
use crate::limits::{MAX_ID, MIN_TIME};
use crate::shown::shown;
use crate::when::Scene;

/// One person wants to run one thing. All of it comes from the kernel, the bus and the account
/// databases; nothing of it is the asker's own word but what they want.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The caller's name.
    pub user: &'a str,
    /// The caller's uid.
    pub uid: u32,
    /// The name of the user to run as; the caller's own for `-g` without `-u`.
    pub target_user: &'a str,
    /// That user's uid.
    pub target_uid: u32,
    /// The name of the group of `-g`; `None` when `-g` was not asked.
    pub target_group: Option<&'a str>,
    /// That group's gid; `None` when `-g` was not asked.
    pub target_gid: Option<u32>,
    /// The file to execute: an absolute path, its folder without links, `.` or `..`, its last
    /// component as asked. What a link is called matters: a program may do one thing as
    /// `poweroff` and another as `systemctl`.
    pub file: &'a [u8],
    /// The same with every link followed, which no other name hides from a deny.
    pub real: &'a [u8],
    /// The SHA-256 of the file's contents, where [`Policy::pins`](crate::Policy::pins) wants it;
    /// `None` where it could not be read.
    pub sha256: Option<[u8; 32]>,
    /// The arguments, without `argv[0]`.
    pub args: &'a [Vec<u8>],
    /// Whether this is the shell of `-s` or `-i` without a command; `file` is that shell, and
    /// there are no arguments.
    pub shell: bool,
    /// Where there are any, it is asked to edit these files (`elevate -e`): absolute paths, their
    /// folders without links, `.` or `..`, their last components no links. `file`, `real` and
    /// `args` are left aside then.
    pub edit: &'a [Vec<u8>],
    /// The rule named with `--rule`.
    pub rule: Option<&'a str>,
    /// How long it shall last, from `--for`.
    pub wanted: Option<Duration>,
    /// Where, when and how it is asked.
    pub scene: Scene<'a>,
}

impl Question<'_> {
    /// Refuses what no rule may be asked about, whatever it says.
    pub(super) fn check(&self) -> Result<(), Denial> {
        let ids = [Some(self.uid), Some(self.target_uid), self.target_gid];
        if ids.into_iter().flatten().any(|id| id > MAX_ID) {
            return Err(invalid("a uid or gid above 2147483647 is none"));
        }
        if self.user.is_empty() || self.target_user.is_empty() {
            return Err(invalid("a user without a name is none"));
        }
        if self.target_group.is_some() != self.target_gid.is_some() {
            return Err(invalid("a group has a name and a gid"));
        }
        match self.edits() {
            true => self.check_edit()?,
            false => self.check_command()?,
        }
        match self.wanted {
            Some(wanted) if wanted < MIN_TIME => Err(invalid("the shortest time is 1s")),
            _ => Ok(()),
        }
    }

    /// Whether it is asked to edit files, and not to run a command.
    pub(super) fn edits(&self) -> bool {
        !self.edit.is_empty()
    }

    fn check_edit(&self) -> Result<(), Denial> {
        if self.shell {
            return Err(invalid("an edit starts no shell"));
        }
        match self.edit.iter().all(|path| is_resolved(path)) {
            true => Ok(()),
            false => Err(invalid("a file to edit is no resolved path")),
        }
    }

    fn check_command(&self) -> Result<(), Denial> {
        if !is_resolved(self.file) || !is_resolved(self.real) {
            return Err(invalid("the command is no resolved path"));
        }
        if self.shell && !self.args.is_empty() {
            return Err(invalid("a shell with arguments is a command"));
        }
        match self.args.iter().any(|arg| arg.contains(&0)) {
            true => Err(invalid("an argument holds a NUL")),
            false => Ok(()),
        }
    }

    /// `run this`, or what else is asked.
    fn deed(&self) -> &'static str {
        match (self.edits(), self.shell, self.edit.len()) {
            (true, _, 1) => "edit this file",
            (true, ..) => "edit these files",
            (_, true, _) => "start a shell",
            _ => "run this",
        }
    }

    pub(super) fn denial_by_default(&self) -> Denial {
        Denial {
            kind: DenialKind::NotAllowed,
            message: format!("no rule lets you {} as {}", self.deed(), self.target()),
            advice: "ask an administrator for a role with a rule for it".into(),
        }
    }

    /// A rule of the asker's own would allow it elsewhere, at another time or in another way.
    pub(super) fn denial_by_condition(&self, condition: Condition) -> Denial {
        let how = match condition {
            Condition::Hosts => "on this host",
            Condition::Services => "by the service that you logged in by",
            Condition::From => "from where you logged in",
            Condition::Terminal if self.scene.terminal => "at a terminal",
            Condition::Terminal => "without a terminal",
            _ => "at this time",
        };
        let denial = self.denial_by_default();
        Denial {
            message: format!("{} {how}", denial.message),
            advice: "`elevate -l` shows where and when your rules hold".into(),
            ..denial
        }
    }

    pub(super) fn denial_by_rule(&self) -> Denial {
        Denial {
            kind: DenialKind::Forbidden,
            message: format!(
                "the policy forbids you to {} as {}",
                self.deed(),
                self.target()
            ),
            advice: "ask an administrator if you think that it should not".into(),
        }
    }

    /// A deny rule may match, and `condition` is what cannot be told.
    pub(super) fn denial_unsure(&self, condition: Condition) -> Denial {
        if condition != Condition::Roles {
            return Denial {
                kind: DenialKind::Unsure,
                message: "where you logged in from is not on record, and so it is no".into(),
                advice: "log in by a service for which `elevatectl login enable` was run, and ask \
                         again"
                    .into(),
            };
        }
        Denial {
            kind: DenialKind::Unsure,
            message: "your groups cannot be looked up now, and so it is no".into(),
            advice: "try again; if it stays so, tell an administrator".into(),
        }
    }

    // The same words for a rule that doesn't exist and for one of other people.
    pub(super) fn denial_of_named_rule(&self, name: &str) -> Denial {
        Denial {
            kind: DenialKind::NamedRule,
            message: format!(
                "rule `{}` does not let you {} as {}",
                shown(name),
                self.deed(),
                self.target()
            ),
            advice: "leave `--rule` out to use any rule of yours".into(),
        }
    }

    pub(super) fn denial_of_time(&self, longest: Duration) -> Denial {
        let longest_words = spoken(longest);
        Denial {
            kind: DenialKind::TooLong { longest },
            message: format!(
                "you may {} as {} for {longest_words} at most",
                self.deed(),
                self.target()
            ),
            advice: format!("ask for less, as in `--for '{longest_words}'`"),
        }
    }

    fn target(&self) -> String {
        let user = shown(self.target_user);
        match self.target_group {
            Some(group) => format!("{user} with group {}", shown(group)),
            None => user,
        }
    }
}

fn invalid(why: &str) -> Denial {
    Denial {
        kind: DenialKind::Invalid,
        message: format!("this is nothing that can be asked for: {why}"),
        advice: "correct the request and ask again".into(),
    }
}

fn is_resolved(file: &[u8]) -> bool {
    let Some(path) = file.strip_prefix(b"/") else {
        return false;
    };
    let bad = |part: &[u8]| part.is_empty() || part == b"." || part == b"..";
    !file.contains(&0) && !path.split(|b| *b == b'/').any(bad)
}
