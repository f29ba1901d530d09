//! The time, as arguments for everything that decides.

use serde::{Deserialize, Serialize};

/// A moment on two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds of CLOCK_BOOTTIME, which nobody can set and which goes on in suspend.
    /// Everything that ends, ends by it.
    pub boot: u64,
    /// Milliseconds since 1970, for people.
    pub wall: u64,
}

impl Moment {
    /// Now.
    pub fn now() -> Self {
        use rustix::time::{ClockId, clock_gettime};
        let millis = |id| {
            let time = clock_gettime(id);
            time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
        };
        Moment {
            boot: millis(ClockId::Boottime),
            wall: millis(ClockId::Realtime),
        }
    }

    /// The wall clock's reading at `boot`, seen from this moment.
    pub fn wall_at(self, boot: u64) -> u64 {
        (self.wall + boot).saturating_sub(self.boot)
    }
}
