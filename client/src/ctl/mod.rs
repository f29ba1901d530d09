//! `elevatectl`: see, approve, deny and end what was asked.

mod change;
mod directory;
mod extend;
mod import;
mod list;
mod login;
pub mod mfa;
mod objects;
pub(crate) mod output;
mod policy;
mod qr;
pub(crate) mod sessions;
mod show;
mod status;
pub(crate) mod text;
mod vote;
mod watch;
mod why;

use crate::cli::{self, DirectoryVerb, GrantsVerb, PolicyVerb, Stop, Verb};
use crate::conversation::Broken;
use crate::exit::{self, Exit};
use crate::failure::Failure;

const PROGRAM: &str = "elevatectl";

/// The whole program; how it ends.
pub fn main() -> Exit {
    let verb = exit::become_undumpable()
        .map_err(Stop::Failed)
        .and_then(|()| cli::parse_elevatectl(std::env::args_os()));
    match verb.map(run) {
        Ok(Ok(())) => Exit::Status(0),
        Ok(Err(Broken::Interrupted(signal))) => Exit::Signal(signal),
        Ok(Err(Broken::Failed(failure))) if failure.status == output::NOBODY_READS => {
            Exit::Signal(nix::sys::signal::Signal::SIGPIPE as i32)
        }
        Ok(Err(Broken::Failed(failure))) => Stop::Failed(failure).tell(PROGRAM),
        Err(stop) => stop.tell(PROGRAM),
    }
}

fn run(verb: Verb) -> Result<(), Broken> {
    let outcome: Result<(), Failure> = match verb {
        Verb::Approve(decision) => return vote::approve(&decision),
        Verb::Deny(denial) => return vote::deny(&denial),
        Verb::Mfa(verb) => return mfa::run(&verb),
        Verb::Sessions(verb) => return sessions::run(&verb),
        Verb::Extend(how) | Verb::Grants(GrantsVerb::Extend(how)) => return extend::extend(&how),
        Verb::Status(how) => status::status(how.json),
        Verb::Requests(how) => list::requests(how),
        Verb::Show(one) => show::show(one.id, one.json),
        Verb::Cancel { id } => change::cancel(id),
        Verb::Watch(how) => watch::watch(how.json),
        Verb::Grants(GrantsVerb::List(how)) => list::grants(how),
        Verb::Grants(GrantsVerb::Revoke(end)) => change::revoke(&end),
        Verb::Directory(DirectoryVerb::Status(how)) => directory::status(how.json),
        Verb::Directory(DirectoryVerb::Sync) => directory::sync(),
        Verb::Login(verb) => login::run(&verb),
        Verb::Policy(PolicyVerb::Check(asked)) => policy::check(&asked),
        Verb::Policy(PolicyVerb::Diff(asked)) => policy::diff(&asked),
        Verb::Policy(PolicyVerb::Schema) => policy::schema(),
        Verb::Policy(PolicyVerb::Test(asked)) => policy::test(&asked),
        Verb::Policy(PolicyVerb::Why(asked)) => why::why(&asked),
        Verb::Policy(PolicyVerb::ImportSudoers(asked)) => import::import(&asked),
    };
    Ok(outcome?)
}

/// Tell somebody who interrupted us what did not happen. A failure is told in the end.
fn explain(broken: &Broken, undone: &str) {
    if let Broken::Interrupted(_) = broken {
        Failure::new(undone).report(PROGRAM);
    }
}
