use std::ops::Deref;
use std::sync::OnceLock;
use std::thread;

use crate::{Error, Machine, Spec, journal};

/// The machine that the tests of one file share: booted by the first that asks, ended with the
/// process.
#[derive(Debug)]
pub struct SharedMachine {
    spec: fn() -> Spec,
    machine: OnceLock<Result<Machine, Error>>,
}

impl SharedMachine {
    /// For a `static` of the test file.
    pub const fn new(spec: fn() -> Spec) -> Self {
        Self {
            spec,
            machine: OnceLock::new(),
        }
    }

    /// The machine, for the time of one test. If the test fails while it holds this, the machine's
    /// journal is kept and the place printed.
    ///
    /// # Panics
    /// If the machine does not boot.
    #[track_caller]
    pub fn get(&'static self) -> MachineInTest {
        match self.machine.get_or_init(|| Machine::boot((self.spec)())) {
            Ok(machine) => MachineInTest(Held::Shared(machine)),
            Err(why) => panic!("{why}"),
        }
    }
}

/// A machine in the hands of a test; see [`SharedMachine::get`].
#[derive(Debug)]
pub struct MachineInTest(Held);

#[derive(Debug)]
enum Held {
    Shared(&'static Machine),
    Own(Box<Machine>),
}

impl MachineInTest {
    /// A machine of one test's own. It ends with the test and not with the file, as each machine
    /// takes a good part of what the kernel gives one user (inotify(7), `max_user_instances`).
    ///
    /// # Panics
    /// If the machine does not boot.
    #[track_caller]
    pub fn alone(spec: Spec) -> Self {
        match Machine::boot(spec) {
            Ok(machine) => Self(Held::Own(Box::new(machine))),
            Err(why) => panic!("{why}"),
        }
    }
}

impl Deref for MachineInTest {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        match &self.0 {
            Held::Shared(machine) => machine,
            Held::Own(machine) => machine,
        }
    }
}

impl Drop for MachineInTest {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let test = thread::current();
        match journal::keep(self, test.name().unwrap_or("test")) {
            Ok(files) => eprintln!("the machine's journal is kept: {files:#?}"),
            Err(why) => eprintln!("the machine's journal is lost: {why}"),
        }
    }
}
