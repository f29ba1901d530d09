//! A command that somebody else must agree to first: who is told, whose vote counts, and that
//! nothing runs without it.

use std::time::Duration;

use elevate_tests::{Login, Machine, Output, Running, SharedMachine, Spec};
use serde_json::Value;

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.lead]
members = ["%lead"]

[rule.restart-cron]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/systemctl restart cron"]
require = { approvals = 1, approvers = ["role:lead"], reason = true }
limit = { default = "5m", max = "15m" }

[rule.one]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/touch ...", "/usr/bin/sh ..."]
require = { approvals = 1, approvers = ["role:lead"] }

[rule.two]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/mkdir ..."]
require = { approvals = 2, approvers = ["role:lead"] }

[rule.reason]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/id ..."]
require = { reason = true }

# What an approval must not be reached through.
[rule.tool]
roles = ["operator", "lead"]
run_as = "ALL"
commands = ["/usr/bin/elevatectl ..."]
require = {}
"#;

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("approvals").prepared(prepare));

fn prepare(machine: &Machine) {
    machine.policy("test", POLICY);
}

fn member<'m>(machine: &'m Machine, name: &str, groups: &[&str]) -> Login<'m> {
    machine.member(name, groups);
    machine.login(name)
}

fn operator<'m>(machine: &'m Machine, name: &str) -> Login<'m> {
    member(machine, name, &["operator"])
}

fn lead<'m>(machine: &'m Machine, name: &str) -> Login<'m> {
    member(machine, name, &["lead"])
}

/// Asks for something, and comes back with the request as soon as it waits.
fn ask(login: &Login<'_>, line: &str) -> (Running, String) {
    let running = login.command(line).start();
    let asked = [
        ("ELEVATE_USER", login.user()),
        ("ELEVATE_OUTCOME", "waiting"),
    ];
    let request = login.machine().event("request", &asked).request();
    (running, request)
}

fn approve(login: &Login<'_>, request: &str) -> Output {
    login.run(&format!("elevatectl approve --yes {request}"))
}

fn show(login: &Login<'_>, request: &str) -> Value {
    let shown = login.run(&format!("elevatectl show --json {request}"));
    serde_json::from_slice(&shown.success().stdout).expect("JSON")
}

/// That a vote did not count, was refused for this reason, and is on record once.
#[track_caller]
fn assert_refused(machine: &Machine, vote: Output, voter: &str, request: &str, why: &str) {
    let vote = vote.status(1);
    assert!(vote.errors().contains(why), "{}", vote.describe());
    let fields = [
        ("ELEVATE_USER", voter),
        ("ELEVATE_REQUEST", request),
        ("ELEVATE_COMMAND", "approve"),
    ];
    let refusal = machine.event("refusal", &fields);
    let reason = refusal.get("ELEVATE_REASON").unwrap_or_default();
    assert!(reason.contains(why), "{reason}");
    assert_eq!(machine.events(&fields).len(), 1);
}

#[test]
fn an_approver_is_told_looks_and_approves_at_their_own_terminal_and_the_command_runs() {
    let machine = MACHINE.get();
    let (alice, bob) = (operator(&machine, "alice"), lead(&machine, "bob"));
    let mut desk = bob.terminal("bash --norc");
    desk.send("echo sitting $((1 + 1))\n");
    desk.expect("sitting 2");
    let cron = machine.main_pid("cron.service").expect("cron runs");

    let line = "cd /tmp && elevate --reason 'restart after config change' systemctl restart cron";
    let (asking, request) = ask(&alice, line);
    desk.expect(&format!(
        r"elevate: alice asks to run as root: systemctl restart cron \(restart after config change\)\s+elevate: look with `elevatectl show {request}`"
    ));

    desk.send(format!("elevatectl show {request}\n"));
    let hash = machine.run(&["sha256sum", "/usr/bin/systemctl"]).success();
    let hash = hash.text()[..64].to_owned();
    for part in [
        "state .*waiting, 0 of 1 approvals",
        r"who .*alice \(uid \d+\)",
        "as whom .*root",
        &format!("runs .*/usr/bin/systemctl, sha256 {hash}"),
        "word 0 .*systemctl",
        "word 1 .*restart",
        "word 2 .*cron",
        "in folder .*/tmp",
        "for .*5m",
        "reason .*restart after config change",
        "rule .*restart-cron",
    ] {
        desk.expect(part);
    }
    assert_eq!(machine.main_pid("cron.service"), Some(cron), "not yet");

    desk.send(format!("elevatectl approve {request}\n"));
    desk.expect(r"Approve\? \[y/N\] ");
    desk.send("y\n");
    desk.expect(&format!("approved request {request}: granted, 1 of 1"));
    let output = asking.wait().success();
    assert!(
        output.errors().contains("bob approved (1 of 1)"),
        "{output:?}"
    );
    assert_ne!(machine.main_pid("cron.service"), Some(cron));
    desk.send("exit 0\n");
    desk.wait();
}

