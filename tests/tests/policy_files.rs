//! Policy and settings as files: what is wrong with one is said with its place, nothing of it comes
//! into force, and what changes holds from the next question on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use elevate_tests::{Login, Machine, SharedMachine, Spec};

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[rule.id]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/id ..."]
require = {}
"#;

/// Where a test puts what is wrong.
const WRONG: &str = "/etc/elevate/policy.d/wrong.toml";

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("policy-files").prepared(prepare));

/// The files are those of the whole machine: one test at a time has them.
static FILES: Mutex<()> = Mutex::new(());

fn prepare(machine: &Machine) {
    machine.policy("right", POLICY);
}

/// Has the policy's files to itself, and leaves only the right one.
struct Files<'m>(
    &'m Machine,
    #[expect(dead_code, reason = "held")] MutexGuard<'static, ()>,
);

impl<'m> Files<'m> {
    fn of(machine: &'m Machine) -> Self {
        Files(
            machine,
            FILES.lock().unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Drop for Files<'_> {
    fn drop(&mut self) {
        let more = "/etc/elevate/policy.d/more.toml";
        self.0.run(&["rm", "-rf", WRONG, more]);
        let folders = ["/etc/elevate", "/etc/elevate/policy.d"];
        self.0.run(&[&["chmod", "0755"], &folders[..]].concat());
        self.0.run(&[&["chown", "root"], &folders[..]].concat());
        self.0
            .write("/etc/elevate/policy.d/right.toml", POLICY, 0o644);
        self.0.run(&["elevatectl", "status"]);
    }
}

fn operator<'m>(machine: &'m Machine, name: &str) -> Login<'m> {
    machine.member(name, &["operator"]);
    machine.login(name)
}

/// How many refusals are on record. Taken before a change: the daemon looks at the files by itself,
/// too, perhaps before the test asks it anything.
fn refusals(machine: &Machine) -> usize {
    let refusals = machine.events(&[("ELEVATE_EVENT", "policy-refused")]);
    refusals.len()
}

/// The files as they are now are refused, for a reason that names all of `words`; what was in force
/// before still is.
#[track_caller]
fn refused(user: &Login<'_>, before: usize, words: &[&str]) {
    let machine = user.machine();
    assert_eq!(user.run("elevate id -un").success().text(), "root");
    let refused = machine.poll("the refusal on record", Duration::from_secs(20), || {
        let events = machine.events(&[("ELEVATE_EVENT", "policy-refused")]);
        (events.len() > before)
            .then(|| events.last().cloned())
            .flatten()
    });
    let reason = refused.get("ELEVATE_REASON").unwrap_or_default();
    let status = machine.run(&["elevatectl", "status"]).text();
    for word in words {
        assert!(reason.contains(word), "{word}: {reason}");
        assert!(status.contains(word), "{word}: {status}");
    }
    assert_eq!(user.run("elevate id -un").success().text(), "root");
    let again = refusals(machine);
    assert_eq!(again, before + 1, "on record once, not with every question");
    let told = user.run("elevatectl status").text();
    assert!(told.contains("root sees why"), "{told}");
    assert!(!told.contains(&reason), "only root learns why: {told}");
}

