//! From what the files say to a policy: references followed, every word understood.

use std::collections::BTreeMap;

use super::aliases::Aliases;
use super::login::RawLogin;
use super::problems::{Problems, Word};
use super::raw::{Kind, Raw, RawRole, RawRule};
use super::terms::RawTerms;
use super::when::RawWhen;
use super::{Defaults, HostFacts, accounts, approvals, hierarchy, limit, session};
use crate::command::{Command, CommandError, EditPath};
use crate::login::LoginTerms;
use crate::names::{RoleName, RuleName};
use crate::people::{Approver, May, Role};
use crate::rule::{Rule, Terms};
use crate::run_as::RunAs;
use crate::shown::shown;
use crate::suggest::nearest;
use crate::when::{HostPattern, Hours, Network, Valid, When};
use crate::wrong::Wrong;

pub(super) struct Linker<'a> {
    raw: &'a Raw,
    aliases: Aliases<'a>,
    problems: &'a Problems,
    host: &'a HostFacts,
    defaults: &'a Defaults,
}

impl<'a> Linker<'a> {
    pub(super) fn new(
        raw: &'a Raw,
        problems: &'a Problems,
        host: &'a HostFacts,
        defaults: &'a Defaults,
    ) -> Self {
        Self {
            raw,
            aliases: Aliases::new(raw, problems),
            problems,
            host,
            defaults,
        }
    }

    /// Also looks at aliases that nothing uses: they are wrong today, not the day they are used.
    pub(super) fn check_aliases(&self) {
        for ((kind, _), (_, words)) in &self.raw.aliases {
            match kind {
                Kind::Users => drop(self.parsed(Kind::Users, words, accounts::member)),
                Kind::RunAs => drop(self.run_as(words)),
                Kind::Commands => drop(self.commands(words)),
                Kind::Approvers => drop(self.approvers(words)),
                Kind::Hosts => drop(self.parsed(Kind::Hosts, words, host)),
            }
        }
    }

    pub(super) fn roles(&self) -> BTreeMap<RoleName, Role> {
        let roles = self.raw.roles.iter().filter_map(|(name, raw)| {
            let name = RoleName::new(name).ok()?;
            Some((name.clone(), self.role(name, raw)))
        });
        let mut roles = roles.collect();
        hierarchy::link(&mut roles, &self.raw.roles, self.problems);
        roles
    }

    fn role(&self, name: RoleName, raw: &'a RawRole) -> Role {
        let people = |words| sorted(self.parsed(Kind::Users, words, accounts::member));
        Role {
            name,
            description: raw.description.as_ref().map(|d| d.text.clone()),
            members: people(&raw.members),
            removed: people(&raw.removed),
            includes: self.role_names(&raw.includes),
            included_in: Vec::new(),
            conflicts: self.role_names(&raw.conflicts),
            may: sorted(raw.may.iter().filter_map(may).collect()),
            login: self.login(&raw.login),
            place: raw.place.clone(),
        }
    }

    fn login(&self, raw: &'a RawLogin) -> LoginTerms {
        LoginTerms {
            when: self.when(&raw.when),
            mfa: match &raw.require {
                Some((_, mfa)) => *mfa,
                None => LoginTerms::default().mfa,
            },
            record: raw.record.as_ref().is_some_and(|(_, record)| *record),
        }
    }

    fn when(&self, raw: &'a RawWhen) -> When {
        let zones = &self.host.zones;
        let hosts = |words: &'a Vec<Word>| self.parsed(Kind::Hosts, words, host);
        let hours = |words: &'a Vec<Word>| self.each(words, |word| Hours::parse(&word.text, zones));
        let from = |words: &'a Vec<Word>| self.each(words, |word| Network::parse(&word.text));
        let services = |words: &'a Vec<Word>| self.each(words, accounts::service);
        let valid = |word: &'a Word| self.each([word], |word| Valid::parse(&word.text, zones));
        When {
            hosts: raw.hosts.as_ref().map(hosts).map(sorted),
            services: raw.services.as_ref().map(services).map(sorted),
            from: raw.from.as_ref().map(from).map(sorted),
            hours: raw.hours.as_ref().map(hours).map(|mut hours| {
                hours.sort_by_key(ToString::to_string);
                hours
            }),
            valid: raw.valid.as_ref().and_then(|word| valid(word).pop()),
            terminal: raw.terminal,
        }
    }

    /// The rules, by name.
    pub(super) fn rules(&self) -> Vec<Rule> {
        self.raw
            .rules
            .values()
            .filter_map(|raw| self.rule(raw))
            .collect()
    }

