//! Boots throwaway Debian machines and runs the real Elevate on them.
//!
//! A [`Machine`] is a systemd-nspawn container with its own systemd, journald, dbus, logind and
//! sshd, booted in about half a second over a cached root. It dies with the process that made it
//! and leaves no mount, cgroup or file of its own behind. Nothing in here changes the host.
//!
//! One test file boots one machine and shares it among its tests; each test makes users of its own:
//!
//! ```no_run
//! use elevate_tests::{SharedMachine, Spec};
//!
//! static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("logins"));
//!
//! #[test]
//! fn a_login_belongs_to_its_user() {
//!     let machine = MACHINE.get();
//!     machine.user("alice");
//!     let alice = machine.login("alice");
//!     assert_eq!(alice.run("id -un").success().text(), "alice");
//!     let mut terminal = alice.terminal("read name && echo hello $name");
//!     terminal.send("bob\n");
//!     terminal.expect("hello bob");
//!     assert_eq!(terminal.wait(), 0);
//! }
//! ```
//!
//! Whatever goes wrong with the machine itself inside a test (a command that hangs, a pattern that
//! never comes) is a panic that says what was seen; only [`Machine::boot`] returns an error.

mod base;
mod command;
mod elevate;
mod error;
mod hostile;
mod journal;
mod keeper;
mod layer;
mod login;
mod machine;
mod packages;
mod paths;
mod poll;
mod running;
mod shared;
mod spec;
mod terminal;

pub use command::{Command, Output};
pub use error::Error;
pub use journal::Entry;
pub use login::Login;
pub use machine::Machine;
pub use packages::DEBS_VARIABLE;
pub use paths::target_dir;
pub use poll::poll;
pub use running::Running;
pub use shared::{MachineInTest, SharedMachine};
pub use spec::{Release, Spec};
pub use terminal::Terminal;
