//! What the command shows: recorded first, then passed to the client.

use std::os::fd::AsFd;

use elevate_protocol::message::{Channel, encode_data};

use super::Session;
use crate::leader::terminal::{Read, read_available};

/// Bytes of output in one packet.
const PACKET: usize = 32 * 1024;
/// Packets of one source before others get their turn.
const TURN: usize = 8;
/// A terminal holds less than this (64 KiB, and a line discipline's 4 KiB).
const MOST_IN_TERMINAL: u64 = 256 * 1024;

/// Room for one packet: a byte that names the channel, and what was shown.
pub(super) fn buffer() -> Box<[u8]> {
    vec![0; 1 + PACKET].into()
}

/// Where something is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Terminal,
    Output(usize),
}

impl Session {
    pub(super) fn show_terminal(&mut self) {
        self.show(Place::Terminal);
    }

    pub(super) fn show_output(&mut self, place: usize) {
        self.show(Place::Output(place));
    }

    /// Whether the client has room for more, and is to be shown it.
    pub(super) fn may_show(&self) -> bool {
        self.held.is_none() && !self.client.is_full()
    }

    /// Pass on what is there, as long as the client has room for it.
    fn show(&mut self, place: Place) {
        for _ in 0..TURN {
            if !self.may_show() {
                return;
            }
            match self.show_once(place) {
                Read::Some(PACKET) => {}
                Read::Some(_) | Read::Nothing => return,
                Read::End => return self.close(place),
            }
        }
    }

    fn show_once(&mut self, place: Place) -> Read {
        let (channel, source) = match place {
            Place::Terminal => match &self.terminal {
                Some(terminal) => (Channel::Terminal, terminal.master()),
                None => return Read::Nothing,
            },
            Place::Output(place) => match self.outputs.get(place) {
                Some(output) => (output.channel, output.pipe.as_fd()),
                None => return Read::Nothing,
            },
        };
        let mut packet = std::mem::take(&mut self.buffer);
        packet[0] = encode_data(channel, &[])[0];
        // What cannot be read will not be readable later either.
        let read = read_available(source, &mut packet[1..]).unwrap_or(Read::End);
        if let Read::Some(length) = read {
            self.record(|recorder| recorder.output(&packet[1..=length]));
            // What a held terminal's command left at its end is recorded, and shown to nobody.
            if self.held.is_none() {
                self.client.pass(&packet[..=length]);
            }
        }
        self.buffer = packet;
        read
    }

    fn close(&mut self, place: Place) {
        match place {
            Place::Terminal => {
                self.settle_typed();
                self.terminal = None;
            }
            // Later ones move: what was to be attended to of them is found again.
            Place::Output(place) => drop(self.outputs.remove(place)),
        }
    }

    /// Nobody reads `channel` any more: whoever writes to it hears of that from the kernel.
    pub(super) fn close_output(&mut self, channel: Channel) {
        self.outputs.retain(|output| output.channel != channel);
    }

    /// The tree is gone: pass on all that it left, and no more than that, since somebody outside
    /// could hold an end of a pipe and go on writing.
    pub(super) fn show_the_rest(&mut self) {
        self.show_at_most(Place::Terminal, MOST_IN_TERMINAL);
        for place in 0..self.outputs.len() {
            let left = rustix::io::ioctl_fionread(&self.outputs[place].pipe);
            self.show_at_most(Place::Output(place), left.unwrap_or(0));
        }
        self.hear_the_rest();
    }

    fn show_at_most(&mut self, place: Place, mut left: u64) {
        while left > 0 {
            match self.show_once(place) {
                Read::Some(length) => left = left.saturating_sub(length as u64),
                Read::Nothing | Read::End => return,
            }
        }
    }
}
