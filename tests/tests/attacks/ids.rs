//! Ids at the edges turn neither into root nor into "leave it as it is" (CVE-2019-14287,
//! CVE-2018-19788).

use elevate_tests::{Machine, Spec};

use super::{MACHINE, login, prepare, reason, refusals_after_honest_use};

/// −1 in all its forms, numbers above INT_MAX, and numbers that wrap around to 0.
const EDGES: &[&str] = &[
    "#-1",
    "#4294967295",
    "#4294967294",
    "#2147483648",
    "#4294967296",
    "#18446744073709551616",
    "#0x0",
    "# 0",
    "#+0",
    "#",
];

#[test]
fn an_id_at_the_edge_is_no_target() {
    let machine = MACHINE.get();
    let user = login(&machine, "edgar", "recorded");
    for edge in EDGES {
        for flag in ["-u", "-g"] {
            let refused = user.run(&format!("elevate {flag} '{edge}' id")).status(1);
            assert_eq!(refused.text(), "", "{flag} {edge}");
            assert!(
                refused.errors().contains("there is no "),
                "{}",
                refused.describe()
            );
        }
    }
    let refusals = refusals_after_honest_use(&user);
    assert_eq!(refusals.len(), 2 * EDGES.len(), "each is on record once");
    assert_eq!(
        user.run("elevate -u '#0' -g '#0' id -u").success().text(),
        "0"
    );
}

#[test]
fn an_id_at_the_edge_is_no_target_on_the_bus_either() {
    let machine = MACHINE.get();
    let user = login(&machine, "edna", "recorded");
    let program = format!(
        r#"
for edge in {EDGES:?} + ["", "-1", "4294967295", "root\n", "ro\u0000ot", "x" * 300]:
    for key in ("user", "group"):
        try:
            stream = elevate(["id"], **{{key: ("s", edge)}})[1]
            stream.prove()
            print(stream.hear()["error"])
        except Refused as refused:
            print(refused.name)
        except AssertionError:
            print("cut off")
"#
    );
    let answers = user.hostile(&program).text();
    let known = ["InvalidArgument", "LimitExceeded", "cut off"];
    assert!(
        answers.lines().all(|answer| known.contains(&answer)),
        "{answers}"
    );
    assert_eq!(
        answers.lines().filter(|a| *a == "InvalidArgument").count(),
        2 * (EDGES.len() + 4)
    );
    // A NUL is what the bus itself cuts a connection off for: nobody hears of that call.
    assert_eq!(
        refusals_after_honest_use(&user).len(),
        2 * (EDGES.len() + 5)
    );
}

/// By every other way in: shells, edits, listings, folders, and more time.
#[test]
fn an_id_at_the_edge_is_no_target_of_a_shell_an_edit_or_a_listing() {
    let machine = MACHINE.get();
    let user = login(&machine, "edith", "recorded");
    for edge in EDGES {
        for words in [
            "-i",
            "-s",
            "-i /usr/bin/id",
            "-b /usr/bin/id",
            "-e /etc/motd",
            "-D / /usr/bin/id",
        ] {
            let refused = user.run(&format!("EDITOR=true elevate -u '{edge}' {words}"));
            assert_eq!(refused.status, 1, "{}", refused.describe());
            assert_eq!(refused.text(), "", "{edge} {words}");
        }
        let listed = user.run(&format!("elevate -l -u '{edge}' id"));
        assert_ne!(listed.status, 0, "{}", listed.describe());
        let listed = machine.run(&["elevate", "-l", "-U", edge]);
        assert_ne!(listed.status, 0, "{}", listed.describe());
    }
    let refusals = refusals_after_honest_use(&user);
    assert_eq!(refusals.len(), 6 * EDGES.len(), "each is on record once");
    let shell = user.command("elevate -s").stdin("id -u\n").run();
    assert_eq!(shell.success().text(), "0");
}

#[test]
fn an_account_with_such_an_id_is_neither_caller_nor_target() {
    let machine = Machine::boot(Spec::new("ids").prepared(prepare)).unwrap();
    let accounts = [
        ("minus", "-1"),
        ("unset", "4294967295"),
        ("high", "2147483648"),
        ("almost", "4294967294"),
        ("wrapped", "4294967296"),
    ];
    for (name, id) in accounts {
        let append = r#"
            echo "$1:x:$2:$2::/:/bin/sh" >>/etc/passwd
            echo "$1:x:$2:" >>/etc/group
            sed -i "s/^recorded:.*/&,$1/; s/:,/:/" /etc/group
        "#;
        machine
            .run(&["sh", "-euc", append, "append", name, id])
            .success();
    }
    let user = login(&machine, "honest", "recorded");
    for (name, _) in accounts {
        for flag in ["-u", "-g"] {
            let refused = user.run(&format!("elevate {flag} {name} id")).status(1);
            assert_eq!(refused.text(), "", "{name}");
        }
    }
    assert_eq!(refusals_after_honest_use(&user).len(), 2 * accounts.len());

    for (name, id) in [("high", "2147483648"), ("almost", "4294967294")] {
        let call = format!(
            "import os; os.setgroups([]); os.setresgid({id}, {id}, {id}); \
             os.setresuid({id}, {id}, {id}); os.execvp('elevate', ['elevate', 'id'])"
        );
        let refused = machine.run(&["python3", "-c", &call]).status(1);
        assert_eq!(refused.text(), "", "{name}");
        let record = machine.event("refusal", &[("ELEVATE_UID", id)]);
        assert!(reason(&record).contains("no account"), "{record:?}");
    }
    assert_eq!(user.run("elevate id -u").success().text(), "0");
}
