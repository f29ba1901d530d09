//! The conditions of rules, and roles among each other, on a booted machine: where, when and how
//! somebody must come, what ends with the time of a rule, who must agree, and who is out.

use std::time::Duration;

use elevate_tests::{Login, Machine, MachineInTest, SharedMachine, Spec, Voter};

const PATIENCE: Duration = Duration::from_secs(60);

static MACHINE: SharedMachine =
    SharedMachine::new(|| Spec::new("policy-conditions").prepared(prepare));

const ROLES: &str = r#"
[role.staff]
members = ["%staff"]
login.require = {}

# They log in as staff.
[role.lead]
members = ["%lead"]
includes = ["staff"]

[role.oncall]
members = ["%oncall"]
includes = ["staff"]
may = ["approve"]

[role.vendor]
members = ["%vendor"]
includes = ["staff"]
login.require = {}
login.record = "output"

[role.porter]
members = ["%staff"]
removed = ["%gone"]

[role.maker]
members = ["%maker"]

[role.checker]
members = ["%checker"]
conflicts = ["maker"]
"#;

const GROUPS: [&str; 7] = [
    "staff", "lead", "oncall", "vendor", "gone", "maker", "checker",
];

/// A rule of staff for one command.
fn rule(name: &str, command: &str, terms: &str) -> String {
    rule_of("staff", name, command, terms)
}

fn rule_of(role: &str, name: &str, command: &str, terms: &str) -> String {
    format!(
        "[rule.{name}]\nroles = [\"{role}\"]\nrun_as = \"root\"\ncommands = [\"{command}\"]\n{terms}\n"
    )
}

fn free(when: &str) -> String {
    format!("require = {{}}\nwhen = {{ {when} }}")
}

fn prepare(machine: &Machine) {
    for group in GROUPS {
        machine.run(&["groupadd", "--force", group]).success();
    }
    let clock = machine.run(&["date", "--utc", "+%H"]).success().text();
    let hour: u32 = clock.parse().expect("an hour");
    // Windows of six hours around now, and around twelve hours from now.
    let around = |hour: u32| {
        let (from, to) = ((hour + 21) % 24, (hour + 3) % 24);
        free(&format!("hours = \"daily {from:02}:00-{to:02}:00 UTC\""))
    };
    let each = "require = { approvals = \"each\", approvers = [\"role:lead\", \"role:oncall\"] }";
    let rules = [
        rule("now", "/usr/bin/date", &around(hour)),
        rule("then", "/usr/bin/uptime", &around(hour + 12)),
        rule("here", "/usr/bin/hostname", &free("hosts = [\"policy-*\"]")),
        rule("there", "/usr/bin/arch", &free("hosts = [\"db-*\"]")),
        rule(
            "network",
            "/usr/bin/whoami",
            &free("from = [\"127.0.0.2\"]"),
        ),
        rule("shell", "/usr/bin/tty", &free("terminal = true")),
        rule("robot", "/usr/bin/nproc", &free("terminal = false")),
        rule("each", "/usr/bin/touch /root/each", each),
        rule(
            "any",
            "/usr/bin/mkdir /root/any",
            "require = { approvals = 1 }",
        ),
        rule(
            "ticket",
            "/usr/bin/dash ...",
            "require = { ticket = \"OPS-[0-9]+\" }",
        ),
        rule_of("porter", "port", "/usr/bin/id -u", "require = {}"),
        rule_of("maker", "make", "/usr/bin/id -g", "require = {}"),
    ];
    machine.policy("test", &(ROLES.to_owned() + &rules.concat()));
    machine.guard_sshd();
}

fn staff<'m>(machine: &'m Machine, name: &str) -> Login<'m> {
    member(machine, name, &["staff"])
}

fn member<'m>(machine: &'m Machine, name: &str, groups: &[&str]) -> Login<'m> {
    machine.member(name, groups);
    machine.login(name)
}

fn voter<'m>(machine: &'m Machine, name: &str, group: &str) -> Voter<'m> {
    machine.member(name, &[group]);
    machine.voter(name)
}

/// Puts somebody who is there already into a group; other tests write the same files.
fn join(machine: &Machine, name: &str, group: &str) {
    machine.poll("a moment for the group file", PATIENCE, || {
        (machine.run(&["gpasswd", "--add", name, group]).status == 0).then_some(())
    });
}

