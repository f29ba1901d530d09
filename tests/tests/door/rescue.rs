//! The rescue: one user on named consoles, while `elevated` can't be asked. The consoles here are
//! virtual ones of the kernel's that nobody uses, and the program on them is login(1).

use elevate_tests::{Machine, Output};

use super::*;

const ON_CONSOLE: &str = include_str!("on_console.py");

/// The console that the rescue names: far from those that a host with a screen has somebody at, and
/// another one for each process that tests on the same kernel.
fn rescue_number() -> u32 {
    20 + std::process::id() % 20 * 2
}

/// One that it doesn't name.
fn other_number() -> u32 {
    rescue_number() + 1
}

fn prepare(machine: &Machine) {
    with_roles(machine);
    machine.policy("root", "[role.root]\nmembers = [\"root\"]\n");
    let passwords = "root:open-sesame\nalma:open-barley\n";
    machine.member("alma", &["staff"]);
    let changing = machine.command(&["chpasswd"]).stdin(passwords);
    changing.run().success();
    let rescue = format!("root@tty{}", rescue_number());
    let enable = ["elevatectl", "login", "enable", "login", "--rescue"];
    machine.run(&[&enable[..], &[&rescue]].concat()).success();
    machine.write("/usr/local/bin/on-console", ON_CONSOLE, 0o755);
}

/// Somebody at a console, in front of login(1).
fn console(machine: &Machine, number: u32, user: &str, steps: &[&str]) -> Output {
    let number = number.to_string();
    let begin = ["python3", "/usr/local/bin/on-console", &number];
    machine.run(&[&begin, steps, &["--", "login", user]].concat())
}

#[test]
fn root_at_the_named_console_gets_in_while_elevated_is_down_and_it_is_on_record() {
    static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("rescue").prepared(prepare));
    let machine = MACHINE.get();
    let (named, other) = (rescue_number(), other_number());
    let mut factor = machine.login("root").enrol();
    let code = format!("Verification code: ={}", factor.code());
    let password = "Password: =open-sesame";
    let work = "#=tty >/root/where; exit";

    // While it answers, nobody is rescued: the code is owed at this console too.
    let done = console(&machine, named, "root", &[password, &code, work]);
    assert!(machine.has("/root/where"), "{}", done.describe());
    machine.run(&["rm", "/root/where"]).success();
    let wrong = format!("Verification code: ={}", factor.wrong());
    let refused = console(&machine, named, "root", &[password, &wrong, "login: "]);
    assert!(!machine.has("/root/where"), "{}", refused.describe());

    stop(&machine);
    let done = console(&machine, named, "root", &[password, work]);
    assert!(
        done.text().contains("this is a rescue, and on record"),
        "{done:?}"
    );
    let at = machine.read("/root/where");
    assert_eq!(at, format!("/dev/tty{named}\n").as_bytes());
    machine.run(&["rm", "/root/where"]).success();

    // The password still counts, and nobody else is rescued, and nowhere else.
    for (number, user, password) in [
        (named, "root", "Password: =open-window"),
        (named, "alma", "Password: =open-barley"),
        (other, "root", "Password: =open-sesame"),
    ] {
        let refused = console(&machine, number, user, &[password, "login: "]);
        assert!(
            !machine.has("/root/where"),
            "{number} {user}: {}",
            refused.describe()
        );
    }
    // Nor by what a program says of its terminal.
    let lie = format!("tty=/dev/tty{named}");
    let argv = [
        "pamtester",
        "-I",
        &lie,
        "login",
        "root",
        "authenticate",
        "acct_mgmt",
    ];
    let mut liar = machine.terminal(&argv);
    liar.expect("Password: $");
    liar.send("open-sesame\n");
    assert_ne!(liar.wait(), 0, "{}", liar.screen());

    start(&machine);
    let fields = [("ELEVATE_EVENT", "rescue"), ("ELEVATE_USER", "root")];
    let rescue = machine.event("rescue", &[]);
    assert_fields(
        &rescue,
        &[
            ("ELEVATE_USER", "root"),
            ("ELEVATE_SERVICE", "login"),
            ("ELEVATE_TERMINAL", &format!("tty{named}")),
            ("ELEVATE_OUTCOME", "rescued"),
        ],
    );
    assert!(reason(&rescue).contains("cannot be reached"), "{rescue:#?}");
    let refused = |user: &str| {
        let of_user = [("ELEVATE_EVENT", "login-refused"), ("ELEVATE_USER", user)];
        machine.events(&of_user)
    };
    machine.poll("alma's refusal", PATIENCE, || refused("alma").pop());
    let rescues = machine.events(&fields);
    assert_eq!(rescues.len(), 1, "one rescue, one record: {rescues:#?}");
    // The wrong code; then, while nobody answered, the other console and the liar.
    let terminals: Vec<_> = refused("root")
        .iter()
        .map(|entry| entry.get("ELEVATE_TERMINAL").unwrap_or_default())
        .collect();
    assert_eq!(terminals.len(), 3, "{terminals:?}");
    assert_eq!(terminals[1], format!("tty{other}"), "{terminals:?}");
    assert!(terminals[2].starts_with("pts/"), "{terminals:?}");
}
