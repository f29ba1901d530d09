//! What others tell a session: `elevated`, the client, the kernel.

use elevate_protocol::ErrorName;
use elevate_protocol::launch::ToLeader;
use elevate_protocol::message::{self, Channel, Frame};
use elevate_protocol::recording::Mark;
use elevate_protocol::seqpacket::Packet;
use elevate_protocol::stream::{EndReason, Status, ToClient, ToServer};
use rustix::process::{Signal, WaitOptions, WaitStatus, kill_process_group, wait};
use zeroize::Zeroize as _;

use super::{Session, Stage};
use crate::leader::control::Heard;
use crate::leader::descriptors;
use crate::leader::failure::Failure;
use crate::leader::timer;
use crate::sys::signals;

/// Signals that a client may pass on: what a person or a service manager sends to a command.
const PASSED_ON: [Signal; 10] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::WINCH,
    Signal::TSTP,
    Signal::CONT,
];

/// Packets of a client that are dealt with before others get their turn.
const TURN: usize = 16;

impl Session {
    pub(super) fn hear_control(&mut self) -> Result<(), Failure> {
        self.control.flush();
        self.let_exec_go()?;
        match self.control.receive() {
            Heard::Nothing => Ok(()),
            Heard::Message(ToLeader::ScopeReady) => {
                self.scope_due = None;
                self.waits_for_scope = false;
                self.release_if_ready()
            }
            Heard::Message(ToLeader::End { reason }) => self.end(reason),
            Heard::Message(ToLeader::Extend { deadline }) => self.extend(deadline),
            Heard::Message(ToLeader::AskCode { prompt }) => {
                self.ask_code(prompt);
                Ok(())
            }
            Heard::Message(ToLeader::Release) => self.let_go(),
            Heard::Message(ToLeader::Watched { yes }) => {
                self.watched(yes);
                Ok(())
            }
            Heard::Closed => self.end(EndReason::DaemonGone),
        }
    }

    pub(super) fn hear_client(&mut self) -> Result<(), Failure> {
        self.client.flush();
        for _ in 0..TURN {
            if self
                .terminal
                .as_ref()
                .is_some_and(|terminal| terminal.is_full())
            {
                return Ok(());
            }
            let Some(packet) = self.client.receive() else {
                break;
            };
            self.obey(packet)?;
        }
        Ok(())
    }

    fn obey(&mut self, mut packet: Packet) -> Result<(), Failure> {
        let outcome = self.obey_packet(&mut packet);
        if self.held.is_some() {
            // It may have held a code.
            packet.body.zeroize();
        }
        outcome
    }

    fn obey_packet(&mut self, packet: &mut Packet) -> Result<(), Failure> {
        let handed_over = std::mem::take(&mut packet.descriptors);
        let sender = packet.credentials;
        let message = match message::decode(&packet.body) {
            Ok(Frame::Data(Channel::Terminal, bytes)) => {
                self.press(bytes);
                return Ok(());
            }
            Ok(Frame::Message(message)) => message,
            _ => {
                // Whoever breaks the rules of the conversation is not spoken with.
                self.client.give_up();
                return Ok(());
            }
        };
        match message {
            ToServer::Stdio => {
                if self.schedule.heeds_keys() {
                    self.client.remember_first(sender);
                }
                return self.take_streams(handed_over);
            }
            ToServer::Code { text } => self.pass_code(text, sender),
            // While the terminal is held nothing else that the person does counts.
            ToServer::Resize { window } if !self.defer_resize(window) => self.resize(window),
            ToServer::Signal { number } if self.held.is_none() => self.pass_signal(number),
            ToServer::Keyboard { given } => self.change_keyboard(given),
            ToServer::Unread { error } => self.close_output(match error {
                true => Channel::Error,
                false => Channel::Output,
            }),
            ToServer::Continue => {
                (self.client_stops, self.wants_keyboard) = (false, false);
                self.signal(Signal::CONT);
            }
            // Said to `elevated`, before this was ours.
            _ => {}
        }
        Ok(())
    }

