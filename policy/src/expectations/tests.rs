use proptest::prelude::*;

use super::Expectations;
use crate::diagnostic::Source;
use crate::load::{Defaults, HostFacts, load};
use crate::policy::Policy;
use jiff::tz::TimeZoneDatabase;

const POLICY: &str = r#"
[role.ops]
members = ["alice", "%ops"]
login.when = { hosts = ["web1"], services = ["sshd"], from = ["10.0.0.0/8"] }
[role.dba]
members = ["attr:department=dba"]
login.require = {}
[role.lead]
members = ["bob"]
may = ["audit"]

[rule.reload]
roles = ["ops"]
run_as = "root"
commands = ["/usr/bin/systemctl reload nginx", "/usr/sbin/nginx -t"]
require = {}

[rule.restart]
roles = ["ops"]
run_as = "root"
commands = ["/usr/bin/systemctl restart *"]
when = { hosts = ["web1"], hours = "Mon..Fri 08:00-18:00 Europe/Berlin", from = ["10.0.0.0/8"], terminal = true }
require = { mfa = "15m", approvals = 1, approvers = ["role:lead"], reason = true }
limit = { max = "1h" }

[rule.psql]
roles = ["dba"]
run_as = "postgres:adm"
commands = ["SHELL", "/usr/bin/psql 'a b'"]
require = { mfa = "always" }

[rule.sites]
roles = ["ops"]
run_as = "root"
edit = ["/etc/nginx/*.conf"]
require = {}

[rule.never]
roles = ["ops"]
run_as = "ALL"
commands = ["/usr/bin/vim.basic ..."]
effect = "deny"
"#;

fn zones() -> TimeZoneDatabase {
    TimeZoneDatabase::from_dir("/usr/share/zoneinfo").expect("tzdata is installed")
}

