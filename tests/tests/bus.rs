//! The daemon on D-Bus: what tools see there, what it refuses and by which name, and who learns of
//! what.

use elevate_tests::{Entry, Login, Machine, Running, SharedMachine, Spec};

const POLICY: &str = r#"
[role.asking]
members = ["%asking"]

[role.agreeing]
members = ["%agreeing"]

[rule.anything]
roles = ["asking"]
run_as = "ALL"
commands = ["ALL"]
require = { approvals = 1, approvers = ["role:agreeing"] }

[role.operator]
members = ["%operator"]

[rule.standing]
roles = ["operator"]
run_as = "root"
commands = ["ALL"]
require = {}
"#;

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("bus").prepared(prepare));

fn prepare(machine: &Machine) {
    machine.policy("bus", POLICY);
}

fn login<'m>(machine: &'m Machine, name: &str, groups: &[&str]) -> Login<'m> {
    machine.member(name, groups);
    machine.login(name)
}

/// A command that waits for its approval, until the value is dropped or somebody votes.
fn waiting(user: &Login<'_>, command: &str) -> (Running, Entry) {
    let asking = user
        .command(&format!(
            "exec elevate --rule anything --reason why {command}"
        ))
        .start();
    let asked = [("ELEVATE_USER", user.user()), ("ELEVATE_COMMAND", command)];
    (asking, user.machine().event("request", &asked))
}

fn introspect(object: &str) -> String {
    format!(
        "busctl introspect --no-pager --no-legend org.elevate.Elevated1 /org/elevate/Elevated1{object}"
    )
}

#[test]
fn the_manager_and_its_methods_are_seen_with_busctl() {
    let machine = MACHINE.get();
    let seen = machine.run(&["sh", "-c", &introspect("")]).success().text();
    assert!(seen.contains("org.elevate.Elevated1.Manager"), "{seen}");
    for (method, signature, result) in [
        (".Elevate", "a{sv}", "oh"),
        (".Vote", "sbss", "h"),
        (".Cancel", "s", "-"),
        (".Revoke", "ss", "-"),
        (".ListRequests", "-", "ao"),
        (".ListGrants", "-", "ao"),
        (".ListSessions", "-", "ao"),
        (".ReadRecording", "s", "h"),
        (".Why", "a{sv}", "s"),
        (".Status", "-", "a{sv}"),
        (".Subscribe", "-", "-"),
        (".Enrol", "s", "h"),
        (".RemoveFactor", "s", "h"),
        (".NewRecoveryCodes", "s", "h"),
        (".FactorStatus", "s", "a{sv}"),
        (".DirectoryStatus", "-", "a{sv}"),
        (".SyncDirectory", "-", "-"),
    ] {
        let line = seen
            .lines()
            .find(|line| line.split_whitespace().next() == Some(method));
        let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
        assert_eq!(
            words.get(1..4),
            Some(&["method", signature, result][..]),
            "{seen}"
        );
    }
}

#[test]
fn a_request_a_grant_and_a_session_are_objects_with_properties() {
    let machine = MACHINE.get();
    let user = login(&machine, "otto", &["operator"]);
    let _running = user.command("exec elevate sleep 305").start();
    let id = machine
        .event("start", &[("ELEVATE_USER", "otto")])
        .request();
    for (kind, interface, properties) in [
        (
            "request",
            "Request",
            &[
                "User s \"otto\"",
                "Uid u ",
                "TargetUser s \"root\"",
                "Path s \"/usr/bin/sleep\"",
                "State s \"granted\"",
                "Rule s \"standing\"",
                "Digest s \"",
            ][..],
        ),
        (
            "grant",
            "Grant",
            &[
                "Command s \"sleep 305\"",
                "State s \"active\"",
                "Begun t ",
                "Deadline t ",
            ],
        ),
        (
            "session",
            "Session",
            &[
                "State s \"running\"",
                "Terminal b false",
                "Recorded b true",
                "Leader i ",
                "Pid i ",
            ],
        ),
    ] {
        let seen = user
            .run(&introspect(&format!("/{kind}/{id}")))
            .success()
            .text();
        assert!(
            seen.contains(&format!("org.elevate.Elevated1.{interface}")),
            "{seen}"
        );
        let seen: Vec<_> = seen
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        for property in properties {
            let (name, rest) = property.split_once(' ').unwrap_or_default();
            let (kind, value) = rest.split_once(' ').unwrap_or_default();
            let wanted = format!(".{name} property {kind} {value}");
            assert!(
                seen.iter().any(|line| line.starts_with(&wanted)),
                "{wanted}: {seen:#?}"
            );
        }
        assert!(
            seen.iter()
                .any(|line| line.starts_with(".Changed signal s")),
            "{seen:#?}"
        );
    }
}

