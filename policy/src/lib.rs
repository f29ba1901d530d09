//! Roles and rules in TOML to a verdict with its reasons.
//!
//! [`load()`] reads the files of a policy, or tells everything that is wrong with them.
//! [`Policy::judge`] answers who may run what as whom, and what is owed first;
//! [`Policy::login`] answers who may log in. Nothing here does I/O, asks for the time or knows an
//! account: groups and attributes come in through [`People`], names, numbers and the time through
//! [`Question`] and [`LoginQuestion`], time zones through [`HostFacts`].
//!
//! An allow rule is read as narrowly as its words permit and a deny rule as widely: a wildcard
//! of an allow never matches `..`, a leading `.` or a leading `-`; an unknown membership counts
//! for a deny only; a deny that speaks of no group holds whatever `-g` asks for.
#![warn(missing_docs)]

mod capabilities;
mod command;
mod diagnostic;
pub mod difference;
mod digest;
mod environment;
mod expectations;
mod index;
mod judge;
pub mod limits;
mod listing;
mod load;
mod login;
mod membership;
mod mfa;
mod milliseconds;
mod names;
mod people;
mod policy;
mod rule;
mod run_as;
mod schema;
mod session;
mod shown;
mod suggest;
mod suspicious;
mod ticket;
mod when;
mod wrong;

pub use capabilities::Capabilities;
pub use command::{Command, EditPath};
pub use diagnostic::{Diagnostic, Diagnostics, Place, Source};
pub use environment::may_be_kept;
pub use expectations::{Checked, Expectations};
/// Where [`HostFacts`] has time zones from.
pub use jiff::tz::TimeZoneDatabase;
pub use judge::{
    Allowance, Condition, Considered, Decision, Denial, DenialKind, Limit, Outcome, Question,
    Verdict,
};
pub use listing::Listed;
pub use load::{Defaults, HostFacts, load};
pub use login::{LoginQuestion, LoginTerms, LoginVerdict};
pub use mfa::Mfa;
pub use names::{InvalidName, RoleName, RuleName};
pub use people::{Approver, May, Member, Membership, People, Role};
pub use policy::{Policy, Resolved};
pub use rule::{Effect, Owed, Rule, RuleLimit, Terms};
pub use run_as::{RunAs, TargetGroup, TargetUser};
pub use schema::schema;
pub use session::{Contain, Execs, OnFull, Record, SessionSettings};
pub use suspicious::{PathFacts, Suspicion, Warning};
pub use ticket::Ticket;
pub use when::{Door, HostPattern, Hours, Network, Origin, Scene, Valid, When};
