//! The conversations behind `elevatectl mfa enrol`, `remove` and `recovery-codes`.

use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::account::Account;
use elevate_protocol::limits::CODE_TRIES;
use elevate_protocol::stream::ToClient;
use elevate_protocol::{ErrorName, Secret};

use super::factor::{self, Asked};
use super::proof::{self, Proved};
use super::stream::{Refusal, Stop, Stream};
use crate::audit::{self, FactorChange as Change};
use crate::clock::Moment;
use crate::daemon::Daemon;
use crate::factors::{Pending, Rejected};

/// How long somebody may take to bring a new secret into their authenticator.
const ENROL_TIME: Duration = Duration::from_secs(10 * 60);

/// What is to be done with somebody's factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaOrder {
    /// Enrol one.
    Enrol,
    /// Remove it.
    Remove,
    /// Replace its recovery codes.
    Renew,
}

impl MfaOrder {
    /// For the record: "refused alice to … bob".
    pub fn action(self) -> &'static str {
        match self {
            MfaOrder::Enrol => "enrol a second factor of",
            MfaOrder::Remove => "remove the second factor of",
            MfaOrder::Renew => "replace the recovery codes of",
        }
    }
}

/// Have the client of `uid` prove itself, and do what they order with the factor of `user`, or
/// with their own where that is empty.
pub async fn mfa(daemon: Arc<Daemon>, uid: u32, order: MfaOrder, user: String, stream: Stream) {
    match carry_out(&daemon, uid, order, &user, &stream).await {
        Ok(()) => {
            // Whoever is gone has their answer in the record.
            let _ = stream.send(&ToClient::Done).await;
        }
        Err(Stop::Refused(refusal)) => {
            let name = daemon.name_of(uid);
            let whose = if user.is_empty() { &name } else { &user };
            let why = &refusal.message;
            daemon.record(audit::refused_vote(
                whose,
                (&name, uid),
                order.action(),
                why,
            ));
            stream.refuse(&refusal).await;
        }
        Err(Stop::Gone) => {}
    }
}

async fn carry_out(
    daemon: &Daemon,
    uid: u32,
    order: MfaOrder,
    user: &str,
    stream: &Stream,
) -> Result<(), Stop> {
    let proved = proof::prove(daemon, stream, uid).await?;
    let account = whose(daemon, uid, order, user).await?;
    allowed(uid, &account, &proved)?;
    let by = daemon.name_of(uid);
    let change = Change {
        whose: (&account.name, account.uid),
        by: &by,
        login_uid: proved.login.uid,
    };
    let own = account.uid == uid;
    // A factor that nobody can verify any more, root's own too, must be removed to be made anew.
    let lost = order == MfaOrder::Remove && uid == 0 && daemon.factors.is_lost(&account);
    if order != MfaOrder::Enrol && own && !lost {
        let purpose = match order {
            MfaOrder::Remove => "removing the factor",
            _ => "new recovery codes",
        };
        let asked = Asked {
            account: &account,
            proved: &proved,
            purpose,
        };
        factor::ask(daemon, stream, asked).await?;
    }
    match order {
        MfaOrder::Enrol => enrol(daemon, stream, uid, &proved, &account, change).await,
        MfaOrder::Remove => remove(daemon, &account, change).await,
        MfaOrder::Renew => renew(daemon, stream, &account, change).await,
    }
}

/// Whose factor it is about. Root may remove that of somebody who is here no more.
async fn whose(daemon: &Daemon, uid: u32, order: MfaOrder, user: &str) -> Result<Account, Refusal> {
    let (_, accounts) = daemon.facts().await?;
    if user.is_empty() {
        return accounts.by_uid(uid).map_err(|_| {
            let message = format!("uid {uid} has no account on this host");
            Refusal::new(ErrorName::NotFound, message)
        });
    }
    let found = accounts.by_name(user).ok();
    if uid != 0 && found.as_ref().map(|account| account.uid) != Some(uid) {
        return Err(Refusal::new(
            ErrorName::NotAuthorized,
            "only root may change somebody else's second factor",
        ));
    }
    let gone = || Account {
        name: user.to_owned(),
        uid: daemon.factors.owner(user).unwrap_or(u32::MAX),
        gid: u32::MAX,
        groups: Vec::new(),
        home: "/".into(),
        shell: "/bin/false".into(),
    };
    match found {
        Some(account) => Ok(account),
        None if order == MfaOrder::Remove && daemon.factors.is_kept(user) => Ok(gone()),
        None => Err(Refusal::new(
            ErrorName::NotFound,
            format!(
                "there is no user {} on this host",
                elevate_protocol::escape::line(user.as_bytes())
            ),
        )),
    }
}

