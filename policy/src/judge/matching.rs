//! One rule against one question.

use super::question::Question;
use super::verdict::{Condition, Outcome};
use crate::command::{Command, File, Reading};
use crate::membership::Standing;
use crate::names::RoleName;
use crate::people::{Membership, People};
use crate::policy::Policy;
use crate::rule::{Effect, Rule};
use crate::shown::{shown, shown_bytes};
use crate::when::Fit;

/// A question with what was found out about it on the way.
pub(super) struct Matching<'a> {
    q: &'a Question<'a>,
    file: File<'a>,
    standing: Standing<'a>,
}

impl<'a> Matching<'a> {
    pub(super) fn new(policy: &'a Policy, q: &'a Question<'a>, people: &'a dyn People) -> Self {
        Self {
            q,
            file: File::new(q.file, q.real).hashed(q.sha256),
            standing: Standing::new(policy, q.user, people),
        }
    }

    /// What becomes of the rule, and what that hangs on alone: for a deny that matches, what could
    /// not be told; for an allow that doesn't, the only condition that isn't certainly met.
    pub(super) fn outcome(&self, rule: &Rule) -> (Outcome, Option<Condition>) {
        let effect = rule.effect();
        let who = self.who(rule);
        let outcome = if who == Membership::No {
            self.not_a_member(rule)
        } else if !self.run_as(rule, effect) {
            self.wrong_target()
        } else if rule.spares_root() && self.q.target_uid == 0 {
            root_still()
        } else if let Some(objection) = self.deed(rule, effect) {
            objection
        } else {
            return self.circumstances(rule, who);
        };
        (outcome, None)
    }

    /// The rest of it, for a rule of this person's that speaks of what they ask.
    fn circumstances(&self, rule: &Rule, who: Membership) -> (Outcome, Option<Condition>) {
        let fit = rule.when.fit(&self.q.scene);
        match (rule.effect(), fit, who) {
            (_, Fit::Yes, Membership::Yes) => (Outcome::Matched, None),
            (Effect::Deny, Fit::Yes, _) => (Outcome::MatchedUnsure, Some(Condition::Roles)),
            (Effect::Deny, Fit::Unknown(condition, _), _) => {
                (Outcome::MatchedUnsure, Some(condition))
            }
            (Effect::Allow, Fit::Yes, _) => (self.unsure(), Some(Condition::Roles)),
            // Whoever may not be in its roles hears nothing of the rule.
            (Effect::Allow, _, Membership::Unknown) => (self.unsure(), None),
            (_, Fit::No(condition, why) | Fit::Unknown(condition, why), _) => {
                (not_matched(condition, why), Some(condition))
            }
        }
    }

    fn who(&self, rule: &Rule) -> Membership {
        let role = |role| match rule.effect() {
            Effect::Allow => self.standing.has(role),
            Effect::Deny => self.standing.is_in(role),
        };
        Membership::any(rule.roles.iter().map(role))
    }

    fn run_as(&self, rule: &Rule, effect: Effect) -> bool {
        rule.run_as.iter().any(|run_as| match effect {
            Effect::Allow => run_as.allows(self.q),
            Effect::Deny => run_as.forbids(self.q),
        })
    }

    /// What is wrong with what is asked for, if anything.
    fn deed(&self, rule: &Rule, effect: Effect) -> Option<Outcome> {
        let reading = match effect {
            Effect::Allow => Reading::Strict,
            Effect::Deny => Reading::Generous,
        };
        match self.q.edits() {
            true => self.edit(rule, reading),
            false => self.command(rule, reading),
        }
    }

    fn command(&self, rule: &Rule, reading: Reading) -> Option<Outcome> {
        let (q, file) = (self.q, &self.file);
        let matches = |command: &Command| command.matches(file, q.args, q.shell, reading);
        match rule.commands.iter().any(matches) {
            true => None,
            false => Some(self.wrong_command(rule)),
        }
    }

    /// An allow must name every file, and a deny names one, or `ALL`.
    fn edit(&self, rule: &Rule, reading: Reading) -> Option<Outcome> {
        let named = |path: &&Vec<u8>| rule.edit.iter().any(|one| one.matches(path, reading));
        let missing = match reading {
            Reading::Strict => self.q.edit.iter().find(|path| !named(path)),
            Reading::Generous => {
                let forbidden = rule.commands.iter().any(Command::is_anything)
                    || self.q.edit.iter().any(|path| named(&path));
                self.q.edit.first().filter(|_| !forbidden)
            }
        };
        missing.map(|path| wrong_edit(rule, path))
    }

    fn not_a_member(&self, rule: &Rule) -> Outcome {
        let roles: Vec<_> = rule.roles.iter().map(RoleName::as_str).collect();
        let user = shown(self.q.user);
        let excluded = rule
            .roles
            .iter()
            .any(|role| self.standing.is_in(role) == Membership::Yes);
        let why = match excluded {
            true => ": in a role that excludes it, too",
            false => "",
        };
        let detail = format!("{user} has no role of it ({}){why}", roles.join(", "));
        not_matched(Condition::Roles, detail)
    }

    fn unsure(&self) -> Outcome {
        let detail = format!("whether {} has a role of it is unknown", shown(self.q.user));
        not_matched(Condition::Roles, detail)
    }

    fn wrong_target(&self) -> Outcome {
        let user = shown(self.q.target_user);
        let detail = match self.q.target_group {
            Some(group) => format!("not as {user} with group {}", shown(group)),
            None => format!("not as {user} without `-g`"),
        };
        not_matched(Condition::RunAs, detail)
    }

    fn wrong_command(&self, rule: &Rule) -> Outcome {
        if rule.commands.is_empty() {
            let detail = match rule.effect() {
                Effect::Allow => "it lets files be edited (`elevate -e`), and nothing run",
                Effect::Deny => "it forbids edits alone",
            };
            return not_matched(Condition::Commands, detail.to_owned());
        }
        let what = if self.q.shell { "the shell " } else { "" };
        let count = match self.q.args.len() {
            0 => "no argument".to_owned(),
            1 => "1 argument".to_owned(),
            n => format!("{n} arguments"),
        };
        let detail = format!(
            "not {what}{} with {count} like these",
            shown_bytes(self.q.file)
        );
        not_matched(Condition::Commands, detail)
    }
}

// Such a rule doesn't load where its words say root, but other names may lead there.
fn root_still() -> Outcome {
    let detail = "not as uid 0: it names `capabilities`, without which uid 0 is root still, and has \
                  no `contain`";
    not_matched(Condition::RunAs, detail.to_owned())
}

fn wrong_edit(rule: &Rule, path: &[u8]) -> Outcome {
    let path = shown_bytes(path);
    let detail = match rule.edit.is_empty() {
        true => format!("not an edit of {path}: it has no `edit`"),
        false => format!("not an edit of {path}: none of its paths matches that"),
    };
    not_matched(Condition::Edit, detail)
}

pub(super) fn not_matched(condition: Condition, detail: String) -> Outcome {
    Outcome::NotMatched { condition, detail }
}
