//! From what a client asks to a verdict: accounts, the file, the policy.

use std::sync::Arc;

use elevate_policy::{Allowance, Decision, Policy, Question, Verdict};
use elevate_protocol::account::Account;
use elevate_protocol::launch::{File, Purpose, Resolution, Resolve};
use elevate_protocol::{Bytes, ErrorName, Id};

use super::ask::Ask;
use super::stream::Refusal;
use crate::daemon::Daemon;
use crate::identity::{Accounts, UnknownAccount};
use crate::launch;

/// Everything that a verdict rests on, and the verdict.
#[derive(Debug)]
pub struct Answer {
    /// The policy that was asked.
    pub policy: Arc<Policy>,
    /// Who asks.
    pub caller: Account,
    /// As whom.
    pub target: Account,
    /// The group that was asked for.
    pub target_group: Option<String>,
    /// What the command is.
    pub resolution: Resolution,
    /// What the policy says, where there is a path to judge.
    pub verdict: Option<Verdict>,
}

impl Answer {
    /// The file and what is owed, or why not, in words that the caller may hear.
    pub fn allowance(&self) -> Result<(&File, &Allowance), Refusal> {
        match (&self.resolution, self.verdict.as_ref().map(|v| &v.decision)) {
            (_, Some(Decision::Denied(denial))) => {
                Err(Refusal::new(ErrorName::Denied, &denial.message).hint(&denial.advice))
            }
            (Resolution::Found(file), Some(Decision::Allowed(allowance))) => Ok((file, allowance)),
            // Only a bare name that was not found has no path, and so no verdict.
            (Resolution::NotFound, None) => Err(no_file(&self.resolution)
                .hint("a bare name is looked for in the folders of secure_path (elevated.toml)")),
            (resolution, _) => Err(no_file(resolution)),
        }
    }

    /// What the command is, as far as somebody may hear who may run only what is allowed.
    pub fn shown_file(&self) -> Option<&Resolution> {
        let verdict = self.verdict.as_ref()?;
        matches!(verdict.decision, Decision::Allowed(_)).then_some(&self.resolution)
    }
}

/// Judge what `uid` asks. `explain` looks at every rule, for people who want to know why.
pub async fn judge(
    daemon: &Daemon,
    id: Id,
    uid: u32,
    ask: &Ask,
    explain: bool,
) -> Result<Answer, Refusal> {
    let (policy, accounts) = daemon.facts().await?;
    let caller = accounts
        .by_uid(uid)
        .map_err(|unknown| no_account(uid, unknown))?;
    let (target, target_group) = target(&accounts, &caller, ask)?;
    if policy.rules_for(&caller.name, &*accounts).is_empty() && !explain {
        // Who has no rules learns nothing about files either.
        return Err(Refusal::new(
            ErrorName::Denied,
            format!(
                "no rule lets you run this as {}",
                elevate_protocol::escape::line(target.name.as_bytes())
            ),
        )
        .hint("ask an administrator for a role with a rule for it"));
    }
    let resolution = resolve(daemon, id, &target, ask, false).await?;
    let named = named(&ask.argv[0], &ask.cwd);
    // Whoever may not run a path hears the same of it whether there is a file or not.
    let paths = match &resolution {
        Resolution::Found(file) => Some((&file.path[..], &file.real[..])),
        _ => named.as_deref().map(|path| (path, path)),
    };
    let args: Vec<Vec<u8>> = ask.argv[1..].iter().map(|word| word.0.clone()).collect();
    let verdict = paths.map(|(file, real)| {
        let question = Question {
            user: &caller.name,
            uid: caller.uid,
            target_user: &target.name,
            target_uid: target.uid,
            target_group: target_group.as_deref(),
            target_gid: target_group.as_ref().map(|_| target.gid),
            file,
            real,
            args: &args,
            shell: false,
            rule: ask.rule.as_deref(),
            wanted: ask.duration,
        };
        match explain {
            true => policy.explain(&question, &*accounts),
            false => policy.judge(&question, &*accounts),
        }
    });
    Ok(Answer {
        policy,
        caller,
        target,
        target_group,
        resolution,
        verdict,
    })
}

/// Judge again, after a client took its time to answer a question: what was allowed before must be
/// so still, word for word.
pub(super) async fn again(
    daemon: &Daemon,
    id: Id,
    uid: u32,
    ask: &Ask,
    before: Answer,
) -> Result<Answer, Refusal> {
    let now = judge(daemon, id, uid, ask, false).await?;
    let (file, allowance) = now.allowance()?;
    let (file_before, allowance_before) = before.allowance()?;
    let same_file = file.identity == file_before.identity && file.path == file_before.path;
    if !same_file || allowance != allowance_before || now.caller != before.caller {
        return Err(Refusal::new(
            ErrorName::Changed,
            "the policy, your account or the command changed while you were asked; try again",
        ));
    }
    Ok(now)
}