/// Whether the process may change this factor.
pub(super) fn allowed(uid: u32, account: &Account, proved: &Proved) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(Refusal::new(ErrorName::NotAuthorized, message));
    let login = &proved.login;
    if account.uid == uid {
        if login.elevated {
            return refuse("a second factor is not changed from an elevated session");
        }
        if login.uid != Some(uid) {
            return refuse(
                "a second factor is changed only from a login of your own (not through su, cron \
                 or a service)",
            );
        }
    } else if login.uid == Some(account.uid) {
        // Root by way of one's own login: whoever took over that login must not take the factor.
        return refuse("root changes the factors of others; change your own as yourself")
            .map_err(|refusal| refusal.hint("another administrator can do it for you"));
    }
    Ok(())
}

async fn enrol(
    daemon: &Daemon,
    stream: &Stream,
    uid: u32,
    proved: &Proved,
    account: &Account,
    change: Change<'_>,
) -> Result<(), Stop> {
    let pending = daemon
        .factors
        .enrol(account)
        .map_err(|rejected| factor::refusal(&rejected))?;
    let shown = ToClient::Enrolment {
        uri: pending.uri.clone(),
        secret: pending.base32.clone(),
    };
    stream.send(&shown).await?;
    let codes = confirmed(daemon, stream, uid, proved, account, &pending).await?;
    daemon.freshness.forget(account.uid);
    daemon.record(audit::factor_enrolled(change));
    Ok(stream.send(&ToClient::RecoveryCodes { codes }).await?)
}

/// Ask for codes until one was made with the new secret.
async fn confirmed(
    daemon: &Daemon,
    stream: &Stream,
    uid: u32,
    proved: &Proved,
    account: &Account,
    pending: &Pending,
) -> Result<Vec<Secret>, Stop> {
    let mut tries = 1;
    loop {
        let code = factor::code(stream, proved, uid, ENROL_TIME).await?;
        let confirmed = daemon
            .factors
            .confirm(account, pending, &code, Moment::now())
            .await;
        match confirmed {
            Ok(codes) => return Ok(codes),
            Err(Rejected::Wrong) if tries < CODE_TRIES => {
                tries += 1;
                factor::tell(stream, &Rejected::Wrong).await?;
            }
            Err(Rejected::Wrong) => {
                let message = "no code fitted the secret that was shown; nothing was enrolled";
                return Err(Refusal::new(ErrorName::Denied, message)
                    .hint("check the clocks of this host and of the authenticator")
                    .into());
            }
            Err(rejected) => return Err(factor::refusal(&rejected).into()),
        }
    }
}

async fn remove(daemon: &Daemon, account: &Account, change: Change<'_>) -> Result<(), Stop> {
    let removed = daemon.factors.remove(&account.name).await;
    removed.map_err(|rejected| none_to_change(&rejected))?;
    daemon.freshness.forget(account.uid);
    daemon.record(audit::factor_removed(change));
    Ok(())
}

async fn renew(
    daemon: &Daemon,
    stream: &Stream,
    account: &Account,
    change: Change<'_>,
) -> Result<(), Stop> {
    let renewed = daemon.factors.renew(account).await;
    let codes = renewed.map_err(|rejected| none_to_change(&rejected))?;
    daemon.record(audit::factor_renewed(change));
    Ok(stream.send(&ToClient::RecoveryCodes { codes }).await?)
}

fn none_to_change(rejected: &Rejected) -> Refusal {
    match rejected {
        Rejected::NotEnrolled => Refusal::new(ErrorName::NotFound, rejected.to_string()),
        other => factor::refusal(other),
    }
}