/// That the policy refuses it in these words, and that they tell nothing of rules and roles.
#[track_caller]
fn refused(user: &Login<'_>, line: &str, words: &str) {
    let refused = user.run(line).status(1);
    let told = refused.errors();
    assert!(told.contains(words), "{told}");
    for secret in ["127.0.0.2", "db-", "staff", "porter", "rule `"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    let fields = [("ELEVATE_USER", user.user())];
    user.machine().event("refusal", &fields);
}

#[test]
fn a_rule_out_of_its_hours_lends_nothing() {
    let machine = &*MACHINE.get();
    let amy = staff(machine, "amy");
    amy.run("elevate date").success();
    refused(&amy, "elevate uptime", "as root at this time");
    let listed = amy.run("elevate -l").success().text();
    assert!(listed.contains("hours: daily "), "{listed}");
    let why = amy.run("elevatectl policy why uptime").success().text();
    assert!(why.contains("does not match, by `when.hours`"), "{why}");
}

#[test]
fn a_rule_of_other_hosts_lends_nothing_here() {
    let machine = &*MACHINE.get();
    let ben = staff(machine, "ben");
    ben.run("elevate hostname").success();
    refused(&ben, "elevate arch", "as root on this host");
}

#[test]
fn where_somebody_comes_from_is_what_their_login_recorded() {
    let machine = &*MACHINE.get();
    let cleo = staff(machine, "cleo");
    let words = "as root from where you logged in";
    refused(&cleo, "elevate whoami", words);
    let forged =
        "SSH_CONNECTION='127.0.0.2 5 127.0.0.1 22' SSH_CLIENT='127.0.0.2 5 22' elevate whoami";
    refused(&cleo, forged, words);
    let inside = machine
        .ssh("cleo")
        .option("BindAddress=127.0.0.2")
        .login(&[]);
    assert_eq!(inside.run("elevate whoami").success().text(), "root");
    // The other login of the same person is no nearer for that, nor is what passed no door.
    refused(&cleo, "elevate whoami", words);
    let outside = machine.run(&["runuser", "-u", "cleo", "--", "elevate", "-n", "whoami"]);
    assert_eq!(outside.status(1).text(), "");
    // Nothing that outlived a login speaks for it.
    let start = "setsid -f sh -c 'until test -e /tmp/cleo-go; do sleep 0.2; done; \
                 elevate -n whoami >/tmp/cleo-out 2>&1; echo $? >/tmp/cleo-status' \
                 >/dev/null 2>&1 </dev/null";
    inside.run(start).success();
    inside.logout();
    machine.event(
        "login-close",
        &[("ELEVATE_USER", "cleo"), ("ELEVATE_SOURCE", "127.0.0.2")],
    );
    machine.write("/tmp/cleo-go", "", 0o644);
    machine.poll("the end of what outlived the login", PATIENCE, || {
        machine.has("/tmp/cleo-status").then_some(())
    });
    let told = String::from_utf8_lossy(&machine.read("/tmp/cleo-out")).into_owned();
    assert!(told.contains(words), "{told}");
}

#[test]
fn a_recorded_login_comes_from_where_it_was_let_in() {
    let machine = &*MACHINE.get();
    machine.member("vito", &["vendor"]);
    let shell = [
        "chsh",
        "--shell",
        "/usr/libexec/elevate/elevate-shell",
        "vito",
    ];
    machine.poll("a moment for the user file", PATIENCE, || {
        (machine.run(&shell).status == 0).then_some(())
    });
    let vito = machine.login("vito");
    refused(&vito, "elevate whoami", "as root from where you logged in");
    let inside = machine.ssh("vito").option("BindAddress=127.0.0.2");
    let inside = inside.login(&[]);
    assert_eq!(inside.run("elevate whoami").success().text(), "root");
    // Of its roles that admit as easily, the first by name lets in; any of them has it recorded.
    let recorded = [("ELEVATE_USER", "vito"), ("ELEVATE_RULE", "login:staff")];
    machine.event("start", &recorded);
}

#[test]
fn a_restart_forgets_no_login() {
    let machine = MachineInTest::alone(Spec::new("policy-restart").prepared(prepare));
    machine.member("rita", &["staff"]);
    let rita = machine.ssh("rita").option("BindAddress=127.0.0.2");
    let inside = rita.login(&[]);
    machine.run(&["systemctl", "restart", "elevated"]).success();
    assert_eq!(inside.run("elevate whoami").success().text(), "root");
}

#[test]
fn a_terminal_is_one_by_the_kernels_word() {
    let machine = &*MACHINE.get();
    let dora = staff(machine, "dora");
    refused(&dora, "elevate tty", "as root without a terminal");
    dora.run("elevate nproc").success();
    let mut terminal = dora.terminal("elevate nproc; elevate tty");
    terminal.expect("as root at a terminal");
    terminal.expect("/dev/pts/");
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
}

/// Seconds since 1970, and the words of `valid` from an hour ago until the next minute that is at
/// least so far.
fn until_soon(machine: &Machine, least: u64) -> (u64, String) {
    let now: u64 = machine
        .run(&["date", "+%s"])
        .success()
        .text()
        .parse()
        .unwrap();
    let end = (now + least).div_ceil(60) * 60;
    let words = |at: u64| {
        let at = format!("--date=@{at}");
        machine
            .run(&["date", "--utc", &at, "+%F %H:%M"])
            .success()
            .text()
    };
    (end, format!("{} .. {} UTC", words(now - 3600), words(end)))
}

#[test]
fn the_end_of_a_rules_time_ends_what_it_granted_and_nothing_extends_it() {
    let machine = &*MACHINE.get();
    let eve = staff(machine, "eve");
    let (end, valid) = until_soon(machine, 25);
    let terms =
        free(&format!("valid = \"{valid}\"")) + "\nlimit = { default = \"1h\", max = \"4h\" }";
    machine.policy("brief", &rule("brief", "/usr/bin/sleep *", &terms));
    let mut terminal = eve.terminal("elevate --for 2h sleep 600");
    let start = machine.event("start", &[("ELEVATE_USER", "eve")]);
    let id = start.request();
    let grants = eve.run("elevatectl grants list --json").success().text();
    let grants: serde_json::Value = serde_json::from_str(&grants).unwrap();
    let deadline = grants[0]["deadline"]
        .as_u64()
        .unwrap_or_else(|| panic!("{grants}"));
    assert!(deadline.abs_diff(end * 1000) < 2000, "{deadline} for {end}");
    let more = eve
        .run(&format!("elevatectl extend {id} --for 1h"))
        .status(1);
    assert!(more.errors().contains("when.valid"), "{more:?}");
    assert_ne!(terminal.wait_within(Duration::from_secs(150)), 0);
    let over = machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    assert!(over.is("ELEVATE_OUTCOME", "deadline"), "{over:?}");
    refused(&eve, "elevate sleep 1", "as root at this time");
}

#[test]
fn what_is_forbidden_by_now_is_not_extended() {
    let machine = &*MACHINE.get();
    let nina = staff(machine, "nina");
    let role = "[role.nina]\nmembers = [\"nina\"]\n";
    let long = rule_of("nina", "long", "/usr/bin/yes *", "require = {}");
    machine.policy("nina", &(role.to_owned() + &long));
    let mut terminal = nina.terminal("elevate --for 5m yes x >/dev/null");
    let id = machine
        .event("start", &[("ELEVATE_USER", "nina")])
        .request();
    let extend = format!("elevatectl extend {id} --for 1m");
    nina.run(&extend).success();
    // The first forbids it to whoever comes from elsewhere.
    let deny = |when: &str| {
        let terms = format!("effect = \"deny\"\nwhen = {{ {when} }}");
        rule_of("nina", "no", "/usr/bin/yes ...", &terms)
    };
    machine.policy("nina-no", &deny("from = [\"127.0.0.2\"]"));
    nina.run(&extend).success();
    machine.policy("nina-no", &deny("from = [\"127.0.0.1\"]"));
    let refused = nina.run(&extend).status(1);
    assert!(refused.errors().contains("forbids"), "{refused:?}");
    terminal.send("\x03");
    terminal.wait_within(PATIENCE);
}

#[test]
fn each_wants_one_of_each_and_takes_nobody_for_two() {
    let machine = &*MACHINE.get();
    let fay = staff(machine, "fay");
    let (lee, lea) = (voter(machine, "lee", "lead"), voter(machine, "lea", "lead"));
    let olga = voter(machine, "olga", "oncall");
    let asking = fay.command("elevate touch /root/each").start();
    let request = machine
        .event("request", &[("ELEVATE_USER", "fay")])
        .request();
    lee.approve(&request).success();
    lea.approve(&request).success();
    let show = |login: &Login<'_>| -> serde_json::Value {
        let text = login
            .run(&format!("elevatectl show --json {request}"))
            .success()
            .text();
        serde_json::from_str(&text).unwrap()
    };
    let shown = show(&fay);
    assert_eq!(shown["state"], "waiting", "{shown}");
    assert_eq!(
        (&shown["agreed"], &shown["needed"]),
        (&1.into(), &2.into()),
        "{shown}"
    );
    let told = fay
        .run(&format!("elevatectl show {request}"))
        .success()
        .text();
    assert!(
        told.contains("one of each: role:lead, role:oncall"),
        "{told}"
    );
    assert!(!machine.has("/root/each"));
    olga.approve(&request).success();
    asking.wait().success();
    assert!(machine.has("/root/each"));
}