#[test]
fn an_answer_other_than_yes_approves_nothing() {
    let machine = MACHINE.get();
    let (ana, ben) = (operator(&machine, "ana"), lead(&machine, "ben"));
    let (asking, request) = ask(&ana, "elevate touch /root/ana");
    for answer in ["n\n", "\n", "\x04"] {
        let mut desk = ben.terminal(&format!("elevatectl approve {request}"));
        desk.expect(r"Approve\? \[y/N\] ");
        desk.send(answer);
        desk.expect("not approved; the request still stands");
        assert_eq!(desk.wait(), 1);
    }
    ben.run(&format!("elevatectl approve {request}")).status(2);
    assert_eq!(show(&ana, &request)["state"], "waiting");
    assert!(!machine.has("/root/ana"));
    ben.run(&format!("elevatectl deny {request}")).success();
    asking.wait().status(1);
}

#[test]
fn an_approved_command_runs_as_root_in_its_own_terminal_and_scope() {
    let machine = MACHINE.get();
    let (ara, bea) = (operator(&machine, "ara"), lead(&machine, "bea"));
    let script = "id -u; tty; read word; echo got $word; kill -USR1 $$";
    let line = format!("tty; elevate sh -c '{script}'; echo status $?");
    let mut terminal = ara.terminal(&line);
    let outer = terminal.expect(r"(/dev/pts/\d+)\r\n");
    let request =
        terminal.expect(r"waiting for 1 approval \(role lead\) · request (\w{8}) · 1\d:\d\d left");
    approve(&bea, &request).success();
    terminal.expect(r"bea approved \(1 of 1\)");
    terminal.expect(r"\x1b\[K0\r\n");
    let inner = terminal.expect(r"(/dev/pts/\d+)\r\n");
    assert_ne!(outer, inner);

    let start = machine.event("start", &[("ELEVATE_REQUEST", &request)]);
    let pid = start.get("ELEVATE_PID").unwrap();
    let cgroup = machine.run(&["cat", &format!("/proc/{pid}/cgroup")]);
    let scope = format!("elevate.slice/elevate-{request}.scope");
    assert!(
        cgroup.text().contains(&format!("0::/{scope}")),
        "{cgroup:?}"
    );
    let leader = start.get("ELEVATE_LEADER").unwrap();
    let outside = machine.run(&["cat", &format!("/proc/{leader}/cgroup")]);
    assert!(
        outside.text().contains("elevate-launcher.service"),
        "{outside:?}"
    );

    terminal.send("apple\n");
    terminal.expect("got apple");
    terminal.expect("status 138");
    terminal.wait();
    assert!(!machine.has(&format!("/sys/fs/cgroup/{scope}")));
}

#[test]
fn nobody_approves_themselves_not_through_su_nor_an_elevated_session() {
    let machine = MACHINE.get();
    let amy = member(&machine, "amy", &["operator", "lead"]);
    let bill = lead(&machine, "bill");
    let passwords = machine.command(&["chpasswd"]).stdin("bill:open-sesame\n");
    passwords.run().success();
    let (asking, request) = ask(&amy, "elevate touch /root/amy");

    let own = "nobody approves their own request";
    assert_refused(&machine, approve(&amy, &request), "amy", &request, own);

    let line = format!("su bill -c 'id -un; elevatectl approve --yes {request}'");
    let mut su = amy.terminal(&line);
    su.expect("Password: ");
    su.send("open-sesame\n");
    su.expect("bill\r\n");
    su.expect(own);
    assert_eq!(su.wait(), 1);

    let elevated = format!("elevate -u bill elevatectl approve --yes {request}");
    let vote = amy.run(&elevated).status(1);
    assert!(vote.errors().contains(own), "{vote:?}");
    let by_bill = [("ELEVATE_USER", "bill"), ("ELEVATE_EVENT", "refusal")];
    machine.poll("both refusals", Duration::from_secs(20), || {
        (machine.events(&by_bill).len() == 2).then_some(())
    });

    let shown = show(&bill, &request);
    assert_eq!(
        (&shown["state"], &shown["agreed"]),
        (&"waiting".into(), &0.into())
    );
    assert!(!machine.has("/root/amy"));
    // The honest way is open all the while.
    approve(&bill, &request).success();
    asking.wait().success();
    assert!(machine.has("/root/amy"));
}

