//! The keys of the language, and which of them this version enforces.

/// One table of the language.
pub(super) struct Keys {
    /// Keys that are enforced.
    pub(super) enforced: &'static [&'static str],
    /// Keys that are part of the language and not enforced yet; to ignore one would be to
    /// grant more than the policy says.
    pub(super) later: &'static [&'static str],
}

pub(super) const TOP: Keys = Keys {
    enforced: &["alias", "role", "rule"],
    later: &[],
};

pub(super) const ALIAS: Keys = Keys {
    enforced: &["users", "commands", "run_as", "approvers", "hosts"],
    later: &[],
};

pub(super) const ROLE: Keys = Keys {
    enforced: &["description", "members", "login"],
    later: &[
        "eligible",
        "removed",
        "includes",
        "conflicts",
        "may",
        "activate",
    ],
};

pub(super) const LOGIN: Keys = Keys {
    enforced: &["when", "require"],
    later: &[],
};

pub(super) const LOGIN_WHEN: Keys = Keys {
    enforced: &["hosts", "services", "hours", "from"],
    later: &["terminal", "valid"],
};

pub(super) const LOGIN_REQUIRE: Keys = Keys {
    enforced: &["mfa"],
    later: &["approvals", "approvers", "password", "reason", "ticket"],
};

pub(super) const RULE: Keys = Keys {
    enforced: &[
        "description",
        "roles",
        "run_as",
        "commands",
        "effect",
        "require",
        "limit",
        "session",
    ],
    later: &[
        "edit",
        "when",
        "break_glass",
        "capabilities",
        "contain",
        "writable",
        "network",
    ],
};

pub(super) const REQUIRE: Keys = Keys {
    enforced: &["approvals", "approvers", "mfa", "reason"],
    later: &["password", "ticket"],
};

pub(super) const LIMIT: Keys = Keys {
    enforced: &["default", "max", "tasks"],
    later: &["grace", "idle"],
};

pub(super) const SESSION: Keys = Keys {
    enforced: &["record", "execs", "keep_env"],
    later: &["on_full"],
};
