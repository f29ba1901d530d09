//! The example policies that are shipped load, grant nothing as they are, and hand out nothing
//! that takes further root once they have members.

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::{Ask, an_hour, ask, edit, source, with_zones};
use elevate_policy::{
    Decision, LoginQuestion, LoginVerdict, May, Membership, Mfa, People, Policy, Record, RuleName,
    SessionSettings, Source, load,
};
use sha2::Digest as _;

fn sources() -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/config/policy.d");
    let files = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let sources: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            source(
                &path.display().to_string(),
                &fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    assert!(!sources.is_empty(), "no example in {}", folder.display());
    sources
}

fn loaded(sources: &[Source]) -> Policy {
    load(sources, &with_zones(), &an_hour()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// Everybody is in every group and has every attribute.
struct Everywhere;

impl People for Everywhere {
    fn member(&self, _: &str, _: &str) -> Membership {
        Membership::Yes
    }

    fn attribute(&self, _: &str, _: &str, _: &str) -> Membership {
        Membership::Yes
    }
}

fn is_allowed(policy: &Policy, target: (&str, u32), argv: &str) -> bool {
    let asked = ask(argv).running_as(target.0, target.1);
    matches!(
        policy.judge(&asked.question(), &Everywhere).decision,
        Decision::Allowed(_)
    )
}

/// A login on a Monday in January, at noon in Berlin.
fn login(
    policy: &Policy,
    people: &dyn People,
    host: &str,
    service: &str,
    from: &str,
) -> LoginVerdict {
    let question = LoginQuestion {
        user: "alice",
        host: &[host],
        service,
        from: from.parse().ok(),
        at: "2026-01-05T11:00:00Z".parse().unwrap(),
    };
    policy.login(&question, people)
}

/// Alice's department is operations, and nobody is in a group.
struct Operations;

impl People for Operations {
    fn member(&self, _: &str, _: &str) -> Membership {
        Membership::No
    }

    fn attribute(&self, user: &str, name: &str, value: &str) -> Membership {
        ((user, name, value) == ("alice", "department", "operations")).into()
    }
}

#[test]
fn the_example_of_logins_lets_in_whom_it_says_and_asks_for_a_code() {
    let mut sources = sources();
    let example = sources
        .iter_mut()
        .find(|one| one.name.ends_with("/logins.toml"))
        .unwrap();
    let mut lines: Vec<_> = example.text.lines().map(str::to_owned).collect();
    let line = lines
        .iter_mut()
        .find(|line| line.starts_with("users.operations"))
        .unwrap();
    // The comment beside the empty list says how it is filled.
    let filled = line.rsplit_once("as in ").unwrap().1;
    *line = format!("users.operations = {filled}");
    example.text = lines.join("\n");
    let policy = loaded(&sources);
    let asked = |host, service, from| login(&policy, &Operations, host, service, from);
    let LoginVerdict::Admitted {
        role, mfa, until, ..
    } = asked("web-1", "sshd", "10.1.2.3")
    else {
        panic!("refused");
    };
    assert_eq!((role.as_str(), mfa), ("web-operations", Some(Mfa::Always)));
    assert_eq!(until, Some("2026-01-05T19:00:00Z".parse().unwrap()));
    for (host, service, from) in [
        ("db-1", "sshd", "10.1.2.3"),
        ("web-1", "login", "10.1.2.3"),
        ("web-1", "sshd", "192.0.2.7"),
        ("web-1", "sshd", "console"),
    ] {
        let verdict = asked(host, service, from);
        assert!(
            matches!(verdict, LoginVerdict::Refused { .. }),
            "{host} {service} {from}"
        );
    }
    let owed = |name: &str| {
        policy
            .rule(&RuleName::new(name).unwrap())
            .unwrap()
            .terms
            .as_ref()
            .unwrap()
            .owed
    };
    assert_eq!(
        owed("reload-web-server").mfa,
        Some(Mfa::Within(Duration::from_secs(900)))
    );
    assert_eq!(owed("restart-web-server").mfa, Some(Mfa::Always));
}

const NGINX: &str = "/usr/bin/systemctl restart nginx";
const POSTGRES: &str = "/usr/bin/systemctl restart postgresql@15-main";

#[test]
fn each_example_loads_by_itself_and_beside_the_others() {
    let sources = sources();
    loaded(&sources);
    for one in &sources {
        loaded(std::slice::from_ref(one));
    }
}

#[test]
fn as_shipped_they_grant_nothing_to_anybody() {
    let policy = loaded(&sources());
    assert!(policy.rules_for("alice", &Everywhere).is_empty());
    assert_eq!(
        policy.may("alice", 1000, May::Audit, &Everywhere),
        Membership::No
    );
    assert_eq!(
        policy.admits("alice", &["web-1"], &Everywhere),
        Membership::No
    );
    for argv in [NGINX, POSTGRES, "/usr/bin/id"] {
        assert!(!is_allowed(&policy, ("root", 0), argv));
    }
}

fn with_alice() -> Policy {
    let mut sources = sources();
    for one in &mut sources {
        one.text = one.text.replace("= []", "= [\"alice\"]");
    }
    loaded(&sources)
}

#[test]
fn with_members_they_grant_what_they_say() {
    let policy = with_alice();
    for argv in [NGINX, POSTGRES, "/usr/bin/journalctl --no-pager -u nginx"] {
        assert!(is_allowed(&policy, ("root", 0), argv), "{argv}");
    }
    assert!(is_allowed(
        &policy,
        ("postgres", 105),
        "/usr/bin/vacuumdb --all"
    ));
}

#[test]
fn with_members_they_hand_out_nothing_that_takes_further_root() {
    let policy = with_alice();
    for argv in [
        "/usr/bin/systemctl status nginx",
        "/usr/bin/systemctl edit nginx",
        "/usr/bin/systemctl restart",
        "/usr/bin/systemctl stop ssh",
        "/usr/bin/systemctl restart postgresql@a --root=/tmp",
        "/usr/bin/systemctl restart postgresql@../../tmp/evil",
        "/usr/bin/journalctl -u nginx",
        "/usr/bin/journalctl --no-pager -u nginx --file=/etc/shadow",
        "/usr/bin/bash",
    ] {
        assert!(!is_allowed(&policy, ("root", 0), argv), "{argv}");
    }
    for rule in policy.rules() {
        let Some(session) = rule.terms.as_ref().map(|terms| &terms.session) else {
            continue;
        };
        let as_root = rule.run_as.iter().any(|one| one.to_string() == "root");
        for text in rule.commands.iter().map(|command| command.text()) {
            assert_ne!(text, "ALL", "{}", rule.name);
            assert!(!as_root || !text.ends_with(" ..."), "{text}");
            // Who holds root holds all of it, and is on record in full.
            assert!(text != "SHELL" || !as_root || session.record == Record::Full);
        }
    }
}

fn session_of(policy: &Policy, asked: &Ask) -> (String, SessionSettings) {
    let allowed = match policy.judge(&asked.question(), &Everywhere).decision {
        Decision::Allowed(allowed) => allowed,
        Decision::Denied(denial) => panic!("{}: {asked:?}", denial.message),
    };
    (allowed.rule.to_string(), allowed.session)
}

#[test]
fn the_example_of_sessions_binds_them_as_its_comments_say() {
    let policy = with_alice();
    let shell = |name, uid| ask("/usr/bin/bash").shell().running_as(name, uid);
    for (asked, rule, record, watched) in [
        (
            shell("postgres", 105),
            "database-shell",
            Record::Output,
            false,
        ),
        (shell("root", 0), "root-shell", Record::Full, false),
        (shell("shop", 998), "contractor-shell", Record::Full, true),
    ] {
        let (name, session) = session_of(&policy, &asked);
        assert_eq!(
            (&*name, session.record, session.watched),
            (rule, record, watched)
        );
    }
    let network = ask("/usr/bin/ip link set eth1 up").running_as("alice", 1000);
    let (name, session) = session_of(&policy, &network);
    let capabilities = session.capabilities.unwrap().to_string();
    assert_eq!((&*name, &*capabilities), ("network", "CAP_NET_ADMIN"));
    assert!(!is_allowed(
        &policy,
        ("root", 0),
        "/usr/bin/ip link set eth1 up"
    ));
    let publish = ask("/usr/bin/rsync -rt --delete /srv/staging/ /srv/www/");
    let (name, session) = session_of(&policy, &publish.running_as("www-data", 33));
    let contain = session.contain.unwrap();
    assert_eq!((&*name, contain.network), ("publish-site", false));
    assert_eq!(contain.writable, ["/srv/www"]);
    assert_eq!(
        policy.may("alice", 1000, May::Audit, &Everywhere),
        Membership::Yes
    );
    assert_eq!(
        policy.may("bob", 1001, May::Audit, &Everywhere),
        Membership::No
    );
}

#[test]
fn the_example_of_edits_is_for_sites_and_nothing_else_of_the_web_server() {
    let policy = with_alice();
    let (name, _) = session_of(&policy, &edit("/etc/nginx/conf.d/shop.conf"));
    assert_eq!(name, "edit-web-sites");
    for path in [
        "/etc/nginx/nginx.conf",
        "/etc/nginx/conf.d/.shop.conf",
        "/etc/nginx/conf.d/a/shop.conf",
        "/etc/nginx/conf.d/shop.conf /etc/shadow",
    ] {
        let verdict = policy.judge(&edit(path).question(), &Everywhere);
        assert!(matches!(verdict.decision, Decision::Denied(_)), "{path}");
    }
}

/// The example of conditions, each of its roles with one member, who is called like it.
fn conditions() -> Policy {
    let mut sources = sources();
    sources.retain(|one| one.name.ends_with("/conditions.toml"));
    let mut role = String::new();
    let named = sources[0].text.lines().map(|line| {
        if let Some(name) = line.strip_prefix("[role.") {
            role = name.trim_end_matches(']').to_owned();
        }
        match line.starts_with("members") {
            true => line.replace("[]", &format!("[{role:?}]")),
            false => line.to_owned(),
        }
    });
    let text = named.collect::<Vec<_>>().join("\n");
    loaded(&[source("conditions", &text)])
}

#[test]
fn the_example_of_conditions_holds_where_and_when_its_comments_say() {
    let policy = conditions();
    let may = |asked: &Ask| matches!(asked.of(&policy).decision, Decision::Allowed(_));
    let noon = "2026-01-12T11:00:00Z";
    let reload = |user: &str| {
        let asked = ask("/usr/bin/systemctl reload nginx").by(user);
        asked.from("10.1.2.3").at(noon)
    };
    let allowed = reload("change-maker").allowed(&policy);
    assert!(allowed.ticket.unwrap().matches("OPS-1"));
    let evening = "2026-01-12T17:00:00Z".parse().unwrap();
    assert_eq!(allowed.limit.until, Some(evening));
    assert!(may(&reload("release-manager")));
    for asked in [
        reload("change-auditor"),
        reload("change-maker").from("192.0.2.1"),
        reload("change-maker").at("2026-01-11T11:00:00Z"),
        reload("change-maker").without_a_terminal(),
        reload("change-maker").at("2026-12-28T11:00:00Z"),
    ] {
        assert!(!may(&asked), "{asked:?}");
    }
    let restart = ask("/usr/bin/systemctl restart nginx").by("release-manager");
    let owed = restart.allowed(&policy).owed;
    assert_eq!((owed.approvals, owed.each, owed.ticket), (2, true, true));
    let migrate = ask("/usr/bin/vacuumdb --all")
        .by("migrator")
        .running_as("postgres", 105);
    let migrate = migrate.from("198.51.100.7").on("db-1");
    assert!(may(&migrate.clone().at("2026-03-14T22:00:00Z")));
    assert!(!may(&migrate.clone().at("2026-03-15T05:00:00Z")));
    assert!(!may(&migrate.on("web-1").at("2026-03-14T22:00:00Z")));
    // What `printf test | sha256sum` prints.
    let hash = <[u8; 32]>::from(sha2::Sha256::digest(b"test"));
    let deploy = |sha256| Ask {
        sha256: Some(sha256),
        ..ask("/opt/deploy/bin/deploy production")
            .by("pipeline")
            .from("192.0.2.7")
    };
    assert!(may(&deploy(hash).without_a_terminal()));
    assert!(!may(&deploy(hash)) && !may(&deploy([0; 32]).without_a_terminal()));
}
