//! `elevatectl login …`: our lines in and out of one service's PAM file. Nothing of ours ever goes
//! into `common-*`, where cron, sudo and others would meet it.

mod file;
mod lines;
mod preflight;
mod sshd;
mod stack;
mod state;
#[cfg(test)]
mod tests;

use std::path::Path;

use elevate_protocol::paths::LOGIN_SOCKET;

use self::file::Folders;
use self::lines::Wanted;
use self::state::{Report, State};
use super::output;
use crate::cli::{Disable, Enable, LoginStatus, LoginVerb};
use crate::failure::Failure;

/// Do it, as root.
pub(super) fn run(verb: &LoginVerb) -> Result<(), Failure> {
    if !rustix::process::geteuid().is_root() {
        return Err(
            Failure::new("only root may see and change how people log in")
                .hint("run it with: elevate elevatectl login …"),
        );
    }
    let folders = Folders::real();
    match verb {
        LoginVerb::Enable(wanted) => {
            // Without the module nobody gets in, whatever is forced.
            preflight::module_is_there(&preflight::libraries())?;
            if !wanted.force {
                let answers = preflight::daemon_answers(Path::new(LOGIN_SOCKET));
                answers.map_err(|failure| {
                    let hint = failure.hint.clone().unwrap_or_default();
                    failure.hint(format!("{hint}; --force enables it all the same"))
                })?;
            }
            output::write(enable(&folders, wanted)?.as_bytes())?;
            if wanted.service == "sshd" {
                warn(&sshd::problems())?;
            }
            output::line("Keep a root shell open until a login has worked.")
        }
        LoginVerb::Disable(wanted) => output::write(disable(&folders, wanted)?.as_bytes()),
        LoginVerb::Status(wanted) => status(&folders, wanted),
    }
}

fn warn(problems: &[String]) -> Result<(), Failure> {
    problems
        .iter()
        .try_for_each(|problem| output::line(&format!("warning: {problem}")))
}

/// Put our lines in; what there is to say about it.
fn enable(folders: &Folders, wanted: &Enable) -> Result<String, Failure> {
    let service = &wanted.service;
    let rescue = lines::rescue(service, wanted.rescue.as_deref());
    if let Some(rescue) = rescue {
        check_rescue(rescue)?;
    }
    // First the lock: what was read before it may be old.
    let _lock = folders.lock()?;
    let file = folders.service(service)?;
    let services = with_its_followers(folders, service)?;
    let blocks = lines::blocks(
        service,
        &Wanted {
            services: &services,
            rescue,
            timeout: wanted.timeout,
        },
    );
    let refused = |why: String| Failure::new(format!("/etc/pam.d/{service}: {why}"));
    let before = stack::remove(&file.text).map_err(refused)?;
    let after = stack::insert(&before, service, &blocks).map_err(refused)?;
    if after == file.text {
        return Ok(format!("{service} is enabled already.\n"));
    }
    // First what it was: a copy without an edit does no harm.
    folders.keep(service, &before, &after)?;
    file.write(&after)?;
    let mut said = format!("Enabled {service} in /etc/pam.d/{service}.\n");
    if let [_, followers @ ..] = &services[..]
        && !followers.is_empty()
    {
        let followers = followers.join(", ");
        said += &format!("These services take in its stack, and so our lines: {followers}.\n");
    }
    said += &match rescue {
        Some(rescue) => format!("Rescue while elevated does not answer: {rescue}.\n"),
        None => "No rescue: while elevated does not answer nobody gets in this way.\n".into(),
    };
    Ok(said)
}

/// `service`, and every service whose file takes in its stack (as su-l does with su's): there our
/// module runs, too, under the other's name.
fn with_its_followers(folders: &Folders, service: &str) -> Result<Vec<String>, Failure> {
    let mut services = vec![service.to_owned()];
    for other in folders.services()? {
        if other != service
            && let Ok(file) = folders.service(&other)
            && stack::takes_in(&file.text, service)
        {
            services.push(other);
        }
    }
    Ok(services)
}

/// The same as the module's own reading of it: a line that it doesn't understand refuses everybody.
fn check_rescue(rescue: &str) -> Result<(), Failure> {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let (user, terminals) = rescue.split_once('@').unwrap_or_default();
    let terminal =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match !user.is_empty() && user.bytes().all(harmless) && terminals.split(',').all(terminal) {
        true => Ok(()),
        false => Err(Failure::usage(
            "--rescue is USER@TERMINAL,TERMINAL with names of consoles, as in root@tty1,ttyS0",
        )),
    }
}

fn disable(folders: &Folders, wanted: &Disable) -> Result<String, Failure> {
    let Some(service) = &wanted.service else {
        return disable_all(folders);
    };
    let _lock = folders.lock()?;
    let file = folders.service(service)?;
    if !stack::has_blocks(&file.text) {
        folders.forget(service);
        return Ok(format!("{service} is not enabled.\n"));
    }
    let refused = |why: String| {
        Failure::new(format!("/etc/pam.d/{service}: {why}"))
            .hint("take our lines out by hand; nothing was changed")
    };
    let after = stack::remove(&file.text).map_err(refused)?;
    file.write(&after)?;
    match folders.kept(service) {
        Some((before, _)) if before == after => {
            folders.forget(service);
            Ok(format!(
                "Disabled {service}; /etc/pam.d/{service} is what it was.\n"
            ))
        }
        Some(_) => Ok(format!(
            "Disabled {service}. Its file was changed since it was enabled: only our lines were \
             taken out; {} is what it was before.\n",
            folders.kept_path(service, "orig").display()
        )),
        None => Ok(format!("Disabled {service}: our lines were taken out.\n")),
    }
}

fn disable_all(folders: &Folders) -> Result<String, Failure> {
    let mut said = String::new();
    let mut failed = Vec::new();
    for service in folders.services()? {
        let one = Disable {
            service: Some(service.clone()),
            all: false,
        };
        match folders.service(&service) {
            Ok(file) if stack::has_blocks(&file.text) => match disable(folders, &one) {
                Ok(done) => said += &done,
                Err(failure) => failed.push(failure.message),
            },
            _ => {}
        }
    }
    match failed.is_empty() {
        true => Ok(said),
        false => Err(Failure::new(format!("{said}{}", failed.join("; ")))),
    }
}

fn status(folders: &Folders, wanted: &LoginStatus) -> Result<(), Failure> {
    let reports = match &wanted.service {
        Some(service) => vec![state::report(folders, service)?],
        None => on_for(folders)?,
    };
    match (wanted.output.json, &wanted.service) {
        (true, Some(_)) => output::json(&reports[0]),
        (true, None) => output::json(&reports),
        (false, _) if reports.is_empty() => output::line(
            "It is enabled for no service. Enable one with: elevatectl login enable sshd",
        ),
        (false, _) => output::write(state::lines(&reports).as_bytes()),
    }
}

fn on_for(folders: &Folders) -> Result<Vec<Report>, Failure> {
    let mut reports = Vec::new();
    for service in folders.services()? {
        // A file that isn't believed is no reason to say nothing of the others.
        if let Ok(report) = state::report(folders, &service)
            && report.state != State::Disabled
        {
            reports.push(report);
        }
    }
    Ok(reports)
}
