//! The conversation behind `elevate COMMAND`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use elevate_policy::{Allowance, Mfa};
use elevate_protocol::stream::ToClient;
use elevate_protocol::{ErrorName, Id, seqpacket};

use super::account::AccountCheck;
use super::arrival::Arrival;
use super::ask::Ask;
use super::factor;
use super::judge::{self, Answer};
use super::kept;
use super::launch;
use super::proof::{self, Proved};
use super::reason::{interaction, reason};
use super::stream::{Refusal, Stop, Stream};
use super::terms;
use super::ticket::ticket;
use super::wait;
use crate::clock::Moment;
use crate::daemon::Daemon;
use crate::elevation::{Asked, Caller, Digest, Elevation, Event, Given, Shown, Stage};

/// What was judged, and PAM's word, count for no longer: a client can take its time to answer a
/// question.
pub(super) const MOMENT: Duration = Duration::from_millis(100);

/// Hold the conversation of request `id`, from hello to the leader's taking over.
pub async fn elevate(daemon: Arc<Daemon>, uid: u32, id: Id, ask: Ask, stream: Stream) {
    match request(&daemon, uid, id, ask, &stream).await {
        Ok(account) => wait::until_granted(daemon, id, stream, false, account).await,
        Err(Stop::Refused(refusal)) => stream.refuse(&refusal).await,
        Err(Stop::Gone) => {}
    }
}

/// Go on with the conversation of a request that waited when the daemon was restarted.
pub async fn resume(daemon: Arc<Daemon>, id: Id, stream: Stream) {
    daemon.expect_news(id);
    wait::until_granted(daemon, id, stream, true, None).await;
}

/// File the request; every refusal is on record.
async fn request(
    daemon: &Arc<Daemon>,
    uid: u32,
    id: Id,
    ask: Ask,
    stream: &Stream,
) -> Result<Option<AccountCheck>, Stop> {
    let filed = file(daemon, uid, id, &ask, stream).await;
    if let Err(Stop::Refused(refusal)) = &filed {
        daemon.record_refused_ask(id, uid, &ask, &refusal.message);
    }
    filed
}

async fn file(
    daemon: &Arc<Daemon>,
    uid: u32,
    id: Id,
    ask: &Ask,
    stream: &Stream,
) -> Result<Option<AccountCheck>, Stop> {
    let proved = proof::prove(daemon, stream, uid).await?;
    let account = AccountCheck::begin_early(daemon, id, uid, proved.pid).await;
    let elevation = build(daemon, uid, id, ask, &proved, stream).await?;
    stand(daemon, elevation).await?;
    Ok(account)
}

/// File what was judged, for whoever waits to hear of it.
pub(super) async fn stand(daemon: &Daemon, elevation: Elevation) -> Result<(), Stop> {
    let (id, uid) = (elevation.id, elevation.asked.caller.account.uid);
    daemon.expect_news(id);
    let applied = daemon.apply(Event::Asked(Box::new(elevation))).await;
    let stands = match applied {
        Ok(()) => still_counts(daemon, uid, id).await.map_err(Stop::from),
        Err(problem) => Err(problem.into()),
    };
    stands.inspect_err(|_| daemon.forget_news(id))
}

/// Whether the caller still has an account, now that what they asked for is filed. They may have left
/// on the way here, and what a leaver has was ended before there was this.
pub(super) async fn still_counts(daemon: &Daemon, uid: u32, id: Id) -> Result<(), Refusal> {
    let counts = judge::account(daemon, uid).await.map(drop);
    if counts.is_err() {
        wait::take_back(daemon, id, "the requester has no account any more").await;
    }
    counts
}

/// Everything that must be known before a request stands.
async fn build(
    daemon: &Arc<Daemon>,
    uid: u32,
    id: Id,
    ask: &Ask,
    proved: &Proved,
    stream: &Stream,
) -> Result<Elevation, Stop> {
    for text in daemon.role_conflicts(uid).await {
        stream.send(&ToClient::Notice { text }).await?;
    }
    let arrival = Arrival::of(daemon, uid, Some(&proved.login));
    let mut answer = judge::judge(daemon, id, (uid, &arrival), ask, false).await?;
    let judged = Instant::now();
    let (_, allowance) = answer.allowance()?;
    let needed = allowance.owed.approvals;
    if allowance.session.watched && ask.non_interactive {
        let message = "this runs only while an auditor watches, and -n waits for nobody";
        return Err(interaction(message).into());
    }
    if needed > 0 && ask.non_interactive {
        return Err(interaction("this needs an approval, and -n waits for nobody").into());
    }
    if allowance.limit.idle.is_some() && ask.window.is_some() {
        factor::enrolled(daemon, &answer.caller)?;
    }
    let factor = factor(
        daemon,
        stream,
        &answer,
        (id, ask),
        proved,
        allowance.owed.mfa,
    )
    .await?;
    let reason = reason(
        ask.reason.as_deref(),
        allowance.owed,
        ask.may_be_asked(),
        stream,
    )
    .await?;
    let ticket = ticket(
        ask.ticket.as_deref(),
        allowance.ticket.as_ref(),
        ask.may_be_asked(),
        stream,
    )
    .await?;
    let kept = kept::environment(ask, allowance, stream).await?;
    if judged.elapsed() > MOMENT {
        answer = judge::again(daemon, id, (uid, &arrival), ask, answer).await?;
    }
    let (subject, allowance) = answer.allowance()?;
    let subject = match needed {
        0 => subject,
        _ => judge::hashed(daemon, id, &answer, ask, subject).await?,
    };
    let asked = Asked {
        caller: Caller {
            account: answer.caller.clone(),
            login_uid: proved.login.uid,
            pid: proved.pid,
        },
        target: answer.target.clone(),
        target_group: answer.target_group.clone(),
        argv: answer.argv.clone(),
        subject,
        cwd: answer.cwd.clone(),
        environment: kept,
        stdio: ask.stdio,
        umask: ask.umask,
        window: ask.window,
        reason,
        ticket,
        duration: Duration::ZERO,
    };
    Ok(standing(daemon, id, asked, factor, allowance, &answer)?)
}

