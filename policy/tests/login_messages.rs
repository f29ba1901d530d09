//! What a wrong `login` of a role is told.

mod common;

use common::{PEOPLE, an_hour, one, source, told, try_load};
use elevate_policy::{HostFacts, load};

fn when(key: &str) -> String {
    format!("[role.x]\nlogin.when = {{ {key} }}")
}

#[test]
fn a_login_that_is_written_well_is_told_nothing() {
    for good in [
        "hosts = [\"db-*\", \"pg1.example.org\"]",
        "services = [\"sshd\", \"su-l\", \"gdm-password\"]",
        "hours = \"Mon..Fri 07:00-20:00 Europe/Berlin\"",
        "hours = [\"Sat,Sun 22:00-06:00 UTC\", \"daily 00:00-24:00 America/New_York\"]",
        "from = [\"10.0.0.0/8\", \"2001:db8::/32\", \"192.0.2.7\", \"::1\"]",
        "",
    ] {
        assert!(told(&when(good)).is_empty(), "{good}");
    }
}

#[test]
fn a_key_of_a_login_that_is_unknown_is_told_with_the_likely_one() {
    one(
        "[role.x]\nlogn.when = {}",
        "p:2:1: unknown key `logn`, did you mean `login`?",
    );
    one(
        "[role.x]\nlogin.wen = {}",
        "p:2:7: unknown key `wen`, did you mean `when`?",
    );
    one(
        &when("host = [\"a\"]"),
        "p:2:16: unknown key `host`, did you mean `hosts`?",
    );
    one(
        "[role.x]\nlogin.require = { mfaa = \"1h\" }",
        "p:2:19: unknown key `mfaa`, did you mean `mfa`?",
    );
    one(
        "[role.x]\nlogin = true",
        "p:2:9: `login` takes a table, and this is of type boolean",
    );
    one(
        "[role.x]\nlogin.when = []",
        "p:2:14: `login.when` takes a table, and this is of type array",
    );
    one(
        "[role.x]\nlogin.require = \"always\"",
        "p:2:17: `login.require` takes a table, and this is of type string",
    );
    one(
        "[role.x]\nlogin.require.mfa = \"alway\"",
        "p:2:21: `alway` is not how `mfa` is written; it is \"always\", or how old a code may be, as \
         in \"15m\"; without it none is owed, did you mean `always`?",
    );
}

#[test]
fn a_list_of_a_login_that_would_let_nobody_in_is_told() {
    for key in ["hosts", "services", "hours", "from"] {
        one(
            &when(&format!("{key} = []")),
            &format!(
                "p:2:{}: `{key}` is empty, so that the role could let nobody in",
                19 + key.len()
            ),
        );
    }
}

