//! How things stand with a service.

use std::path::Path;

use elevate_protocol::paths::LOGIN_SOCKET;
use serde::Serialize;

use super::file::Folders;
use super::{preflight, sshd, stack, with_its_followers};
use crate::failure::Failure;

/// Whether our lines are in a service's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// As `enable` left them.
    Enabled,
    /// They are, and something in the file is not as `enable` left it.
    Changed,
    /// `enable` put them in, and they are gone: an upgrade of the service's package may have
    /// brought a new file.
    Replaced,
    /// Somebody wrote them by hand.
    ByHand,
    Disabled,
}

/// What there is to say about a service.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) service: String,
    pub(super) state: State,
    /// What would keep people out, or let them pass by.
    pub(super) problems: Vec<String>,
}

pub(super) fn report(folders: &Folders, service: &str) -> Result<Report, Failure> {
    let file = folders.service(service)?;
    let state = state(&file.text, folders.kept(service).as_ref());
    let mut problems = Vec::new();
    if state == State::Replaced {
        problems.push(format!(
            "our lines are gone from /etc/pam.d/{service}; put them back with: elevatectl login \
             enable {service}"
        ));
    }
    if matches!(state, State::Enabled | State::Changed | State::ByHand) {
        problems.extend(of_stack(folders, service, &file.text)?);
        let there = preflight::module_is_there(&preflight::libraries());
        let answers = preflight::daemon_answers(Path::new(LOGIN_SOCKET));
        let failures = [there, answers].into_iter().filter_map(Result::err);
        problems.extend(failures.map(|failure| failure.message));
        if service == "sshd" {
            problems.extend(sshd::problems());
        }
    }
    Ok(Report {
        service: service.to_owned(),
        state,
        problems,
    })
}

/// `kept` is the file before and after `enable`.
pub(super) fn state(text: &str, kept: Option<&(String, String)>) -> State {
    match (stack::has_blocks(text), kept) {
        (true, Some((_, after))) if after == text => State::Enabled,
        (true, _) => State::Changed,
        (false, _) if stack::handwritten(text).is_some() => State::ByHand,
        (false, Some(_)) => State::Replaced,
        (false, None) => State::Disabled,
    }
}

/// Blocks that are torn, and services that take in the stack and are not named in our lines.
fn of_stack(folders: &Folders, service: &str, text: &str) -> Result<Vec<String>, Failure> {
    let mut problems: Vec<String> = stack::remove(text).err().into_iter().collect();
    let common = std::fs::read_to_string(folders.pam.join("common-auth")).unwrap_or_default();
    for (name, text) in [(service, text), ("common-auth", &common)] {
        if let Some(line) = stack::ends_early(text) {
            problems.push(format!(
                "line {line} of /etc/pam.d/{name} may end the stack before a code is asked for; \
                 such logins are refused where one is owed"
            ));
        }
    }
    for follower in with_its_followers(folders, service)? {
        if !stack::names_service(text, &follower) {
            problems.push(format!(
                "{follower} is not in services=: our lines leave its logins alone"
            ));
        }
    }
    Ok(problems)
}

/// For people.
pub(super) fn lines(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        let state = match report.state {
            State::Enabled => "enabled",
            State::Changed => "enabled; its PAM file was changed since",
            State::Replaced => "disabled by a change of its PAM file",
            State::ByHand => "enabled by hand",
            State::Disabled => "disabled",
        };
        text += &format!("{}: {state}\n", report.service);
        for problem in &report.problems {
            text += &format!("  {}\n", elevate_protocol::escape::line(problem.as_bytes()));
        }
    }
    text
}
