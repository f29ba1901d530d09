//! Whether a deny forbids by now what a session does: one may be new, or its hours have begun.

use elevate_policy::{Decision, DenialKind, People, Policy, Question, Scene};
use elevate_protocol::ErrorName;

use super::stream::Refusal;
use crate::elevation::{Digest, Elevation, Subject};

/// Why the session would not be granted now, where a deny says so or may.
pub(super) fn forbidden(
    policy: &Policy,
    people: &dyn People,
    session: &Elevation,
    scene: Scene<'_>,
) -> Option<Refusal> {
    let asked = &session.asked;
    let (user, target) = (&asked.caller.account, &asked.target);
    let file = asked.subject.command();
    let bytes =
        |path: Option<&elevate_protocol::Bytes>| path.map_or(Vec::new(), |one| one.0.clone());
    let edit = match asked.subject {
        Subject::Edit(_) => asked
            .subject
            .paths()
            .iter()
            .map(|one| one.0.clone())
            .collect(),
        _ => Vec::new(),
    };
    let words = asked.argv.get(1..).unwrap_or_default();
    let args: Vec<_> = match edit.is_empty() {
        true => words.iter().map(|word| word.0.clone()).collect(),
        false => Vec::new(),
    };
    let hash = file.and_then(|file| file.sha256.as_ref()?.parse::<Digest>().ok());
    let question = Question {
        user: &user.name,
        uid: user.uid,
        target_user: &target.name,
        target_uid: target.uid,
        target_group: asked.target_group.as_deref(),
        target_gid: asked.target_group.as_ref().map(|_| target.gid),
        file: &bytes(file.map(|file| &file.path)),
        real: &bytes(file.map(|file| &file.real)),
        sha256: hash.map(Digest::bytes),
        args: &args,
        shell: file.is_some() && is_shell(session),
        edit: &edit,
        rule: None,
        wanted: None,
        scene,
    };
    match policy.judge(&question, people).decision {
        Decision::Denied(denial)
            if matches!(denial.kind, DenialKind::Forbidden | DenialKind::Unsure) =>
        {
            Some(Refusal::new(ErrorName::Denied, denial.message).hint(denial.advice))
        }
        _ => None,
    }
}

/// What `-s` and `-i` start; whoever asked for that very file without a word counts as much.
fn is_shell(session: &Elevation) -> bool {
    let asked = &session.asked;
    let shells = [&asked.caller.account.shell, &asked.target.shell];
    match &asked.argv[..] {
        [name] => {
            name.starts_with(b"-") || shells.iter().any(|shell| shell.as_bytes() == &name[..])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use elevate_policy::{Defaults, HostFacts, Membership, Source, load};

    use super::*;
    use crate::clock::Moment;
    use crate::elevation::samples::request;

    struct Nobody;

    impl People for Nobody {
        fn member(&self, _: &str, _: &str) -> Membership {
            Membership::No
        }

        fn attribute(&self, _: &str, _: &str, _: &str) -> Membership {
            Membership::No
        }
    }

    const ALLOW: &str = "[role.x]\nmembers = [\"alice\"]\n[rule.allow]\nroles = [\"x\"]\n\
                         run_as = \"root\"\ncommands = [\"ALL\"]\nrequire = {}\n";

    fn told(rules: &str, argv: &[&str]) -> Option<String> {
        let text = ALLOW.to_owned() + rules;
        let name = "p".to_owned();
        let policy = load(
            &[Source { name, text }],
            &HostFacts::default(),
            &Defaults::default(),
        );
        let mut session = request(1, 0, 10_000, Moment { boot: 0, wall: 0 });
        session.asked.argv = argv.iter().map(|word| (*word).into()).collect();
        let scene = Scene {
            host: &["web1"],
            door: None,
            terminal: true,
            at: "2026-01-09T12:00:00Z".parse().unwrap(),
        };
        let refusal = forbidden(&policy.unwrap(), &Nobody, &session, scene);
        refusal.map(|refusal| refusal.message)
    }

    fn deny(command: &str, when: &str) -> String {
        format!(
            "[rule.deny]\nroles = [\"x\"]\nrun_as = \"root\"\ncommands = [\"{command}\"]\n\
             effect = \"deny\"\nwhen = {{ {when} }}\n"
        )
    }

    #[test]
    fn a_deny_that_holds_by_now_forbids_what_a_session_does() {
        assert_eq!(told("", &["id"]), None);
        let forbids = "the policy forbids you to run this as root";
        assert_eq!(told(&deny("/usr/bin/id", ""), &["id"]).unwrap(), forbids);
        let hours = |hours: &str| deny("/usr/bin/id", &format!("hours = \"{hours}\""));
        assert!(told(&hours("daily 11:00-13:00 UTC"), &["id"]).is_some());
        assert!(told(&hours("daily 13:00-14:00 UTC"), &["id"]).is_none());
        assert!(told(&deny("/usr/bin/id -u", ""), &["id"]).is_none());
        assert!(told(&deny("/usr/bin/id -u", ""), &["id", "-u"]).is_some());
        // How alice logged in is not known here.
        assert!(told(&deny("/usr/bin/id", "from = [\"10.0.0.0/8\"]"), &["id"]).is_some());
    }

    #[test]
    fn a_deny_of_shells_is_one_of_the_shells_that_run() {
        assert!(told(&deny("SHELL", ""), &["-sh"]).is_some());
        assert!(told(&deny("SHELL", ""), &["/bin/sh"]).is_some());
        assert!(told(&deny("SHELL", ""), &["id"]).is_none());
    }
}
