//! Which logins are recorded.

mod common;

use common::{PEOPLE, Town, one, told, try_load};
use elevate_policy::{LoginQuestion, LoginVerdict, RoleName};

fn login(text: &str, user: &str, service: &str) -> LoginVerdict {
    let question = LoginQuestion {
        user,
        host: &["db-1"],
        service,
        from: None,
        at: "2026-01-05T11:00:00Z".parse().unwrap(),
    };
    let policy = try_load(&[text]).unwrap_or_else(|wrong| panic!("{wrong}"));
    policy.login(&question, &Town)
}

#[track_caller]
fn is_recorded(text: &str, user: &str, service: &str) -> bool {
    match login(text, user, service) {
        LoginVerdict::Admitted { record, .. } => record,
        LoginVerdict::Refused { why } => panic!("refused: {why}"),
    }
}

fn dba(record: &str) -> String {
    format!("[role.dba]\nmembers = [\"alice\", \"%ops\"]\n{record}\n")
}

#[test]
fn a_login_is_recorded_where_its_role_says_so() {
    assert!(!is_recorded(&dba(""), "alice", "sshd"));
    assert!(!is_recorded(
        &dba("login.record = \"none\""),
        "alice",
        "sshd"
    ));
    assert!(is_recorded(
        &dba("login.record = \"output\""),
        "alice",
        "sshd"
    ));
}

#[test]
fn nobody_comes_in_unrecorded_by_another_role_that_demands_less() {
    let recorded = dba("login.record = \"output\"\nlogin.when.services = [\"sshd\"]");
    let easy = "[role.easy]\nmembers = [\"alice\", \"bob\", \"dave\"]\nlogin.require = {}\n";
    let both = format!("{recorded}{easy}");
    match login(&both, "alice", "sshd") {
        LoginVerdict::Admitted {
            role, mfa, record, ..
        } => {
            assert_eq!(role, RoleName::new("easy").unwrap());
            assert_eq!((mfa, record), (None, true));
        }
        LoginVerdict::Refused { why } => panic!("refused: {why}"),
    }
    // Where the recorded role doesn't let in, it doesn't count.
    assert!(!is_recorded(&both, "alice", "login"));
    assert!(!is_recorded(&both, "bob", "sshd"));
    // Whether dave is in %ops cannot be found out.
    assert!(is_recorded(&both, "dave", "sshd"));
}

#[test]
fn a_wrong_record_of_logins_is_told() {
    for good in ["none", "output"] {
        assert!(told(&format!("[role.x]\nlogin.record = \"{good}\"")).is_empty());
    }
    one(
        "[role.x]\nlogin.record = \"full\"",
        "p:2:16: unknown record `full`; it is \"none\" or \"output\"",
    );
    one(
        "[role.x]\nlogin.record = true",
        "p:2:16: `record` takes a string in quotes, and this is of type boolean",
    );
    let twice = "[role.lead]\nlogin.record = \"output\"";
    assert!(try_load(&[PEOPLE, twice]).is_ok());
    assert_eq!(
        try_load(&[twice, twice]).unwrap_err().to_string(),
        "1.toml:2:7: `login.record` of role `lead` is given twice; first at 0.toml:2:7"
    );
}