#[test]
fn a_vote_counts_only_from_a_login_of_the_voters_own_that_is_not_elevated() {
    let machine = MACHINE.get();
    let (art, bob) = (operator(&machine, "art"), lead(&machine, "boris"));
    let (asking, request) = ask(&art, "elevate touch /root/art");

    let elevated = bob.run(&format!(
        "elevate -u boris elevatectl approve --yes {request}"
    ));
    let why = "a vote does not count from an elevated session";
    assert_refused(&machine, elevated, "boris", &request, why);

    let without_login = [
        "runuser",
        "-u",
        "boris",
        "--",
        "elevatectl",
        "approve",
        "--yes",
        &request,
    ];
    let vote = machine.run(&without_login).status(1);
    assert!(
        vote.errors().contains("only from a login of your own"),
        "{vote:?}"
    );

    let root = machine.login("root");
    let of_another = root.run(&format!(
        "runuser -u boris -- elevatectl approve --yes {request}"
    ));
    let of_another = of_another.status(1);
    assert!(
        of_another
            .errors()
            .contains("only from a login of your own"),
        "{of_another:?}"
    );
    root.run(&format!("elevatectl approve --yes {request}"))
        .status(1);

    assert_eq!(show(&art, &request)["agreed"], 0);
    approve(&bob, &request).success();
    asking.wait().success();
}

#[test]
fn who_has_nothing_to_do_with_a_request_neither_sees_it_nor_votes_on_it() {
    let machine = MACHINE.get();
    let (abe, eve) = (operator(&machine, "abe"), member(&machine, "eve", &[]));
    let other = operator(&machine, "oda");
    let bob = lead(&machine, "bruno");
    let (asking, request) = ask(&abe, "elevate --reason private touch /root/abe");

    let nobody = "there is no such request, grant or session";
    for stranger in [&eve, &other] {
        let name = stranger.user();
        assert_eq!(
            stranger.run("elevatectl requests --json").success().text(),
            "[]"
        );
        for verb in ["show", "deny", "cancel", "grants revoke"] {
            let refused = stranger
                .run(&format!("elevatectl {verb} {request}"))
                .status(1);
            assert!(
                refused.errors().contains(nobody),
                "{name} {verb}: {refused:?}"
            );
        }
        let refused = approve(stranger, &request).status(1);
        assert!(refused.errors().contains(nobody), "{name}: {refused:?}");

        let interface = "org.elevate.Elevated1.Request";
        let get = format!(
            "busctl get-property org.elevate.Elevated1 /org/elevate/Elevated1/request/{request} {interface} Reason"
        );
        let refused = stranger.run(&get).status(1);
        assert!(refused.errors().contains(nobody), "{name}: {refused:?}");
        let tree = stranger.run("busctl tree org.elevate.Elevated1");
        assert!(!tree.text().contains(&request), "{name}: {tree:?}");
    }
    let tree = machine.run(&["busctl", "tree", "org.elevate.Elevated1"]);
    assert!(tree.text().contains(&request), "root: {tree:?}");
    // With all that is shown to approvers, a vote of a stranger's is still none.
    let digest = show(&bob, &request)["digest"].as_str().unwrap().to_owned();
    let voted = eve.hostile(&format!(
        "try:\n    s = Stream(Bus().call('Vote', 'sbss', '{request}', True, '{digest}', '')[1])\n    s.prove()\n    print(s.hear())\nexcept Refused as why:\n    print(why.name)"
    ));
    assert!(voted.success().text().contains("NotFound"));
    assert_eq!(show(&abe, &request)["agreed"], 0);

    bob.run(&format!("elevatectl deny --comment no {request}"))
        .success();
    asking.wait().status(1);
    assert!(!machine.has("/root/abe"));
}