/// Whether `uid` has an account that counts now.
pub(super) async fn counts(daemon: &Daemon, uid: u32) -> Result<(), Refusal> {
    let (_, accounts) = daemon.facts().await?;
    let account = accounts.by_uid(uid);
    account
        .map(drop)
        .map_err(|unknown| no_account(uid, unknown))
}

fn no_account(uid: u32, unknown: UnknownAccount) -> Refusal {
    match unknown {
        UnknownAccount::Nobody => Refusal::new(
            ErrorName::Denied,
            format!("uid {uid} has no account that counts on this host"),
        )
        .hint("accounts come from /etc/passwd and from the directory of elevate-directory"),
        UnknownAccount::Outdated => Refusal::new(ErrorName::Denied, unknown.to_string())
            .hint("an administrator looks with: elevatectl directory status"),
    }
}

/// Have the command looked up again, with a hash of what is found.
pub(super) async fn hashed(
    daemon: &Daemon,
    id: Id,
    target: &Account,
    ask: &Ask,
    before: &File,
) -> Result<File, Refusal> {
    match resolve(daemon, id, target, ask, true).await? {
        Resolution::Found(file) if file.identity == before.identity && file.path == before.path => {
            Ok(file)
        }
        Resolution::Found(_) => Err(Refusal::new(
            ErrorName::Changed,
            "the command's file changed while it was looked at; try again",
        )),
        other => Err(no_file(&other)),
    }
}

async fn resolve(
    daemon: &Daemon,
    id: Id,
    target: &Account,
    ask: &Ask,
    hash: bool,
) -> Result<Resolution, Refusal> {
    let question = Resolve {
        command: ask.argv[0].clone(),
        cwd: ask.cwd.clone(),
        search_path: daemon.settings.secure_path.clone(),
        target: target.clone(),
        hash,
        purpose: Purpose::Execute,
    };
    launch::resolve(&daemon.launcher, id, &question)
        .await
        .map_err(|error| {
            Refusal::new(
                ErrorName::Unavailable,
                format!("the launcher can't be reached: {error}"),
            )
            .hint("an administrator starts it with: systemctl start elevate-launcher.socket")
        })
}

fn target(
    accounts: &Accounts,
    caller: &Account,
    ask: &Ask,
) -> Result<(Account, Option<String>), Refusal> {
    let user = match (&ask.user, &ask.group) {
        (Some(user), _) => user.as_str(),
        // As with sudo, a group alone is asked for with one's own uid.
        (None, Some(_)) => caller.name.as_str(),
        (None, None) => "root",
    };
    let unknown = |kind: &str, name: &str| {
        let name = elevate_protocol::escape::line(name.as_bytes());
        Refusal::new(
            ErrorName::InvalidArgument,
            format!("there is no {kind} {name} on this host"),
        )
    };
    let mut target = accounts
        .by_name_or_id(user)
        .map_err(|_| unknown("user", user))?;
    let Some(group) = &ask.group else {
        return Ok((target, None));
    };
    let (name, gid) = accounts.group(group).map_err(|_| unknown("group", group))?;
    target.gid = gid;
    target.groups.insert(0, gid);
    Ok((target, Some(name)))
}

/// The path that was asked for, as far as its words alone tell; none for a bare name, which is
/// looked for in folders that everybody may list.
fn named(word: &Bytes, cwd: &[u8]) -> Option<Vec<u8>> {
    if !word.contains(&b'/') {
        return None;
    }
    let whole = match word.first() {
        Some(b'/') => word.0.clone(),
        _ => [cwd, b"/", word].concat(),
    };
    let mut folders: Vec<&[u8]> = Vec::new();
    for part in whole.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(folders.pop()),
            part => folders.push(part),
        }
    }
    Some([b"/", &folders.join(&b'/')[..]].concat())
}

fn no_file(resolution: &Resolution) -> Refusal {
    let (error, message) = match resolution {
        Resolution::NotExecutable(path) => (
            ErrorName::CommandNotExecutable,
            format!("{} can't be executed", shown(path)),
        ),
        Resolution::Failed(why) => (
            ErrorName::CommandNotExecutable,
            format!("the command could not be looked up: {why}"),
        ),
        Resolution::NotEditable(why) => (ErrorName::InvalidArgument, why.clone()),
        Resolution::NotFound | Resolution::Found(_) | Resolution::Editable(_) => {
            (ErrorName::CommandNotFound, "command not found".to_owned())
        }
    };
    Refusal::new(error, message)
}

fn shown(path: &Bytes) -> String {
    elevate_protocol::escape::line(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_by_its_words_alone() {
        let named = |word: &str| {
            named(&word.into(), b"/srv/x").map(|path| String::from_utf8(path).unwrap())
        };
        assert_eq!(named("id"), None);
        assert_eq!(named("/usr/./bin//id").as_deref(), Some("/usr/bin/id"));
        assert_eq!(named("./run").as_deref(), Some("/srv/x/run"));
        assert_eq!(named("../../../../etc/x").as_deref(), Some("/etc/x"));
    }
}