#[test]
fn every_refusal_has_a_name_of_its_own() {
    let machine = MACHINE.get();
    let user = login(&machine, "nemo", &["asking"]);
    let other = login(&machine, "norma", &["agreeing"]);
    let (_asking, request) = waiting(&user, "true");
    let program = r#"
bus = Bus()
def refusal(*call, **where):
    try:
        return bus.call(*call, **where)
    except Refused as refused:
        return refused.name
def answer(argv, **ask):
    try:
        stream = elevate(argv, bus, **ask)[1]
        stream.prove()
        return stream.rest()[-1]["error"]
    except Refused as refused:
        return refused.name
print(refusal("Cancel", "s", "00000000"))
print(refusal("Cancel", "s", "ID"))
print(refusal("Revoke", "ss", "ID", "why"))
print(refusal("Revoke", "ss", "ID", "x" * 2000))
print(refusal("Vote", "sbss", "ID", True, "no digest", ""))
print(refusal("Elevate", "a{sv}", {}))
print(refusal("Elevate", "a{sv}", {"argv": ("s", "id")}))
print(refusal("Elevate", "a{sv}", {"argv": ("aay", [b"id"]), "uid": ("u", 0)}))
print(refusal("Why", "a{sv}", {"argv": ("aay", [b"id"]), "for-user": ("s", "root")}))
print(answer(["id"]))
print(answer(["id"], user=("s", "nobody-knows")))
"#;
    let answers = other
        .hostile(&program.replace("ID", &request.request()))
        .text();
    let answers: Vec<_> = answers.lines().collect();
    assert_eq!(
        answers,
        [
            "NotFound",
            "NotAuthorized",
            "NotFound",
            "LimitExceeded",
            "InvalidArgument",
            "InvalidArgument",
            "InvalidArgument",
            "InvalidArgument",
            "NotAuthorized",
            "Denied",
            "InvalidArgument",
        ]
    );
    let program = r#"
stream = elevate(["id"], **{"non-interactive": ("b", True)})[1]
stream.prove()
print(stream.rest()[-1]["error"])
stream = elevate(["/no/such/program"])[1]
stream.prove()
print(stream.rest()[-1]["error"])
"#;
    assert_eq!(
        user.hostile(program).text(),
        "InteractionRequired\nCommandNotFound"
    );
}

#[test]
fn what_the_bus_policy_does_not_name_reaches_nothing() {
    let machine = MACHINE.get();
    let user = login(&machine, "denis", &["operator"]);
    user.run("elevate true").success();
    let id = machine.event("end", &[("ELEVATE_USER", "denis")]).request();
    let program = r#"
for where in (dict(member="Shutdown"), dict(member="Get", interface="org.elevate.Elevated1.Request"),
              dict(member="ListRequests", interface="org.elevate.Elevated1"),
              dict(member="GetManagedObjects", interface="org.freedesktop.DBus.ObjectManager"),
              dict(member="Introspect", interface="org.freedesktop.DBus.Introspectable"),
              dict(member="Introspect", interface="org.freedesktop.DBus.Introspectable", path="/"),
              dict(member="Introspect", interface="org.freedesktop.DBus.Introspectable", path=ROOT + "/request")):
    try:
        print("done", Bus().call(where.pop("member"), **where))
    except Refused as refused:
        print(refused.name)
try:
    print("done", Bus().call("Set", "ssv", NAME + ".Request", "State", ("s", "granted"),
                             path=ROOT + "/request/ID", interface=PROPERTIES))
except Refused as refused:
    print(refused.name)
try:
    print("done", Bus().call("RequestName", "su", NAME, 4, destination="org.freedesktop.DBus",
                             path="/org/freedesktop/DBus", interface="org.freedesktop.DBus"))
except Refused as refused:
    print(refused.name)
"#;
    let program = program.replace("ID", &id);
    let denied = "org.freedesktop.DBus.Error.AccessDenied\n".repeat(9);
    assert_eq!(user.hostile(&program).text(), denied.trim());
}