#[test]
fn a_denied_request_runs_nothing_and_says_who_said_no_and_why() {
    let machine = MACHINE.get();
    let (aug, bob) = (operator(&machine, "aug"), lead(&machine, "berta"));
    let (asking, request) = ask(&aug, "elevate touch /root/aug");
    let denied = format!("elevatectl deny --comment 'not on a Friday' {request}");
    assert!(bob.run(&denied).success().text().contains("denied request"));
    let output = asking.wait().status(1);
    let said = output.errors();
    assert!(said.contains("berta denied it: not on a Friday"), "{said}");
    let late = approve(&bob, &request).status(1);
    assert!(late.errors().contains("denied already"), "{late:?}");
    machine.event("denial", &[("ELEVATE_REQUEST", &request)]);
    assert_runs_nothing(&machine, &request, "/root/aug");
}

#[test]
fn a_request_that_is_taken_back_runs_nothing() {
    let machine = MACHINE.get();
    let bob = lead(&machine, "bianca");
    for (name, way) in [
        ("ace", "cancel"),
        ("ada", "control-c"),
        ("aki", "kill"),
        ("avi", "hangup"),
    ] {
        let asker = operator(&machine, name);
        let marker = format!("/root/{name}");
        let mut terminal = asker.terminal(&format!("elevate touch {marker}"));
        let request = terminal.expect(r"request (\w{8}) ");
        match way {
            "cancel" => {
                let refused = bob.run(&format!("elevatectl cancel {request}")).status(1);
                assert!(
                    refused.errors().contains("only the requester"),
                    "{refused:?}"
                );
                let done = asker.run(&format!("elevatectl cancel {request}"));
                done.success();
                terminal.expect("the request was taken back");
                assert_eq!(terminal.wait(), 1);
            }
            "control-c" => {
                terminal.send("\x03");
                terminal.expect("the request is withdrawn");
            }
            "kill" => {
                machine
                    .run(&["pkill", "-KILL", "-u", name, "-x", "elevate"])
                    .success();
            }
            _ => terminal.close(),
        }
        machine.event("withdrawal", &[("ELEVATE_REQUEST", &request)]);
        let late = approve(&bob, &request).status(1);
        assert!(
            late.errors().contains("withdrawn already"),
            "{way}: {late:?}"
        );
        assert_runs_nothing(&machine, &request, &marker);
    }
}

#[test]
fn a_request_that_nobody_agrees_to_in_time_runs_nothing() {
    static HASTY: SharedMachine = SharedMachine::new(|| Spec::new("hasty").prepared(prepare));
    fn prepare(machine: &Machine) {
        machine.policy("test", POLICY);
        machine.write(
            "/etc/elevate/elevated.toml",
            "request_timeout = \"2s\"\n",
            0o644,
        );
        machine.run(&["systemctl", "restart", "elevated"]).success();
    }
    let machine = HASTY.get();
    let (tim, bob) = (operator(&machine, "tim"), lead(&machine, "bob"));
    let (asking, request) = ask(&tim, "elevate touch /root/tim");
    let output = asking.wait().status(1);
    assert!(
        output.errors().contains("nobody agreed in time"),
        "{output:?}"
    );
    machine.event("timeout", &[("ELEVATE_REQUEST", &request)]);
    let late = approve(&bob, &request).status(1);
    assert!(late.errors().contains("timed-out already"), "{late:?}");
    assert_runs_nothing(&machine, &request, "/root/tim");
}

