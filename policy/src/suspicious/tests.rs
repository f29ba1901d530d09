use proptest::prelude::*;

use super::{PathFacts, Suspicion, Warning};
use crate::command::{Command, File, Reading};
use crate::diagnostic::Source;
use crate::load::{Defaults, HostFacts, load};
use crate::policy::Policy;

const ROLES: &str = r#"
[role.ops]
members = ["alice"]
[role.lead]
members = ["bob"]
[role.nobody]
members = []
[role.many]
members = ["%many"]
"#;

fn policy(text: &str) -> Policy {
    let source = Source {
        name: "p".into(),
        text: format!("{ROLES}{text}"),
    };
    load(&[source], &HostFacts::default(), &Defaults::default())
        .unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn told(text: &str) -> Vec<Warning> {
    policy(text).suspicions()
}

#[track_caller]
fn one(text: &str, kind: Suspicion) -> String {
    let told = told(text);
    let [warning] = &told[..] else {
        panic!("of:\n{text}\n{told:?}")
    };
    assert_eq!(warning.kind, kind, "{warning:?}");
    warning.diagnostic.message.clone()
}

#[track_caller]
fn none(text: &str) {
    assert_eq!(told(text), [], "of:\n{text}");
}

fn rule(name: &str, commands: &str, rest: &str) -> String {
    let run_as = if rest.contains("run_as") {
        ""
    } else {
        "run_as = \"root\"\n"
    };
    let require = if rest.contains("require") || rest.contains("effect") {
        ""
    } else {
        "require = {}\n"
    };
    let roles = if rest.contains("roles") {
        ""
    } else {
        "roles = [\"ops\"]\n"
    };
    format!("[rule.{name}]\n{roles}{run_as}{require}commands = [{commands:?}]\n{rest}\n")
}

fn hands_out(command: &str, rest: &str) -> bool {
    let told = told(&rule("r", command, rest));
    assert!(
        told.iter().all(|one| one.kind == Suspicion::RootShell),
        "{told:?}"
    );
    !told.is_empty()
}

#[test]
fn a_rule_whose_approvers_are_nobody_or_too_few_is_told_of() {
    let owes = |approvals: u32, approvers: &str| {
        let rest = format!("require = {{ approvals = {approvals}, approvers = [{approvers}] }}");
        rule("r", "/usr/bin/id", &rest)
    };
    let message = one(&owes(1, "\"role:nobody\""), Suspicion::NoApprover);
    assert!(message.contains("role:nobody has no members"), "{message}");
    let message = one(&owes(2, "\"role:lead\""), Suspicion::NoApprover);
    assert!(message.contains("has 1 person in all"), "{message}");
    let message = one(&owes(1, "\"alice\""), Suspicion::NoApprover);
    assert!(message.contains("themselves"), "{message}");
    // The same person twice is one.
    one(&owes(2, "\"role:lead\", \"bob\""), Suspicion::NoApprover);
    none(&owes(1, "\"role:lead\""));
    none(&owes(2, "\"alice\", \"bob\", \"carol\""));
    // Who is in a group is not known here.
    none(&owes(2, "\"role:many\""));
    none(&owes(2, "\"%oncall\", \"role:nobody\""));
}

#[test]
fn each_approver_needs_somebody_of_its_own() {
    let each = |approvers: &str| {
        let rest = format!("require = {{ approvals = \"each\", approvers = [{approvers}] }}");
        rule("r", "/usr/bin/id", &rest)
    };
    let message = one(&each("\"%many\", \"role:nobody\""), Suspicion::NoApprover);
    assert!(
        message.contains("of each approver, and role:nobody has no members"),
        "{message}"
    );
    // Bob counts for one of them alone.
    one(&each("\"role:lead\", \"bob\""), Suspicion::NoApprover);
    none(&each("\"role:lead\", \"carol\""));
}

#[test]
fn who_was_removed_approves_nothing_and_who_is_included_does() {
    let owes = "require = { approvals = 1, approvers = [\"role:second\"] }";
    let second = |more: &str| rule("r", "/usr/bin/id", owes) + "[role.second]\n" + more;
    one(
        &second("members = [\"carol\"]\nremoved = [\"carol\"]\n"),
        Suspicion::NoApprover,
    );
    none(&second("members = [\"carol\"]\nremoved = [\"bob\"]\n"));
    none(&second(
        "members = []\n[role.first]\nmembers = [\"dora\"]\nincludes = [\"second\"]\n",
    ));
    let any = rule("r", "/usr/bin/id", "require = { approvals = 1 }");
    one(
        &(any.clone() + "[role.second]\nmembers = []\nmay = [\"approve\"]\n"),
        Suspicion::NoApprover,
    );
    none(&(any + "[role.second]\nmembers = [\"carol\"]\nmay = [\"approve\"]\n"));
}

#[test]
fn somebody_in_two_roles_that_exclude_each_other_is_told_of_once() {
    let auditor =
        |members: &str| format!("[role.zz]\nmembers = [{members}]\nconflicts = [\"ops\"]\n");
    let message = one(&auditor("\"alice\", \"carol\""), Suspicion::Conflict);
    assert!(
        message.starts_with("alice is in this role and in `zz`"),
        "{message}"
    );
    none(&auditor("\"carol\", \"%ops\""));
    none(&(auditor("\"alice\"") + "removed = [\"alice\"]\n"));
}

#[test]
fn a_ticket_and_each_approver_are_more_than_none() {
    let plain = |name: &str, require: &str| {
        rule(name, "/usr/bin/id", &format!("require = {{ {require} }}"))
    };
    let (any, each) = (
        "approvals = 1, approvers = [\"bob\", \"carol\"]",
        "approvals = \"each\", approvers = [\"bob\", \"carol\"]",
    );
    one(&(plain("a", any) + &plain("b", each)), Suspicion::Covered);
    let ticket = "ticket = \"OPS-[0-9]+\"";
    one(&(plain("a", "") + &plain("b", ticket)), Suspicion::Covered);
    one(
        &(plain("a", ticket) + &plain("b", ticket)),
        Suspicion::Covered,
    );
    none(&(plain("a", ticket) + &plain("b", "ticket = \"DEV-[0-9]+\"")));
}

#[test]
fn a_rule_that_nobody_has_yet_is_no_suspicion() {
    let rest = "roles = [\"nobody\"]\nrequire = { approvals = 1, approvers = [\"role:nobody\"] }";
    none(&rule("r", "/usr/bin/id", rest));
}

#[test]
fn a_rule_that_another_always_stands_in_for_is_told_of_with_the_other() {
    let wide = rule("a", "/usr/bin/systemctl {stop,kill} *", "");
    let narrow = rule(
        "b",
        "/usr/bin/systemctl stop nginx",
        "require = { mfa = \"1h\" }",
    );
    let message = one(&(wide.clone() + &narrow), Suspicion::Covered);
    assert!(message.contains("rule `a` (p:10:7)"), "{message}");
    // In whichever order they are written and called.
    let renamed = narrow.replace("rule.b", "rule.0");
    one(&(renamed + &wide), Suspicion::Covered);
    // Of twins one is told of.
    let twin = wide.replace("rule.a", "rule.c");
    one(&(wide + &twin), Suspicion::Covered);
}

#[test]
fn a_rule_that_says_anything_more_is_not_covered() {
    let wide = rule(
        "a",
        "/usr/bin/systemctl {stop,kill} *",
        "require = { mfa = \"1h\" }",
    );
    for narrow in [
        rule("b", "/usr/bin/systemctl stop nginx", ""),
        rule(
            "b",
            "/usr/bin/systemctl stop a b",
            "require = { mfa = \"1h\" }",
        ),
        rule(
            "b",
            "/usr/bin/systemctl stop a/b",
            "require = { mfa = \"1h\" }",
        ),
        rule(
            "b",
            "/usr/bin/systemctl stop a",
            "require = { approvals = 1, approvers = [\"bob\"] }",
        ),
        rule(
            "b",
            "/usr/bin/systemctl stop a",
            "require = { mfa = \"1h\" }\nlimit = { max = \"9h\" }",
        ),
        // What it records counts beside the other.
        rule(
            "b",
            "/usr/bin/systemctl stop a",
            "require = { mfa = \"1h\" }\nsession = { record = \"full\" }",
        ),
        rule(
            "b",
            "/usr/bin/systemctl stop a",
            "require = { mfa = \"1h\" }\nrun_as = [\"root\", \"bob\"]",
        ),
        rule(
            "b",
            "/usr/bin/systemctl stop a",
            "require = { mfa = \"1h\" }\nroles = [\"ops\", \"lead\"]",
        ),
        rule(
            "b",
            "/usr/bin/systemctl stop a",
            "require = { mfa = \"1h\" }\nedit = [\"/etc/a\"]",
        ),
    ] {
        none(&(wide.clone() + &narrow));
    }
}

#[test]
fn a_rule_is_covered_by_one_that_holds_at_least_where_and_when_it_does() {
    let on = |name: &str, hosts: &str| {
        rule(
            name,
            "/usr/bin/id",
            &format!("when = {{ hosts = [{hosts}] }}"),
        )
    };
    let anywhere = rule("a", "/usr/bin/id", "");
    one(
        &(anywhere.clone() + &on("b", "\"db1\"")),
        Suspicion::Covered,
    );
    one(
        &(on("a", "\"db1\", \"db2\"") + &on("b", "\"db1\"")),
        Suspicion::Covered,
    );
    none(&(on("a", "\"db1\"") + &on("b", "\"db1\", \"db2\"")));
    none(&(on("a", "\"db1\"") + &anywhere.replace("rule.a", "rule.b")));
    let deny = rule(
        "never",
        "ALL",
        "effect = \"deny\"\nwhen = { hosts = [\"db1\"] }",
    );
    none(&(anywhere + &deny));
    one(&(on("b", "\"db1\"") + &deny), Suspicion::Forbidden);
}

#[test]
fn a_deny_that_takes_all_that_an_allow_gives_is_told_of_at_the_allow() {
    let allow = rule("a", "/usr/bin/id", "");
    let deny = rule("never", "ALL", "effect = \"deny\"\nrun_as = \"ALL\"");
    let message = one(&(allow.clone() + &deny), Suspicion::Forbidden);
    assert!(
        message.starts_with("rule `never` (p:16:7) forbids"),
        "{message}"
    );
    let link = rule("never", "/usr/bin/i*", "effect = \"deny\"");
    one(&(allow.clone() + &link), Suspicion::Forbidden);
    none(&(allow.clone() + &rule("never", "/usr/bin/i* -u", "effect = \"deny\"")));
    none(&(allow.clone() + &rule("never", "ALL", "effect = \"deny\"\nroles = [\"lead\"]")));
    none(&(allow + &rule("never", "ALL", "effect = \"deny\"\nrun_as = \"bob\"")));
    let twice =
        rule("b", "/usr/bin/id", "effect = \"deny\"") + &rule("c", "ALL", "effect = \"deny\"");
    one(&twice, Suspicion::Covered);
}

#[test]
fn commands_that_lead_out_hand_out_a_root_shell() {
    for command in [
        "/usr/bin/vim /etc/motd",
        "/usr/bin/vim.basic ...",
        "/bin/bash",
        "/usr/bin/bash -c *",
        "/usr/bin/sh ...",
        "/usr/bin/python3",
        "/usr/bin/python3.13 *",
        "/usr/bin/perl -e *",
        "/usr/bin/less /var/log/syslog",
        "/usr/bin/find /var/log ...",
        "/usr/bin/find / -name x -exec * ;"
            .replace(';', "';'")
            .as_str(),
        "/usr/bin/tar ...",
        "/usr/bin/tar -cf /srv/a.tar --checkpoint-action=exec=* /srv",
        "/usr/bin/awk * /etc/passwd",
        "/usr/bin/sed * /etc/passwd",
        "/usr/bin/env ...",
        "/usr/bin/env LANG=C *",
        "/usr/bin/env bash",
        "/usr/bin/nice -n 5 ...",
        "/usr/bin/timeout 5s ...",
        "/usr/bin/flock /run/lock/x ...",
        "/usr/bin/watch -n 1 *",
        "/usr/bin/systemctl edit nginx",
        "/usr/bin/systemctl ...",
        "/usr/bin/systemctl status nginx",
        "/usr/bin/systemctl {status,restart} nginx",
        "/usr/bin/journalctl -u nginx",
        "/usr/bin/journalctl ...",
        "/usr/bin/docker run ...",
        "/usr/bin/docker ...",
        "/usr/bin/apt ...",
        "/usr/bin/apt-get install ./*",
        "/usr/bin/dpkg -i *",
        "/usr/bin/rsync -a -e * /srv/a backup:/srv/",
        "/usr/bin/rsync ...",
        "/usr/bin/tee **",
        "/usr/bin/cp /srv/x *",
        "/usr/bin/chmod u+s **",
        "/usr/bin/git -C /srv/site log",
        "/usr/bin/git ...",
        "/usr/bin/make publish",
        "/usr/bin/pip install *",
        "/usr/bin/ip ...",
        "/usr/bin/su",
        "/usr/bin/passwd",
        "/usr/bin/*",
        "/usr/sbin/{nologin,visudo}",
    ] {
        let command = command.replace("./*", "./*.deb").replace("*.deb", "*");
        assert!(hands_out(&command, ""), "{command}");
    }
}

#[test]
fn commands_that_are_written_out_hand_out_nothing_more() {
    for command in [
        "/usr/bin/bash /usr/local/sbin/backup ...",
        "/usr/bin/bash -c 'systemctl restart nginx'",
        "/usr/bin/python3 /opt/report.py *",
        "/usr/bin/python3 --version",
        "/usr/bin/python3 -m http.server ...",
        "/usr/bin/find /var/log -name '*.gz' -delete",
        "/usr/bin/find /var/log -name * -delete",
        "/usr/bin/find /srv -exec /usr/bin/chmod 644 '{}' '+'",
        "/usr/bin/tar -czf /srv/backup.tar.gz /etc",
        "/usr/bin/awk '{print $1}' *",
        "/usr/bin/sed -n '1,10p' /var/log/*",
        "/usr/bin/env LANG=C /usr/bin/id ...",
        "/usr/bin/nice -n 5 /usr/bin/id",
        "/usr/bin/systemctl {restart,reload} nginx",
        "/usr/bin/systemctl restart nginx{,@*}",
        "/usr/bin/systemctl --no-pager status nginx",
        "/usr/bin/journalctl --no-pager -u *",
        "/usr/bin/docker run --rm hello-world",
        "/usr/bin/docker logs ...",
        "/usr/bin/apt-get -y upgrade",
        "/usr/bin/rsync -rt /srv/staging/ /srv/www/",
        "/usr/bin/cp /srv/new/* /srv/www/",
        "/usr/bin/git -C /srv/site pull --ff-only",
        "/usr/bin/git --no-pager -C /srv/site log",
        "/usr/bin/make -C /srv/site publish",
        "/usr/bin/ip {link,address} ...",
        "/usr/bin/passwd -S alice",
        "/usr/sbin/nginx -t",
        "/opt/tools/*",
        // They say themselves what they hand out.
        "SHELL",
        "ALL",
    ] {
        assert!(!hands_out(command, ""), "{command}");
    }
}

#[test]
fn what_binds_the_session_or_another_target_closes_the_way() {
    let vim = "/usr/bin/vim ...";
    assert!(!hands_out(vim, "session = { contain = true }"));
    assert!(!hands_out(vim, "run_as = \"postgres\""));
    assert!(!hands_out(
        vim,
        "run_as = \"SELF\"\nsession = { capabilities = [\"CAP_NET_ADMIN\"] }"
    ));
    assert!(!hands_out(vim, "effect = \"deny\""));
    assert!(hands_out(vim, "run_as = [\"postgres\", \"#0\"]"));
    assert!(hands_out(vim, "run_as = \"ALL\""));
    // An editor needs no other program to write any file, a pager does to start a shell.
    assert!(hands_out(vim, "session = { execs = \"deny\" }"));
    assert!(!hands_out(
        "/usr/bin/less ...",
        "session = { execs = \"deny\" }"
    ));
}

#[test]
fn a_command_that_hands_out_root_is_told_with_its_place_the_reason_and_the_way_out() {
    let told = told(&rule("r", "/usr/bin/*", ""));
    let told = told[0].diagnostic.to_string();
    assert_eq!(
        told,
        "p:14:13: this hands out all that root can do (its wildcard takes in `/usr/bin/sh`): a shell \
         runs what it is told; write `SHELL` if that is meant, else the one script with its path"
    );
}

fn part(path: &str, uid: u32, gid: u32, mode: u32) -> PathFacts {
    let path = path.into();
    PathFacts {
        path,
        uid,
        gid,
        mode,
    }
}

fn changeable(run_as: &str, parts: &[PathFacts]) -> Option<String> {
    let policy = policy(&rule("r", "/opt/a/tool ...", &format!("run_as = {run_as}")));
    let facts = |path: &[u8]| (path == b"/opt/a/tool").then(|| parts.to_vec());
    let uid = |name: &str| (name == "svc").then_some(900);
    let told = policy.writable_commands(facts, uid);
    told.first().map(|one| one.diagnostic.message.clone())
}

#[test]
fn a_command_that_others_can_change_is_told_of_with_the_part_that_they_can_change() {
    let safe = [
        part("/", 0, 0, 0o040_755),
        part("/opt", 0, 0, 0o040_775),
        part("/opt/a", 0, 50, 0o040_755),
        part("/opt/a/tool", 0, 0, 0o100_755),
    ];
    let with = |at: usize, other: PathFacts| {
        let mut parts = safe.clone();
        parts[at] = other;
        parts
    };
    assert_eq!(changeable("\"root\"", &safe), None);
    assert_eq!(changeable("\"root\"", &[]), None);
    let owned = with(3, part("/opt/a/tool", 900, 0, 0o100_755));
    let message = changeable("\"root\"", &owned).unwrap();
    assert!(
        message.contains("/opt/a/tool is owned by uid 900"),
        "{message}"
    );
    // Whose the program is, may run it as themselves.
    assert_eq!(changeable("\"svc\"", &owned), None);
    assert!(changeable("[\"root\", \"svc\"]", &owned).is_some());
    let grouped = with(2, part("/opt/a", 0, 50, 0o040_775));
    let message = changeable("\"root\"", &grouped).unwrap();
    assert!(
        message.contains("group 50; run `chmod g-w /opt/a`"),
        "{message}"
    );
    let open = with(1, part("/opt", 0, 0, 0o040_777));
    assert!(changeable("\"root\"", &open).unwrap().contains("everybody"));
    let sticky = with(1, part("/opt", 0, 0, 0o041_777));
    assert_eq!(changeable("\"root\"", &sticky), None);
    let theirs = [
        sticky[0].clone(),
        sticky[1].clone(),
        part("/opt/a", 7, 0, 0o040_755),
    ];
    assert!(changeable("\"root\"", &theirs).is_some());
}

fn command(text: &str) -> Option<Command> {
    let place = policy(&rule("r", "/usr/bin/id", "")).rules()[0]
        .place
        .clone();
    Command::parse(text, place).ok()
}

proptest! {
    /// Whatever is said to cover another matches all that the other allows.
    #[test]
    fn what_covers_another_matches_whatever_it_matches(
        wide in "/(a|b|\\*|\\*\\*|-|\\.|/){1,5}( (a|b|\\*|\\*\\*|-|\\.){1,3}){0,2}( \\.\\.\\.)?",
        narrow in "/(a|b|\\*|\\*\\*|-|\\.|/){1,5}( (a|b|\\*|\\*\\*|-|\\.){1,3}){0,2}( \\.\\.\\.)?",
        path in "/[ab/.-]{1,5}",
        args in proptest::collection::vec("[ab/.-]{0,3}", 0..4),
    ) {
        let (Some(wide), Some(narrow)) = (command(&wide), command(&narrow)) else { return Ok(()) };
        let file = File::new(path.as_bytes(), path.as_bytes());
        let args: Vec<_> = args.into_iter().map(String::into_bytes).collect();
        prop_assert!(narrow.covers(&narrow, Reading::Strict));
        if narrow.matches(&file, &args, false, Reading::Strict) {
            for reading in [Reading::Strict, Reading::Generous] {
                let covers = wide.covers(&narrow, reading);
                prop_assert!(!covers || wide.matches(&file, &args, false, reading));
            }
        }
    }
}

#[test]
fn what_is_named_by_its_hash_may_be_changed() {
    let hash = "0123456789abcdef".repeat(4);
    let policy = policy(&rule("r", &format!("sha256:{hash} /opt/a/tool"), ""));
    let anybodys = |_: &[u8]| Some(vec![part("/opt/a/tool", 900, 0, 0o100_777)]);
    assert!(policy.writable_commands(anybodys, |_| None).is_empty());
}
