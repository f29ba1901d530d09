//! The poll loop.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use elevate_protocol::message::{self, Channel, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{escape, limits};
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

use super::End;
use super::copy::Copy;
use super::holding::Asked;
use super::jobs::{Jobs, wants_terminal};
use super::screen::Screen;
use super::sink::Sink;
use crate::failure::Failure;
use crate::signals::Signals;
use crate::terminal::Terminal;

/// How often to look whether the terminal became ours, while it isn't.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Everything that moves in a session.
pub(super) struct Pump {
    pub(super) stream: OwnedFd,
    // Dropped, and with it the terminal restored, while signals still wait.
    pub(super) jobs: Jobs,
    signals: Signals,
    copies: Vec<Copy>,
    /// Wiped when it is sent: what is typed can be secret.
    outbox: VecDeque<Zeroizing<Vec<u8>>>,
    deaf: bool,
    screen: Screen,
    output: Sink,
    error: Sink,
    /// Which of the two the leader knows to be read by nobody.
    unread: [bool; 2],
    continued: bool,
    /// Whether the leader lets the command have the keyboard.
    keyboard: bool,
    held: bool,
    pub(super) asked: Asked,
}

/// What a poll can be about.
#[derive(Debug, Clone, Copy)]
enum Source {
    Signals,
    Stream,
    Typed,
    Shown,
    Output,
    Error,
    Copy(usize, usize),
}

impl Pump {
    /// `keyboard` says whether the command may read the terminal already.
    pub(super) fn new(
        stream: OwnedFd,
        signals: Signals,
        (jobs, keyboard): (Jobs, bool),
        copies: Vec<Copy>,
    ) -> Pump {
        Pump {
            stream,
            signals,
            jobs,
            copies,
            outbox: VecDeque::new(),
            deaf: false,
            screen: Screen::default(),
            output: Sink::default(),
            error: Sink::default(),
            unread: [false; 2],
            continued: false,
            keyboard,
            held: false,
            asked: Asked::default(),
        }
    }

    /// Serve until the end. Everything that arrived has been written by then.
    pub(super) fn run(mut self) -> Result<End, Failure> {
        loop {
            self.take_signals();
            if std::mem::take(&mut self.continued) {
                self.resume();
            }
            if let Some(end) = self.ask()? {
                return Ok(end);
            }
            for (source, ready) in self.wait()? {
                if let Some(end) = self.handle(source, ready)? {
                    self.finish();
                    return Ok(end);
                }
            }
            self.tell_unread();
        }
    }

    /// What nobody reads, the command need not write: it hears of it as if it had our pipe.
    fn tell_unread(&mut self) {
        for (number, sink) in [&self.output, &self.error].into_iter().enumerate() {
            if sink.is_gone() && !std::mem::replace(&mut self.unread[number], true) {
                let error = number == 1;
                self.outbox
                    .push_back(message::encode(&ToServer::Unread { error }).into());
            }
        }
        self.send_outbox();
    }

    fn finish(&mut self) {
        self.copies.iter_mut().for_each(Copy::finish);
        if let Some(terminal) = self.jobs.terminal() {
            self.screen.finish(terminal.as_fd());
        }
    }

    fn wait(&self) -> Result<Vec<(Source, PollFlags)>, Failure> {
        let (sources, mut descriptors): (Vec<Source>, Vec<PollFd<'_>>) =
            self.interests().into_iter().unzip();
        let again = self.jobs.must_look_again() || self.asked.waits();
        let again = again.then_some(LOOK_AGAIN);
        let again = again.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut descriptors, again.as_ref()) {
            // Not one of ours: look at everything again.
            Err(rustix::io::Errno::INTR) => return Ok(Vec::new()),
            other => other?,
        };
        let ready = descriptors.iter().map(PollFd::revents);
        let ready = sources.into_iter().zip(ready);
        let ready: Vec<_> = ready.filter(|(_, ready)| !ready.is_empty()).collect();
        if ready.is_empty() {
            // Time to look at the terminal again.
            return Ok(vec![(Source::Signals, PollFlags::empty())]);
        }
        Ok(ready)
    }

