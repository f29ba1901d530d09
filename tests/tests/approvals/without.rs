//! Nothing runs without the approvals that are owed.

use super::*;

#[test]
fn a_denied_request_runs_nothing_and_says_who_said_no_and_why() {
    let machine = MACHINE.get();
    let (aug, bob) = (operator(&machine, "aug"), lead(&machine, "berta"));
    let (asking, request) = ask(&aug, "elevate touch /root/aug");
    let denied = format!("elevatectl deny --comment 'not on a Friday' {request}");
    let said = bob.with_code(&denied).success().text();
    assert!(said.contains("denied request"), "{said}");
    let output = asking.wait().status(1);
    let said = output.errors();
    assert!(said.contains("berta denied it: not on a Friday"), "{said}");
    let late = bob.approve(&request).status(1);
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
        let late = bob.approve(&request).status(1);
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
    let timeout = machine.event("timeout", &[("ELEVATE_REQUEST", &request)]);
    for (field, value) in [
        ("ELEVATE_USER", "tim"),
        ("ELEVATE_TARGET", "root"),
        ("ELEVATE_COMMAND", "touch /root/tim"),
        ("ELEVATE_RULE", "one"),
        ("ELEVATE_OUTCOME", "timed-out"),
    ] {
        assert!(timeout.is(field, value), "{field} in {timeout:#?}");
    }
    let late = bob.approve(&request).status(1);
    assert!(late.errors().contains("timed out already"), "{late:?}");
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
    let vote = bob.approve(&request).status(1);
    assert!(
        vote.errors()
            .contains("the policy changed while this request waited"),
        "{vote:?}"
    );
    let output = asking.wait().status(1);
    assert!(output.errors().contains("the policy changed"), "{output:?}");
    assert_runs_nothing(&machine, &request, "/root/ava");

    let (asking, request) = ask_again(&ava, &request, "elevate install -d /root/ava");
    bob.approve(&request).success();
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

/// That nothing was granted and nothing ran.
#[track_caller]
fn assert_runs_nothing(machine: &Machine, request: &str, marker: &str) {
    assert!(!machine.has(marker), "{marker}");
    for event in ["grant", "start", "exec"] {
        let fields = [("ELEVATE_EVENT", event), ("ELEVATE_REQUEST", request)];
        assert_eq!(machine.events(&fields), [], "{event}");
    }
}
