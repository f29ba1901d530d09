//! The keys of the language, and which of them this version enforces.

/// One table of the language.
pub(super) struct Keys {
    /// Keys that are enforced.
    pub(super) enforced: &'static [&'static str],
    /// Keys that are part of the language and not enforced yet; to ignore one would be to
    /// grant more than the policy says.
    pub(super) later: &'static [&'static str],
    /// The tables in it whose keys are sometimes taken for its own.
    inside: &'static [(&'static str, &'static Keys)],
}

impl Keys {
    /// The table in it that a key belongs to.
    pub(super) fn home_of(&self, key: &str) -> Option<&'static str> {
        let holds = |keys: &Keys| keys.enforced.contains(&key) || keys.later.contains(&key);
        let mut tables = self.inside.iter();
        tables.find(|(_, keys)| holds(keys)).map(|(name, _)| *name)
    }
}

pub(super) const TOP: Keys = Keys {
    enforced: &["alias", "role", "rule"],
    later: &[],
    inside: &[],
};

pub(super) const ALIAS: Keys = Keys {
    enforced: &["users", "commands", "run_as", "approvers", "hosts"],
    later: &[],
    inside: &[],
};

pub(super) const ROLE: Keys = Keys {
    enforced: &[
        "description",
        "members",
        "removed",
        "includes",
        "conflicts",
        "may",
        "login",
    ],
    later: &["eligible", "activate"],
    inside: &[],
};

pub(super) const LOGIN: Keys = Keys {
    enforced: &["when", "require", "record"],
    later: &[],
    inside: &[],
};

pub(super) const LOGIN_WHEN: Keys = Keys {
    enforced: &["hosts", "services", "hours", "from"],
    later: &["terminal", "valid"],
    inside: &[],
};

pub(super) const LOGIN_REQUIRE: Keys = Keys {
    enforced: &["mfa"],
    later: &["approvals", "approvers", "password", "reason", "ticket"],
    inside: &[],
};

pub(super) const RULE: Keys = Keys {
    enforced: &[
        "description",
        "roles",
        "run_as",
        "commands",
        "edit",
        "effect",
        "when",
        "require",
        "limit",
        "session",
    ],
    later: &["break_glass"],
    inside: &[
        ("when", &RULE_WHEN),
        ("require", &REQUIRE),
        ("limit", &LIMIT),
        ("session", &SESSION),
    ],
};

pub(super) const RULE_WHEN: Keys = Keys {
    enforced: &["hosts", "services", "hours", "from", "valid", "terminal"],
    later: &[],
    inside: &[],
};

/// An entry of `commands` that is a table.
pub(super) const PINNED: Keys = Keys {
    enforced: &["run", "sha256"],
    later: &[],
    inside: &[],
};

pub(super) const REQUIRE: Keys = Keys {
    enforced: &["approvals", "approvers", "mfa", "ticket", "reason"],
    later: &["password"],
    inside: &[],
};

pub(super) const LIMIT: Keys = Keys {
    enforced: &["default", "max", "tasks", "memory", "cpu", "grace", "idle"],
    later: &[],
    inside: &[],
};

pub(super) const SESSION: Keys = Keys {
    enforced: &[
        "record",
        "on_full",
        "watched",
        "execs",
        "keep_env",
        "capabilities",
        "contain",
        "writable",
        "network",
    ],
    later: &[],
    inside: &[],
};

/// What roles let people do beside their rules.
pub(super) const MAY: Keys = Keys {
    enforced: &["approve", "audit"],
    later: &["helpdesk", "administer"],
    inside: &[],
};

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
        let enforced: Vec<_> = tables.iter().flat_map(|keys| keys.enforced).collect();
        let tops = ["alias", "role", "rule"].map(|table| format!("## `[{table}"));
        assert!(tops.iter().all(|heading| text.contains(heading)));
        for key in &enforced {
            assert!(words.contains(key) || TOP.enforced.contains(key), "{key}");
        }
        for key in tables.iter().flat_map(|keys| keys.later) {
            assert!(!words.contains(key) || enforced.contains(&key), "{key}");
        }
        assert!(MAY.enforced.iter().all(|word| text.contains(word)));
    }
}
