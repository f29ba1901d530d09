//! What the files say, before references between them are followed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use toml::de::DeTable;

use super::language;
use super::login::{self, RawLogin};
use super::problems::Word;
use super::reader::{Reader, Value};
use super::terms::{self, RawTerms};
use super::when::{self, RawWhen};
use crate::diagnostic::Place;
use crate::names;
use crate::suggest::nearest;

const WHEN: when::Of = when::Of {
    name: "when",
    keys: &language::RULE_WHEN,
    empty: "the rule could never match",
};

/// What an alias stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Users,
    Commands,
    RunAs,
    Approvers,
    Hosts,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Users,
        Self::Commands,
        Self::RunAs,
        Self::Approvers,
        Self::Hosts,
    ];

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Commands => "commands",
            Self::RunAs => "run_as",
            Self::Approvers => "approvers",
            Self::Hosts => "hosts",
        }
    }

    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Users => r#""alice", "%dba""#,
            Self::Commands => r#""/usr/bin/id""#,
            Self::RunAs => r#""root""#,
            Self::Approvers => r#""role:lead", "%oncall", "bob""#,
            Self::Hosts => r#""db-*", "pg1.example.org""#,
        }
    }
}

#[derive(Default)]
pub(super) struct Raw {
    pub(super) aliases: BTreeMap<(Kind, String), (Word, Vec<Word>)>,
    pub(super) roles: BTreeMap<String, RawRole>,
    pub(super) rules: BTreeMap<String, RawRule>,
}

pub(super) struct RawRole {
    pub(super) description: Option<Word>,
    pub(super) members: Vec<Word>,
    pub(super) removed: Vec<Word>,
    pub(super) includes: Vec<Word>,
    pub(super) conflicts: Vec<Word>,
    pub(super) may: Vec<Word>,
    pub(super) login: RawLogin,
    pub(super) place: Place,
}

pub(super) struct RawRule {
    pub(super) name: Word,
    pub(super) description: Option<Word>,
    pub(super) roles: Vec<Word>,
    pub(super) run_as: Vec<Word>,
    pub(super) commands: Vec<Word>,
    pub(super) edit: Vec<Word>,
    pub(super) denies: bool,
    pub(super) when: RawWhen,
    pub(super) terms: Option<RawTerms>,
}

impl RawRole {
    /// Adds what another file, or another table, says of the role `name`: lists unite.
    fn unite(&mut self, file: &Reader<'_>, name: &Word, other: Self) {
        self.members.extend(other.members);
        self.removed.extend(other.removed);
        self.includes.extend(other.includes);
        self.conflicts.extend(other.conflicts);
        self.may.extend(other.may);
        self.login.unite(file, name, other.login);
    }
}

impl Raw {
    pub(super) fn read(&mut self, file: &Reader<'_>, top: &DeTable<'_>) {
        file.check_keys(top, &language::TOP);
        if let Some(table) = top
            .get("alias")
            .and_then(|value| file.table(value, "alias"))
        {
            self.read_aliases(file, table);
        }
        for (name, table) in named_tables(file, top, "role") {
            self.read_role(file, name, table);
        }
        for (name, table) in named_tables(file, top, "rule") {
            self.read_rule(file, name, table);
        }
    }

    fn read_aliases(&mut self, file: &Reader<'_>, aliases: &DeTable<'_>) {
        file.check_keys(aliases, &language::ALIAS);
        for kind in Kind::ALL {
            let table = aliases
                .get(kind.key())
                .and_then(|value| file.table(value, kind.key()));
            for (key, value) in table.into_iter().flatten() {
                let Some(name) = checked_name(file, file.key(key)) else {
                    continue;
                };
                // Entries of commands may be tables, also under another name.
                let key = match kind {
                    Kind::Commands => kind.key(),
                    _ => &name.text,
                };
                let words = file.strings(value, key, kind.example());
                let id = (kind, name.text.clone());
                if let Some((first, _)) = self.aliases.get(&id) {
                    twice(
                        file,
                        &name,
                        &format!("alias `{}.{}`", kind.key(), name.text),
                        first,
                    );
                } else {
                    self.aliases.insert(id, (name, words));
                }
            }
        }
    }

