//! From what the policy says of a session to what its leader is told.

use elevate_policy::{self as policy, Allowance};
use elevate_protocol::launch::{Confinement, Execs, OnFull, Record};

use crate::elevation::Terms;

/// How a session of this allowance runs.
pub(super) fn of(allowance: &Allowance) -> Terms {
    let Allowance { limit, session, .. } = allowance;
    Terms {
        longest: limit.max.max(limit.granted),
        default: limit.granted,
        grace: std::time::Duration::ZERO,
        idle: None,
        tasks: limit.tasks,
        memory: None,
        cpu: None,
        record: match session.record {
            policy::Record::None => Record::None,
            policy::Record::Output => Record::Output,
        },
        on_full: OnFull::End,
        execs: match session.execs {
            policy::Execs::None => Execs::None,
            policy::Execs::Log => Execs::Log,
        },
        watched: false,
        confinement: Confinement::default(),
    }
}
