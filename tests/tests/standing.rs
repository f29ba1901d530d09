//! A standing rule: the command runs at once, as whom and with what the rule says, and whoever has
//! no rule is refused.

use std::collections::BTreeMap;

use elevate_tests::{Login, Machine, SharedMachine, Spec};
use serde_json::Value;

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.helper]
members = ["%helper"]

[role.locked-out]
members = ["%locked-out"]

[rule.anything]
roles = ["operator"]
run_as = "ALL"
commands = ["ALL"]
require = {}

[rule.environment]
roles = ["helper"]
run_as = "root"
commands = ["/usr/bin/env"]
require = {}
session = { keep_env = ["TICKET"] }

[rule.never]
roles = ["locked-out"]
run_as = "ALL"
commands = ["/usr/bin/id ..."]
effect = "deny"
"#;

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("standing").prepared(prepare));

fn prepare(machine: &Machine) {
    // Whether somebody is in a group that isn't there is unknown, and unknown matches a deny.
    machine.run(&["groupadd", "locked-out"]).success();
    machine.policy("test", POLICY);
}

fn member<'m>(machine: &'m Machine, name: &str, groups: &[&str]) -> Login<'m> {
    machine.member(name, groups);
    machine.login(name)
}

#[test]
fn a_command_runs_as_root() {
    let machine = MACHINE.get();
    let alice = member(&machine, "alice", &["operator"]);
    let id = alice.run("elevate id").success();
    assert!(id.text().starts_with("uid=0(root) gid=0(root)"), "{id:?}");
    assert_eq!(id.errors(), "");
}

#[test]
fn the_commands_own_status_comes_back() {
    let machine = MACHINE.get();
    let ann = member(&machine, "ann", &["operator"]);
    for status in [0, 1, 7, 127, 255] {
        ann.run(&format!("elevate sh -c 'exit {status}'"))
            .status(status);
    }
}

#[test]
fn a_death_by_signal_looks_as_it_does_with_sudo() {
    let machine = MACHINE.get();
    let kim = member(&machine, "kim", &["operator"]);
    machine.write("/etc/sudoers.d/kim", "kim ALL=(ALL) NOPASSWD: ALL\n", 0o440);
    // What a parent sees: -N for signal N, which no exit status can look like.
    let seen_by_parent = "
import os, sys
for signal in ['HUP', 'INT', 'QUIT', 'TERM', 'KILL', 'USR1']:
    command = sys.argv[1:] + ['sh', '-c', 'kill -%s $$' % signal]
    print(signal, os.spawnvp(os.P_WAIT, command[0], command))
";
    machine.write("/home/kim/seen.py", seen_by_parent, 0o644);
    let with_sudo = kim.run("python3 ~/seen.py sudo -n").success().text();
    let with_elevate = kim.run("python3 ~/seen.py elevate").success().text();
    assert_eq!(with_elevate, with_sudo);
    assert!(with_elevate.contains("TERM -15"), "{with_elevate}");
}

#[test]
fn a_command_runs_as_another_user_with_their_groups_and_home() {
    let machine = MACHINE.get();
    let ada = member(&machine, "ada", &["operator"]);
    machine.member("postgres", &["ssl-keys"]);
    assert_eq!(
        ada.run("elevate -u postgres whoami").success().text(),
        "postgres"
    );
    let of_target = machine.run(&["id", "-G", "postgres"]).success().text();
    let script = r#"sh -c 'id -G; id -ru; echo $HOME $USER; cat /proc/self/loginuid'"#;
    let shown = ada.run(&format!("elevate -u postgres {script}")).success();
    let uid = machine.run(&["id", "-u", "postgres"]).success().text();
    let login = machine.run(&["id", "-u", "ada"]).success().text();
    let wanted = format!("{of_target}\n{uid}\n/home/postgres postgres\n{login}");
    assert_eq!(shown.text(), wanted);
    let by_number = ada.run(&format!("elevate -u '#{uid}' whoami")).success();
    assert_eq!(by_number.text(), "postgres");
}

#[test]
fn a_group_is_taken_with_ones_own_uid_or_with_the_targets() {
    let machine = MACHINE.get();
    let gus = member(&machine, "gus", &["operator"]);
    let alone = gus.run("elevate -g adm sh -c 'id -un; id -gn'").success();
    assert_eq!(alone.text(), "gus\nadm");
    let both = gus
        .run("elevate -u root -g adm sh -c 'id -un; id -gn'")
        .success();
    assert_eq!(both.text(), "root\nadm");
}

