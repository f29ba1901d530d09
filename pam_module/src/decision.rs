//! What a call of the module ends with. The one table of PAM codes.

use elevate_protocol::login;
use pam::constants::PamResultCode as Code;

use crate::asking::Outcome;

/// One of the module's functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Auth,
    Account,
    Open,
    Close,
}

impl Phase {
    /// As PAM files and [`login::Spooled`] call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Auth => "auth",
            Phase::Account => "account",
            Phase::Open | Phase::Close => "session",
        }
    }
}

/// What the module does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What it says to libpam.
    pub(crate) code: Code,
    /// What it did by itself, for the record.
    pub(crate) spool: Option<login::Outcome>,
}

/// `PAM_SUCCESS` comes from a yes of `elevated`'s and from nothing else; `rescued` says whether the
/// administrator's rescue covers this login. A no of `elevated`'s is never rescued.
pub(crate) fn decide(phase: Phase, outcome: &Outcome, rescued: bool) -> Verdict {
    let on_record = |spool| (phase != Phase::Close).then_some(spool);
    let (code, spool) = match outcome {
        Outcome::Passed(_) => (Code::PAM_SUCCESS, None),
        Outcome::Refused(_) => (refusal(phase), None),
        Outcome::Silence => (silence(phase), None),
        Outcome::Problem(_) if rescued => (Code::PAM_IGNORE, on_record(login::Outcome::Rescued)),
        Outcome::Problem(_) => (inability(phase), on_record(login::Outcome::Refused)),
    };
    Verdict { code, spool }
}

fn refusal(phase: Phase) -> Code {
    match phase {
        Phase::Auth => Code::PAM_AUTH_ERR,
        Phase::Account => Code::PAM_PERM_DENIED,
        Phase::Open => Code::PAM_SESSION_ERR,
        // A session that is over is over.
        Phase::Close => Code::PAM_IGNORE,
    }
}

fn silence(phase: Phase) -> Code {
    match phase {
        Phase::Auth => Code::PAM_CONV_ERR,
        _ => refusal(phase),
    }
}

fn inability(phase: Phase) -> Code {
    match phase {
        Phase::Auth => Code::PAM_AUTHINFO_UNAVAIL,
        _ => refusal(phase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    const PHASES: [Phase; 4] = [Phase::Auth, Phase::Account, Phase::Open, Phase::Close];

    fn problem() -> Outcome {
        Outcome::Problem(Problem::HungUp)
    }

    #[test]
    fn only_a_yes_is_success() {
        for phase in PHASES {
            for rescued in [false, true] {
                let code = |outcome: &Outcome| decide(phase, outcome, rescued).code;
                assert_eq!(code(&Outcome::Passed(None)), Code::PAM_SUCCESS);
                for outcome in [Outcome::Refused("no".into()), Outcome::Silence, problem()] {
                    assert_ne!(code(&outcome), Code::PAM_SUCCESS, "{phase:?} {outcome:?}");
                }
            }
        }
    }

    #[test]
    fn a_refusal_is_never_rescued_and_recorded_by_the_daemon_alone() {
        for phase in [Phase::Auth, Phase::Account, Phase::Open] {
            for outcome in [Outcome::Refused("no".into()), Outcome::Silence] {
                let verdict = decide(phase, &outcome, true);
                assert_eq!(verdict, decide(phase, &outcome, false));
                assert_ne!(verdict.code, Code::PAM_IGNORE);
                assert_eq!(verdict.spool, None);
            }
        }
    }

    #[test]
    fn without_an_answer_it_is_no_or_the_rescue_and_either_is_on_record() {
        for (phase, code) in [
            (Phase::Auth, Code::PAM_AUTHINFO_UNAVAIL),
            (Phase::Account, Code::PAM_PERM_DENIED),
            (Phase::Open, Code::PAM_SESSION_ERR),
        ] {
            let refused = decide(phase, &problem(), false);
            assert_eq!(refused.code, code);
            assert_eq!(refused.spool, Some(login::Outcome::Refused));
            let rescued = decide(phase, &problem(), true);
            assert_eq!(rescued.code, Code::PAM_IGNORE);
            assert_eq!(rescued.spool, Some(login::Outcome::Rescued));
        }
    }

    #[test]
    fn a_session_closes_whatever_the_daemon_says() {
        for outcome in [Outcome::Refused("no".into()), problem()] {
            let verdict = decide(Phase::Close, &outcome, false);
            assert_eq!((verdict.code, verdict.spool), (Code::PAM_IGNORE, None));
        }
    }
}
