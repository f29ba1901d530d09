//! What is put on record: one [`Entry`] per event, the same for every place it is written to.

mod entries;
mod entry;
mod factors;
mod identities;
pub mod journal;
mod logins;
mod roles;
mod transfers;

pub use entries::{
    closing, edit, edit_interrupted, end, exec, exec_failed, extend, grant, held, lost,
    policy_loaded, policy_refused, recording_read, refused_ask, refused_vote, request, revoke,
    settings_refused, start, vote, watch,
};
pub use entry::{Entry, Kind};
pub use factors::{
    FactorChange, factor_enrolled, factor_given, factor_refused, factor_removed, factor_renewed,
    factors_unavailable,
};
pub use identities::{
    directory_contact, identities_changed, identities_refused, identity_changed, identity_refused,
};
pub use logins::{leave, login, login_refused, login_session, spooled, unreadable_spool};
pub use roles::role_conflict;
pub use transfers::{scp, transfer};