#[test]
fn hosts_services_hours_and_networks_that_are_none_are_told_with_the_way_out() {
    for (text, place, told) in [
        (
            "hosts = [\"localhost\"]",
            "p:2:25: `localhost`",
            "every host is called that; write the name that `hostname` prints",
        ),
        (
            "hosts = [\"10.0.0.1\"]",
            "p:2:25: `10.0.0.1`",
            "hosts are named here; `from` takes addresses",
        ),
        (
            "hosts = [\"db-{1,2}\"]",
            "p:2:25: `db-{1,2}`",
            "`*` is the only wildcard in the name of a host; write one entry for each",
        ),
        (
            "services = [\"SSHD\"]",
            "p:2:28: `SSHD`",
            "names of PAM services are in lower case, did you mean `sshd`?",
        ),
        (
            "services = [\"/etc/pam.d/sshd\"]",
            "p:2:28: `/etc/pam.d/sshd`",
            "no name of a PAM service looks like that; write one as in \"sshd\"",
        ),
        (
            "services = [\"*\"]",
            "p:2:28: `*`",
            "no name of a PAM service looks like that; write one as in \"sshd\"",
        ),
        (
            "hours = \"Mon..Fri 08:00-18:00\"",
            "p:2:24: `Mon..Fri 08:00-18:00`",
            "the time zone is missing; write it as in \"Mon..Fri 07:00-20:00 Europe/Berlin\"",
        ),
        (
            "hours = [\"daily 08:00-18:00 Europe/Berln\"]",
            "p:2:25: `daily 08:00-18:00 Europe/Berln`",
            "unknown time zone `Europe/Berln`, did you mean `Europe/Berlin`?",
        ),
        (
            "from = [\"10.1.0.0/8\"]",
            "p:2:24: `10.1.0.0/8`",
            "the address has bits set after the first 8, did you mean `10.0.0.0/8`?",
        ),
        (
            "from = [\"::ffff:10.0.0.0/104\"]",
            "p:2:24: `::ffff:10.0.0.0/104`",
            "an IPv4 address is written as one, and meets both ways of writing it, did you mean \
             `10.0.0.0/8`?",
        ),
        (
            "from = [\"0.0.0.0/33\"]",
            "p:2:24: `0.0.0.0/33`",
            "such an address has 32 bits",
        ),
        (
            "from = [\"bastion.example.org\"]",
            "p:2:24: `bastion.example.org`",
            "no network looks like that; write it as in \"10.0.0.0/8\", \"2001:db8::/32\" or \
             \"192.0.2.7\" (names of hosts are not compared: a source proves none)",
        ),
    ] {
        one(&when(text), &format!("{place}: {told}"));
    }
    one(
        "[alias]\nhosts.db = [\"db-?\"]",
        "p:2:13: `db-?`: `*` is the only wildcard in the name of a host; write one entry for each",
    );
    one(
        &when("hosts = [\"@hosts.db\"]"),
        "p:2:25: unknown alias `@hosts.db`",
    );
    one(
        "[alias]\nhosts.db = [\"db-*\"]\n[role.x]\nmembers = [\"@hosts.db\"]",
        "p:4:12: `@hosts.db` cannot stand here; only `@users.…` can",
    );
}

#[test]
fn time_zones_of_a_host_that_has_none_are_told_how_to_come_by() {
    let sources = [source(
        "p",
        &when("hours = \"daily 08:00-18:00 Europe/Berlin\""),
    )];
    let wrong = load(&sources, &HostFacts::default(), &an_hour()).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "p:2:24: `daily 08:00-18:00 Europe/Berlin`: no time zone can be looked up on this host; \
         install tzdata, or write UTC"
    );
}

#[test]
fn attributes_that_are_none_are_refused() {
    for (member, why) in [
        (
            "attr:",
            "an attribute is written as in `attr:department=dba`",
        ),
        (
            "attr:department",
            "an attribute is written as in `attr:department=dba`",
        ),
        ("attr:=dba", "no name of an attribute looks like that"),
        ("attr:a b=dba", "no name of an attribute looks like that"),
        ("attr:1=dba", "no name of an attribute looks like that"),
        ("attr:department=", "the value is missing"),
        (
            "attr:department= dba",
            "a value has no space at its ends and no control characters",
        ),
        (
            "attr:department=d*",
            "there are no wildcards here; write one entry for each value",
        ),
    ] {
        one(
            &format!("[role.x]\nmembers = [\"{member}\"]"),
            &format!("p:2:12: `{member}`: {why}"),
        );
    }
    let good = "members = [\"attr:departmentNumber=10-1=a\", \"attr:ou=Data Bases\"]";
    assert!(told(&format!("[role.x]\n{good}")).is_empty());
}

#[test]
fn what_a_login_owes_is_said_once() {
    let more = "[role.lead]\nlogin.require = {}\nlogin.when.hosts = [\"a\"]";
    assert!(try_load(&[PEOPLE, more]).is_ok());
    let wrong = try_load(&[more, more]).unwrap_err().to_string();
    assert_eq!(
        wrong,
        "1.toml:2:7: `login.require` of role `lead` is given twice; first at 0.toml:2:7"
    );
}