    fn read_role(&mut self, file: &Reader<'_>, name: Word, table: &DeTable<'_>) {
        file.check_keys(table, &language::ROLE);
        let description = description(file, table);
        let words = |key, example| list(file, table, key, example).unwrap_or_default();
        let may = words("may", r#""audit""#);
        for word in &may {
            file.check_word(word, &language::MAY, "privilege");
        }
        let role = RawRole {
            description: None,
            members: words("members", Kind::Users.example()),
            removed: words("removed", Kind::Users.example()),
            includes: words("includes", r#""operator""#),
            conflicts: words("conflicts", r#""auditor""#),
            may,
            login: table
                .get("login")
                .map(|value| login::read(file, value))
                .unwrap_or_default(),
            place: name.place.clone(),
        };
        let known = match self.roles.entry(name.text.clone()) {
            Entry::Vacant(vacant) => vacant.insert(role),
            Entry::Occupied(known) => {
                let known = known.into_mut();
                known.unite(file, &name, role);
                known
            }
        };
        match (&known.description, description) {
            (Some(first), Some(second)) => {
                twice(
                    file,
                    &second,
                    &format!("the description of role `{}`", name.text),
                    first,
                );
            }
            (None, second) => known.description = second,
            (Some(_), None) => {}
        }
    }

    fn read_rule(&mut self, file: &Reader<'_>, name: Word, table: &DeTable<'_>) {
        file.check_keys(table, &language::RULE);
        let denies = table.get("effect").is_some_and(|value| denies(file, value));
        let rule = RawRule {
            description: description(file, table),
            roles: needed(file, table, &name, "roles", r#""operator""#),
            run_as: run_as(file, table, &name),
            commands: deeds(file, table, &name, "commands", Kind::Commands.example()),
            edit: deeds(file, table, &name, "edit", r#""/etc/nginx/**""#),
            denies,
            when: table
                .get("when")
                .map(|value| when::read(file, value, &WHEN))
                .unwrap_or_default(),
            terms: terms::read(file, &name, table, denies),
            name,
        };
        match self.rules.get(&rule.name.text) {
            Some(first) => {
                twice(
                    file,
                    &rule.name,
                    &format!("rule `{}`", rule.name.text),
                    &first.name,
                );
            }
            None => {
                self.rules.insert(rule.name.text.clone(), rule);
            }
        }
    }
}

pub(super) fn twice(file: &Reader<'_>, second: &Word, what: &str, first: &Word) {
    file.problems.add(
        second,
        format!("{what} is given twice; first at {}", first.place),
    );
}

fn named_tables<'t, 'i>(
    file: &Reader<'_>,
    top: &'t DeTable<'i>,
    key: &str,
) -> Vec<(Word, &'t DeTable<'i>)> {
    let Some(all) = top.get(key).and_then(|value| file.table(value, key)) else {
        return Vec::new();
    };
    let named = all.iter().filter_map(|(name, value)| {
        let name = checked_name(file, file.key(name))?;
        let table = file.table(value, &format!("{key}.{}", name.text))?;
        Some((name, table))
    });
    named.collect()
}

fn checked_name(file: &Reader<'_>, name: Word) -> Option<Word> {
    match names::check(&name.text) {
        Ok(()) => Some(name),
        Err(invalid) => {
            file.problems
                .add(&name, format!("{} is no name: {invalid}", name.quoted()));
            None
        }
    }
}

fn description(file: &Reader<'_>, table: &DeTable<'_>) -> Option<Word> {
    file.string(table.get("description")?, "description")
}

fn list(file: &Reader<'_>, table: &DeTable<'_>, key: &str, example: &str) -> Option<Vec<Word>> {
    table
        .get(key)
        .map(|value| file.strings(value, key, example))
}

fn needed(
    file: &Reader<'_>,
    table: &DeTable<'_>,
    rule: &Word,
    key: &str,
    example: &str,
) -> Vec<Word> {
    match table.get(key) {
        None => missing(file, rule, key, example),
        Some(value) => {
            if value
                .get_ref()
                .as_array()
                .is_some_and(|array| array.is_empty())
            {
                let message = format!("`{key}` is empty, so the rule could never match");
                file.problems.add(&file.raw(value), message);
            }
            file.strings(value, key, example)
        }
    }
}

/// `commands` or `edit`, of which a rule needs one; that there is none is told once.
fn deeds(
    file: &Reader<'_>,
    table: &DeTable<'_>,
    rule: &Word,
    key: &str,
    example: &str,
) -> Vec<Word> {
    let is_there = |key| table.contains_key(key);
    if is_there(key) {
        return needed(file, table, rule, key, example);
    }
    if !is_there("commands") && !is_there("edit") && key == "commands" {
        let message = format!(
            "rule {} has no `commands` and no `edit`; write `commands = [{example}]`",
            rule.quoted()
        );
        file.problems.add(rule, message);
    }
    Vec::new()
}

fn missing(file: &Reader<'_>, rule: &Word, key: &str, example: &str) -> Vec<Word> {
    let message = format!(
        "rule {} has no `{key}`; write `{key} = [{example}]`",
        rule.quoted()
    );
    file.problems.add(rule, message);
    Vec::new()
}

fn run_as(file: &Reader<'_>, table: &DeTable<'_>, rule: &Word) -> Vec<Word> {
    match table.get("run_as") {
        Some(value) if value.get_ref().is_array() => {
            needed(file, table, rule, "run_as", Kind::RunAs.example())
        }
        Some(value) => file.one_or_more(value, "run_as", Kind::RunAs.example()),
        None => missing(file, rule, "run_as", Kind::RunAs.example()),
    }
}

fn denies(file: &Reader<'_>, value: &Value<'_>) -> bool {
    let Some(effect) = file.string(value, "effect") else {
        return false;
    };
    match effect.text.as_str() {
        "deny" => true,
        "allow" => false,
        other => {
            let message = format!(
                "unknown effect {}; `effect` is \"allow\" or \"deny\"",
                effect.quoted()
            );
            file.problems
                .suggest(&effect, message, nearest(other, ["allow", "deny"]));
            false
        }
    }
}
