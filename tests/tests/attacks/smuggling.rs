//! Variables smuggled in by name: `VAR=value`, `--preserve-env`, `-E`, and a client that says what it
//! wants on the stream.

use super::{MACHINE, login, refusals_after_honest_use};

/// What no rule can let through, though it lets every variable be kept.
const SMUGGLED: &[&str] = &[
    "LD_PRELOAD=/home/sly/x.so",
    "LD_AUDIT=/home/sly/x.so",
    "GLIBC_TUNABLES=glibc.malloc.check=3",
    "GCONV_PATH=/home/sly",
    "BASH_ENV=/home/sly/rc",
    "ENV=/home/sly/rc",
    "PROMPT_COMMAND=. /home/sly/rc",
    "PATH=/home/sly:/usr/bin",
    "HOME=/home/sly",
    "PERL5OPT=-M/home/sly/rc",
    "PYTHONPATH=/home/sly",
    "TZ=/home/sly/rc",
    "SHELLOPTS=xtrace",
    "PS4=$(. /home/sly/rc)",
    "SUDO_USER=root",
    "ELEVATE_USER=root",
    "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/home/sly/bus",
    "LANGUAGE=../../../../home/sly",
    "LC_ALL=/home/sly/locale",
    "TERM=/home/sly/terminal",
];

const RC: &str = "touch /home/sly/ran-as-$(/usr/bin/id -u)\n";

#[test]
fn no_variable_that_steers_a_program_is_set_by_name() {
    let machine = MACHINE.get();
    let user = login(&machine, "sly", "keeping");
    let uid = user.run("id -u").text();
    machine.write("/home/sly/rc", RC, 0o644);
    let own_shell = user
        .run("BASH_ENV=/home/sly/rc bash -c true; ls -la; cat rc")
        .success();
    eprintln!("{}", own_shell.describe());
    let own = format!("/home/sly/ran-as-{uid}");
    assert!(machine.has(&own), "the attack works on one's own shell");
    for variable in SMUGGLED {
        let name = variable.split('=').next().unwrap_or_default();
        for line in [
            format!("elevate '{variable}' bash -c true"),
            format!("env '{variable}' /usr/bin/elevate --preserve-env={name} bash -c true"),
        ] {
            let refused = user.run(&line).status(1);
            assert!(refused.errors().contains(name), "{}", refused.describe());
        }
    }
    assert!(!machine.has("/home/sly/ran-as-0"));
    let refusals = refusals_after_honest_use(&user);
    assert_eq!(refusals.len(), 2 * SMUGGLED.len(), "each is on record once");
    let honest = user.run("HONEST=kept elevate --preserve-env=HONEST ALSO=set env");
    let honest = honest.success().text();
    assert!(honest.contains("HONEST=kept\n") && honest.contains("ALSO=set\n"));
}

/// A client that answers what it was not asked, and names what is no name.
#[test]
fn a_client_that_lies_about_its_variables_sets_none() {
    let machine = MACHINE.get();
    let user = login(&machine, "slim", "keeping");
    let program = r#"
def variables(answer, **ask):
    id, stream = elevate(["sh", "-c", "env >/run/slim-was-here"], **ask)
    stream.prove()
    last = stream.hear()
    if last and last["type"] == "ask-environment":
        stream.socket.send(b'{"type":"environment","variables":[' + answer + b']}')
        last = stream.hear()
    print(last and (last["type"], last.get("error")))
for variable in (b"LD_PRELOAD=/x", b"=x", b"A", b"A\xff=x", b"A%%=() { :; }", b"A\n=x", b"1=x", b"A B=x",
                 b"BASH_FUNC_id%%=() { :; }", b"LC_ALL=/x", b"TERM=%n", b"PATH", b"*=x", b""):
    try:
        variables(b"", set=("aay", [variable]))
    except Refused as refused:
        print("call", refused.name)
for answer in (b'"A"', b'"A=x\\u0000y"', b'"A=x",7', b'["x"]'):
    variables(answer, preserve=("b", True))
"#;
    let answers = user.hostile(program).text();
    let known = ["Denied", "InvalidArgument"];
    for answer in answers.lines() {
        let refused = known.iter().any(|name| answer.contains(name)) || answer == "None";
        assert!(refused, "{answers}");
    }
    assert_eq!(answers.lines().count(), 18, "{answers}");
    assert!(!machine.has("/run/slim-was-here"));
    let refused = answers.lines().filter(|answer| *answer != "None").count();
    assert_eq!(refusals_after_honest_use(&user).len(), refused);
}

/// Of two variables of one name a program may see either; what is judged is what it sees.
#[test]
fn a_variable_that_comes_twice_is_seen_once() {
    let machine = MACHINE.get();
    let user = login(&machine, "slate", "keeping");
    let program = r#"
id, stream = elevate(["sh", "-c", "env >/run/slate-saw"], preserve=("b", True),
                     environment=("aay", [b"LANG=C", b"LANG=C.UTF-8"]),
                     set=("aay", [b"TWICE=one", b"TWICE=two", b"LC_TIME=C"]))
stream.prove()
asked = stream.hear()
assert asked["type"] == "ask-environment", asked
stream.socket.send(b'{"type":"environment","variables":["TWICE=three","LC_TIME=x","PATH=/x","HOME=/x","OTHER=1","OTHER=2"]}')
print(stream.hear()["type"])
stream.say("stdio")
stream.rest()
"#;
    let said = user.hostile(program).text();
    if said == "attach" {
        machine.event("end", &[("ELEVATE_USER", "slate")]);
        let seen = String::from_utf8(machine.read("/run/slate-saw")).expect("text");
        for name in ["TWICE", "LC_TIME", "LANG", "OTHER", "PATH", "HOME"] {
            let count = seen
                .lines()
                .filter(|line| line.starts_with(&format!("{name}=")))
                .count();
            assert!(count <= 1, "{name}: {seen}");
        }
        assert!(!seen.contains("=/x"), "{seen}");
        assert!(!seen.contains("TWICE=three"), "{seen}");
    } else {
        assert_eq!(said, "refused");
    }
}