fn policy() -> Policy {
    let source = Source {
        name: "p.toml".into(),
        text: POLICY.into(),
    };
    let host = HostFacts {
        zones: zones(),
        ..HostFacts::default()
    };
    load(&[source], &host, &Defaults::default()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn parse(text: &str) -> Result<Expectations, String> {
    let source = Source {
        name: "e".into(),
        text: text.into(),
    };
    Expectations::parse(&source, &zones()).map_err(|wrong| wrong.to_string())
}

/// What is wrong with the only expectation of a file.
#[track_caller]
fn answer(text: &str) -> Option<String> {
    let checked = parse(text)
        .unwrap_or_else(|wrong| panic!("{wrong}"))
        .check(&policy());
    let [one] = &checked[..] else {
        panic!("{checked:?}")
    };
    one.wrong.clone()
}

#[track_caller]
fn holds(text: &str) {
    assert_eq!(answer(text), None, "{text}");
}

#[track_caller]
fn fails(text: &str, why: &str) {
    let answer = answer(text).unwrap_or_else(|| panic!("it holds: {text}"));
    assert!(answer.contains(why), "{answer}");
}

/// At work, on the right host.
const THERE: &str = "group ops: carol, dave\nhost web1\nfrom 10.1.2.3\n";

fn there(sentence: &str) -> String {
    format!("{THERE}{sentence}")
}

#[test]
fn who_may_and_who_may_not_is_told_from_the_groups_of_the_file() {
    holds(r#"alice may "systemctl reload nginx""#);
    holds(&there(r#"carol may "systemctl reload nginx" as root"#));
    holds(r#"carol may not "systemctl reload nginx""#);
    holds(r#"alice may not "systemctl reload nginx" as bob"#);
    holds(r#"alice may not "systemctl stop nginx""#);
    holds("attribute Department=dba: erin\nerin may shell as postgres:adm");
    holds("erin may not shell as postgres:adm");
    holds("attribute department=dba: erin\nerin may \"psql 'a b'\" as postgres:adm");
    holds("\"from\" may not shell");
}

#[test]
fn what_the_policy_says_instead_is_told_with_rules_and_places() {
    fails(
        r#"alice may not "systemctl reload nginx""#,
        "rule `reload` (p.toml:12:7) allows it, and needs nothing",
    );
    fails(
        r#"alice may "systemctl reload apache2""#,
        "rule `reload` (p.toml:12:7) does not match, by `commands`",
    );
    fails(r#"eve may "systemctl reload nginx""#, "no rule is for them");
    let vim = "link /usr/bin/vi: /usr/bin/vim.basic\nalice may \"/usr/bin/vi x\"";
    fails(vim, "rule `never` (p.toml:38:7) forbids it");
}

#[test]
fn where_when_and_how_counts_as_the_lines_before_and_the_sentence_say() {
    let restart = r#"alice may "systemctl restart nginx""#;
    holds(&there(restart));
    fails(restart, "by `when.hosts`");
    fails(&format!("host web1\n{restart}"), "by `when.from`");
    fails(&there(&format!("{restart} on db1")), "by `when.hosts`");
    fails(
        &there(&format!("{restart} from 192.0.2.1")),
        "by `when.from`",
    );
    fails(&there(&format!("{restart} from console")), "by `when.from`");
    fails(
        &there(&format!("{restart} without terminal")),
        "by `when.terminal`",
    );
    let night = format!("{restart} at 2026-03-16 19:30 Europe/Berlin");
    fails(&there(&night), "by `when.hours`");
    holds(&there(&format!(
        "{restart} at \"2026-03-16 19:30 Asia/Tokyo\""
    )));
    fails(
        &there(&format!("terminal no\n{restart}")),
        "by `when.terminal`",
    );
    // Only for its own line.
    let both = there(&format!("{night}\n{restart}"));
    let checked = parse(&both).unwrap().check(&policy());
    assert!(checked[0].wrong.is_some() && checked[1].wrong.is_none());
}

#[test]
fn what_is_needed_is_at_least_that_and_with_only_nothing_else() {
    let restart = |needs: &str| {
        there(&format!(
            r#"alice may "systemctl restart nginx" needs {needs}"#
        ))
    };
    for needs in [
        "approval",
        "1 approval",
        "mfa",
        "mfa 15m",
        "mfa \"1h 30m\"",
        "reason",
        "approval, reason",
        "only approval mfa reason",
    ] {
        holds(&restart(needs));
    }
    for needs in ["2 approvals", "mfa always", "mfa 1m"] {
        fails(
            &restart(needs),
            "it needs less: an approval, a code of the last 15m, a reason",
        );
    }
    fails(&restart("nothing"), "it needs more");
    fails(&restart("only approval"), "it needs more");
    holds(r#"alice may "systemctl reload nginx" needs nothing"#);
    fails(
        r#"alice may "systemctl reload nginx" needs approval"#,
        "it needs less: nothing",
    );
}

#[test]
fn how_long_and_by_which_rule_is_asked_as_said() {
    let restart = r#"alice may "systemctl restart nginx""#;
    holds(&there(&format!("{restart} for 1h by restart")));
    fails(&there(&format!("{restart} for 2h")), "by `limit`");
    fails(&there(&format!("{restart} by reload")), "does not match");
}

#[test]
fn logins_edits_audits_and_approvals_are_expected_likewise() {
    holds(&there("alice may log in needs mfa"));
    fails("alice may log in", "not on this host");
    holds(&there("alice may not log in via login"));
    holds(&there("alice may not log in from console"));
    holds("attribute department=dba: erin\nerin may log in needs nothing");
    fails(&there("alice may log in needs nothing"), "it needs more");
    fails(&there("alice may not log in"), "role `ops` lets them in");
    holds("alice may edit \"/etc/nginx/a.conf\" \"/etc/nginx/b.conf\"");
    holds("alice may not edit \"/etc/nginx/a.conf\", \"/etc/passwd\"");
    holds("bob may audit");
    holds("root may audit");
    holds("alice may not audit");
    holds("bob may approve restart");
    holds("alice may not approve restart");
    fails("bob may approve nothing-like-it", "there is no rule");
}

#[test]
fn a_bare_name_is_the_program_that_the_policy_speaks_of() {
    holds(r#"alice may "nginx -t""#);
    holds(r#"alice may "/usr/sbin/nginx -t""#);
    holds(r#"alice may not "/usr/bin/nginx -t""#);
}

#[test]
fn a_command_that_is_named_by_its_hash_is_the_one_that_the_file_says() {
    let hash = "ab".repeat(32);
    let pinned = format!(
        "[role.ops]\nmembers = [\"alice\"]\n[rule.r]\nroles = [\"ops\"]\nrun_as = \"root\"\n\
         commands = [{{ run = \"/opt/tool\", sha256 = \"{hash}\" }}]\nrequire = {{}}\n"
    );
    let source = Source {
        name: "p".into(),
        text: pinned,
    };
    let policy = load(&[source], &HostFacts::default(), &Defaults::default()).unwrap();
    let text =
        format!("alice may not \"/opt/tool\"\nsha256 /opt/tool: {hash}\nalice may \"/opt/tool\"");
    let checked = parse(&text).unwrap().check(&policy);
    assert!(checked.iter().all(|one| one.wrong.is_none()), "{checked:?}");
    assert!(
        parse("sha256 /opt/tool: abcd")
            .unwrap_err()
            .contains("64 digits")
    );
}

#[test]
fn what_cannot_be_understood_is_told_with_its_line_column_and_the_likely_word() {
    let told = |text: &str, expected: &str| {
        let wrong = parse(text).unwrap_err();
        assert!(wrong.contains(expected), "of {text}:\n{wrong}");
    };
    told(
        "\nalice mai \"id\"",
        "e:2:7: `mai`: a line is a setting, or says who `may` what",
    );
    told("alice may \"id\" neds mfa", "e:1:16: unknown word `neds`");
    told("alice may \"id\" neds mfa", "did you mean `needs`?");
    told("alice may \"id\" needs aproval", "did you mean `approval`?");
    told("alice may id", "e:1:11: unknown deed `id`");
    told("alice may \"id", "e:1:11: a quote is not closed");
    told("alice may \"bin/id\"", "a command is a whole path");
    told("alice may \"id 'x\"", "`'` is not closed");
    told("alice may \"\"", "it is empty");
    told("alice may", "what they may, or may not, is missing");
    told(
        "alice may not \"id\" needs mfa",
        "who may not, needs nothing",
    );
    told(
        "alice may log in as root",
        "`as`, `by` and `for` are of commands",
    );
    told("alice may edit \"nginx.conf\"", "whole path");
    told("grup ops: alice", "did you mean `group`?");
    told("group ops alice", "e:1:7: `ops`: a `:` is missing");
    told("uid alice: -1", "e:1:12: `-1`: a number is from 0");
    told("from nowhere", "e:1:6: `nowhere`: it is no address");
    told(
        "at 2026-03-16 10:00 Europe/Berln",
        "did you mean `Europe/Berlin`?",
    );
    told(
        "at 2026-03-29 02:30 Europe/Berlin",
        "a moment is written as",
    );
    told(
        "at 2026-03-16",
        "after `at` the rest of a moment is missing",
    );
    told("terminal maybe", "it is yes or no");
    told("uid a: 1 2", "nothing stands here any more");
    told(
        "alice may \"id\" for ever",
        "a length of time is written as",
    );
    // All of them at once.
    assert_eq!(parse("a\nb\nc").unwrap_err().lines().count(), 3);
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_or_the_policy_panic(text in "(\\PC|\n|\"|may|not|needs|at|from| ){0,80}") {
        if let Ok(expectations) = parse(&text) {
            let lines = text.lines().count();
            prop_assert!(expectations.check(&policy()).len() <= lines);
        }
    }
}
