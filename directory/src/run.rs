//! Cycle after cycle, each in a task of its own: what panics in one ends that one alone.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::backoff::Backoff;
use crate::cycle::{Cycle, End};
use crate::orders::Orders;
use crate::source::Source;
use crate::status::Status;

/// The first and the longest wait after a failure of the directory.
const DIRECTORY_WAIT: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];
/// The same after a failure of `elevated`, which systemd restarts at once: leavers wait for it.
const ELEVATED_WAIT: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// What is kept between cycles.
struct Kept<S> {
    source: S,
    status: Status,
    end: End,
    refreshed: bool,
}

/// Follows what `make` makes, for ever. To be run in a [`LocalSet`](tokio::task::LocalSet).
pub async fn run<S: Source + 'static>(socket: PathBuf, make: impl Fn() -> S) {
    let socket: Rc<Path> = socket.into();
    let orders = Rc::new(Orders::default());
    let (listener, at) = (Rc::clone(&orders), Rc::clone(&socket));
    tokio::task::spawn_local(async move { listener.listen(&at).await });

    let (mut source, mut status) = (make(), Status::default());
    let mut backoff = Backoff::default();
    let mut from_nothing = false;
    loop {
        from_nothing |= orders.take();
        let (cycle_orders, socket) = (Rc::clone(&orders), Rc::clone(&socket));
        let cycle = tokio::task::spawn_local(async move {
            let mut cycle = Cycle {
                socket: &socket,
                from_nothing,
                orders: &cycle_orders,
                status: &mut status,
                refreshed: false,
            };
            let end = cycle.run(&mut source).await;
            let refreshed = cycle.refreshed;
            Kept {
                source,
                status,
                end,
                refreshed,
            }
        });
        let wait = match cycle.await {
            Ok(kept) => {
                (source, status) = (kept.source, kept.status);
                if kept.refreshed {
                    backoff.reset();
                    from_nothing = false;
                }
                wait(kept.end, &mut status, &mut backoff, &mut from_nothing)
            }
            Err(panic) => {
                (source, status) = (make(), Status::default());
                status.problem(&format!("an error of our own: {panic}; starting again"));
                backoff.next(DIRECTORY_WAIT, spread())
            }
        };
        // Who orders it doesn't wait for the next try.
        let _ = tokio::time::timeout(wait, orders.resync()).await;
    }
}

/// How long to wait before the next cycle.
fn wait(end: End, status: &mut Status, backoff: &mut Backoff, from_nothing: &mut bool) -> Duration {
    match end {
        End::Over | End::Ordered => {
            if matches!(end, End::Ordered) {
                eprintln!("elevated orders everything to be read again");
                *from_nothing = true;
            }
            Duration::ZERO
        }
        End::Anew(why) => {
            eprintln!("reading everything: {why}");
            *from_nothing = true;
            // Once at once; a server that has us begin anew each time is asked less and less.
            match backoff.next(DIRECTORY_WAIT, spread()) {
                first if first <= DIRECTORY_WAIT[0] => Duration::ZERO,
                later => later,
            }
        }
        End::Elevated(lost) => {
            status.problem(&lost.to_string());
            backoff.next(ELEVATED_WAIT, spread())
        }
        End::Directory(why) => {
            status.problem(&why);
            backoff.next(DIRECTORY_WAIT, spread())
        }
    }
}

/// Somewhere from 0 to 1, each time elsewhere.
fn spread() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}
