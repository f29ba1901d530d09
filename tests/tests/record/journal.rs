//! Every step in the journal, with fields of its own.

use super::*;

#[test]
fn every_step_of_an_approved_command_is_on_record_with_all_its_fields() {
    let machine = MACHINE.get();
    let (alice, bob) = (member(&machine, "alice", "asker"), lead(&machine, "bob"));
    let line = "cd /var/tmp && elevate --reason 'see who is there' sh -c '/usr/bin/who; exit 5'";
    let asking = alice.command(line).start();
    let request = machine
        .event("request", &[("ELEVATE_USER", "alice")])
        .request();
    let approve = format!("elevatectl approve --yes --comment 'go ahead' {request}");
    bob.with_code(&approve).success();
    asking.wait().status(5);
    machine.event("end", &[("ELEVATE_REQUEST", &request)]);

    let uid = machine.run(&["id", "-u", "alice"]).text();
    let all = machine.events(&[("ELEVATE_REQUEST", &request)]);
    for entry in &all {
        assert_fields(
            entry,
            &[
                ("ELEVATE_USER", "alice"),
                ("ELEVATE_UID", &uid),
                ("ELEVATE_LOGIN_UID", &uid),
                ("ELEVATE_TARGET", "root"),
                ("ELEVATE_TARGET_UID", "0"),
                ("ELEVATE_COMMAND", "sh -c '/usr/bin/who; exit 5'"),
                ("ELEVATE_RULE", "asked"),
                // What journald itself vouches for.
                ("_SYSTEMD_UNIT", "elevated.service"),
                ("_UID", "0"),
            ],
        );
    }
    let steps: Vec<_> = all
        .iter()
        .map(|e| e.get("ELEVATE_EVENT").unwrap())
        .collect();
    let wanted = [
        "request", "approval", "grant", "start", "exec", "exec", "end",
    ];
    let mut sorted = steps.clone();
    // The start and the first exec are told by different processes.
    sorted.sort_by_key(|step| wanted.iter().position(|known| known == step));
    assert_eq!(sorted, wanted, "{steps:?}");

    let one = |step: &str| all.iter().find(|e| e.is("ELEVATE_EVENT", step)).unwrap();
    assert_fields(
        one("request"),
        &[
            ("ELEVATE_OUTCOME", "waiting"),
            ("ELEVATE_REASON", "see who is there"),
            ("ELEVATE_CWD", "/var/tmp"),
            ("ELEVATE_PATH", "/usr/bin/sh"),
            ("ELEVATE_NEEDED", "1"),
        ],
    );
    assert_fields(
        one("approval"),
        &[
            ("ELEVATE_OUTCOME", "approved"),
            ("ELEVATE_APPROVER", "bob"),
            ("ELEVATE_REASON", "go ahead"),
        ],
    );
    assert_fields(
        one("grant"),
        &[("ELEVATE_OUTCOME", "granted"), ("ELEVATE_APPROVER", "bob")],
    );
    assert_fields(one("start"), &[("ELEVATE_OUTCOME", "running")]);
    let execs = all.iter().filter(|e| e.is("ELEVATE_EVENT", "exec"));
    let execs: Vec<_> = execs.collect();
    let first = [
        ("ELEVATE_PATH", "/usr/bin/sh"),
        ("ELEVATE_ARGV", "sh -c '/usr/bin/who; exit 5'"),
        ("ELEVATE_CWD", "/var/tmp"),
        ("ELEVATE_OUTCOME", "logged"),
    ];
    assert_fields(execs[0], &first);
    assert_eq!(execs[0].get("ELEVATE_PID"), one("start").get("ELEVATE_PID"));
    let second = [
        ("ELEVATE_PATH", "/usr/bin/who"),
        ("ELEVATE_ARGV", "/usr/bin/who"),
        ("ELEVATE_CWD", "/var/tmp"),
    ];
    assert_fields(execs[1], &second);
    assert_fields(
        one("end"),
        &[
            ("ELEVATE_OUTCOME", "finished"),
            ("ELEVATE_STATUS", "exit 5"),
            ("ELEVATE_EXECS", "2"),
        ],
    );
}

#[test]
fn every_other_way_that_a_request_or_a_grant_ends_is_on_record_too() {
    let machine = MACHINE.get();
    let bob = lead(&machine, "bert");
    let request_of = |user: &str| {
        machine
            .event("request", &[("ELEVATE_USER", user)])
            .request()
    };

    let denied = member(&machine, "deb", "asker");
    let asking = denied.command("elevate sh -c true").start();
    let request = request_of("deb");
    bob.with_code(&format!("elevatectl deny --comment never {request}"))
        .success();
    asking.wait().status(1);
    let by = [("ELEVATE_APPROVER", "bert"), ("ELEVATE_REASON", "never")];
    assert_told(&machine, "denial", &request, "asked", "denied", &by);

    let withdrawn = member(&machine, "wil", "asker");
    let asking = withdrawn.command("elevate sh -c true").start();
    let request = request_of("wil");
    withdrawn
        .run(&format!("elevatectl cancel {request}"))
        .success();
    asking.wait().status(1);
    assert_told(&machine, "withdrawal", &request, "asked", "withdrawn", &[]);

    let revoked = member(&machine, "rev", "operator");
    let asking = revoked.command("elevate sleep 7201").start();
    let grant = machine.event("start", &[("ELEVATE_USER", "rev")]).request();
    let revoke = ["elevatectl", "grants", "revoke", "--reason", "over", &grant];
    machine.run(&revoke).success();
    asking.wait();
    let by = [("ELEVATE_APPROVER", "root"), ("ELEVATE_REASON", "over")];
    assert_told(&machine, "revoke", &grant, "anything", "revoked", &by);
    assert_told(&machine, "end", &grant, "anything", "revoked", &[]);

    let refused = member(&machine, "ron", "asker");
    refused.run("elevate id").status(1);
    let refusal = machine.event("refusal", &[("ELEVATE_USER", "ron")]);
    let fields = [
        ("ELEVATE_COMMAND", "id"),
        ("ELEVATE_TARGET", "root"),
        ("ELEVATE_OUTCOME", "refused"),
    ];
    assert_fields(&refusal, &fields);
    assert_eq!(refusal.request().len(), 8);
}

/// That exactly one event of this kind tells of a request, with what all of them have.
#[track_caller]
fn assert_told(
    machine: &Machine,
    kind: &str,
    request: &str,
    rule: &str,
    outcome: &str,
    more: &[(&str, &str)],
) {
    let event = machine.event(kind, &[("ELEVATE_REQUEST", request)]);
    assert_fields(
        &event,
        &[("ELEVATE_RULE", rule), ("ELEVATE_OUTCOME", outcome)],
    );
    assert_fields(&event, more);
    for field in ["ELEVATE_USER", "ELEVATE_TARGET", "ELEVATE_COMMAND"] {
        assert!(event.get(field).is_some(), "{field} in {event:#?}");
    }
    let fields = [("ELEVATE_EVENT", kind), ("ELEVATE_REQUEST", request)];
    assert_eq!(machine.events(&fields).len(), 1);
}