/// The second factor that the rule wants.
async fn factor(
    daemon: &Daemon,
    stream: &Stream,
    answer: &Answer,
    (id, ask): (Id, &Ask),
    proved: &Proved,
    mfa: Option<Mfa>,
) -> Result<Given, Stop> {
    let asked = factor::Asked {
        account: &answer.caller,
        proved,
        purpose: &format!("elevate {id}"),
    };
    let mfa = match ask.forget {
        true => mfa.map(|_| Mfa::Always),
        false => mfa,
    };
    factor::owe(daemon, stream, asked, mfa, ask.may_be_asked()).await
}

fn standing(
    daemon: &Daemon,
    id: Id,
    mut asked: Asked,
    factor: Given,
    allowance: &Allowance,
    answer: &Answer,
) -> Result<Elevation, Refusal> {
    let now = Moment::now();
    let terms = terms::of(allowance, now);
    asked.duration = terms.default;
    let rule = allowance.rule.to_string();
    let rule_content = answer
        .policy
        .content_digest(&allowance.rule)
        .map(Digest::from)
        .ok_or_else(|| Refusal::new(ErrorName::Changed, "the policy changed; ask again"))?;
    let machine = &daemon.host.machine_id;
    let digest = Shown::new(machine, &asked, (&rule, rule_content), None).digest();
    let approvers = answer.policy.approvers_of(&allowance.rule);
    Ok(Elevation {
        id,
        rule_content,
        digest,
        factor,
        needed: allowance.owed.approvals,
        each: allowance.owed.each,
        approvers: approvers.iter().map(ToString::to_string).collect(),
        expires: terms.lapse(now, daemon.settings.request_timeout),
        terms,
        requested: now,
        votes: Vec::new(),
        stage: Stage::Waiting,
        begun: None,
        deadline: None,
        processes: None,
        execs: 0,
        extends: None,
        rule,
        asked,
    })
}

/// Start the session of a grant: from here on the leader talks to the client. `account` is PAM's
/// word on the caller, where it was asked for early.
pub(super) async fn start(
    daemon: &Arc<Daemon>,
    id: Id,
    stream: Stream,
    account: Option<AccountCheck>,
) {
    let Some(elevation) = daemon.elevation(id) else {
        return;
    };
    let failed = |message: String| Event::Failed {
        id,
        error: ErrorName::Unavailable,
        message,
    };
    let account = match account.filter(AccountCheck::is_recent) {
        Some(account) => Ok(account),
        None => {
            let caller = &elevation.asked.caller;
            AccountCheck::begin(daemon, id, &caller.account.name, caller.pid).await
        }
    };
    let (account, (ours, theirs)) = match account.and_then(|it| Ok((it, seqpacket::pair()?))) {
        Ok(all) => all,
        Err(error) => return refuse_start(daemon, failed(error.to_string()), &stream).await,
    };
    if let Err(error) = daemon.lead(&elevation, ours) {
        return refuse_start(daemon, failed(error.to_string()), &stream).await;
    }
    let socket = stream.into_socket();
    let copy = socket.try_clone();
    let order = launch::order(daemon, &elevation);
    if let Err(error) = daemon
        .launcher
        .lead(&order, [theirs, socket, account.reply])
        .await
    {
        let message = format!("the launcher can't be reached: {error}");
        if let Ok(stream) = copy.and_then(Stream::new) {
            refuse_start(daemon, failed(message), &stream).await;
        }
    }
}

async fn refuse_start(daemon: &Arc<Daemon>, event: Event, stream: &Stream) {
    if let Event::Failed { error, message, .. } = &event {
        stream.refuse(&Refusal::new(*error, message.clone())).await;
    }
    // A session that is over already needs no second end.
    let _ = daemon.apply(event).await;
}
