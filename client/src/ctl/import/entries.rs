//! A sudoers as one list of entries, of which the last that matches counts: aliases and lists of
//! commands taken apart.

use serde_json::Value;

use super::deed::Deed;
use super::defaults::Standing;
use super::json::{Aliases, CommandSpec, Raw, Sudoers, UserSpec};
use super::list::{Atom as _, Member, Part, are_apart, cover, parts};
use super::lost::Lost;
use super::people::{Group, Host, Kind, Target, User};
use super::tags::Tags;

/// More entries, each for each of its users, than any sudoers of people has; what they take grows with
/// their square.
const MOST_ENTRIES: usize = 100_000;

/// Who, where and as whom, of a list of commands.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) users: Vec<Part<User>>,
    pub(super) hosts: Vec<Part<Host>>,
    pub(super) targets: Vec<Part<Target>>,
    pub(super) groups: Vec<Part<Group>>,
    /// Whether one of the groups must be asked for: sudo before 1.9.14 reads `(:group)` so.
    pub(super) by_group: bool,
    pub(super) tags: Tags,
    /// As sudoers writes it, for people.
    pub(super) text: String,
}

/// One command of such a list.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The place of its scope among all.
    pub(super) scope: usize,
    pub(super) deed: Deed,
    pub(super) allows: bool,
}

/// All of it, in the order of sudoers.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) scopes: Vec<Scope>,
    pub(super) entries: Vec<Entry>,
    /// How many they are, each counted for each of its users.
    size: usize,
}

/// What an entry speaks of.
#[derive(Clone, Copy)]
pub(super) struct Region<'a> {
    pub(super) users: &'a [Part<User>],
    pub(super) hosts: &'a [Part<Host>],
    pub(super) targets: &'a [Part<Target>],
    pub(super) groups: &'a [Part<Group>],
    pub(super) deed: &'a Deed,
}

impl<'a> Region<'a> {
    /// The same for some of its users.
    pub(super) fn of(self, users: &'a [Part<User>]) -> Self {
        Self { users, ..self }
    }

    /// Whether it surely takes in all that `other` does.
    pub(super) fn covers(&self, other: &Region<'_>) -> bool {
        cover(self.users, other.users)
            && cover(self.hosts, other.hosts)
            && cover(self.targets, other.targets)
            && cover(self.groups, other.groups)
            && self.deed.covers(other.deed)
    }

    /// Whether surely nothing is in both. Whatever the groups: an entry holds for a target with the
    /// target's own, too.
    pub(super) fn is_apart_from(&self, other: &Region<'_>) -> bool {
        // Most entries differ in their users, which are quickly compared.
        are_apart(self.users, other.users)
            || are_apart(self.hosts, other.hosts)
            || are_apart(self.targets, other.targets)
            || self.deed.is_apart_from(other.deed)
    }
}

impl Entries {
    /// Takes a sudoers apart; `lost` says of which user specification its JSON tells too little.
    pub(super) fn read(
        sudoers: &Sudoers,
        standing: &Standing,
        lost: &[Lost],
    ) -> Result<Self, String> {
        let mut all = Self::default();
        for (at, spec) in sudoers.specs.iter().enumerate() {
            let lost = lost.get(at).copied().unwrap_or_default();
            for command in &spec.commands {
                all.add(sudoers, standing, lost, (spec, command))?;
            }
        }
        Ok(all)
    }

    fn add(
        &mut self,
        sudoers: &Sudoers,
        standing: &Standing,
        lost: Lost,
        (spec, commands): (&UserSpec, &CommandSpec),
    ) -> Result<(), String> {
        let deeds = deeds(&commands.commands, &sudoers.commands)?;
        let text = text(spec, commands);
        let mut scope = Scope {
            users: parts(&flat::<User>(&spec.users, &sudoers.users)?),
            hosts: parts(&flat::<Host>(&spec.hosts, &sudoers.hosts)?),
            targets: parts(&flat::<Target>(&commands.users, &sudoers.run_as)?),
            groups: parts(&flat::<Group>(&commands.groups, &sudoers.run_as)?),
            by_group: commands.users.is_empty() && !commands.groups.is_empty(),
            tags: Tags::default(),
            text,
        };
        if commands.users.is_empty() {
            let own = match scope.by_group {
                true => Target::Caller,
                false => standing.run_as.clone(),
            };
            scope.targets = vec![Part::whole(own)];
        }
        let options = [&commands.options[..], &commands.selinux].concat();
        scope.tags = standing.tags(&scope, &deeds, &options, commands.users.is_empty());
        lost.mark(commands.commands.len(), &mut scope.tags);
        self.size += deeds.len() * scope.users.len();
        self.scopes.push(scope);
        let scope = self.scopes.len() - 1;
        self.entries.extend(deeds.into_iter().map(|member| Entry {
            scope,
            deed: member.what,
            allows: !member.negated,
        }));
        match self.entries.len().max(self.size) <= MOST_ENTRIES {
            true => Ok(()),
            false => Err(format!(
                "it has more than {MOST_ENTRIES} commands, its aliases taken apart; convert parts of it"
            )),
        }
    }

    pub(super) fn scope(&self, entry: &Entry) -> &Scope {
        &self.scopes[entry.scope]
    }

    pub(super) fn region<'a>(&'a self, entry: &'a Entry) -> Region<'a> {
        let scope = self.scope(entry);
        Region {
            users: &scope.users,
            hosts: &scope.hosts,
            targets: &scope.targets,
            groups: &scope.groups,
            deed: &entry.deed,
        }
    }
}

