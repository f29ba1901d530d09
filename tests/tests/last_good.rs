//! A daemon that is started where its files can't be believed goes on with the last good ones.

use std::time::Duration;

use elevate_tests::{Login, Machine, Spec};

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[rule.id]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/id ..."]
require = {}

[rule.cat]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/cat"]
require = {}
"#;

const WRONG: &str = "/etc/elevate/policy.d/wrong.toml";

fn prepare(machine: &Machine) {
    machine.policy("right", POLICY);
}

fn operator<'m>(machine: &'m Machine, name: &str) -> Login<'m> {
    machine.member(name, &["operator"]);
    machine.login(name)
}

#[test]
fn broken_settings_leave_the_last_good_ones_in_force_and_cost_nothing_that_was_there() {
    let machine = Machine::boot(Spec::new("settings").prepared(prepare)).unwrap();
    let user = operator(&machine, "sven");
    let mut running = user.terminal("elevate cat");
    running.send("one\n");
    running.expect("one\r\n.*one");
    let session = machine
        .event("start", &[("ELEVATE_COMMAND", "cat")])
        .request();

    let settings = "/etc/elevate/elevated.toml";
    let shipped = machine.read(settings);
    machine.write(settings, "limit.max = \"1h\"\n", 0o644);
    machine.run(&["systemctl", "restart", "elevated"]).success();
    for (text, mode, words) in BROKEN_SETTINGS {
        machine.write(settings, text, mode);
        machine.run(&["systemctl", "restart", "elevated"]).success();
        let status = machine.run(&["elevatectl", "status"]).success().text();
        let event = machine.poll("the reason on record", Duration::from_secs(5), || {
            let refused = machine
                .events(&[("ELEVATE_EVENT", "policy-refused")])
                .pop()?;
            refused.get("ELEVATE_REASON")
        });
        for said in [&status, &event] {
            assert!(
                words.iter().all(|word| said.contains(word)),
                "{words:?}: {said}"
            );
        }
        let refused = user.run("elevate --for 2h id").status(1);
        assert!(refused.errors().contains("for 1h at most"), "{refused:?}");
        let told = user.run("elevatectl status").success().text();
        assert!(told.contains("root sees why"), "{told}");
        assert!(!told.contains(words[0]), "{told}");
    }
    user.run("elevate id").success();
    running.send("two\n");
    running.expect("two\r\n.*two");

    machine.write(settings, shipped, 0o644);
    machine.run(&["systemctl", "restart", "elevated"]).success();
    let status = machine.run(&["elevatectl", "status"]).success().text();
    assert!(!status.contains("refused"), "{status}");
    user.run("elevate --for 2h id").success();
    let listed = user.run("elevatectl sessions list --json").success().text();
    assert!(listed.contains(&session), "{listed}");
    user.run(&format!("elevatectl grants revoke {session}"))
        .success();
    assert_ne!(running.wait(), 0);

    // Where nothing was ever believed there is nothing to go on with.
    machine.write(settings, BROKEN_SETTINGS[0].0, 0o644);
    machine.run(&["systemctl", "stop", "elevated"]).success();
    machine
        .run(&["rm", "/var/lib/elevate/settings.last-good"])
        .success();
    machine.run(&["systemctl", "start", "elevated"]).status(1);
    let refused = user.run("elevate id").status(1);
    assert!(
        refused.errors().contains("systemctl status elevated"),
        "{}",
        refused.describe()
    );
    let unit = machine.run(&["journalctl", "--no-pager", "-u", "elevated"]);
    let words = BROKEN_SETTINGS[0].2;
    assert!(words.iter().all(|word| unit.text().contains(word)));
}

/// Settings, their mode, and what is said of them.
const BROKEN_SETTINGS: [(&str, u32, &[&str]); 4] = [
    (
        "\nrequest_timout = \"1m\"\n",
        0o644,
        &["elevated.toml:2:1", "request_timout", "request_timeout"],
    ),
    (
        "request_timeout = \"soon\"\n",
        0o644,
        &["elevated.toml:1:19", "soon"],
    ),
    ("request_timeout = \n", 0o644, &["elevated.toml:1:"]),
    (
        "",
        0o666,
        &["/etc/elevate/elevated.toml", "written by others"],
    ),
];

#[test]
fn a_start_that_finds_a_broken_policy_goes_on_with_the_last_good_one() {
    let machine = Machine::boot(Spec::new("policy-start").prepared(prepare)).unwrap();
    let user = operator(&machine, "selma");
    user.run("elevate id").success();
    machine.write(WRONG, "[rule.wrong]\nrols = []\n", 0o644);
    for signal in ["TERM", "KILL"] {
        let signal = format!("--signal={signal}");
        let before = machine.main_pid("elevated");
        machine
            .run(&["systemctl", "kill", "--kill-whom=main", &signal, "elevated"])
            .success();
        machine.poll("another daemon", Duration::from_secs(20), || {
            machine
                .main_pid("elevated")
                .filter(|pid| before != Some(*pid))
        });
        user.run("elevate id").success();
        let status = machine.run(&["elevatectl", "status"]).success().text();
        assert!(
            status.contains("of the last good policy are in force"),
            "{status}"
        );
        assert!(status.contains("did you mean `roles`?"), "{status}");
    }
    // Nobody else's policy: it was believed on another machine.
    machine.run(&["systemctl", "stop", "elevated"]).success();
    let other = "s/\"machine_id\":\"[^\"]*\"/\"machine_id\":\"other\"/";
    machine
        .run(&["sed", "-i", other, "/var/lib/elevate/policy.last-good"])
        .success();
    machine.run(&["systemctl", "start", "elevated"]).success();
    user.run("elevate id").status(1);
    machine.run(&["rm", WRONG]).success();
    user.run("elevate id").success();
}
