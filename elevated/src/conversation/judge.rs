//! From what a client asks to a verdict: accounts, the file, the policy.

use std::sync::Arc;

use elevate_policy::{Allowance, Decision, Policy, Question, Scene, Verdict};
use elevate_protocol::account::Account;
use elevate_protocol::launch::{EditFile, File, Resolution};
use elevate_protocol::{Bytes, ErrorName, Id};

use super::arrival::Arrival;
use super::ask::Ask;
use super::stream::Refusal;
use super::words::Words;
use crate::daemon::Daemon;
use crate::elevation::{Digest, Subject};
use crate::identity::{Accounts, UnknownAccount};

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
    /// The words: those of the caller, or the name that a shell is started by.
    pub argv: Vec<Bytes>,
    /// Where.
    pub cwd: Bytes,
    /// What the words lead to.
    pub found: Found,
    /// What the policy says, where there is a path to judge.
    pub verdict: Option<Verdict>,
}

/// What the words of an ask lead to.
#[derive(Debug)]
pub enum Found {
    /// A command, or a shell.
    Command(Resolution),
    /// A command that the target's shell, the second one, executes.
    ByLoginShell(Resolution, Resolution),
    /// Files to be edited.
    Edit(Vec<Resolution>),
}

impl Answer {
    /// What is to be done and what is owed, or why not, in words that the caller may hear.
    pub fn allowance(&self) -> Result<(Subject, &Allowance), Refusal> {
        match self.verdict.as_ref().map(|verdict| &verdict.decision) {
            Some(Decision::Denied(denial)) => {
                Err(Refusal::new(ErrorName::Denied, &denial.message).hint(&denial.advice))
            }
            Some(Decision::Allowed(allowance)) => Ok((self.found.subject()?, allowance)),
            // Only a bare name that was not found has no path, and so no verdict.
            None => Err(no_file(&Resolution::NotFound)
                .hint("a bare name is looked for in the folders of secure_path (elevated.toml)")),
        }
    }

    /// What the command is, as far as somebody may hear who may run only what is allowed.
    pub fn shown_file(&self) -> Option<&Resolution> {
        let verdict = self.verdict.as_ref()?;
        let allowed = matches!(verdict.decision, Decision::Allowed(_));
        allowed.then_some(self.file()).flatten()
    }

    /// What the command is; none where files are to be edited.
    pub fn file(&self) -> Option<&Resolution> {
        match &self.found {
            Found::Command(file) | Found::ByLoginShell(file, _) => Some(file),
            Found::Edit(_) => None,
        }
    }
}

impl Found {
    /// The hash of the command's file, where it was looked at.
    fn hash(&self) -> Option<[u8; 32]> {
        match self {
            Found::Command(Resolution::Found(file))
            | Found::ByLoginShell(Resolution::Found(file), _) => {
                let hash: Digest = file.sha256.as_ref()?.parse().ok()?;
                Some(hash.bytes())
            }
            _ => None,
        }
    }

    fn subject(&self) -> Result<Subject, Refusal> {
        match self {
            Found::Command(file) => Ok(Subject::Command(executable(file)?)),
            Found::ByLoginShell(file, shell) => {
                let (file, shell) = (executable(file)?, executable(shell)?);
                // The shell finds the file by its path: then nobody may be able to swap it.
                match file.fixed {
                    true => Ok(Subject::ByLoginShell(file, shell)),
                    false => Err(Refusal::new(
                        ErrorName::Denied,
                        "-i runs no file that others can change",
                    )
                    .hint("run it without -i")),
                }
            }
            Found::Edit(files) => {
                let files: Result<_, _> = files.iter().map(editable).collect();
                Ok(Subject::Edit(files?))
            }
        }
    }
}

fn executable(resolution: &Resolution) -> Result<File, Refusal> {
    match resolution {
        Resolution::Found(file) => Ok(file.clone()),
        other => Err(no_file(other)),
    }
}

fn editable(resolution: &Resolution) -> Result<EditFile, Refusal> {
    match resolution {
        Resolution::Editable(file) => Ok(file.clone()),
        other => Err(no_file(other)),
    }
}

