//! What was typed: kept where the terminal showed it, and left out where that isn't sure.
//!
//! A terminal decides whether to echo a byte when it takes it in. Mostly it is known at once that
//! it did; where the command had something else to read yet, a byte is kept only if echo is still
//! on a while later. A program that shows by itself what is typed (a shell's line editor, a
//! full-screen editor) has the terminal's echo off: what it shows is in the output.

use std::time::{Duration, Instant};

use crate::leader::terminal::Echo;

/// How long a terminal may take to take in what was passed on.
const SETTLED_AFTER: Duration = Duration::from_millis(50);
/// More than this at a time may be taken in much later (a line discipline holds 4 KiB).
const MOST: usize = 2048;

/// Bytes that wait until it is sure that they were shown.
#[derive(Debug, Default)]
pub(super) struct Typed {
    waiting: Vec<u8>,
    /// When the last of them was passed on; none if nothing waits.
    last: Option<Instant>,
    /// Whether something that was not shown came among them.
    hidden: bool,
    /// Whether the last that was decided was to leave something out.
    told: bool,
}

/// What becomes of what was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Keep(Vec<u8>),
    /// Leave it out, and say so.
    Hide,
    /// It isn't decided yet, or it was said already that something is left out.
    Nothing,
}

impl Typed {
    /// `bytes` were passed on `now`, and shown or not.
    pub(super) fn push(&mut self, bytes: &[u8], echo: Echo, now: Instant) -> Settled {
        let decided = echo != Echo::Unsure && self.last.is_none();
        self.hidden |= echo == Echo::Off || self.waiting.len() + bytes.len() > MOST;
        match self.hidden {
            true => self.forget(),
            false => self.waiting.extend_from_slice(bytes),
        }
        self.last = Some(now);
        match decided {
            true => self.settle(echo == Echo::On),
            false => Settled::Nothing,
        }
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

    fn push(typed: &mut Typed, bytes: &[u8], echo: Echo) -> Settled {
        typed.push(bytes, echo, Instant::now())
    }

    #[test]
    fn what_was_shown_is_kept_and_what_was_not_is_left_out_at_once() {
        let mut typed = Typed::default();
        let kept = push(&mut typed, b"su\n", Echo::On);
        assert_eq!(kept, Settled::Keep(b"su\n".into()));
        assert_eq!(push(&mut typed, b"secret\n", Echo::Off), Settled::Hide);
        assert_eq!(typed.due(), None);
        assert_eq!(typed.settle(true), Settled::Nothing);
    }

    #[test]
    fn what_is_unsure_waits_and_is_kept_if_echo_is_still_on() {
        for (echo, settled) in [
            (true, Settled::Keep(b"ls\n".into())),
            (false, Settled::Hide),
        ] {
            let mut typed = Typed::default();
            assert_eq!(push(&mut typed, b"ls\n", Echo::Unsure), Settled::Nothing);
            assert!(typed.due().is_some());
            assert_eq!(typed.settle(echo), settled);
            assert_eq!(typed.due(), None);
        }
    }

    #[test]
    fn what_waits_beside_a_secret_is_left_out_with_it() {
        let mut typed = Typed::default();
        for (bytes, echo) in [
            (&b"su\n"[..], Echo::Unsure),
            (b"secret\n", Echo::Off),
            (b"id\n", Echo::On),
        ] {
            assert_eq!(push(&mut typed, bytes, echo), Settled::Nothing);
        }
        assert_eq!(typed.settle(true), Settled::Hide);
        assert!(typed.waiting.is_empty());
    }

    #[test]
    fn more_than_a_terminal_takes_in_is_left_out() {
        let mut typed = Typed::default();
        push(&mut typed, &[b'x'; MOST], Echo::Unsure);
        push(&mut typed, b"y", Echo::Unsure);
        assert_eq!(typed.settle(true), Settled::Hide);
        let most = vec![b'x'; MOST];
        assert_eq!(push(&mut typed, &most, Echo::On), Settled::Keep(most));
    }

    #[test]
    fn a_secret_of_many_keys_is_one_mark() {
        let mut typed = Typed::default();
        assert_eq!(push(&mut typed, b"s", Echo::Off), Settled::Hide);
        assert_eq!(push(&mut typed, b"e", Echo::Off), Settled::Nothing);
        assert_eq!(push(&mut typed, b"l", Echo::On), Settled::Keep(b"l".into()));
        assert_eq!(push(&mut typed, b"s", Echo::Off), Settled::Hide);
    }
}