#[test]
fn a_mistake_is_named_with_its_place_and_the_likely_right_word() {
    let machine = MACHINE.get();
    let files = Files::of(&machine);
    let user = operator(&machine, "mia");
    let rule = |terms: &str| {
        format!(
            "[rule.more]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"ALL\"]\n{terms}\n"
        )
    };
    for (text, place, words) in [
        (
            "[role.x]\nmembrs = []\n".to_owned(),
            "2:1",
            &["membrs", "members"][..],
        ),
        (rule("requir = {}"), "5:1", &["requir", "require"]),
        (
            rule("require = { aprovals = 1 }"),
            "5:13",
            &["aprovals", "approvals"],
        ),
        (
            rule("require = {}\neffect = \"alow\""),
            "6:10",
            &["alow", "allow"],
        ),
        (
            rule("require = {}").replace("operator", "operater"),
            "2:10",
            &["operater", "operator"],
        ),
        (
            rule("require = {}\nlimit = { max = \"5 parsecs\" }"),
            "6:17",
            &["5 parsecs"],
        ),
        (
            rule("require = {}\nsession = { record = \"ouput\" }"),
            "6:22",
            &["ouput", "output"],
        ),
        (rule(""), "1:7", &["more", "require = {}"]),
        (rule("require = {").to_owned(), "5:", &["wrong.toml"]),
    ] {
        let before = refusals(&machine);
        machine.write(WRONG, &text, 0o644);
        let place = format!("{WRONG}:{place}");
        let checked = user.run(&format!(
            "elevatectl policy check /etc/elevate/policy.d/right.toml {WRONG}"
        ));
        let said = checked.status(1).text();
        assert!(said.contains(&place), "{place}: {said}");
        assert!(
            words.iter().all(|word| said.contains(word)),
            "{words:?}: {said}"
        );
        refused(&user, before, &[&[place.as_str()], words].concat());
    }
    drop(files);
    machine
        .run(&[
            "elevatectl",
            "policy",
            "check",
            "/etc/elevate/policy.d/right.toml",
        ])
        .success();
}

#[test]
fn what_this_version_or_this_host_does_not_enforce_is_refused_and_never_ignored() {
    let machine = MACHINE.get();
    let _files = Files::of(&machine);
    let user = operator(&machine, "enno");
    let rule =
        "[rule.more]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/bin/true\"]\n";
    for (terms, place, words) in [
        (
            "require = { password = \"15m\" }",
            "5:13",
            &["password", "isn't enforced yet"][..],
        ),
        (
            "require = {}\nbreak_glass = true",
            "6:1",
            &["break_glass", "isn't enforced yet"],
        ),
        // The machine's cgroups are without any controller.
        (
            "require = {}\nlimit = { tasks = 20 }",
            "6:19",
            &["tasks", "pids"],
        ),
        (
            "require = {}\nlimit = { memory = \"1G\" }",
            "6:20",
            &["memory", "controller"],
        ),
        (
            "require = {}\nlimit = { cpu = \"50%\" }",
            "6:17",
            &["cpu", "controller"],
        ),
    ] {
        let before = refusals(&machine);
        machine.write(WRONG, format!("{rule}{terms}\n"), 0o644);
        let place = format!("{WRONG}:{place}");
        refused(&user, before, &[&[place.as_str()], words].concat());
    }
}

#[test]
fn a_file_that_others_may_have_written_is_refused_by_name() {
    let machine = MACHINE.get();
    let _files = Files::of(&machine);
    let user = operator(&machine, "otis");
    let more = POLICY
        .replace("rule.id", "rule.more")
        .replace("role.operator", "role.more")
        .replace("\"operator\"", "\"more\"");
    for (change, undo, words) in [
        (
            &["chown", "otis", WRONG][..],
            &["chown", "root", WRONG][..],
            &[WRONG, "not to root", "chown"][..],
        ),
        (
            &["chmod", "0664", WRONG],
            &["chmod", "0644", WRONG],
            &[WRONG, "written by others", "chmod"],
        ),
        (
            &["chmod", "0646", WRONG],
            &["chmod", "0644", WRONG],
            &[WRONG, "written by others"],
        ),
        (
            &["chmod", "0777", "/etc/elevate/policy.d"],
            &["chmod", "0755", "/etc/elevate/policy.d"],
            &["/etc/elevate/policy.d", "written by others"],
        ),
        (
            &["chown", "otis", "/etc/elevate/policy.d"],
            &["chown", "root", "/etc/elevate/policy.d"],
            &["/etc/elevate/policy.d", "not to root"],
        ),
        (
            &["ln", "-sf", "/home/otis/mine.toml", WRONG],
            &["rm", WRONG],
            &[WRONG, "symbolic link"],
        ),
        (
            &["mkdir", WRONG],
            &["rmdir", WRONG],
            &[WRONG, "not a regular file"],
        ),
        (
            &["mkfifo", WRONG],
            &["rm", WRONG],
            &[WRONG, "not a regular file"],
        ),
    ] {
        if !["mkdir", "mkfifo"].contains(&change[0]) {
            machine.write(WRONG, &more, 0o644);
            machine.run(&["elevatectl", "status"]).success();
        }
        let before = refusals(&machine);
        machine.run(change).success();
        refused(&user, before, words);
        machine.run(undo).success();
        let status = machine.run(&["elevatectl", "status"]).success().text();
        assert!(!status.contains(words[1]), "believed again: {status}");
    }
}