#[test]
fn a_change_of_the_rule_voids_a_request_that_waits() {
    let machine = MACHINE.get();
    let (ava, bob) = (operator(&machine, "ava"), lead(&machine, "bernd"));
    let rule = |max: &str| {
        let text = format!(
            "[rule.changing]\nroles = [\"operator\"]\nrun_as = \"root\"\n\
             commands = [\"/usr/bin/install ...\"]\nlimit = {{ default = \"1m\", max = \"{max}\" }}\n\
             require = {{ approvals = 1, approvers = [\"role:lead\"] }}\n"
        );
        machine.policy("changing", &text);
    };
    rule("2m");
    let (asking, request) = ask(&ava, "elevate install -d /root/ava");
    // Another rule's change is no reason to ask again.
    machine.policy("unrelated", "[role.unrelated]\nmembers = [\"ava\"]\n");
    assert_eq!(show(&bob, &request)["state"], "waiting");

    rule("3m");
    let vote = approve(&bob, &request).status(1);
    assert!(
        vote.errors().contains("this request is changed already"),
        "{vote:?}"
    );
    let output = asking.wait().status(1);
    assert!(output.errors().contains("the policy changed"), "{output:?}");
    assert_runs_nothing(&machine, &request, "/root/ava");

    let (asking, request) = ask_again(&ava, &request, "elevate install -d /root/ava");
    approve(&bob, &request).success();
    asking.wait().success();
    assert!(machine.has("/root/ava"));
}

/// [`ask`] where the same user asked before.
fn ask_again(login: &Login<'_>, before: &str, line: &str) -> (Running, String) {
    let running = login.command(line).start();
    let asked = [
        ("ELEVATE_EVENT", "request"),
        ("ELEVATE_USER", login.user()),
        ("ELEVATE_OUTCOME", "waiting"),
    ];
    let machine = login.machine();
    let request = machine.poll("the other request", Duration::from_secs(20), || {
        let requests = machine.events(&asked).into_iter().map(|e| e.request());
        requests.into_iter().find(|request| request != before)
    });
    (running, request)
}

#[test]
fn a_vote_counts_for_what_the_voter_was_shown_and_for_nothing_else() {
    let machine = MACHINE.get();
    let (asa, bob) = (operator(&machine, "asa"), lead(&machine, "bart"));
    let (asking, request) = ask(&asa, "elevate touch /root/asa");
    let digest = show(&bob, &request)["digest"].as_str().unwrap().to_owned();
    let other: String = digest.chars().rev().collect();
    for wrong in [other, "0".repeat(64)] {
        let program = format!(
            "s = Stream(Bus().call('Vote', 'sbss', '{request}', True, '{wrong}', '')[1])\ns.prove()\nprint(s.hear())"
        );
        let said = bob.hostile(&program).success().text();
        assert!(said.contains("'error': 'Changed'"), "{said}");
    }
    assert_eq!(show(&bob, &request)["agreed"], 0);
    assert!(!machine.has("/root/asa"));
    approve(&bob, &request).success();
    asking.wait().success();
    assert!(machine.has("/root/asa"));
}

#[test]
fn a_vote_without_proof_of_who_casts_it_is_none() {
    let machine = MACHINE.get();
    let (axl, bob) = (operator(&machine, "axl"), lead(&machine, "bodo"));
    let (asking, request) = ask(&axl, "elevate touch /root/axl");
    let digest = show(&bob, &request)["digest"].as_str().unwrap().to_owned();
    let call =
        format!("s = Stream(Bus().call('Vote', 'sbss', '{request}', True, '{digest}', '')[1])\n");
    for talk in [
        "s.say('hello'); s.hear(); s.say('proof', nonce='0' * 32); print(s.rest())",
        "s.say('proof', nonce='0' * 32); print(s.rest())",
        "s.socket.close()",
    ] {
        bob.hostile(&format!("{call}{talk}")).success();
    }
    assert_eq!(show(&bob, &request)["agreed"], 0);
    assert!(!machine.has("/root/axl"));
    bob.run(&format!("elevatectl deny {request}")).success();
    asking.wait().status(1);
}

#[test]
fn two_approvals_are_of_two_people() {
    let machine = MACHINE.get();
    let asker = operator(&machine, "alf");
    let (one, two) = (lead(&machine, "lena"), lead(&machine, "leo"));
    let (asking, request) = ask(&asker, "elevate mkdir /root/alf");
    let first = approve(&one, &request).success().text();
    assert!(first.contains("waiting, 1 of 2"), "{first}");
    let twice = "you have voted on this request already";
    assert_refused(&machine, approve(&one, &request), "lena", &request, twice);
    let again = machine.login("lena");
    approve(&again, &request).status(1);
    assert!(!machine.has("/root/alf"));

    let second = approve(&two, &request).success().text();
    assert!(second.contains("granted, 2 of 2"), "{second}");
    let output = asking.wait().success();
    for line in ["lena approved (1 of 2)", "leo approved (2 of 2)"] {
        assert!(output.errors().contains(line), "{output:?}");
    }
    assert!(machine.has("/root/alf"));
    let grant = machine.event("grant", &[("ELEVATE_REQUEST", &request)]);
    assert!(grant.is("ELEVATE_APPROVER", "lena leo"), "{grant:?}");
}