#[test]
fn somebody_without_a_part_in_it_sees_nothing_of_a_request_or_a_session() {
    let machine = MACHINE.get();
    let asker = login(&machine, "anna", &["asking", "operator"]);
    let approver = login(&machine, "bert", &["agreeing"]);
    let eve = login(&machine, "eve", &["operator"]);
    let (_asking, request) = waiting(&asker, "id");
    let _running = asker
        .command("exec elevate --rule standing sleep 306")
        .start();
    let session = machine.event("start", &[("ELEVATE_USER", "anna")]);
    let program = r#"
bus = Bus()
def attempt(*call, **where):
    try:
        return repr(bus.call(*call, **where))
    except Refused as refused:
        return refused.name
for member in ("ListRequests", "ListGrants", "ListSessions"):
    print(attempt(member))
for kind, id in (("request", "REQUEST"), ("request", "SESSION"), ("grant", "SESSION"), ("session", "SESSION")):
    path, interface = f"{ROOT}/{kind}/{id}", f"{NAME}.{kind.capitalize()}"
    print(attempt("GetAll", "s", interface, path=path, interface=PROPERTIES))
    print(attempt("Get", "ss", interface, "Command" if kind != "request" else "Path", path=path, interface=PROPERTIES))
for call in (("Cancel", "s", "REQUEST"), ("Revoke", "ss", "SESSION", ""), ("ReadRecording", "s", "SESSION")):
    print(attempt(*call))
"#;
    let program = program
        .replace("REQUEST", &request.request())
        .replace("SESSION", &session.request());
    let seen = eve.hostile(&program).text();
    for line in seen.lines().take(3) {
        assert_eq!(line, "[[]]", "{seen}");
    }
    // Of recordings everybody but auditors hears the same, be there one or not.
    let refusals = [
        "NotFound",
        "NotAuthorized",
        "org.freedesktop.DBus.Error.AccessDenied",
    ];
    assert!(
        seen.lines().skip(3).all(|line| refusals.contains(&line)),
        "{seen}"
    );
    assert_eq!(seen.lines().count(), 14, "{seen}");

    let seen = approver.hostile(&program).text();
    assert!(seen.contains("/usr/bin/id"), "{seen}");
    assert!(
        !seen.contains("sleep 306"),
        "an approver of one rule sees nothing of another: {seen}"
    );
    let seen = machine
        .command(&["busctl", "tree", "org.elevate.Elevated1"])
        .run()
        .text();
    assert!(seen.contains(&request.request()), "root sees all: {seen}");
    let seen = eve
        .run("busctl tree --no-pager org.elevate.Elevated1")
        .text();
    assert!(!seen.contains(&request.request()), "{seen}");
    assert!(!seen.contains(&session.request()), "{seen}");
}

#[test]
fn changes_are_told_to_those_who_may_see_them_and_to_nobody_else() {
    let machine = MACHINE.get();
    let asker = login(&machine, "carl", &["asking"]);
    machine.member("cora", &["agreeing"]);
    let approver = machine.voter("cora");
    let eve = login(&machine, "evita", &["operator"]);
    let listen = r#"
bus = Bus()
bus.call("Subscribe")
open(f"/tmp/listens-{os.getuid()}", "w").close()
while not os.path.exists("/tmp/all-over"):
    bus.kept += [bus.receive() for _ in select.select([bus.socket], [], [], 0.05)[0]]
print([(path.split("/")[-2:], values) for path, _, values in bus.signals(0.2)])
"#;
    let listening = [&*approver, &eve].map(|user| {
        let running = user.hostile_command(listen).start();
        let uid = user.run("id -u").text();
        machine.wait_for_file(&format!("/tmp/listens-{uid}"));
        running
    });
    let (asking, request) = waiting(&asker, "true");
    let id = request.request();
    let watch = approver
        .command("exec timeout 20 elevatectl watch --json")
        .start();
    let shown = approver.hostile(&format!(
        "print(Bus().call('GetAll', 's', NAME + '.Request', path=ROOT + '/request/{id}', \
         interface=PROPERTIES)[0]['Digest'])"
    ));
    let vote = format!(
        "bus = Bus()\nstream = Stream(bus.call('Vote', 'sbss', '{id}', True, '{}', '')[-1])\n\
         stream.prove()\nstream.give('{}')\nprint(stream.hear()['type'])",
        shown.text(),
        approver.code()
    );
    assert_eq!(approver.hostile(&vote).text(), "counted");
    asking.wait().success();
    machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    machine.write("/tmp/all-over", "", 0o644);
    let [approvers, eves] = listening.map(|running| running.wait().success().text());
    for state in ["waiting", "granted", "running", "ended"] {
        assert!(
            approvers.contains(&format!("'{id}'], ['{state}']")),
            "{state}: {approvers}"
        );
    }
    assert_eq!(eves, "[]");
    drop(watch);
}