#[test]
fn the_folder_above_counts_too() {
    let machine = MACHINE.get();
    let _files = Files::of(&machine);
    let user = operator(&machine, "uma");
    let before = refusals(&machine);
    machine.run(&["chmod", "0777", "/etc/elevate"]).success();
    // A change that makes the daemon look.
    machine.write(WRONG, "", 0o644);
    refused(&user, before, &["/etc/elevate", "written by others"]);
    machine.run(&["chmod", "0755", "/etc/elevate"]).success();
}

#[test]
fn a_changed_rule_holds_from_the_next_question_on() {
    let machine = MACHINE.get();
    let _files = Files::of(&machine);
    let user = operator(&machine, "nina");
    let daemon = machine.main_pid("elevated");
    let more = "[rule.more]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/whoami\"]\nrequire = {}\n";
    user.run("elevate whoami").status(1);
    machine.policy("more", more);
    assert_eq!(user.run("elevate whoami").success().text(), "root");
    machine.policy("more", &more.replace("whoami", "hostname"));
    user.run("elevate whoami").status(1);
    user.run("elevate hostname").success();
    machine.policy(
        "more",
        &more
            .replace("require = {}", "effect = \"deny\"")
            .replace("whoami", "id ..."),
    );
    let denied = user.run("elevate id").status(1);
    assert!(denied.errors().contains("forbids"), "{}", denied.describe());
    machine
        .run(&["rm", "/etc/elevate/policy.d/more.toml"])
        .success();
    user.run("elevate id").success();
    user.run("elevate hostname").status(1);
    assert_eq!(
        machine.main_pid("elevated"),
        daemon,
        "nothing was restarted"
    );
}

#[test]
fn whoever_left_a_group_is_out_at_once() {
    let machine = MACHINE.get();
    let _files = Files::of(&machine);
    let user = operator(&machine, "lena");
    user.run("elevate id").success();
    machine.leave("lena", "operator");
    user.run("id -nG | grep -w operator").success();
    user.run("elevate id").status(1);
    machine.member("lena", &["operator"]);
    user.run("elevate id").success();
}

#[test]
fn why_explains_an_answer_to_those_whom_it_concerns() {
    let machine = MACHINE.get();
    let _files = Files::of(&machine);
    let user = operator(&machine, "wilma");
    machine.member("wolf", &[]);
    let stranger = machine.login("wolf");

    let allowed = user.run("elevatectl policy why id -u").success().text();
    assert!(allowed.contains("allowed by id"), "{allowed}");
    let denied = user.run("elevatectl policy why whoami").success().text();
    assert!(denied.contains("denied: "), "{denied}");
    assert!(
        denied.contains("id"),
        "the rule that did not match: {denied}"
    );
    let json = user
        .run("elevatectl policy why --json id -u")
        .success()
        .text();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["user"], "wilma");
    assert_eq!(json["target"], "root");

    let nothing = stranger.run("elevatectl policy why id").success().text();
    assert!(nothing.contains("denied: "), "{nothing}");
    assert!(
        !nothing.contains("operator"),
        "a stranger learns of no role: {nothing}"
    );
    for other in ["wilma", "root", "nobody-knows"] {
        let refused = stranger
            .run(&format!("elevatectl policy why --user {other} id"))
            .status(1);
        assert!(
            refused.errors().contains("only root"),
            "{}",
            refused.describe()
        );
    }
    for elsewhere in [
        "--host db1",
        "--at '2026-03-16 10:00 UTC'",
        "--from ::1",
        "--via sshd",
    ] {
        let refused = user.run(&format!("elevatectl policy why {elsewhere} id -u"));
        let refused = refused.status(1);
        assert!(
            refused.errors().contains("only root"),
            "{}",
            refused.describe()
        );
    }
    let asked = machine
        .run(&["elevatectl", "policy", "why", "--user", "wilma", "id"])
        .success()
        .text();
    assert!(asked.contains("allowed by id"), "{asked}");
    let asked = machine
        .run(&["elevatectl", "policy", "why", "--user", "wolf", "id"])
        .success()
        .text();
    assert!(asked.contains("denied: "), "{asked}");
}

