//! The daemon of Elevate: who asked for what, who agreed, what runs until when, and the record of
//! it. Adapters ([`bus`], [`launch`], [`store`], [`audit::journal`]) point at the decisions
//! ([`elevation`], [`identity`]); never back.

pub mod audit;
pub mod bus;
pub mod clock;
pub mod conversation;
pub mod daemon;
pub mod directory_socket;
pub mod elevation;
pub mod factors;
pub mod fd_store;
pub mod host;
pub mod identity;
pub mod last_good;
pub mod launch;
pub mod login;
pub mod login_socket;
pub mod notices;
pub mod policies;
pub mod process;
pub mod settings;
pub mod stamp;
pub mod store;
pub mod trusted;
pub mod varlink;
pub mod watch;
