//! Which of the caller's variables a session keeps.

use elevate_policy::Allowance;
use elevate_protocol::limits::{ENVIRONMENT_BYTES, PROMPT_TIME};
use elevate_protocol::stream::{ToClient, ToServer, harmless, kept_by_default};
use elevate_protocol::{Bytes, ErrorName, escape};

use super::ask::Ask;
use super::environment::name;
use super::stream::{Refusal, Stop, Stream, unexpected};

/// What stands for every variable but those that nobody may keep.
const ALL: &str = "*";

/// The variables of the default list, those that the rule names, which only now are asked for, and
/// those that must be set.
pub(super) async fn environment(
    ask: &Ask,
    allowance: &Allowance,
    stream: &Stream,
) -> Result<Vec<Bytes>, Stop> {
    let rule = &allowance.session.keep_env;
    check(ask, allowance)?;
    let mut kept = ask.environment.clone();
    let all = [ALL.to_owned()];
    let named: Vec<String> = rule
        .iter()
        .filter(|name| !kept_by_default(name.as_bytes()) && *name != ALL)
        .cloned()
        .collect();
    let wanted = if ask.preserve { &all[..] } else { &named };
    if !wanted.is_empty() {
        let variables = offered(wanted, stream).await?;
        kept.retain(|one| !variables.iter().any(|other| name(other) == name(one)));
        kept.extend(variables);
    }
    kept.retain(|one| !ask.set.iter().any(|other| name(other) == name(one)));
    kept.extend(ask.set.iter().cloned());
    Ok(kept)
}

/// Whether the rule lets everything be set that must be.
fn check(ask: &Ask, allowance: &Allowance) -> Result<(), Refusal> {
    let rule = &allowance.session.keep_env;
    let all = rule.iter().any(|name| name == ALL);
    if ask.preserve && !all {
        let message = format!(
            "rule `{}` does not keep the whole environment (-E)",
            allowance.rule
        );
        return Err(Refusal::new(ErrorName::Denied, message)
            .hint("name what you need with --preserve-env=NAME,… or as NAME=value"));
    }
    let kept = |variable: &Bytes| {
        let name = name(variable);
        let named = rule.iter().any(|one| one != ALL && one.as_bytes() == name);
        let may_be_set = kept_by_default(name) || named || (all && may_be_kept(name));
        may_be_set && leads_nowhere(variable)
    };
    match ask.set.iter().find(|variable| !kept(variable)) {
        None => Ok(()),
        Some(refused) => {
            let message = format!(
                "rule `{}` does not let you set {}",
                allowance.rule,
                escape::line(name(refused))
            );
            Err(Refusal::new(ErrorName::Denied, message)
                .hint("a rule names variables in session.keep_env"))
        }
    }
}

fn may_be_kept(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(elevate_policy::may_be_kept)
}

/// Whether the C library would open no file for it, whoever lets the variable be kept.
fn leads_nowhere(variable: &Bytes) -> bool {
    let name = name(variable);
    !kept_by_default(name) || harmless(&variable[name.len() + 1..])
}

/// The client's variables of these names.
async fn offered(names: &[String], stream: &Stream) -> Result<Vec<Bytes>, Stop> {
    let message = ToClient::AskEnvironment {
        names: names.to_vec(),
    };
    stream.send(&message).await?;
    let answer = tokio::time::timeout(PROMPT_TIME, stream.receive()).await;
    let late = |_| Refusal::new(ErrorName::TimedOut, "the client did not answer in time");
    let ToServer::Environment { mut variables } = answer.map_err(late)??.0 else {
        return Err(unexpected());
    };
    let fits = variables.iter().map(|v| v.len()).sum::<usize>() <= ENVIRONMENT_BYTES
        && variables.iter().all(|v| v.contains(&b'=') && !v.has_nul());
    if !fits {
        return Err(unexpected());
    }
    if names == [ALL] {
        variables.retain(|variable| may_be_kept(name(variable)) && leads_nowhere(variable));
        return Ok(variables);
    }
    let asked_for = |variable: &Bytes| names.iter().any(|n| n.as_bytes() == name(variable));
    match variables.iter().all(asked_for) {
        true => Ok(variables),
        false => Err(unexpected()),
    }
}
