//! Which execs failed, as far as can be seen: an exec that went on replaced the process's image,
//! one that failed left it as it was. Nobody tells; who is gone before it is looked at is not
//! spoken of.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::process::{Process, Stat};

/// How long after an exec to look whether it went on: most programs are over by then.
const LOOK_AFTER: Duration = Duration::from_millis(100);
/// A file may take long to be read: until when an exec is waited for.
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);
/// Execs that are waited for; what comes beyond is not spoken of.
const MOST: usize = 1024;

/// An exec of which nobody knows yet what became of it.
#[derive(Debug)]
struct Attempt {
    number: u64,
    at: Instant,
    before: Stat,
}

/// What is seen of a process some time after its exec.
#[derive(Debug, Clone, Copy)]
struct Seen {
    stat: Stat,
    /// Whether it was in a system call that is no exec.
    in_another_call: bool,
}

/// What became of an exec.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    WentOnOrGone,
    Failed,
    NotYet,
}

/// The execs of which nobody knows yet what became of them, by their process: it has one at a time.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    waiting: HashMap<i32, Attempt>,
    look_at: Option<Instant>,
}

impl Attempts {
    /// `process`, now as `before`, is about to execute something; the number of its exec before
    /// that, if that one failed: it would be another image otherwise.
    pub(super) fn begin(
        &mut self,
        process: &Process,
        before: Stat,
        number: u64,
        now: Instant,
    ) -> Option<u64> {
        let earlier = self.waiting.remove(&process.pid());
        if before.image.is_known() && self.waiting.len() < MOST {
            let attempt = Attempt {
                number,
                at: now,
                before,
            };
            self.waiting.insert(process.pid(), attempt);
            self.look_at.get_or_insert(now + LOOK_AFTER);
        }
        let failed = earlier.filter(|earlier| is_same(&earlier.before, &before))?;
        process.has_random_addresses().then_some(failed.number)
    }

    /// When to look.
    pub(super) fn due(&self) -> Option<Instant> {
        self.look_at
    }

    /// Look at those whose time has come; the numbers of those that failed.
    pub(super) fn look(&mut self, now: Instant) -> Vec<u64> {
        if self.look_at.is_none_or(|at| now < at) {
            return Vec::new();
        }
        let mut failed = Vec::new();
        self.waiting.retain(|&pid, attempt| {
            if now < attempt.at + LOOK_AFTER {
                return true;
            }
            let process = is_there(pid).then(|| Process::open(pid).ok()).flatten();
            match judge(attempt, process.as_ref().and_then(see), now) {
                Outcome::WentOnOrGone => false,
                Outcome::NotYet => true,
                Outcome::Failed => {
                    if process.is_some_and(|process| process.has_random_addresses()) {
                        failed.push(attempt.number);
                    }
                    false
                }
            }
        });
        self.look_at = (!self.waiting.is_empty()).then_some(now + LOOK_AFTER);
        failed.sort_unstable();
        failed
    }
}

/// Most are gone by then, and this asks for less than a look into `/proc`.
fn is_there(pid: i32) -> bool {
    let pid = Pid::from_raw(pid);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

fn see(process: &Process) -> Option<Seen> {
    let in_another_call = process.is_in_another_call();
    let stat = process.stat()?;
    Some(Seen {
        stat,
        in_another_call,
    })
}

/// Whether it is the same process with the same image.
fn is_same(before: &Stat, now: &Stat) -> bool {
    before.began == now.began && before.image == now.image
}

fn judge(attempt: &Attempt, seen: Option<Seen>, now: Instant) -> Outcome {
    let Some(Seen {
        stat,
        in_another_call,
    }) = seen
    else {
        return Outcome::WentOnOrGone;
    };
    let over = matches!(stat.state, b'Z' | b'X');
    if over || !is_same(&attempt.before, &stat) || now >= attempt.at + GIVE_UP_AFTER {
        return Outcome::WentOnOrGone;
    }
    // The exec may be under way still, unless the process was seen to be back from it.
    match in_another_call || stat.ticks > attempt.before.ticks {
        true => Outcome::Failed,
        false => Outcome::NotYet,
    }
}

#[cfg(test)]
mod tests {
    use super::super::process::Image;
    use super::*;

    fn stat(image: u64) -> Stat {
        Stat {
            state: b'S',
            ppid: 1,
            ticks: 5,
            began: 1000,
            image: Image::at(image),
        }
    }

    fn judged(stat: Option<Stat>, in_another_call: bool, after: Duration) -> Outcome {
        let attempt = Attempt {
            number: 1,
            at: Instant::now(),
            before: self::stat(4096),
        };
        let seen = stat.map(|stat| Seen {
            stat,
            in_another_call,
        });
        judge(&attempt, seen, attempt.at + after)
    }

    #[test]
    fn what_has_another_image_or_is_gone_did_not_fail() {
        let soon = LOOK_AFTER;
        let over = |state| Stat {
            state,
            ..stat(4096)
        };
        let another = Stat {
            began: 1001,
            ..stat(4096)
        };
        for seen in [
            None,
            Some(stat(8192)),
            Some(over(b'Z')),
            Some(over(b'X')),
            Some(another),
        ] {
            assert_eq!(judged(seen, true, soon), Outcome::WentOnOrGone);
        }
    }

    #[test]
    fn what_does_something_else_with_its_old_image_failed() {
        assert_eq!(judged(Some(stat(4096)), true, LOOK_AFTER), Outcome::Failed);
        let worked = Stat {
            ticks: 6,
            ..stat(4096)
        };
        assert_eq!(judged(Some(worked), false, LOOK_AFTER), Outcome::Failed);
    }

    #[test]
    fn an_exec_that_takes_long_is_waited_for_and_then_not_spoken_of() {
        let seen = Some(stat(4096));
        assert_eq!(judged(seen, false, LOOK_AFTER), Outcome::NotYet);
        assert_eq!(judged(seen, false, GIVE_UP_AFTER), Outcome::WentOnOrGone);
    }

    #[test]
    fn a_process_that_executes_again_with_its_old_image_has_failed_before() {
        let process = Process::open(std::process::id() as i32).unwrap();
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        assert_eq!(attempts.begin(&process, stat(4096), 1, now), None);
        assert_eq!(attempts.begin(&process, stat(4096), 2, now), Some(1));
        assert_eq!(attempts.begin(&process, stat(8192), 3, now), None);
        assert_eq!(attempts.due(), Some(now + LOOK_AFTER));
    }

    #[test]
    fn those_who_are_gone_are_forgotten() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = Process::open(child.id() as i32).unwrap();
        let mut attempts = Attempts::default();
        let now = Instant::now();
        attempts.begin(&process, stat(4096), 1, now);
        child.wait().unwrap();
        assert!(attempts.look(now + LOOK_AFTER).is_empty());
        assert_eq!(attempts.due(), None);
    }
}
