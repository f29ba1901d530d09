//! Rules as a file of our language, with what could not be said beside them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use elevate_protocol::escape;
use jiff::{Timestamp, ToSpan as _};

use super::decide::{People, Rule};
use super::defaults::Standing;
use super::entries::Entries;
use super::people::User;
use super::remark::{Remark, Remarks};
use super::tags::Tags;
use crate::cli::Password;

/// What is narrower than sudo wherever it comes up.
const HEADER: &str = "\
# Made from a sudoers by `elevatectl policy import-sudoers`. It allows what sudo allows, or less.
#
# Read it before you put it into /etc/elevate/policy.d: what could not be said as sudoers does is
# marked where it belongs, and listed at the end.
#
# Everywhere:
# - Arguments count one by one. To sudo `a b` is the same as two arguments and as one with a space.
# - A wildcard never stands for a leading `.` or `-`, nor for `..`.
# - A deny wins, and holds for a file by all its names and for a user with whatever group.
# - Groups of one's own, or of the target, need no `-g`, and have none; nor is taken over what sudo before
#   1.9.14 lets people ask for by `-g` beside what its manual says.
# - A host is called what `hostname` prints, with and without its domain; sudo may ask the resolver.
# - Links, and files in folders that the caller may write, are never edited. Who may edit each of some
#   files may edit them together, which sudo wants said as such.
# - Where several rules match, what is recorded and kept is what the strictest of them says.
# - Whether somebody is in a group that is not there is unknown, and counts against them.
# - Variables that make programs run or read what the caller chose are never kept.
";

pub(super) fn write(
    all: &Entries,
    rules: &[Rule],
    standing: &Standing,
    password: Option<&Password>,
    remarks: Remarks,
) -> (String, Vec<Remark>) {
    let remembered = standing.remembered.clone().map(Password::Code);
    let usual = Password::Code("15m".into());
    let password = password.cloned().or(remembered).unwrap_or(usual);
    let mut file = File {
        text: HEADER.to_owned(),
        roles: roles(rules),
        password,
        keep: &standing.keep,
    };
    file.remarks(remarks.of(None));
    file.roles();
    for (at, scope) in all.scopes.iter().enumerate() {
        let own: Vec<_> = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.scope == at)
            .collect();
        let mut told = remarks.of(Some(at)).peekable();
        if own.is_empty() && told.peek().is_none() {
            continue;
        }
        file.line("");
        file.line(&comment(&scope.text));
        file.remarks(told);
        for (number, rule) in own {
            file.rule(number + 1, rule);
        }
    }
    let remarks = remarks.into_list();
    file.end(all, &remarks);
    (file.text, remarks)
}

struct File<'a> {
    text: String,
    roles: BTreeMap<People, String>,
    password: Password,
    keep: &'a [String],
}