    /// Descriptors that nothing is wanted of are left out: their hang-ups would wake us for ever.
    fn interests(&self) -> Vec<(Source, PollFd<'_>)> {
        let mut all = vec![(Source::Signals, PollFd::new(&self.signals, PollFlags::IN))];
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, self.may_receive());
        flags.set(PollFlags::OUT, !self.outbox.is_empty());
        if !flags.is_empty() {
            all.push((Source::Stream, PollFd::new(&self.stream, flags)));
        }
        // Keys wait in the terminal while the leader is behind.
        if let Some(terminal) = self.jobs.listening().filter(|_| self.outbox.is_empty()) {
            all.push((Source::Typed, PollFd::new(terminal, PollFlags::IN)));
        }
        if let Some(terminal) = self.jobs.terminal().filter(|_| !self.screen.is_idle()) {
            all.push((Source::Shown, PollFd::new(terminal, PollFlags::OUT)));
        }
        let standard = [
            (Source::Output, &self.output, rustix::stdio::stdout()),
            (Source::Error, &self.error, rustix::stdio::stderr()),
        ];
        for (source, sink, descriptor) in standard {
            if !sink.is_idle() {
                let descriptor = PollFd::from_borrowed_fd(descriptor, PollFlags::OUT);
                all.push((source, descriptor));
            }
        }
        for (number, copy) in self.copies.iter().enumerate() {
            for (which, descriptor) in copy.interest().into_iter().enumerate() {
                all.push((Source::Copy(number, which), descriptor));
            }
        }
        all
    }

    /// The stream is read when all that came from it is written: a slow reader slows the command.
    pub(super) fn may_receive(&self) -> bool {
        self.screen.is_idle() && self.output.is_idle() && self.error.is_idle()
    }

    fn handle(&mut self, source: Source, ready: PollFlags) -> Result<Option<End>, Failure> {
        match source {
            // Signals are taken at the top of the loop.
            Source::Signals if ready.is_empty() => {
                self.asked.try_again();
                self.jobs.settle();
                self.tell_keyboard();
            }
            Source::Signals => {}
            Source::Stream => {
                self.send_outbox();
                if self.may_receive() {
                    return self.receive();
                }
            }
            Source::Typed => {
                if let Some(typed) = self.jobs.read() {
                    self.queue(message::encode_data(Channel::Terminal, &typed));
                }
            }
            Source::Shown => self.write_screen(),
            Source::Output => self.output.write_some(rustix::stdio::stdout()),
            Source::Error => self.error.write_some(rustix::stdio::stderr()),
            Source::Copy(number, which) => self.copies[number].step(which),
        }
        Ok(None)
    }

    fn write_screen(&mut self) {
        if let Some(terminal) = self.jobs.terminal() {
            self.screen.write(terminal.as_fd());
        }
    }

    fn receive(&mut self) -> Result<Option<End>, Failure> {
        let packet = match seqpacket::receive(&self.stream, limits::MESSAGE_BYTES, Wait::No) {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(Some(End::Vanished)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match message::decode(&packet.body) {
            Ok(Frame::Data(channel, bytes)) => self.data(channel, bytes),
            Ok(Frame::Message(message)) => return Ok(self.message(message)),
            // Of a newer leader, perhaps: what matters comes as something that we know.
            Err(_) => {}
        }
        Ok(None)
    }

    fn data(&mut self, channel: Channel, bytes: &[u8]) {
        match channel {
            Channel::Terminal => {
                if let Some(terminal) = self.jobs.terminal() {
                    self.screen.show(bytes, terminal.adds_returns());
                    self.write_screen();
                }
            }
            Channel::Output => self.output.push(bytes),
            Channel::Error => self.error.push(bytes),
            // For an edit, which this is not.
            Channel::File => {}
        }
    }

    fn message(&mut self, message: ToClient) -> Option<End> {
        match message {
            ToClient::Ended { status, reason } => return Some(End::Told(status, reason)),
            ToClient::Refused {
                error,
                message,
                hint,
            } => {
                return Some(End::Refused(Failure::refused(
                    error,
                    &message,
                    hint.as_deref(),
                )));
            }
            ToClient::Stopped { signal } => self.stop(signal),
            ToClient::Notice { text } => self.tell(&text),
            ToClient::Held { text } => {
                self.held = true;
                self.jobs.hold();
                self.tell(&text);
            }
            ToClient::AskCode { prompt } if self.held => self.asked.set(Some(prompt)),
            ToClient::Released => {
                self.held = false;
                self.asked.set(None);
                self.jobs.let_go();
                self.tell_keyboard();
            }
            // The conversation before the session is over.
            _ => {}
        }
        None
    }

    /// A line of ours in the midst of the command's, where the person sees it.
    pub(super) fn tell(&mut self, text: &str) {
        let line = format!("elevate: {}", escape::line(text.as_bytes()));
        match self.jobs.terminal().map(Terminal::adds_returns) {
            Some(adds) => {
                self.screen.tell(&line, adds);
                self.write_screen();
            }
            None => drop(writeln!(io::stderr(), "{line}")),
        }
    }

    fn take_signals(&mut self) {
        while let Some(signal) = self.signals.arrived() {
            match signal {
                Signal::SIGWINCH => self.send_window(),
                // Somebody outside the terminal, or a terminal that keeps its own signals for a
                // pipeline: the whole job stops, and the command with it.
                Signal::SIGTSTP => {
                    self.pass(signal);
                    self.stop(Signal::SIGTSTP as i32);
                }
                Signal::SIGCONT => self.continued = true,
                other => self.pass(other),
            }
        }
    }

    fn pass(&mut self, signal: Signal) {
        let number = signal as i32;
        self.queue_message(&ToServer::Signal { number });
    }

    fn stop(&mut self, signal: i32) {
        self.continued = false;
        self.jobs.stop(signal, &self.signals);
        self.take_signals();
        if wants_terminal(signal) {
            self.jobs.come_back();
            // Where no shell is there to stop us the command waits for keys that never come; it
            // would be stopped for ever anew.
            self.keyboard = self.jobs.listening().is_some() || !self.continued;
            let given = self.keyboard;
            self.queue_message(&ToServer::Keyboard { given });
        }
        self.continued = true;
    }

    /// We run again, perhaps in the background, perhaps in a terminal of another size.
    fn resume(&mut self) {
        self.jobs.come_back();
        self.tell_keyboard();
        self.send_window();
        self.queue_message(&ToServer::Continue);
    }

    /// Let the command read the terminal while it is ours, and only then.
    fn tell_keyboard(&mut self) {
        let given = self.jobs.listening().is_some();
        if self.held || self.jobs.terminal().is_none() || given == self.keyboard {
            return;
        }
        self.keyboard = given;
        self.queue_message(&ToServer::Keyboard { given });
    }

    fn send_window(&mut self) {
        if let Some(window) = self.jobs.window() {
            self.queue_message(&ToServer::Resize { window });
        }
    }

    pub(super) fn queue_message(&mut self, message: &ToServer) {
        self.queue(message::encode(message));
    }

    fn queue(&mut self, packet: Vec<u8>) {
        if !self.deaf {
            self.outbox.push_back(packet.into());
            self.send_outbox();
        }
    }

    fn send_outbox(&mut self) {
        while let Some(packet) = self.outbox.front() {
            match seqpacket::send(&self.stream, packet, &[], Wait::No) {
                Ok(()) => drop(self.outbox.pop_front()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    // It reads no more; what it said last is still to be read.
                    self.deaf = true;
                    self.outbox.clear();
                }
            }
        }
    }
}