#[test]
fn where_a_rule_names_no_approvers_those_decide_who_may_approve() {
    let machine = &*MACHINE.get();
    let gil = staff(machine, "gil");
    let (lena, omar) = (
        voter(machine, "lena", "lead"),
        voter(machine, "omar", "oncall"),
    );
    let asking = gil.command("elevate mkdir /root/any").start();
    let request = machine
        .event("request", &[("ELEVATE_USER", "gil")])
        .request();
    lena.approve(&request).status(1);
    omar.approve(&request).success();
    asking.wait().success();
    assert!(machine.has("/root/any"));
}

#[test]
fn a_ticket_is_asked_for_checked_shown_and_on_record() {
    let machine = &*MACHINE.get();
    let tess = staff(machine, "tess");
    let silent = tess.run("elevate -n dash -c true").status(1);
    assert!(silent.errors().contains("--ticket"), "{silent:?}");
    for wrong in ["CHG-1", "OPS-1x", "'OPS-1 OPS-2'"] {
        let refused = tess
            .run(&format!("elevate --ticket {wrong} dash -c true"))
            .status(1);
        assert!(refused.errors().contains("OPS-[0-9]+"), "{refused:?}");
    }
    let mut terminal = tess.terminal("elevate dash -c 'echo it is done'");
    terminal.expect(r"Ticket \(OPS-\[0-9\]\+\): $");
    terminal.send("OPS-17\n");
    terminal.expect("it is done");
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    let asked = machine.event("request", &[("ELEVATE_USER", "tess")]);
    assert!(asked.is("ELEVATE_TICKET", "OPS-17"), "{asked:?}");
    let id = asked.request();
    let shown = machine.run(&["elevatectl", "show", &id]).success().text();
    assert!(
        shown
            .lines()
            .any(|line| line.starts_with("ticket") && line.ends_with("OPS-17")),
        "{shown}"
    );
    tess.run("elevate --ticket OPS-18 dash -c true").success();
}

