//! How our process ends.

use nix::sys::signal::{SigSet, Signal};

/// How our process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Status(u8),
    /// By this signal (signal(7)), as the command did.
    Signal(i32),
}

impl Exit {
    /// End the process. A signal that cannot end it becomes the status 128 + n, as in shells.
    pub fn leave(self) -> ! {
        match self {
            Exit::Status(status) => std::process::exit(status.into()),
            Exit::Signal(number) => {
                if let Ok(signal) = Signal::try_from(number) {
                    let mut set = SigSet::empty();
                    set.add(signal);
                    // It may be one of those that we read from a descriptor.
                    let _ = set.thread_unblock();
                }
                let _ = signal_hook::low_level::emulate_default_handler(number);
                std::process::exit(128 + (number & 0x7f))
            }
        }
    }
}

/// Go on as a process that no shell waits for and no terminal sends signals to; the one that was
/// started ends with status 0 (daemon(3)). To be called before any thread is started.
pub fn leave_to_the_background() -> Result<(), crate::failure::Failure> {
    let (in_this_folder, with_these_streams) = (true, true);
    nix::unistd::daemon(in_this_folder, with_these_streams).map_err(|error| {
        crate::failure::Failure::new(format!("cannot go to the background: {error}"))
    })
}

/// Keep other programs of the same user from attaching to this process, and the kernel from
/// writing its memory to a file (prctl(2), PR_SET_DUMPABLE).
pub fn become_undumpable() -> Result<(), crate::failure::Failure> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|error| {
        crate::failure::Failure::new(format!("cannot protect this process: {error}"))
    })
}