#[test]
fn a_vote_covers_what_was_shown_and_nothing_else() {
    let machine = MACHINE.get();
    let asker = login(&machine, "dora", &["asking"]);
    let approver = login(&machine, "dirk", &["agreeing"]);
    let (_first, first) = waiting(&asker, "true");
    let (_second, second) = waiting(&asker, "false");
    let program = r#"
bus = Bus()
shown = bus.call("GetAll", "s", NAME + ".Request", path=ROOT + "/request/FIRST", interface=PROPERTIES)[0]
stream = Stream(bus.call("Vote", "sbss", "SECOND", True, shown["Digest"], "")[-1])
stream.prove()
print(stream.hear()["error"])
"#;
    let program = program
        .replace("FIRST", &first.request())
        .replace("SECOND", &second.request());
    assert_eq!(approver.hostile(&program).text(), "Changed");
    let refusal = machine.event("refusal", &[("ELEVATE_REQUEST", &second.request())]);
    assert!(refusal.is("ELEVATE_USER", "dirk"), "{refusal:?}");
    let waits = approver.run("elevatectl requests --json").success().text();
    assert!(waits.contains(&second.request()), "{waits}");
    assert!(
        machine
            .events(&[("ELEVATE_EVENT", "approval"), ("ELEVATE_USER", "dora")])
            .is_empty()
    );
}

#[test]
fn what_one_user_may_take_is_limited_by_name_and_takes_nothing_from_others() {
    let machine = MACHINE.get();
    let greedy = login(&machine, "greta", &["asking"]);
    let modest = login(&machine, "moritz", &["asking"]);
    let program = r#"
bus, kept, answers = Bus(), [], []
for attempt in range(17):
    id, stream = elevate(["true"], bus)
    stream.prove()
    answer = stream.hear()
    answers.append(answer["type"])
    kept.append(stream)
print(answers.count("waiting"), answer["error"], answer["message"])
kept = [stream for stream in kept[:-1]]
silent = []
try:
    while len(silent) < 100:
        silent.append(elevate(["true"], bus))
except Refused as refused:
    print(len(silent), refused.name, refused.text)
watching = []
try:
    while len(watching) < 100:
        watching.append(Bus())
        watching[-1].call("Subscribe")
except Refused as refused:
    print(len(watching) - 1, refused.name, refused.text)
open("/tmp/greta-has-all", "w").close()
while not os.path.exists("/tmp/moritz-was-served"):
    time.sleep(0.05)
"#;
    let having = greedy.hostile_command(program).start();
    machine.wait_for_file("/tmp/greta-has-all");
    let (_asking, _) = waiting(&modest, "true");
    modest.run("elevatectl status").success();
    machine.write("/tmp/moritz-was-served", "", 0o644);
    let answers = having.wait().success().text();
    let lines: Vec<_> = answers.lines().collect();
    assert!(lines[0].starts_with("16 LimitExceeded "), "{answers}");
    assert!(lines[0].contains("REQUESTS_PER_USER"), "{answers}");
    assert!(lines[1].contains("LimitExceeded "), "{answers}");
    assert!(lines[1].contains("CONVERSATIONS_PER_USER"), "{answers}");
    assert!(lines[2].starts_with("8 LimitExceeded "), "{answers}");
    assert!(lines[2].contains("SUBSCRIPTIONS_PER_USER"), "{answers}");
}

#[test]
fn a_message_that_is_too_long_is_refused_by_the_name_of_its_limit() {
    let machine = MACHINE.get();
    let user = login(&machine, "lang", &["operator"]);
    let program = r#"
bus = Bus()
for ask in (dict(argv=("aay", [b"x"] * 5000)), dict(argv=("aay", [b"x" * 140000])),
            dict(argv=("aay", [b"x"]), reason=("s", "x" * 1025)),
            dict(argv=("aay", [b"x"]), user=("s", "x" * 257)),
            dict(argv=("aay", [b"x"]), environment=("aay", [b"LC_X=1"] * 257)),
            dict(argv=("aay", [b"x"]), environment=("aay", [b"LC_X=" + b"x" * 40000]))):
    try:
        print("done", bus.call("Elevate", "a{sv}", ask))
    except Refused as refused:
        print(refused.name, refused.text)
"#;
    let answers = user.hostile(program).text();
    let names = [
        "ARGV_WORDS",
        "ARGV_BYTES",
        "REASON_BYTES",
        "NAME_BYTES",
        "ENVIRONMENT_VARIABLES",
        "ENVIRONMENT_BYTES",
    ];
    assert_eq!(answers.lines().count(), names.len(), "{answers}");
    for (answer, name) in answers.lines().zip(names) {
        assert!(answer.starts_with("LimitExceeded "), "{answer}");
        assert!(answer.contains(name), "{name}: {answer}");
    }
    user.run("elevate true").success();
}