#[test]
fn a_vote_of_one_who_lost_the_role_is_none() {
    let machine = MACHINE.get();
    let (ali, bob) = (operator(&machine, "ali"), lead(&machine, "bastian"));
    let (asking, request) = ask(&ali, "elevate touch /root/ali");
    assert_eq!(show(&bob, &request)["state"], "waiting");
    machine.leave("bastian", "lead");
    approve(&bob, &request).status(1);
    bob.run(&format!("elevatectl show {request}")).status(1);
    assert!(!machine.has("/root/ali"));
    ali.run(&format!("elevatectl cancel {request}")).success();
    asking.wait().status(1);
}

#[test]
fn a_missing_reason_is_asked_for_on_the_terminal() {
    let machine = MACHINE.get();
    let rea = operator(&machine, "rea");
    let mut terminal = rea.terminal("elevate id -u");
    terminal.expect("Reason: ");
    terminal.send("because\n");
    terminal.expect(r"\n0\r\n");
    assert_eq!(terminal.wait(), 0);
    let request = machine.event("request", &[("ELEVATE_USER", "rea")]);
    assert!(request.is("ELEVATE_REASON", "because"), "{request:?}");

    let mut terminal = rea.terminal("elevate id -u");
    terminal.expect("Reason: ");
    terminal.send("\n");
    terminal.expect("no reason was given; nothing was run");
    assert_eq!(terminal.wait(), 1);

    for line in [
        "elevate id -u",
        "elevate -n id -u",
        "elevate --reason ' ' id -u",
    ] {
        let refused = rea.run(line).status(1);
        assert_eq!(refused.text(), "", "{line}");
        assert!(
            refused.errors().contains("--reason TEXT"),
            "{line}: {refused:?}"
        );
    }
    let given = rea.run("elevate --reason because id -u").success();
    assert_eq!(given.text(), "0");
}

#[test]
fn who_will_not_wait_is_told_that_an_approval_is_needed() {
    let machine = MACHINE.get();
    let nat = operator(&machine, "nat");
    let refused = nat.run("elevate -n touch /root/nat").status(1);
    assert!(
        refused.errors().contains("needs an approval"),
        "{refused:?}"
    );
    machine.event("refusal", &[("ELEVATE_USER", "nat")]);
    assert_eq!(machine.events(&[("ELEVATE_USER", "nat")]).len(), 1);
}

#[test]
fn who_watches_sees_every_step_and_only_what_concerns_them() {
    let machine = MACHINE.get();
    let (wes, bob) = (operator(&machine, "wes"), lead(&machine, "beppe"));
    let eve = member(&machine, "evan", &[]);
    let mut watching = bob.terminal("elevatectl watch");
    let mut stranger = eve.terminal("elevatectl watch --json");
    let (asking, request) = ask(&wes, "elevate touch /root/wes");
    watching.expect(&format!(
        "request {request} waiting .*: wes as root: touch /root/wes"
    ));
    approve(&bob, &request).success();
    watching.expect(&format!("request {request} granted"));
    watching.expect(&format!("session {request} running"));
    watching.expect(&format!("session {request} ended"));
    asking.wait().success();
    stranger.send("\x03");
    stranger.wait();
    assert!(!stranger.screen().contains(&request));
}

/// That nothing was granted and nothing ran.
#[track_caller]
fn assert_runs_nothing(machine: &Machine, request: &str, marker: &str) {
    assert!(!machine.has(marker), "{marker}");
    for event in ["grant", "start", "exec"] {
        let fields = [("ELEVATE_EVENT", event), ("ELEVATE_REQUEST", request)];
        assert_eq!(machine.events(&fields), [], "{event}");
    }
}
