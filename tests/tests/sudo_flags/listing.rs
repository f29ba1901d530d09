//! `-l`, `-ll`, `-U`, and `-l COMMAND`.

use super::{MACHINE, login, same_with};

#[test]
fn whether_a_command_may_be_run_is_told_as_by_sudo() {
    let machine = MACHINE.get();
    let cat = login(&machine, "cat", "some");
    for (line, status) in [
        ("@ -l /usr/bin/id", 0),
        ("@ -l id", 0),
        ("@ -l id -u", 0),
        ("@ -n -l -u root id", 0),
        ("@ -l /usr/bin/whoami", 1),
        ("@ -l -u tia id", 1),
        ("@ -l id >/dev/null && echo allowed", 0),
        ("@ -l whoami >/dev/null || echo not allowed", 0),
    ] {
        same_with(&cat, line, status);
    }
    let refused = cat.run("elevate -l /usr/bin/whoami").status(1);
    assert_eq!(refused.text() + &refused.errors(), "");
    // Whoever may not run a path hears the same whether there is a file or not.
    let refused = cat.run("elevate -l /root/secret").status(1);
    assert_eq!(refused.text() + &refused.errors(), "");
    let long = cat.run("elevate -ll id -u").success().text();
    assert!(long.starts_with("/usr/bin/id -u\n"), "{long}");
    assert!(long.contains("Rule      two"), "{long}");
}

#[test]
fn what_may_be_run_is_listed_in_short_and_at_length() {
    let machine = MACHINE.get();
    let cia = login(&machine, "cia", "coded");
    let list = cia.run("elevate -l").success().text();
    assert!(list.starts_with("cia may run on sudo-flags:\n"), "{list}");
    assert!(
        list.contains("(ALL) /usr/bin/id ...  [a code of the last 15m]"),
        "{list}"
    );
    assert!(
        list.contains("(root) /usr/bin/uname  [a code of the last 15m; a reason]"),
        "{list}"
    );
    let long = cia.run("elevate -ll").success().text();
    for wanted in [
        "\n  lately\n",
        "For       With a code of the last quarter of an hour",
        "Commands  /usr/bin/id ...\n              /usr/bin/cat ...",
        "Session   output recorded",
    ] {
        assert!(long.contains(wanted), "{wanted}: {long}");
    }
    // Listing owes no code, and asks for none.
    assert_eq!(cia.run("elevate -n -l").success().text(), list);
}

#[test]
fn who_may_run_nothing_hears_so() {
    let machine = MACHINE.get();
    let cor = login(&machine, "cor", "nobodies");
    let none = cor.run("elevate -l").status(1);
    assert_eq!(none.text(), "");
    assert!(none.errors().contains("cor may run nothing on"), "{none:?}");
    let (sudo, _) = super::both(&cor, "@ -n -l");
    assert_eq!(sudo.status, 1);
}

#[test]
fn root_lists_what_others_may_run_and_others_list_nobodys() {
    let machine = MACHINE.get();
    let cy = login(&machine, "cy", "some");
    for line in ["-l -U cy id -u", "-U cy -l id", "-l -U cy whoami"] {
        let of = |program: &str| {
            let words = std::iter::once(program).chain(line.split(' '));
            let output = machine.run(&words.collect::<Vec<_>>());
            (output.status, output.text())
        };
        assert_eq!(of("elevate"), of("sudo"), "{line}");
    }
    let list = machine.run(&["elevate", "-U", "cy", "-l"]).success().text();
    assert!(list.contains("cy may run on"), "{list}");
    assert!(list.contains("(root) /usr/bin/id ..."), "{list}");
    for line in [
        "elevate -l -U tia",
        "elevate -l -U no-such-user",
        "elevate -l -U tia id",
    ] {
        let refused = cy.run(line).status(1);
        assert_eq!(refused.text(), "", "{line}");
        assert_ne!(refused.errors(), "", "{line}");
    }
    let (known, unknown) = (
        cy.run("elevate -l -U tia"),
        cy.run("elevate -l -U no-such-user"),
    );
    assert_eq!(known.errors(), unknown.errors(), "who exists is not told");
}
