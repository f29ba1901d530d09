//! What each call of the module comes to.

use std::sync::Arc;
use std::time::Duration;

use elevate_policy::{LoginQuestion, LoginVerdict, Origin};
use elevate_protocol::Secret;
use elevate_protocol::account::Account;
use elevate_protocol::limits::CODE_BYTES;
use elevate_protocol::login::{Login, Step};
use tokio::time::{Instant, sleep_until};

use super::peer::Caller;
use crate::audit;
use crate::clock::Moment;
use crate::daemon::Daemon;
use crate::factors::{Accepted, Rejected};
use crate::login::{Demand, Given, OpenLogin, Passed, demand, origin};
use crate::process;

/// What anybody hears who is not let in, whatever the reason.
const REFUSED: &str = "Login refused";
/// A no to a code comes so long after it was typed, whatever the reason: how long it took to find
/// out tells nothing.
const DELAY: Duration = Duration::from_secs(1);

/// The service whose logins have an audit session, or can't be recorded.
const SSHD: &str = "sshd";

/// An authentication that waits for a code.
pub(super) struct Authentication {
    login: Login,
    account: Option<Account>,
    demand: Demand,
}

/// Begin. Whoever can't come in is asked for a code all the same, and refused after it: the
/// question tells nobody whether a user exists, is enrolled or is locked.
pub(super) async fn begin(
    daemon: &Arc<Daemon>,
    login: Login,
) -> (Result<Step, String>, Option<Authentication>) {
    let (account, demand) = match owed(daemon, &login).await {
        Ok(owed) => owed,
        Err(why) => {
            daemon.record(audit::login_refused(&login, None, &why));
            return (Err(REFUSED.into()), None);
        }
    };
    // Nothing of it is remembered: `admit` comes to the same by itself, and where it does not, what
    // was not given can't count.
    if let (Some(_), Demand::Nothing { .. }) = (&account, &demand) {
        return (Ok(Step::Passed), None);
    }
    let ask = Step::Ask {
        prompt: "Verification code: ".into(),
        echo: false,
    };
    let waiting = Authentication {
        login,
        account,
        demand,
    };
    (Ok(ask), Some(waiting))
}

/// Too many of the same person's are under way.
pub(super) fn crowded(daemon: &Daemon, login: &Login, why: &str) -> String {
    daemon.record(audit::login_refused(login, None, why));
    REFUSED.into()
}

/// The code was typed.
pub(super) async fn answer(
    daemon: &Arc<Daemon>,
    caller: &Caller,
    authentication: Authentication,
    code: Secret,
) -> Result<Step, String> {
    let no_sooner = Instant::now() + DELAY;
    let Authentication {
        login,
        account,
        demand,
    } = authentication;
    let uid = account.as_ref().map(|account| account.uid);
    let why = match (account, demand) {
        (_, Demand::Never { why }) => why,
        (None, _) => "there is no such account here".into(),
        (Some(account), _) => match verify(daemon, &account, &code).await {
            Ok(given) => {
                note(daemon, caller, &login, account.uid, given);
                return Ok(Step::Passed);
            }
            Err(why) => why,
        },
    };
    daemon.record(audit::login_refused(&login, uid, &why));
    sleep_until(no_sooner).await;
    Err(REFUSED.into())
}

async fn verify(daemon: &Daemon, account: &Account, code: &Secret) -> Result<Given, String> {
    if code.reveal().len() > CODE_BYTES {
        return Err(format!(
            "the code is longer than {CODE_BYTES} bytes (CODE_BYTES)"
        ));
    }
    match daemon.factors.verify(account, code, Moment::now()).await {
        Ok(Accepted::Totp) => Ok(Given::Totp),
        Ok(Accepted::Recovery) => Ok(Given::Recovery),
        Err(rejected) => Err(reason(&rejected)),
    }
}

fn reason(rejected: &Rejected) -> String {
    match rejected {
        Rejected::NotEnrolled => "no second factor is enrolled".into(),
        other => other.to_string(),
    }
}

/// The account phase: key-only logins come here without having authenticated.
pub(super) async fn admit(
    daemon: &Arc<Daemon>,
    caller: &Caller,
    login: &Login,
) -> Result<Option<String>, String> {
    let Admitted {
        account,
        given,
        role,
        ..
    } = match admitted(daemon, caller, login).await {
        Ok(admitted) => admitted,
        Err(Refusal { uid, why, told }) => {
            if let Some(uid) = uid {
                daemon.role_conflicts(uid).await;
            }
            daemon.record(audit::login_refused(login, uid, &why));
            return Err(told);
        }
    };
    daemon.role_conflicts(account.uid).await;
    daemon.record(audit::login(login, account.uid, &role, given.word()));
    Ok(None)
}

struct Refusal {
    uid: Option<u32>,
    why: String,
    told: String,
}

/// Somebody who may come in.
struct Admitted {
    account: Account,
    given: Given,
    role: String,
    record: bool,
}

