//! A session whose terminal is held, because nobody pressed a key for long: the leader asks for a
//! code in our name, and what was typed is verified here.

use elevate_protocol::launch::ToLeader;
use elevate_protocol::{Id, Secret};

use super::Daemon;
use crate::audit;
use crate::clock::Moment;
use crate::elevation::Elevation;

const PROMPT: &str = "Verification code: ";

/// Have the person at session `id` asked.
pub(super) fn ask(daemon: &Daemon, id: Id) {
    if let Some(elevation) = daemon.elevation(id) {
        daemon.record(audit::held(&elevation, true));
        prompt(daemon, id, None);
    }
}

/// After a restart: the leader of session `id` may hold its terminal and wait for the question, which
/// was lost with who was to ask it. One that holds nothing, or asks already, heeds no order to ask.
pub(super) fn ask_again(daemon: &Daemon, elevation: &Elevation) {
    if elevation.terms.idle.is_some() {
        prompt(daemon, elevation.id, None);
    }
}

/// Let the session go on if `code` is right, and ask again if not. For how long that may go on is
/// the leader's to say.
pub(super) async fn check(daemon: &Daemon, id: Id, code: Secret) {
    let Some(elevation) = daemon.elevation(id) else {
        return;
    };
    let account = &elevation.asked.caller.account;
    let whose = (account.name.as_str(), account.uid);
    let purpose = format!("session {id}");
    match daemon.factors.verify(account, &code, Moment::now()).await {
        Ok(accepted) => {
            daemon.record(audit::factor_given(whose, &purpose, accepted.word()));
            daemon.record(audit::held(&elevation, false));
            daemon.order(id, ToLeader::Release);
        }
        Err(rejected) => {
            let why = rejected.to_string();
            daemon.record(audit::factor_refused(
                whose,
                &purpose,
                (rejected.word(), &why),
            ));
            prompt(daemon, id, Some(&why));
        }
    }
}

fn prompt(daemon: &Daemon, id: Id, why: Option<&str>) {
    let prompt = match why {
        Some(why) => format!("{why}. {PROMPT}"),
        None => PROMPT.to_owned(),
    };
    daemon.order(id, ToLeader::AskCode { prompt });
}
