//! Whose vote counts, and for what.

use super::*;

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
    bill.approve(&request).success();
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
    bob.approve(&request).success();
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

    bob.with_code(&format!("elevatectl deny --comment no {request}"))
        .success();
    asking.wait().status(1);
    assert!(!machine.has("/root/abe"));
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
    bob.approve(&request).success();
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
    bob.deny(&request).success();
    asking.wait().status(1);
}

#[test]
fn two_approvals_are_of_two_people() {
    let machine = MACHINE.get();
    let asker = operator(&machine, "alf");
    let (one, two) = (lead(&machine, "lena"), lead(&machine, "leo"));
    let (asking, request) = ask(&asker, "elevate mkdir /root/alf");
    let first = one.approve(&request).success().text();
    assert!(first.contains("waiting, 1 of 2"), "{first}");
    let twice = "you have voted on this request already";
    assert_refused(&machine, one.approve(&request), "lena", &request, twice);
    let again = machine.login("lena");
    approve(&again, &request).status(1);
    assert!(!machine.has("/root/alf"));

    let second = two.approve(&request).success().text();
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
    bob.approve(&request).status(1);
    bob.run(&format!("elevatectl show {request}")).status(1);
    assert!(!machine.has("/root/ali"));
    ali.run(&format!("elevatectl cancel {request}")).success();
    asking.wait().status(1);
}