    fn rule(&self, raw: &'a RawRule) -> Option<Rule> {
        let run_as = self.run_as(&raw.run_as);
        let terms = raw.terms.as_ref().map(|terms| {
            session::link(&terms.session, &run_as, self.problems);
            self.terms(terms)
        });
        let rule = Rule {
            name: RuleName::new(&raw.name.text).ok()?,
            description: raw.description.as_ref().map(|d| d.text.clone()),
            roles: self.role_names(&raw.roles),
            run_as,
            commands: self.commands(&raw.commands),
            edit: self.edit(&raw.edit),
            when: self.when(&raw.when),
            terms,
            place: raw.name.place.clone(),
        };
        // A rule whose `require` was missing or broken has no terms and is no deny either; its
        // problem has been reported, and it must not be taken for a deny.
        (raw.denies || rule.terms.is_some()).then_some(rule)
    }

    fn role_names(&self, words: &[Word]) -> Vec<RoleName> {
        let mut names: Vec<_> = words
            .iter()
            .filter_map(|word| self.role_name(word))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn role_name(&self, word: &Word) -> Option<RoleName> {
        if word.text.starts_with(['%', '@']) {
            let message = format!(
                "{} is no role; put groups and aliases into the `members` of a role",
                word.quoted()
            );
            self.problems.add(word, message);
            return None;
        }
        self.existing_role(word, &word.text, "")
    }

    fn existing_role(&self, word: &Word, name: &str, prefix: &str) -> Option<RoleName> {
        if self.raw.roles.contains_key(name) {
            return RoleName::new(name).ok();
        }
        let near = nearest(name, self.raw.roles.keys().map(String::as_str));
        let near = near.map(|name| format!("{prefix}{name}"));
        self.problems
            .suggest(word, format!("unknown role `{}`", shown(name)), near);
        None
    }

    fn run_as(&self, words: &'a [Word]) -> Vec<RunAs> {
        sorted(self.parsed(Kind::RunAs, words, accounts::run_as))
    }

    fn commands(&self, words: &'a [Word]) -> Vec<Command> {
        let words = self.aliases.expand(Kind::Commands, words).into_iter();
        let commands = words.filter_map(|word| {
            let parsed = Command::parse(&word.text, word.place.clone());
            parsed
                .map_err(|error| self.wrong_pattern("command", word, error))
                .ok()
        });
        commands.collect()
    }

    fn edit(&self, words: &[Word]) -> Vec<EditPath> {
        let paths = words.iter().filter_map(|word| {
            let parsed = EditPath::parse(&word.text, word.place.clone());
            parsed
                .map_err(|error| self.wrong_pattern("path", word, error))
                .ok()
        });
        paths.collect()
    }

    fn wrong_pattern(&self, kind: &str, word: &Word, error: CommandError) {
        let message = format!("in {kind} {}: {}", word.quoted(), error.what);
        self.problems.suggest(word, message, error.suggestion);
    }

    fn approvers(&self, words: &'a [Word]) -> Vec<Approver> {
        sorted(self.parsed(Kind::Approvers, words, |word| {
            let approver = accounts::approver(word)?;
            if let Approver::Role(role) = &approver {
                self.existing_role(word, role.as_str(), "role:");
            }
            Ok::<_, String>(approver)
        }))
    }

    fn parsed<T, E: Into<Wrong>>(
        &self,
        kind: Kind,
        words: &'a [Word],
        parse: impl Fn(&Word) -> Result<T, E>,
    ) -> Vec<T> {
        self.each(self.aliases.expand(kind, words), parse)
    }

    fn each<'w, T, E: Into<Wrong>>(
        &self,
        words: impl IntoIterator<Item = &'w Word>,
        parse: impl Fn(&Word) -> Result<T, E>,
    ) -> Vec<T> {
        let parsed = words.into_iter().filter_map(|word| match parse(word) {
            Ok(parsed) => Some(parsed),
            Err(wrong) => {
                let Wrong { what, suggestion } = wrong.into();
                let message = format!("{}: {what}", word.quoted());
                self.problems.suggest(word, message, suggestion);
                None
            }
        });
        parsed.collect()
    }

    fn terms(&self, raw: &'a RawTerms) -> Terms {
        let approvers = match &raw.approvers {
            Some((_, words)) => self.approvers(words),
            None => Vec::new(),
        };
        let (owed, approvers) = approvals::link(raw, approvers, self.raw, self.problems);
        Terms {
            owed,
            approvers,
            ticket: raw.ticket.clone(),
            limit: limit::link(&raw.limit, self.problems, self.host, self.defaults),
            session: raw.session.settings.clone(),
        }
    }
}

// Any other word has been told to be none.
fn may(word: &Word) -> Option<May> {
    match word.text.as_str() {
        "approve" => Some(May::Approve),
        "audit" => Some(May::Audit),
        _ => None,
    }
}

fn host(word: &Word) -> Result<HostPattern, Wrong> {
    HostPattern::parse(&word.text)
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all.dedup();
    all
}
