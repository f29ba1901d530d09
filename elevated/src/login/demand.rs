//! From a verdict to what is asked for at the door.

use elevate_policy::LoginVerdict;
use elevate_protocol::account::Account;
use elevate_protocol::paths::RECORDED_SHELL;

use crate::identity::UnknownAccount;

/// What a login owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// Nothing more.
    Nothing {
        /// The role that admits it.
        role: String,
        /// Whether it is recorded.
        record: bool,
    },
    /// A code. A login is new, so that none can be fresh.
    Code {
        /// The role that admits it.
        role: String,
        /// Whether it is recorded.
        record: bool,
    },
    /// It will not be, whatever is given.
    Never {
        /// Why, for the record alone.
        why: String,
    },
}

/// What the policy and the accounts make of a login.
pub fn demand(account: Result<&Account, &UnknownAccount>, verdict: LoginVerdict) -> Demand {
    match (account, verdict) {
        (Err(unknown), _) => Demand::Never {
            why: unknown.to_string(),
        },
        (_, LoginVerdict::Refused { why }) => Demand::Never { why },
        (Ok(account), LoginVerdict::Admitted { record: true, .. })
            if account.shell != RECORDED_SHELL =>
        {
            let why = format!(
                "a role of theirs records logins, and their shell is {} and not {RECORDED_SHELL}",
                account.shell
            );
            Demand::Never { why }
        }
        (
            _,
            LoginVerdict::Admitted {
                role, mfa, record, ..
            },
        ) => {
            let role = role.to_string();
            match mfa {
                None => Demand::Nothing { role, record },
                Some(_) => Demand::Code { role, record },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elevate_policy::{Mfa, RoleName};

    fn admitted(mfa: Option<Mfa>) -> LoginVerdict {
        LoginVerdict::Admitted {
            role: RoleName::new("web").unwrap(),
            mfa,
            record: false,
            until: None,
        }
    }

    fn account() -> Account {
        Account {
            name: "alice".into(),
            uid: 5000,
            gid: 5000,
            groups: vec![5000],
            home: "/home/alice".into(),
            shell: "/bin/bash".into(),
        }
    }

    #[test]
    fn a_new_login_owes_a_code_however_old_one_may_be() {
        let role = "web".to_owned();
        let within = Mfa::Within(std::time::Duration::from_secs(3600));
        for mfa in [Mfa::Always, within] {
            let demand = demand(Ok(&account()), admitted(Some(mfa)));
            let role = role.clone();
            assert_eq!(
                demand,
                Demand::Code {
                    role,
                    record: false
                }
            );
        }
        let demand = demand(Ok(&account()), admitted(None));
        let record = false;
        assert_eq!(demand, Demand::Nothing { role, record });
    }

    #[test]
    fn a_login_that_must_be_recorded_comes_in_by_the_shell_that_records() {
        let recorded = || LoginVerdict::Admitted {
            role: RoleName::new("web").unwrap(),
            mfa: None,
            record: true,
            until: None,
        };
        let by_another = demand(Ok(&account()), recorded());
        assert!(matches!(by_another, Demand::Never { why } if why.contains(RECORDED_SHELL)));
        let account = Account {
            shell: RECORDED_SHELL.into(),
            ..account()
        };
        let (role, record) = ("web".to_owned(), true);
        let by_it = demand(Ok(&account), recorded());
        assert_eq!(by_it, Demand::Nothing { role, record });
    }

    #[test]
    fn nobody_is_admitted_without_an_account() {
        let demand = demand(Err(&UnknownAccount::Nobody), admitted(None));
        assert!(matches!(demand, Demand::Never { .. }));
    }
}