#[test]
fn root_asks_what_would_be_on_another_host_at_another_time_and_from_elsewhere() {
    let machine = MACHINE.get();
    let _files = Files::of(&machine);
    operator(&machine, "wera");
    let rule = "[rule.groups]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/groups\"]\n\
                when = { hosts = [\"db1\"], from = [\"10.0.0.0/8\"], hours = \"daily 08:00-18:00 UTC\" }\n\
                require = {}\n";
    machine.write("/etc/elevate/policy.d/more.toml", rule, 0o644);
    let why = |supposed: &[&str]| {
        let asked = ["elevatectl", "policy", "why", "--user", "wera"];
        machine
            .run(&[&asked, supposed, &["groups"]].concat())
            .success()
            .text()
    };
    let there = ["--host", "db1.example.org", "--from", "10.0.0.7", "--at"];
    let at = |time: &'static str| why(&[&there[..], &[time]].concat());
    let day = at("2026-03-16 10:00 UTC");
    assert!(day.contains("allowed by groups"), "{day}");
    let night = at("2026-03-16 20:00 UTC");
    assert!(night.contains("by `when.hours`"), "{night}");
    let here = why(&[]);
    assert!(here.contains("by `when.hosts`"), "{here}");
    let console = why(&["--host", "db1", "--from", "console"]);
    assert!(console.contains("by `when.from`"), "{console}");
}

#[test]
fn an_admin_checks_tests_and_compares_policies_as_anybody_and_without_the_daemon() {
    let machine = MACHINE.get();
    machine.member("wim", &[]);
    let wim = machine.login("wim");
    let editor = POLICY.replace("/usr/bin/id ...", "/usr/bin/vim ...");
    let expected =
        "group operator: wera\nwera may \"id -u\" needs nothing\nwim may not \"id -u\"\n";
    machine.write("/tmp/id.toml", POLICY, 0o644);
    machine.write("/tmp/vim.toml", &editor, 0o644);
    machine.write("/tmp/id.expect", expected, 0o644);

    wim.run("elevatectl policy check --strict --here /tmp/id.toml")
        .success();
    let warned = wim
        .run("elevatectl policy check /tmp/vim.toml")
        .success()
        .text();
    assert!(warned.contains("/tmp/vim.toml:8:13: warning: "), "{warned}");
    wim.run("elevatectl policy check --strict /tmp/vim.toml")
        .status(1);
    machine.write("/opt/tool", "#!/bin/sh\n", 0o777);
    let open = POLICY.replace("/usr/bin/id ...", "/opt/tool");
    machine.write("/tmp/open.toml", &open, 0o644);
    let warned = wim
        .run("elevatectl policy check --here /tmp/open.toml")
        .success()
        .text();
    assert!(warned.contains("chmod o-w /opt/tool"), "{warned}");

    wim.run("elevatectl policy test --policy /tmp/id.toml /tmp/id.expect")
        .success();
    let failed = wim
        .run("elevatectl policy test --policy /tmp/vim.toml /tmp/id.expect")
        .status(1);
    assert!(
        failed.text().contains("FAIL  /tmp/id.expect:2: "),
        "{}",
        failed.describe()
    );

    wim.run("elevatectl policy diff /tmp/id.toml /tmp/id.toml")
        .success();
    let differs = wim
        .run("elevatectl policy diff /tmp/id.toml /tmp/vim.toml")
        .status(1)
        .text();
    assert!(differs.contains("+ /usr/bin/vim ... as root"), "{differs}");
    assert!(differs.contains("- /usr/bin/id ... as root"), "{differs}");
    wim.run("elevatectl policy diff /tmp/id.toml /tmp/nowhere")
        .status(2);

    let schema = wim.run("elevatectl policy schema").success().text();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert!(schema["properties"]["rule"].is_object(), "{schema}");
}
