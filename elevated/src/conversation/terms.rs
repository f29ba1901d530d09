//! From what the policy says of a session to what its leader is told.

use elevate_policy::{self as policy, Allowance, SessionSettings};
use elevate_protocol::launch::{Confinement, Contain, Execs, OnFull, Record};

use crate::elevation::Terms;

/// How a session of this allowance runs.
pub(super) fn of(allowance: &Allowance) -> Terms {
    let Allowance { limit, session, .. } = allowance;
    Terms {
        longest: limit.max.max(limit.granted),
        default: limit.granted,
        grace: limit.grace.unwrap_or_default(),
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