/// The members of a list, those of aliases in their place.
pub(super) fn flat<T: Kind>(raw: &[Raw], aliases: &Aliases) -> Result<Vec<Member<T>>, String> {
    let read = |raw: &Raw, in_alias: bool| {
        let (kind, value) = single(raw)?;
        match in_alias {
            true => T::read_in_alias(kind, value),
            false => T::read(kind, value),
        }
    };
    let mut walk = Walk {
        aliases,
        alias: T::ALIAS,
        read: &read,
        path: Vec::new(),
        members: Vec::new(),
    };
    walk.list(raw, false)?;
    Ok(walk.members)
}

/// The commands of a list, those of aliases in their place.
pub(super) fn deeds(raw: &[Raw], aliases: &Aliases) -> Result<Vec<Member<Deed>>, String> {
    let mut walk = Walk {
        aliases,
        alias: "cmndalias",
        read: &|raw, _| deed(raw),
        path: Vec::new(),
        members: Vec::new(),
    };
    walk.list(raw, false)?;
    Ok(walk.members)
}

fn deed(raw: &Raw) -> Option<Deed> {
    let mut digests = Vec::new();
    for (key, value) in raw {
        match key.as_str() {
            "command" | "negated" => {}
            "sha224" | "sha256" | "sha384" | "sha512" => {
                digests.push(format!("{key}:{}", value.as_str()?));
            }
            _ => return None,
        }
    }
    Some(Deed::read(raw.get("command")?.as_str()?, digests))
}

struct Walk<'a, T> {
    aliases: &'a Aliases,
    alias: &'static str,
    read: &'a dyn Fn(&Raw, bool) -> Option<T>,
    path: Vec<&'a str>,
    members: Vec<Member<T>>,
}

impl<'a, T> Walk<'a, T> {
    // An alias that is negated turns each of its members: the last of them that matches is turned.
    fn list(&mut self, raw: &'a [Raw], turned: bool) -> Result<(), String> {
        for member in raw {
            let negated = turned != (member.get("negated") == Some(&Value::Bool(true)));
            if let Some(name) = member.get(self.alias).and_then(Value::as_str) {
                self.alias(name, negated)?;
                continue;
            }
            let in_alias = !self.path.is_empty();
            let what = (self.read)(member, in_alias)
                .ok_or_else(|| format!("it has a member that is not known: {}", shown(member)))?;
            if self.members.len() >= MOST_ENTRIES {
                return Err(format!("a list has more than {MOST_ENTRIES} members"));
            }
            self.members.push(Member { what, negated });
        }
        Ok(())
    }

    fn alias(&mut self, name: &'a str, negated: bool) -> Result<(), String> {
        let known = self.aliases.get_key_value(name);
        let (name, members) = known.ok_or_else(|| {
            format!("the alias {name} is not defined; `visudo -c` shows where it stands")
        })?;
        if self.path.contains(&name.as_str()) {
            return Err(format!("the alias {name} goes round in a circle"));
        }
        self.path.push(name);
        self.list(members, negated)?;
        self.path.pop();
        Ok(())
    }
}

/// The kind and the value of a member.
fn single(raw: &Raw) -> Option<(&str, &Value)> {
    let mut kinds = raw.iter().filter(|(key, _)| *key != "negated");
    let (kind, value) = kinds.next()?;
    kinds.next().is_none().then_some((kind.as_str(), value))
}

/// A user specification as sudoers writes it, so that people find it.
fn text(spec: &UserSpec, commands: &CommandSpec) -> String {
    let as_whom = match (shown_all(&commands.users), shown_all(&commands.groups)) {
        (users, groups) if users.is_empty() && groups.is_empty() => String::new(),
        (users, groups) if groups.is_empty() => format!("({users}) "),
        (users, groups) => format!("({users} : {}) ", groups.replace('%', "")),
    };
    let options = commands
        .options
        .iter()
        .flatten()
        .map(|(key, value)| match value {
            Value::Bool(true) => format!("{key}: "),
            Value::Bool(false) => format!("!{key}: "),
            value => format!(
                "{key}={}: ",
                value.as_str().map_or(value.to_string(), str::to_owned)
            ),
        });
    let (users, hosts) = (shown_all(&spec.users), shown_all(&spec.hosts));
    let options: String = options.collect();
    let deeds = shown_all(&commands.commands);
    format!("{users} {hosts} = {as_whom}{options}{deeds}")
}

fn shown_all(raw: &[Raw]) -> String {
    raw.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// A member as sudoers writes it.
pub(super) fn shown(raw: &Raw) -> String {
    let sign = match raw.get("negated") {
        Some(Value::Bool(true)) => "!",
        _ => "",
    };
    let mut digests = String::new();
    let mut word = String::new();
    for (key, value) in raw.iter().filter(|(key, _)| *key != "negated") {
        let value = value.as_str().map_or(value.to_string(), str::to_owned);
        match key.as_str() {
            "userid" => word = format!("#{value}"),
            "usergroup" => word = format!("%{value}"),
            "usergid" => word = format!("%#{value}"),
            "netgroup" => word = format!("+{value}"),
            "nonunixgroup" => word = format!("%:{value}"),
            "nonunixgid" => word = format!("%:#{value}"),
            key if key.starts_with("sha") => digests = format!("{key}:{value} "),
            _ => word = value,
        }
    }
    format!("{sign}{digests}{word}")
}
