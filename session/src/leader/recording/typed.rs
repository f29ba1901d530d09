//! What was typed: kept where the terminal showed it, and left out where that isn't sure.
//!
//! A terminal decides whether to echo a byte when it takes it in, a moment after we passed it on.
//! So a byte is kept only if echo was on when it was passed on and still is a while later, with
//! little waiting to be taken in. A program that shows by itself what is typed (a shell's line
//! editor, a full-screen editor) has the terminal's echo off: what it shows is in the output.

use std::time::{Duration, Instant};

/// How long a terminal may take to take in what was passed on.
const SETTLED_AFTER: Duration = Duration::from_millis(50);
/// More than this at a time is not taken in at once (a line discipline holds 4 KiB).
const MOST: usize = 2048;

/// Bytes that wait until it is sure that they were shown.
#[derive(Debug, Default)]
pub(super) struct Typed {
    waiting: Vec<u8>,
    /// When the last of them was passed on.
    last: Option<Instant>,
    /// Whether something that was not shown came among them.
    hidden: bool,
    /// Whether the last that was decided was to leave something out.
    told: bool,
}

/// What becomes of what waited.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Keep(Vec<u8>),
    /// Leave it out, and say so.
    Hide,
    /// Nothing waited, or it was said already that something is left out.
    Nothing,
}

impl Typed {
    /// `bytes` were passed on `now`, and the terminal was to echo them, or not.
    pub(super) fn push(&mut self, bytes: &[u8], echo: bool, now: Instant) {
        self.hidden |= !echo || self.waiting.len() + bytes.len() > MOST;
        match self.hidden {
            true => self.forget(),
            false => self.waiting.extend_from_slice(bytes),
        }
        self.last = Some(now);
    }

    /// When to decide; none while nothing waits.
    pub(super) fn due(&self) -> Option<Instant> {
        self.last.map(|last| last + SETTLED_AFTER)
    }

    /// Decide, with what the terminal does now.
    pub(super) fn settle(&mut self, echo: bool) -> Settled {
        if self.last.take().is_none() {
            return Settled::Nothing;
        }
        let hide = std::mem::take(&mut self.hidden) || !echo;
        if !hide {
            self.told = false;
            return Settled::Keep(std::mem::take(&mut self.waiting));
        }
        self.forget();
        match std::mem::replace(&mut self.told, true) {
            true => Settled::Nothing,
            false => Settled::Hide,
        }
    }

    /// It may be a password.
    fn forget(&mut self) {
        self.waiting.fill(0);
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8], echo: bool) -> Typed {
        let mut typed = Typed::default();
        typed.push(bytes, echo, Instant::now());
        typed
    }

    #[test]
    fn what_was_echoed_is_kept_once() {
        let mut typed = typed(b"ls\n", true);
        assert!(typed.due().is_some());
        assert_eq!(typed.settle(true), Settled::Keep(b"ls\n".into()));
        assert_eq!(typed.due(), None);
        assert_eq!(typed.settle(true), Settled::Nothing);
    }

    #[test]
    fn what_was_not_echoed_at_either_time_is_left_out() {
        assert_eq!(typed(b"secret\n", false).settle(false), Settled::Hide);
        assert_eq!(typed(b"secret\n", true).settle(false), Settled::Hide);
        assert_eq!(typed(b"secret\n", false).settle(true), Settled::Hide);
    }

    #[test]
    fn what_came_just_before_a_secret_is_left_out_with_it() {
        let mut typed = typed(b"su\n", true);
        typed.push(b"secret\n", false, Instant::now());
        typed.push(b"id\n", true, Instant::now());
        assert_eq!(typed.settle(true), Settled::Hide);
        assert!(typed.waiting.is_empty());
    }

    #[test]
    fn more_than_a_terminal_takes_in_at_once_is_left_out() {
        assert_eq!(typed(&[b'x'; MOST + 1], true).settle(true), Settled::Hide);
        let most = vec![b'x'; MOST];
        assert_eq!(typed(&most, true).settle(true), Settled::Keep(most));
    }

    #[test]
    fn a_secret_of_many_keys_is_one_mark() {
        let mut typed = typed(b"s", false);
        assert_eq!(typed.settle(false), Settled::Hide);
        typed.push(b"e", false, Instant::now());
        assert_eq!(typed.settle(false), Settled::Nothing);
        typed.push(b"l", true, Instant::now());
        assert_eq!(typed.settle(true), Settled::Keep(b"l".into()));
        typed.push(b"s", false, Instant::now());
        assert_eq!(typed.settle(false), Settled::Hide);
    }
}