async fn admitted(
    daemon: &Arc<Daemon>,
    caller: &Caller,
    login: &Login,
) -> Result<Admitted, Refusal> {
    let refused = |uid: Option<u32>, why: String| Refusal {
        uid,
        why,
        told: REFUSED.into(),
    };
    let (account, demand) = owed(daemon, login)
        .await
        .map_err(|why| refused(None, why))?;
    let uid = account.as_ref().map(|account| account.uid);
    let (account, role, record) = match (account, demand) {
        (Some(account), Demand::Nothing { role, record }) => {
            return Ok(Admitted {
                account,
                given: Given::Nothing,
                role,
                record,
            });
        }
        (Some(account), Demand::Code { role, record }) => (account, role, record),
        (_, Demand::Never { why }) => return Err(refused(uid, why)),
        (None, _) => return Err(refused(None, "there is no such account here".into())),
    };
    let given = daemon.given(login, account.uid, caller.process);
    match given.filter(|given| given.is_factor()) {
        Some(given) => Ok(Admitted {
            account,
            given,
            role,
            record,
        }),
        None => Err(Refusal {
            uid,
            why: "a code is owed and this login was never asked for one".into(),
            told: no_code(&login.service).into(),
        }),
    }
}

fn no_code(service: &str) -> &'static str {
    match service {
        "sshd" => {
            "Login refused: a code is owed, and sshd must ask for it \
             (AuthenticationMethods publickey,keyboard-interactive)"
        }
        _ => "Login refused: a code is owed, and this service did not ask for it",
    }
}

/// The session opens. What was true at the door must still be.
pub(super) async fn open(
    daemon: &Arc<Daemon>,
    caller: &Caller,
    login: Login,
) -> Result<(), String> {
    let Admitted {
        account,
        given,
        role,
        record,
    } = match admitted(daemon, caller, &login).await {
        Ok(admitted) => admitted,
        Err(Refusal { uid, why, told }) => {
            daemon.record(audit::login_refused(&login, uid, &why));
            return Err(told);
        }
    };
    let uid = account.uid;
    let pid = caller.process.pid;
    let audit_session = process::audit_session(pid).ok().flatten();
    let login_uid = process::login(pid).ok().and_then(|login| login.uid);
    // pam_loginuid comes before us in the stack; without it nothing ties later calls to this login.
    let audit_session = audit_session.filter(|_| login_uid == Some(uid));
    // Through su nobody gets an audit session of their own: the login behind it is recorded, or not.
    let recorded = record && (audit_session.is_some() || login.service == SSHD);
    if recorded && audit_session.is_none() {
        let why = "it must be recorded, and pam_loginuid gave it no audit session";
        daemon.record(audit::login_refused(&login, Some(uid), why));
        return Err(REFUSED.into());
    }
    daemon.record(audit::login_session(&login, Some(uid), audit_session, true));
    daemon.opened(OpenLogin {
        login,
        uid,
        process: caller.process,
        audit_session,
        given,
        recorded: recorded.then_some(role),
        shell_began: false,
    });
    if recorded {
        daemon.expect_shell(caller.process);
    }
    Ok(())
}

/// The session closes; what nobody opened closes too, without a word.
pub(super) fn close(daemon: &Daemon, caller: &Caller, login: &Login) {
    if let Some(open) = daemon.closed(caller.process, &login.user) {
        let OpenLogin {
            login,
            uid,
            audit_session,
            ..
        } = open;
        daemon.record(audit::login_session(
            &login,
            Some(uid),
            audit_session,
            false,
        ));
    }
}

fn note(daemon: &Daemon, caller: &Caller, login: &Login, uid: u32, given: Given) {
    daemon.passed(Passed {
        login: login.clone(),
        uid,
        process: caller.process,
        parent: caller.parent,
        given,
        at: Moment::now(),
    });
}

/// Who it is, and what they owe.
async fn owed(daemon: &Arc<Daemon>, login: &Login) -> Result<(Option<Account>, Demand), String> {
    let (policy, accounts) = daemon
        .facts()
        .await
        .map_err(|refusal| format!("nothing can be decided now: {}", refusal.message))?;
    let account = accounts.by_name(&login.user);
    if let Err(unknown) = account {
        // The record tells an admin what the person at the door is not told.
        let why = daemon.why_unknown(&login.user, unknown);
        return Ok((None, Demand::Never { why }));
    }
    let names = daemon.host.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let question = LoginQuestion {
        user: &login.user,
        host: &names,
        service: &login.service,
        from: match origin(login) {
            Origin::Address(address) => Some(address),
            Origin::Here | Origin::Unknown => None,
        },
        at: jiff::Timestamp::now(),
    };
    let verdict: LoginVerdict = policy.login(&question, &*accounts);
    let demand = demand(account.as_ref(), verdict);
    Ok((account.ok(), demand))
}
