//! The folder that a command runs in: of somebody else, swapped while somebody agrees, or no folder.

use super::{MACHINE, login, reason, refusals_after_honest_use, voter};

#[test]
fn a_folder_that_neither_may_enter_nobody_gains() {
    let machine = MACHINE.get();
    let user = login(&machine, "dirk", "plain");
    machine.user("tina");
    machine.user("owner");
    machine
        .run(&["chmod", "700", "/home/owner", "/root"])
        .success();
    machine.write("/home/owner/secret", "secret\n", 0o644);
    let line = |target: &str| format!("elevate -u {target} -D /home/owner cat secret");
    assert_eq!(
        user.run(&line("root")).success().text(),
        "secret",
        "who may enter it does"
    );
    for folder in [
        "/home/owner",
        "/root",
        "/home/dirk/../owner",
        "/proc/1/cwd",
        "/nowhere",
    ] {
        let refused = user.run(&format!("elevate -u tina -D {folder} cat secret"));
        assert_ne!(refused.status, 0, "{}", refused.describe());
        assert_eq!(refused.text(), "", "{folder}");
        let said = refused.errors();
        assert!(
            said.contains("neither tina nor dirk can enter") || said.contains("a link on the way"),
            "{said}"
        );
    }
    assert!(refusals_after_honest_use(&user).is_empty());
    let failed = machine.events(&[("ELEVATE_USER", "dirk"), ("ELEVATE_OUTCOME", "failed")]);
    assert_eq!(failed.len(), 5, "each is on record once: {failed:#?}");
    assert!(failed.iter().all(|entry| {
        ["can enter", "a link"]
            .iter()
            .any(|why| reason(entry).contains(why))
    }));
    let own = user.run("elevate -u nobody -D /home/dirk pwd").success();
    assert_eq!(own.text(), "/home/dirk", "one's own folder");
}

/// What was shown is a folder of the caller's; what the words mean there is not up to them later.
#[test]
fn a_folder_that_leads_elsewhere_after_it_was_shown_is_not_entered() {
    let machine = MACHINE.get();
    let user = login(&machine, "dario", "asking");
    let approver = voter(&machine, "delia");
    machine.write("/srv/precious/file", "precious\n", 0o644);
    let begin = "mkdir -p work && cd work && touch file && elevate rm file";
    let ask = |number: usize| {
        let asking = user.command(begin).start();
        let id = machine.poll("the request", std::time::Duration::from_secs(20), || {
            let asked = [("ELEVATE_EVENT", "request"), ("ELEVATE_USER", "dario")];
            machine
                .events(&asked)
                .get(number)
                .map(elevate_tests::Entry::request)
        });
        (asking, id)
    };
    let (asking, id) = ask(0);
    user.run("rm -r work; ln -s /srv/precious work").success();
    approver.approve(&id);
    let ended = asking.wait();
    assert_ne!(ended.status, 0, "{}", ended.describe());
    assert!(machine.has("/srv/precious/file"), "{}", ended.describe());
    machine.event(
        "end",
        &[("ELEVATE_REQUEST", &id), ("ELEVATE_OUTCOME", "failed")],
    );

    user.run("rm work").success();
    let (asking, id) = ask(1);
    approver.approve(&id).success();
    asking.wait().success();
    assert!(!machine.has("/home/dario/work/file"), "honest use works");
}

#[test]
fn a_folder_by_a_way_with_links_is_entered() {
    let machine = MACHINE.get();
    let user = login(&machine, "della", "plain");
    user.run("mkdir real; ln -s real link").success();
    for line in [
        "elevate -D link pwd",
        "elevate -D /home/della/link pwd",
        "cd link && elevate pwd",
        "cd real && elevate -D ../link/. pwd",
    ] {
        let seen = user.run(line).success().text();
        assert_eq!(seen, "/home/della/real", "{line}");
    }
}
