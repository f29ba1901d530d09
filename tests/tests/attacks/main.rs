//! Carries out the attacks of docs/past-cves.md on a booted machine: each fails, each refusal is on
//! record once, and honest use of the same path still works.

mod clones;
mod codes;
mod descriptors;
mod door;
mod empty_argv;
mod environment;
mod escapes;
mod execs;
mod fail_open;
mod folders;
mod half_way;
mod held;
mod ids;
mod kills;
mod names;
mod namespaces;
mod places;
mod same_user;
mod shells;
mod smuggling;
mod streams;
mod swaps;
mod terminal;

use std::fs;
use std::path::Path;

use elevate_tests::{Entry, Login, Machine, SharedMachine, Spec, Voter};

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("attacks").prepared(prepare));

const GROUPS: [&str; 8] = [
    "recorded", "plain", "asking", "agreeing", "keeping", "once", "coded", "idle",
];

/// Who may do with doas, which gives a command the caller's own terminal, what others may with us.
const DOAS: &str = "permit nopass ernie\npermit nopass orson\n";

/// Members of these groups may run anything: `recorded` with all that Elevate puts on record,
/// `plain` without, so that their pipes and files reach the command, `asking` once somebody
/// of `agreeing` agrees, `keeping` with all of their variables that may be kept at all, `once` with
/// nothing executed beside the command itself, `coded` with a code, and `idle` on terminals that
/// are held soon.
fn prepare(machine: &Machine) {
    for group in GROUPS {
        machine.run(&["groupadd", group]).success();
    }
    machine.write("/etc/doas.conf", DOAS, 0o600);
    let roles = GROUPS.map(|name| format!("[role.{name}]\nmembers = [\"%{name}\"]\n"));
    let rule = |name: &str, terms: &str| {
        format!(
            "[rule.{name}]\nroles = [\"{name}\"]\nrun_as = \"ALL\"\ncommands = [\"ALL\"]\n{terms}\n"
        )
    };
    let rules = [
        rule("recorded", "require = {}"),
        rule(
            "plain",
            "require = {}\nsession = { record = \"none\", execs = \"none\" }",
        ),
        rule(
            "asking",
            "require = { approvals = 1, approvers = [\"role:agreeing\"] }",
        ),
        rule("keeping", "require = {}\nsession = { keep_env = [\"*\"] }"),
        rule("once", "require = {}\nsession = { execs = \"deny\" }"),
        rule("coded", "require = { mfa = \"15m\" }"),
        rule("idle", "require = {}\nlimit = { idle = \"2s\" }"),
    ];
    machine.policy("attacks", &[roles.join("\n"), rules.join("\n")].concat());
}

/// A user of a group, logged in.
#[track_caller]
fn login<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    machine.member(name, &[group]);
    machine.login(name)
}

/// Somebody whose agreement counts.
#[track_caller]
fn voter<'m>(machine: &'m Machine, name: &str) -> Voter<'m> {
    machine.member(name, &["agreeing"]);
    machine.voter(name)
}

/// Honest use works for this user, and then these refusals of theirs are on record: events come in
/// order, so none is still on its way.
#[track_caller]
fn refusals_after_honest_use(login: &Login<'_>) -> Vec<Entry> {
    let machine = login.machine();
    let honest = login.run("elevate echo honest").success();
    assert_eq!(honest.text(), "honest");
    let user = ("ELEVATE_USER", login.user());
    machine.event("end", &[user, ("ELEVATE_COMMAND", "echo honest")]);
    machine.events(&[user, ("ELEVATE_EVENT", "refusal")])
}

/// What an event says why.
#[track_caller]
fn reason(entry: &Entry) -> String {
    entry.get("ELEVATE_REASON").expect("an event has a reason")
}

/// docs/past-cves.md names tests as `file::test` or `file::part::test`.
#[test]
fn every_test_that_the_list_of_faults_names_exists() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let list = fs::read_to_string(workspace.join("docs/past-cves.md")).expect("the list");
    let mut sources = String::new();
    for folder in [
        "tests/tests",
        "protocol/src",
        "elevated/src",
        "client/src",
        "client/tests",
        "session/tests",
    ] {
        read_all(&workspace.join(folder), &mut sources);
    }
    let named: Vec<_> = list.split('`').filter(|word| word.contains("::")).collect();
    assert!(named.len() > 20, "{named:?}");
    for name in named {
        let test = name.rsplit("::").next().unwrap_or_default();
        assert!(sources.contains(&format!("fn {test}()")), "{name}");
    }
}

fn read_all(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, into);
        } else {
            into.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}