impl File<'_> {
    fn line(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }

    fn remarks<'r>(&mut self, remarks: impl Iterator<Item = &'r Remark>) {
        for remark in remarks {
            self.line(&comment(&remark.at_its_place()));
        }
    }

    fn roles(&mut self) {
        for (people, name) in self.roles.clone() {
            let words = |users: &[User]| -> Vec<_> { users.iter().map(User::to_string).collect() };
            self.line("");
            self.line(&format!("[role.{name}]"));
            self.line(&format!("members = {}", list(&words(&people.members))));
            if !people.removed.is_empty() {
                self.line(&format!("removed = {}", list(&words(&people.removed))));
            }
        }
    }

    fn rule(&mut self, number: usize, rule: &Rule) {
        let role = self.roles.get(&rule.people).cloned().unwrap_or_default();
        let suffix = match rule.tags {
            Some(_) => "",
            None => "-deny",
        };
        self.line("");
        self.line(&format!("[rule.sudoers-{number}{suffix}]"));
        if rule.tags.is_none() {
            self.line("effect = \"deny\"");
        }
        self.line(&format!("roles = {}", list(&[role])));
        self.line(&format!("run_as = {}", list(&rule.run_as)));
        for (key, words) in [("commands", &rule.commands), ("edit", &rule.edit)] {
            if !words.is_empty() {
                self.line(&format!("{key} = {}", list(words)));
            }
        }
        let when = when(rule);
        if !when.is_empty() {
            self.line(&format!("when = {{ {} }}", when.join(", ")));
        }
        if let Some(tags) = &rule.tags {
            self.terms(tags, !rule.commands.is_empty());
        }
    }

    fn terms(&mut self, tags: &Tags, runs: bool) {
        match (&self.password, tags.password) {
            (Password::Code(age), true) => {
                let line = format!("require = {{ mfa = {} }}", quoted(age));
                self.line(&line);
            }
            _ => self.line("require = {}"),
        }
        if let Some(seconds) = tags.timeout {
            self.line(&format!(
                "limit = {{ default = \"{seconds}s\", max = \"{seconds}s\" }}"
            ));
        }
        let mut session = Vec::new();
        if tags.noexec || tags.intercept {
            session.push("execs = \"deny\"".to_owned());
        }
        if tags.log_input {
            session.push("record = \"full\"".to_owned());
        }
        if tags.setenv {
            session.push("keep_env = [\"*\"]".to_owned());
        } else if !self.keep.is_empty() {
            session.push(format!("keep_env = {}", list(self.keep)));
        }
        if runs && !session.is_empty() {
            self.line(&format!("session = {{ {} }}", session.join(", ")));
        }
    }

    fn end(&mut self, all: &Entries, remarks: &[Remark]) {
        self.line("");
        if remarks.is_empty() {
            return self.line("# All of it could be said as sudoers does.");
        }
        self.line("# What could not be said as sudoers does, and what to look at:");
        for remark in remarks {
            let line = match remark.scope {
                Some(scope) => remark.elsewhere(&all.scopes[scope].text),
                None => remark.at_its_place(),
            };
            self.line(&comment(&line));
        }
    }
}

fn roles(rules: &[Rule]) -> BTreeMap<People, String> {
    let mut roles = BTreeMap::new();
    for rule in rules {
        if roles.contains_key(&rule.people) {
            continue;
        }
        let number = roles.len() + 1;
        let name = match &rule.people.members[..] {
            [User::Name(name)] => format!("sudoers-{}", plain(name)),
            [User::Group(name)] => format!("sudoers-group-{}", plain(name)),
            _ => format!("sudoers-people-{number}"),
        };
        let taken = name.len() > 64 || roles.values().any(|other| *other == name);
        let name = if taken {
            format!("sudoers-role-{number}")
        } else {
            name
        };
        roles.insert(rule.people.clone(), name);
    }
    roles
}

fn plain(name: &str) -> String {
    name.replace(
        |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_',
        "-",
    )
}

fn when(rule: &Rule) -> Vec<String> {
    let mut when = Vec::new();
    if let Some(hosts) = &rule.hosts {
        when.push(format!("hosts = {}", list(hosts)));
    }
    let Some(tags) = &rule.tags else {
        return when;
    };
    if tags.is_timed() {
        when.push(format!("valid = {}", quoted(&valid(tags))));
    }
    if tags.terminal {
        when.push("terminal = true".into());
    }
    when
}

// Whole minutes; never earlier than the one, nor later than the other.
fn valid(tags: &Tags) -> String {
    let shown = |moment: Timestamp| moment.strftime("%Y-%m-%d %H:%M").to_string();
    let begin = tags
        .not_before
        .map_or("1970-01-01 00:00".to_owned(), |moment| {
            let late = moment.checked_add(59.seconds()).unwrap_or(moment);
            shown(late)
        });
    let end = tags.not_after.map_or("9000-01-01 00:00".to_owned(), shown);
    format!("{begin} .. {end} UTC")
}

fn list(words: &[String]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    let line = format!("[{}]", quoted.join(", "));
    match line.len() <= 80 || quoted.len() == 1 {
        true => line,
        false => format!("[\n    {},\n]", quoted.join(",\n    ")),
    }
}

// A basic string of TOML; escapes of ours hold no character that it refuses.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

fn comment(text: &str) -> String {
    const LONGEST: usize = 600;
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("# {}", escape::line(shown.as_bytes()))
}