#[test]
fn whoever_is_removed_from_a_role_is_out_at_once() {
    let machine = &*MACHINE.get();
    let hans = staff(machine, "hans");
    assert_eq!(hans.run("elevate id -u").success().text(), "0");
    join(machine, "hans", "gone");
    refused(&hans, "elevate id -u", "no rule lets you run this as root");
    machine.leave("hans", "gone");
    assert_eq!(hans.run("elevate id -u").success().text(), "0");
}

#[test]
fn whoever_is_in_two_roles_that_exclude_each_other_has_neither_and_hears_so() {
    let machine = &*MACHINE.get();
    let ines = member(machine, "ines", &["staff", "maker"]);
    assert_eq!(ines.run("elevate id -g").success().text(), "0");
    join(machine, "ines", "checker");
    let told = ines.run("elevate id -g").status(1).errors();
    assert!(
        told.contains("checker and maker, which exclude each other"),
        "{told}"
    );
    let event = machine.event("role-conflict", &[("ELEVATE_USER", "ines")]);
    assert!(event.is("ELEVATE_ROLE", "checker") && event.is("ELEVATE_OTHER_ROLE", "maker"));
    machine.leave("ines", "checker");
    assert_eq!(ines.run("elevate id -g").success().text(), "0");
}

#[test]
fn a_command_that_is_pinned_runs_as_long_as_it_is_the_file_of_the_hash() {
    let machine = &*MACHINE.get();
    let mona = staff(machine, "mona");
    // Anybody could change it meanwhile: its owner is who asks.
    let tool = "/home/mona/tool";
    let write = |text: &str| {
        mona.run(&format!(
            "printf '#!/bin/sh\necho {text} $1\n' >{tool}; chmod 755 {tool}"
        ))
        .success();
    };
    write("good");
    let hash = mona.run(&format!("sha256sum {tool}")).success().text();
    let hash = hash.split(' ').next().unwrap();
    let rule = rule("pinned", "PINNED", "require = {}");
    let pinned = format!("{{ run = \"{tool} *\", sha256 = \"{hash}\" }}");
    machine.policy("pinned", &rule.replace("\"PINNED\"", &pinned));
    let ran = mona.run(&format!("elevate {tool} one")).success();
    assert_eq!(ran.text(), "good one");
    write("evil");
    refused(
        &mona,
        &format!("elevate {tool} two"),
        "no rule lets you run this",
    );
    write("good");
    mona.run(&format!("elevate {tool} three")).success();
}