    /// The client's standard streams, for the command alone.
    fn take_streams(&mut self, handed_over: Vec<std::os::fd::OwnedFd>) -> Result<(), Failure> {
        let passes = self.passes;
        let Stage::Waiting { streams, .. } = &mut self.stage else {
            return Ok(());
        };
        if streams.is_some() || handed_over.len() != passes {
            let message = "not the standard streams that were agreed on";
            return Err(Failure::new(ErrorName::InvalidArgument, message));
        }
        for descriptor in &handed_over {
            descriptors::judge(std::os::fd::AsFd::as_fd(descriptor))?;
        }
        *streams = Some(handed_over);
        self.release_if_ready()
    }

    /// Pass on the keys that the person pressed.
    fn press(&mut self, keys: &[u8]) {
        if self.held.is_some() {
            return;
        }
        if self.schedule.heeds_keys() {
            self.schedule.touch(timer::now());
        }
        self.type_in(keys);
    }

    /// The client has its terminal for the command now, or no longer.
    fn change_keyboard(&mut self, given: bool) {
        let before = std::mem::replace(&mut self.keyboard, given);
        // Before it runs there is no group to give it to.
        let begun = !matches!(self.stage, Stage::Waiting { .. });
        match self.terminal.as_mut().filter(|_| begun) {
            // Who has it keeps it, unless the command stopped for want of it.
            Some(terminal) if given && (!before || self.wants_keyboard) => {
                terminal.give_keyboard(self.command);
            }
            Some(terminal) if !given => terminal.take_keyboard(),
            _ => {}
        }
    }

    pub(super) fn resize(&mut self, window: elevate_protocol::stream::Window) {
        let Some(terminal) = &self.terminal else {
            return;
        };
        if terminal.resize(window).is_ok() {
            self.record(|recorder| recorder.resize(window));
        }
    }

    fn pass_signal(&mut self, number: i32) {
        if let Some(signal) = PASSED_ON
            .into_iter()
            .find(|signal| signal.as_raw() == number)
        {
            self.mark(Mark::Signal(number));
            self.client_stops |= signal == Signal::TSTP;
            self.signal(signal);
        }
    }

    /// Send `signal` to the process group at the keyboard, which is the command's own without a
    /// terminal.
    pub(super) fn signal(&self, signal: Signal) {
        if matches!(self.stage, Stage::Waiting { .. } | Stage::Released) {
            return;
        }
        let terminal = self.terminal.as_ref();
        let group = terminal.and_then(|terminal| terminal.foreground());
        let _ = kill_process_group(group.unwrap_or(self.command), signal);
        if signal == Signal::CONT && group.is_some_and(|group| group != self.command) {
            let _ = kill_process_group(self.command, signal);
        }
    }

    pub(super) fn hear_signals(&mut self) -> Result<(), Failure> {
        let mut asked_to_stop = false;
        while let Some(signal) = signals::next(&self.signals) {
            asked_to_stop |= signal == Signal::TERM.as_raw();
        }
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            if pid == self.command {
                self.command_changed(status)?;
            }
        }
        match asked_to_stop {
            true => self.end(EndReason::Revoked {
                by: "a signal to the session's leader".into(),
            }),
            false => Ok(()),
        }
    }

    fn command_changed(&mut self, status: WaitStatus) -> Result<(), Failure> {
        if let Some(signal) = status.stopping_signal() {
            self.wants_keyboard = [Signal::TTIN, Signal::TTOU]
                .map(Signal::as_raw)
                .contains(&signal);
            // On a terminal the client stops with it, and its shell takes over.
            if self.terminal.is_some() && !self.client_stops {
                self.client.say(&ToClient::Stopped { signal });
            }
            return Ok(());
        }
        self.status = ended(status);
        // Why it was not executed, or that it was.
        self.hear_link()?;
        self.end(self.reason.clone())
    }
}

/// How a process ended, if it did.
pub(super) fn ended(status: WaitStatus) -> Option<Status> {
    let exited = status.exit_status().map(|code| Status::Exited(code as u8));
    exited.or(status.terminating_signal().map(Status::Signaled))
}