/// Judge what `uid` asks, who came so. `explain` looks at every rule, for people who want to know why.
pub async fn judge(
    daemon: &Daemon,
    id: Id,
    (uid, arrival): (u32, &Arrival),
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
    let words = Words::of(daemon, ask, &caller, &target);
    let found = words.look_up(daemon, id, &caller, &target).await?;
    let found = with_hash(daemon, id, &policy, &words, &target, found).await?;
    let (edit, paths) = match &found {
        Found::Edit(files) => (
            words.edit_paths(files),
            Some(<(Vec<u8>, Vec<u8>)>::default()),
        ),
        Found::Command(file) | Found::ByLoginShell(file, _) => {
            (Vec::new(), words.command_paths(file))
        }
    };
    let args: Vec<Vec<u8>> = words.argv[1..].iter().map(|word| word.0.clone()).collect();
    let judged = |(file, real): (Vec<u8>, Vec<u8>), scene: Scene<'_>| {
        let question = Question {
            user: &caller.name,
            uid: caller.uid,
            target_user: &target.name,
            target_uid: target.uid,
            target_group: target_group.as_deref(),
            target_gid: target_group.as_ref().map(|_| target.gid),
            file: &file,
            real: &real,
            sha256: found.hash(),
            args: &args,
            shell: words.is_shell,
            edit: &edit,
            rule: ask.rule.as_deref(),
            wanted: ask.duration,
            scene,
        };
        match explain {
            true => policy.explain(&question, &*accounts),
            false => policy.judge(&question, &*accounts),
        }
    };
    let verdict = paths.map(|paths| arrival.in_scene(|scene| judged(paths, scene)));
    Ok(Answer {
        policy,
        caller,
        target,
        target_group,
        argv: words.argv,
        cwd: words.cwd,
        found,
        verdict,
    })
}

/// The same with the hash of the file that is executed, where a rule names it by that. What cannot be
/// read has none, and then no such rule allows it.
async fn with_hash(
    daemon: &Daemon,
    id: Id,
    policy: &Policy,
    words: &Words,
    target: &Account,
    found: Found,
) -> Result<Found, Refusal> {
    let before = match &found {
        Found::Command(Resolution::Found(file))
        | Found::ByLoginShell(Resolution::Found(file), _)
            if policy.pins(&file.path, &file.real) =>
        {
            file
        }
        _ => return Ok(found),
    };
    let Resolution::Found(hashed) = words.hashed(daemon, id, target).await? else {
        return Ok(found);
    };
    if hashed.identity != before.identity || hashed.path != before.path {
        return Err(changed());
    }
    Ok(match found {
        Found::ByLoginShell(_, shell) => Found::ByLoginShell(Resolution::Found(hashed), shell),
        _ => Found::Command(Resolution::Found(hashed)),
    })
}

fn changed() -> Refusal {
    Refusal::new(
        ErrorName::Changed,
        "the command's file changed while it was looked at; try again",
    )
}

/// Judge again, after a client took its time to answer a question: what was allowed before must be
/// so still, word for word.
pub(super) async fn again(
    daemon: &Daemon,
    id: Id,
    who: (u32, &Arrival),
    ask: &Ask,
    before: Answer,
) -> Result<Answer, Refusal> {
    let now = judge(daemon, id, who, ask, false).await?;
    let (subject, allowance) = now.allowance()?;
    let (subject_before, allowance_before) = before.allowance()?;
    if subject != subject_before || allowance != allowance_before || now.caller != before.caller {
        return Err(Refusal::new(
            ErrorName::Changed,
            "the policy, your account or the command changed while you were asked; try again",
        ));
    }
    Ok(now)
}

/// The account of `uid`, if it has one that counts now.
pub async fn account(daemon: &Daemon, uid: u32) -> Result<Account, Refusal> {
    let (_, accounts) = daemon.facts().await?;
    let account = accounts.by_uid(uid);
    account.map_err(|unknown| no_account(uid, unknown))
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

/// The same with the hash of the file that is executed, for approvers to see.
pub(super) async fn hashed(
    daemon: &Daemon,
    id: Id,
    answer: &Answer,
    ask: &Ask,
    subject: Subject,
) -> Result<Subject, Refusal> {
    let Some(before) = subject.command() else {
        return Ok(subject);
    };
    let words = Words::of(daemon, ask, &answer.caller, &answer.target);
    match words.hashed(daemon, id, &answer.target).await? {
        Resolution::Found(file) if file.identity == before.identity && file.path == before.path => {
            Ok(match subject {
                Subject::ByLoginShell(_, shell) => Subject::ByLoginShell(file, shell),
                _ => Subject::Command(file),
            })
        }
        Resolution::Found(_) => Err(changed()),
        other => Err(no_file(&other)),
    }
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