#[test]
fn the_working_folder_is_kept_even_where_only_the_caller_may_go() {
    let machine = MACHINE.get();
    let dan = member(&machine, "dan", &["operator"]);
    machine.user("worker");
    let line = "chmod 700 ~ && mkdir -p ~/deep/er && cd ~/deep/er && elevate -u worker /bin/pwd -P";
    assert_eq!(dan.run(line).success().text(), "/home/dan/deep/er");
    assert_eq!(dan.run("cd /tmp && elevate pwd").success().text(), "/tmp");
}

#[test]
fn the_environment_is_what_is_documented_and_nothing_else() {
    let machine = MACHINE.get();
    let eli = member(&machine, "eli", &["operator"]);
    let hostile = "PATH=/tmp/evil:/usr/bin HOME=/tmp USER=root LD_PRELOAD=/tmp/x.so BASH_ENV=/tmp/x \
                   TZ=/etc/shadow PYTHONPATH=/tmp EDITOR=vi XDG_RUNTIME_DIR=/tmp SUDO_USER=bob \
                   ELEVATE_USER=bob DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus";
    let line = format!("env -i {hostile} TERM=vt100 LC_TIME=C LANG=C.UTF-8 elevate env");
    let shown = variables(&eli.run(&line).success().text());

    let [uid, gid] = ["-u", "-g"].map(|which| machine.run(&["id", which, "eli"]).success().text());
    let request = shown["ELEVATE_REQUEST"].clone();
    let started = machine.event("start", &[("ELEVATE_REQUEST", &request)]);
    assert!(started.is("ELEVATE_USER", "eli"));
    let wanted = [
        ("ELEVATE_COMMAND", "env"),
        ("ELEVATE_GID", &gid),
        ("ELEVATE_REQUEST", &request),
        ("ELEVATE_UID", &uid),
        ("ELEVATE_USER", "eli"),
        ("HOME", "/root"),
        ("LANG", "C.UTF-8"),
        ("LC_TIME", "C"),
        ("LOGNAME", "root"),
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
        ("SHELL", "/bin/bash"),
        ("SUDO_COMMAND", "env"),
        ("SUDO_GID", &gid),
        ("SUDO_UID", &uid),
        ("SUDO_USER", "eli"),
        ("TERM", "vt100"),
        ("USER", "root"),
    ];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(shown, BTreeMap::from(wanted));
}

#[test]
fn a_rule_keeps_the_variables_that_it_names() {
    let machine = MACHINE.get();
    let hew = member(&machine, "hew", &["helper"]);
    let shown = hew.run("TICKET='OPS 1' OTHER=x elevate env").success();
    let shown = variables(&shown.text());
    assert_eq!(shown["TICKET"], "OPS 1");
    assert_eq!(shown.get("OTHER"), None);
}

