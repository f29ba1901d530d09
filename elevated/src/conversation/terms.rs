//! From what the policy says of a session to what its leader is told.

use std::time::Duration;

use elevate_policy::{self as policy, Allowance, SessionSettings};
use elevate_protocol::launch::{Confinement, Contain, Execs, OnFull, Record};
use jiff::Timestamp;

use crate::clock::Moment;
use crate::elevation::Terms;

/// How a session of this allowance runs, asked for `now`.
pub(super) fn of(allowance: &Allowance, now: Moment) -> Terms {
    let Allowance { limit, session, .. } = allowance;
    // On the boot clock, which nobody can set.
    let left = |until: Timestamp| {
        let until = u64::try_from(until.as_millisecond()).unwrap_or_default();
        Duration::from_millis(until.saturating_sub(now.wall))
    };
    let left = limit.until.map(left);
    let granted = limit.granted.min(left.unwrap_or(limit.granted));
    Terms {
        longest: limit.max.max(limit.granted),
        until: left.map(|left| now.boot + left.as_millis() as u64),
        default: granted,
        // As short as the policy makes it for whoever asks for so little.
        grace: limit.grace.unwrap_or_default().min(granted / 2),
        idle: limit.idle,
        tasks: limit.tasks,
        memory: limit.memory,
        cpu: limit.cpu,
        record: match session.record {
            policy::Record::None => Record::None,
            policy::Record::Output => Record::Output,
            policy::Record::Full => Record::Full,
        },
        on_full: match session.on_full {
            policy::OnFull::End => OnFull::End,
            policy::OnFull::Refuse => OnFull::Refuse,
        },
        execs: match session.execs {
            policy::Execs::None => Execs::None,
            policy::Execs::Log => Execs::Log,
            policy::Execs::Deny => Execs::Deny,
        },
        watched: session.watched,
        confinement: confinement(session),
    }
}

fn confinement(session: &SessionSettings) -> Confinement {
    let contain = session.contain.as_ref().map(|contain| Contain {
        writable: contain
            .writable
            .iter()
            .map(|path| path.as_str().into())
            .collect(),
        network: contain.network,
    });
    Confinement {
        capabilities: session.capabilities.map(|capabilities| capabilities.mask()),
        contain,
    }
}
