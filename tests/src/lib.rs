//! Boots throwaway Debian machines and runs the real Elevate on them.
//!
//! A [`Machine`] is a systemd-nspawn container with its own systemd, journald, dbus, logind and
//! sshd, booted in about half a second over a cached root. It dies with the process that made it
//! and leaves no mount, cgroup or file of its own behind. Nothing in here changes the host.
//!
//! Where the host's kernel won't do, [`Spec::whole`] boots an emulated computer with its release's
//! own kernel, of which all the same is true but the half second.
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
//! A machine can have a real directory server, with twenty people who have no line in `/etc/passwd`
//! ([`DirectoryServer`], `fixtures/people.ldif`); a [`Factor`] is somebody's second factor, enrolled
//! by [`Login::enrol`] or [`Machine::enrol`]; [`Machine::voter`] logs somebody in who votes with codes
//! of theirs; [`Machine::ssh`] logs in where sshd asks for a code, as after [`Machine::guard_sshd`]:
//!
//! ```no_run
//! use elevate_tests::{SharedMachine, Spec};
//!
//! static MACHINE: SharedMachine = SharedMachine::new(|| {
//!     Spec::new("door").prepared(|machine| machine.directory_server().create())
//! });
//!
//! #[test]
//! fn a_disabled_person_does_not_get_in() {
//!     let machine = MACHINE.get();
//!     let mut factor = machine.enrol("alice");
//!     let alice = machine.ssh("alice").login(&[&factor.code()]);
//!     machine.directory_server().disable("alice");
//!     alice.wait_until_ended(std::time::Duration::from_secs(2));
//!     machine.ssh("alice").refused(&[&factor.code()]);
//! }
//! ```
//!
//! Whatever goes wrong with the machine itself inside a test (a command that hangs, a pattern that
//! never comes) is a panic that says what was seen; only [`Machine::boot`] returns an error.

mod base;
mod command;
mod console;
mod directory_server;
mod disk;
mod elevate;
mod error;
mod factor;
mod hostile;
mod journal;
mod keeper;
mod kind;
mod layer;
mod login;
mod machine;
mod overlay;
mod packages;
mod paths;
mod poll;
mod running;
mod shared;
mod spec;
mod ssh;
mod terminal;
mod voter;
mod whole_machine;

pub use command::{Command, Output};
pub use directory_server::DirectoryServer;
pub use error::Error;
pub use factor::Factor;
pub use journal::Entry;
pub use login::Login;
pub use machine::Machine;
pub use packages::DEBS_VARIABLE;
pub use paths::{ASCIINEMA_VERSION, asciinema, target_dir};
pub use poll::poll;
pub use running::Running;
pub use shared::{MachineInTest, SharedMachine};
pub use spec::{Release, Spec};
pub use ssh::{Door, Refusal, Ssh};
pub use terminal::Terminal;
pub use voter::Voter;