fn variables(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn who_has_no_role_is_refused_with_a_reason_and_a_way_out_once_on_record() {
    let machine = MACHINE.get();
    let eve = member(&machine, "eve", &[]);
    let refused = eve.run("elevate touch /root/eve-was-here").status(1);
    assert_eq!(refused.text(), "");
    let said = refused.errors();
    assert!(said.contains("no rule lets you run this as root"), "{said}");
    assert!(said.contains("ask an administrator"), "{said}");
    assert!(!machine.has("/root/eve-was-here"));

    machine.event("refusal", &[("ELEVATE_USER", "eve")]);
    let all = machine.events(&[("ELEVATE_USER", "eve")]);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert!(all[0].is("ELEVATE_COMMAND", "touch /root/eve-was-here"));
    assert!(all[0].is("ELEVATE_TARGET", "root"));
    assert!(all[0].is("ELEVATE_OUTCOME", "refused"));
}

#[test]
fn who_may_not_run_a_file_learns_nothing_about_it() {
    let machine = MACHINE.get();
    machine.write("/root/secret/there", "#!/bin/sh\n", 0o755);
    machine.write("/root/secret/plain", "", 0o600);
    for (name, groups) in [("erin", &[][..]), ("edda", &["helper"])] {
        let user = member(&machine, name, groups);
        let ask = |path: &str| {
            let refused = user.run(&format!("elevate {path}"));
            let why = user.run(&format!("elevatectl policy why --json -- {path}"));
            let said = [refused.errors(), why.success().text()].concat();
            (refused.status, said.replace(path, "PATH"))
        };
        let there = ask("/root/secret/there");
        assert_eq!(there.0, 1, "{there:?}");
        let others = [
            "/root/secret/plain",
            "/root/secret/none",
            "/root/secret",
            "/root/none/none",
        ];
        for path in others {
            assert_eq!(ask(path), there, "{name}, {path}");
        }
    }
}

#[test]
fn a_deny_wins_over_every_rule() {
    let machine = MACHINE.get();
    let dee = member(&machine, "dee", &["operator", "locked-out"]);
    dee.run("elevate true").success();
    machine.run(&["ln", "-s", "/usr/bin/id", "/usr/local/bin/who-is-it"]);
    for line in ["elevate id", "elevate /bin/id -u", "elevate who-is-it"] {
        let refused = dee.run(line).status(1);
        assert!(!refused.text().contains("uid="), "{line}");
    }
}

#[test]
fn exit_codes_are_as_the_help_says() {
    let machine = MACHINE.get();
    let uma = member(&machine, "uma", &["operator"]);
    let help = uma.run("elevate --help").success().text();
    assert!(help.contains("Exit status:"), "{help}");
    for documented in [
        "1    refused",
        "2    wrong use",
        "126  the command was found",
        "127  the command was not",
    ] {
        assert!(help.contains(documented), "{documented} in {help}");
    }
    machine.write("/usr/local/bin/plain-file", "", 0o644);
    uma.run("elevate no-such-command").status(127);
    let refused = uma.run("elevate /usr/local/bin/plain-file").status(126);
    assert!(
        refused.errors().contains("can't be executed"),
        "{refused:?}"
    );
    uma.run("elevate /usr/local/bin/no-such-file").status(127);
    uma.run("elevate -u nobody-of-that-name id").status(1);
    uma.run("elevate --for 99h id").status(1);
    uma.run("elevate").status(2);
    uma.run("elevate --no-such-flag id").status(2);
    let version = uma.run("elevate -V").success().text();
    assert!(version.starts_with("elevate "), "{version}");
}

#[test]
fn a_grant_lasts_as_long_as_was_asked_for() {
    let machine = MACHINE.get();
    let foy = member(&machine, "foy", &["operator"]);
    let mut session = foy.terminal("elevate --for 1h30m cat");
    machine.event("start", &[("ELEVATE_USER", "foy")]);
    let grants = json(&foy, "elevatectl grants list --json");
    let [grant] = grants.as_array().unwrap().as_slice() else {
        panic!("{grants}");
    };
    let [begun, deadline] = ["begun", "deadline"].map(|key| grant[key].as_u64().unwrap());
    assert_eq!(deadline - begun, 90 * 60 * 1000);
    assert_eq!(grant["state"], "active");
    session.send("\x04");
    assert_eq!(session.wait(), 0);
}

#[test]
fn status_and_every_listing_are_json_on_demand() {
    let machine = MACHINE.get();
    let jo = member(&machine, "jo", &["operator"]);
    jo.run("elevate true").success();

    let shown = jo.run("elevatectl status").success().text();
    for line in ["elevated  running", "launcher  ready", "policy    3 rules"] {
        assert!(shown.contains(line), "{shown}");
    }
    let status = json(&jo, "elevatectl status --json");
    assert_eq!(status["launcher"], true);
    assert_eq!(status["policy_loaded"], true);
    assert_eq!(status["rules"], 3);

    for listing in ["requests", "grants list", "sessions list"] {
        assert_eq!(
            json(&jo, &format!("elevatectl {listing} --json")),
            Value::Array(Vec::new()),
            "{listing} holds what is over"
        );
        let listed = json(&jo, &format!("elevatectl {listing} --all --json"));
        let listed = listed.as_array().expect(listing);
        assert_eq!(listed.len(), 1, "{listing}: {listed:#?}");
        assert_eq!(listed[0]["user"], "jo", "{listing}");
        assert_eq!(listed[0]["rule"], "anything", "{listing}");
        let rows = jo
            .run(&format!("elevatectl {listing} --all"))
            .success()
            .text();
        assert_eq!(rows.lines().count(), 1, "{rows}");
        assert!(rows.contains('\t'), "{rows}");
    }
    let why = json(&jo, "elevatectl policy why --json -- id");
    assert_eq!(why["verdict"]["decided_by"], "anything", "{why}");
}

#[test]
fn who_has_no_login_has_their_rule_all_the_same() {
    let machine = MACHINE.get();
    machine.member("cora", &["operator"]);
    let service = [
        "systemd-run",
        "--quiet",
        "--pipe",
        "--wait",
        "--uid=cora",
        "elevate",
        "id",
        "-u",
    ];
    assert_eq!(machine.run(&service).success().text(), "0");
}

#[track_caller]
fn json(login: &Login<'_>, line: &str) -> Value {
    let output = login.run(line).success();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {output:?}"))
}
