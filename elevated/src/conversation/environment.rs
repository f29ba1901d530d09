//! The environment of a command: an allow-list, never what the caller happens to have.

use elevate_protocol::account::Account;
use elevate_protocol::{Bytes, Id, escape};

/// What goes into it beside what is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// Who asked.
    pub caller: &'a Account,
    /// Whom the command runs as.
    pub target: &'a Account,
    /// Its words.
    pub argv: &'a [Bytes],
    /// The session.
    pub id: Id,
    /// `PATH`.
    pub secure_path: &'a str,
}

/// The whole environment, `NAME=value` each. What is ours wins over what is kept.
pub(super) fn build(facts: Facts<'_>, kept: &[Bytes]) -> Vec<Bytes> {
    let ours = ours(facts);
    let is_ours = |variable: &Bytes| {
        ours.iter()
            .any(|(known, _)| name(variable) == known.as_bytes())
    };
    let mut environment: Vec<Bytes> = kept.iter().filter(|v| !is_ours(v)).cloned().collect();
    environment.extend(
        ours.iter()
            .map(|(name, value)| Bytes::from(format!("{name}={value}"))),
    );
    environment
}

/// The name of a `NAME=value`.
pub(super) fn name(variable: &[u8]) -> &[u8] {
    variable
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or_default()
}

fn ours(facts: Facts<'_>) -> Vec<(&'static str, String)> {
    let Facts {
        caller,
        target,
        argv,
        id,
        secure_path,
    } = facts;
    let command = escape::command(argv.iter().map(|word| &word[..]));
    let both = [
        ("ELEVATE_USER", "SUDO_USER", caller.name.clone()),
        ("ELEVATE_UID", "SUDO_UID", caller.uid.to_string()),
        ("ELEVATE_GID", "SUDO_GID", caller.gid.to_string()),
        ("ELEVATE_COMMAND", "SUDO_COMMAND", command),
    ];
    let mut ours = vec![
        ("PATH", secure_path.to_owned()),
        ("HOME", target.home.clone()),
        ("SHELL", target.shell.clone()),
        ("USER", target.name.clone()),
        ("LOGNAME", target.name.clone()),
        ("ELEVATE_REQUEST", id.to_string()),
    ];
    for (name, twin, value) in both {
        ours.push((name, value.clone()));
        ours.push((twin, value));
    }
    ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_never_takes_the_place_of_what_is_ours() {
        let account = |name: &str| Account {
            name: name.into(),
            uid: 1000,
            gid: 1000,
            groups: vec![1000],
            home: "/".into(),
            shell: "/bin/sh".into(),
        };
        let (caller, target) = (account("alice"), account("root"));
        let argv = ["id".into()];
        let id = Id::from_random(1);
        let facts = Facts {
            caller: &caller,
            target: &target,
            argv: &argv,
            id,
            secure_path: "/usr/bin",
        };
        let environment = build(facts, &["PATH=/tmp".into(), "TERM=xterm".into()]);
        assert!(environment.contains(&"PATH=/usr/bin".into()));
        assert!(environment.contains(&"TERM=xterm".into()));
        assert!(!environment.contains(&"PATH=/tmp".into()));
        assert!(environment.contains(&"SUDO_USER=alice".into()));
    }
}
