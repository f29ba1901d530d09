//! The keys of the language, what they take, and which of them this version enforces.

use crate::limits::{MAX_APPROVALS, MAX_TASKS};

/// One table of the language.
pub(crate) struct Keys {
    /// Keys that are enforced.
    pub(crate) enforced: &'static [Key],
    /// Keys that are part of the language and not enforced yet; to ignore one would be to
    /// grant more than the policy says.
    pub(super) later: &'static [&'static str],
}

/// One key, or one word of a list of known words.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    /// What it is for, in one line.
    pub(crate) tells: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy)]
pub(crate) enum Takes {
    /// Any text.
    Text,
    /// A text, as in this example.
    As(&'static str),
    /// A list of texts, as in this example.
    List(&'static str),
    /// One text or a list of them, as in this example.
    OneOrMore(&'static str),
    /// A list of commands.
    Commands,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of the words of this table.
    Known(&'static Keys),
    /// `true` or `false`.
    Boolean,
    /// A whole number between these two, both included.
    Number(u32, u32),
    /// A number of approvals, or `"each"`.
    Approvals,
    /// A table of these keys.
    Table(&'static Keys),
    /// A table of tables, each under a name of its own.
    Tables(&'static Keys),
    /// A table of lists, each under a name of its own.
    Lists(&'static str),
}

impl Keys {
    pub(super) fn enforces(&self, name: &str) -> bool {
        self.enforced.iter().any(|key| key.name == name)
    }

    /// Every name that there is, enforced or not.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let enforced = self.enforced.iter().map(|key| key.name);
        enforced.chain(self.later.iter().copied())
    }

    /// The table in it that a key belongs to.
    pub(super) fn home_of(&self, name: &str) -> Option<&'static str> {
        let mut keys = self.enforced.iter();
        let home = keys.find(|key| match key.takes {
            Takes::Table(inner) => inner.names().any(|inner| inner == name),
            _ => false,
        });
        home.map(|key| key.name)
    }
}

const fn key(name: &'static str, takes: Takes, tells: &'static str) -> Key {
    Key { name, takes, tells }
}

/// A list of people, for its example.
const PEOPLE: &str = "%dba";
const HOSTS: &str = "db-*";
const RUN_AS: &str = "root";
const APPROVERS: &str = "role:lead";
const DESCRIPTION: Key = key("description", Takes::Text, "What it is for");

pub(crate) const TOP: Keys = Keys {
    enforced: &[
        key("alias", Takes::Table(&ALIAS), "Lists with a name"),
        key("role", Takes::Tables(&ROLE), "Sets of people"),
        key(
            "rule",
            Takes::Tables(&RULE),
            "Who may run what as whom, and what is owed first",
        ),
    ],
    later: &[],
};

pub(super) const ALIAS: Keys = Keys {
    enforced: &[
        key("users", Takes::Lists(PEOPLE), "Used as \"@users.NAME\""),
        key(
            "commands",
            Takes::Lists("/usr/bin/id"),
            "Used as \"@commands.NAME\"",
        ),
        key("run_as", Takes::Lists(RUN_AS), "Used as \"@run_as.NAME\""),
        key(
            "approvers",
            Takes::Lists(APPROVERS),
            "Used as \"@approvers.NAME\"",
        ),
        key("hosts", Takes::Lists(HOSTS), "Used as \"@hosts.NAME\""),
    ],
    later: &[],
};

pub(super) const ROLE: Keys = Keys {
    enforced: &[
        DESCRIPTION,
        key(
            "members",
            Takes::List(PEOPLE),
            "Users, %group, attr:NAME=VALUE, @users.NAME",
        ),
        key(
            "removed",
            Takes::List(PEOPLE),
            "Who is no member, whoever says so",
        ),
        key(
            "includes",
            Takes::List("operator"),
            "Roles that its members have too",
        ),
        key(
            "conflicts",
            Takes::List("operator"),
            "Roles that exclude this one",
        ),
        key("may", Takes::Known(&MAY), "What members may beside rules"),
        key("login", Takes::Table(&LOGIN), "How members log in"),
    ],
    later: &["eligible", "activate"],
};

pub(super) const LOGIN: Keys = Keys {
    enforced: &[
        key(
            "when",
            Takes::Table(&LOGIN_WHEN),
            "Where and when; all of it must fit",
        ),
        key(
            "require",
            Takes::Table(&LOGIN_REQUIRE),
            "What is owed at the door",
        ),
        key(
            "record",
            Takes::Choice(&["none", "output"]),
            "Whether the whole login is recorded",
        ),
    ],
    later: &[],
};

const ON: Key = key("hosts", Takes::List(HOSTS), "On which hosts");
const SERVICES: Key = key(
    "services",
    Takes::List("sshd"),
    "By which PAM services they logged in",
);
const HOURS: Key = key(
    "hours",
    Takes::OneOrMore("Mon..Fri 07:00-20:00 UTC"),
    "At which hours, by the clock of a time zone",
);
const FROM: Key = key(
    "from",
    Takes::List("10.0.0.0/8"),
    "From which networks they logged in",
);

pub(super) const LOGIN_WHEN: Keys = Keys {
    enforced: &[ON, SERVICES, HOURS, FROM],
    later: &["terminal", "valid"],
};

pub(super) const LOGIN_REQUIRE: Keys = Keys {
    enforced: &[key(
        "mfa",
        MFA,
        "A code: \"always\" is what is owed if nothing is written",
    )],
    later: &["approvals", "approvers", "password", "reason", "ticket"],
};

const MFA: Takes = Takes::As("15m");

pub(super) const RULE: Keys = Keys {
    enforced: &[
        DESCRIPTION,
        key("roles", Takes::List("operator"), "For whom"),
        key(
            "run_as",
            Takes::OneOrMore(RUN_AS),
            "As whom: user, #uid, user:group, SELF, ALL, ALL:OWN",
        ),
        key("commands", Takes::Commands, "What may be run"),
        key(
            "edit",
            Takes::List("/etc/nginx/*.conf"),
            "What `elevate -e` may edit",
        ),
        key(
            "effect",
            Takes::Choice(&["allow", "deny"]),
            "Whether it gives or takes",
        ),
        key(
            "when",
            Takes::Table(&RULE_WHEN),
            "Where, when and how; all of it must fit",
        ),
        key(
            "require",
            Takes::Table(&REQUIRE),
            "What is owed first; {} is a standing grant",
        ),
        key("limit", Takes::Table(&LIMIT), "How long and how much"),
        key("session", Takes::Table(&SESSION), "How it runs"),
    ],
    later: &["break_glass"],
};

pub(super) const RULE_WHEN: Keys = Keys {
    enforced: &[
        ON,
        SERVICES,
        HOURS,
        FROM,
        key(
            "valid",
            Takes::As("2026-03-14 18:00 .. 2026-03-15 06:00 UTC"),
            "Between which two moments",
        ),
        key("terminal", Takes::Boolean, "Whether at a terminal"),
    ],
    later: &[],
};

/// An entry of `commands` that is a table.
pub(crate) const PINNED: Keys = Keys {
    enforced: &[
        key("run", Takes::As("/usr/bin/id"), "The command"),
        key("sha256", Takes::Text, "The hash of the file's contents"),
    ],
    later: &[],
};

pub(super) const REQUIRE: Keys = Keys {
    enforced: &[
        key(
            "approvals",
            Takes::Approvals,
            "By how many others, or by each of the approvers",
        ),
        key(
            "approvers",
            Takes::List(APPROVERS),
            "Users, %group, role:NAME, @approvers.NAME",
        ),
        key(
            "mfa",
            MFA,
            "A code: \"always\", or how old the last one may be",
        ),
        key(
            "ticket",
            Takes::As("OPS-[0-9]+"),
            "What the number of a ticket looks like",
        ),
        key(
            "reason",
            Takes::Boolean,
            "A reason in the asker's own words",
        ),
    ],
    later: &["password"],
};

pub(super) const LIMIT: Keys = Keys {
    enforced: &[
        key(
            "default",
            Takes::As("15m"),
            "For how long, when nobody asks with --for",
        ),
        key("max", Takes::As("1h"), "For how long at most"),
        key(
            "tasks",
            Takes::Number(1, MAX_TASKS),
            "So many processes and threads at once",
        ),
        key("memory", Takes::As("512M"), "So much memory"),
        key("cpu", Takes::As("50%"), "So much of one processor's time"),
        key(
            "grace",
            Takes::As("10s"),
            "How long before the end there is SIGTERM",
        ),
        key(
            "idle",
            Takes::As("5m"),
            "After how long without a key the terminal is held",
        ),
    ],
    later: &[],
};

pub(super) const SESSION: Keys = Keys {
    enforced: &[
        key(
            "record",
            Takes::Choice(&["none", "output", "full"]),
            "What of the terminal is recorded",
        ),
        key(
            "on_full",
            Takes::Choice(&["end", "refuse"]),
            "Where a recording finds no room",
        ),
        key(
            "watched",
            Takes::Boolean,
            "It runs only while somebody watches",
        ),
        key(
            "execs",
            Takes::Choice(&["none", "log", "deny"]),
            "Programs that the command starts",
        ),
        key(
            "keep_env",
            Takes::List("LANG"),
            "Variables of the caller's that are kept",
        ),
        key(
            "capabilities",
            Takes::List("CAP_NET_ADMIN"),
            "All that the command can ever have",
        ),
        key(
            "contain",
            Takes::Boolean,
            "In a view of the host of its own",
        ),
        key(
            "writable",
            Takes::List("/srv/www"),
            "What stays writable when contained",
        ),
        key(
            "network",
            Takes::Boolean,
            "It stays in the host's network when contained",
        ),
    ],
    later: &[],
};

/// What roles let people do beside their rules.
pub(super) const MAY: Keys = Keys {
    enforced: &[
        key(
            "approve",
            Takes::Text,
            "Approve where a rule names no approvers",
        ),
        key("audit", Takes::Text, "List, read and watch sessions"),
    ],
    later: &["helpdesk", "administer"],
};

/// The numbers of approvals that there can be.
pub(crate) const APPROVALS: (u32, u32) = (0, MAX_APPROVALS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_policy_tells_of_every_key_and_of_none_that_is_not_enforced() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy.md");
        let text = std::fs::read_to_string(path).unwrap();
        // `login.when` tells of `when`, and `users.NAME` of `users`.
        let quoted = text.split('`').skip(1).step_by(2);
        let words: Vec<_> = quoted.flat_map(|word| word.split('.')).collect();
        let tables = [
            TOP,
            ALIAS,
            ROLE,
            LOGIN,
            LOGIN_WHEN,
            LOGIN_REQUIRE,
            RULE,
            RULE_WHEN,
            PINNED,
            REQUIRE,
            LIMIT,
            SESSION,
        ];
        let enforced = tables.iter().flat_map(|keys| keys.enforced);
        let enforced: Vec<_> = enforced.map(|key| key.name).collect();
        let tops = ["alias", "role", "rule"].map(|table| format!("## `[{table}"));
        assert!(tops.iter().all(|heading| text.contains(heading)));
        for key in &enforced {
            assert!(words.contains(key) || TOP.enforces(key), "{key}");
        }
        for key in tables.iter().flat_map(|keys| keys.later) {
            assert!(!words.contains(key) || enforced.contains(key), "{key}");
        }
        assert!(MAY.enforced.iter().all(|word| text.contains(word.name)));
    }
}
