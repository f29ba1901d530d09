//! A terminal that is held because nobody pressed a key for long: nothing is shown and nothing
//! passed on until a code is given. `elevated` has it asked for and checks it; we only carry it,
//! and take it from nobody but the process that began the session.

use elevate_protocol::Secret;
use elevate_protocol::launch::FromLeader;
use elevate_protocol::limits::CODE_BYTES;
use elevate_protocol::recording::Mark;
use elevate_protocol::seqpacket::Credentials;
use elevate_protocol::stream::{ToClient, Window};
use rustix::process::Signal;

use super::{Session, Stage};
use crate::leader::failure::Failure;
use crate::leader::schedule::spoken;
use crate::leader::timer;

/// A terminal that is held.
#[derive(Default)]
pub(super) struct Held {
    /// The size that it is to have afterwards.
    window: Option<Window>,
    /// Whether a code was asked for, and none was given since.
    asked: bool,
}

impl Session {
    /// Hold the terminal.
    pub(super) fn hold(&mut self) {
        if !matches!(self.stage, Stage::Running) {
            return;
        }
        self.held = Some(Held::default());
        self.mark(Mark::Held);
        let span = spoken(self.schedule.idle_span());
        self.client.say(&ToClient::Held {
            text: format!("no key was pressed for {span}: the session is held"),
        });
        self.control.say(&FromLeader::Held);
    }

    /// Ask whoever is in front of it for a code. A terminal that isn't held asks for none, and one that
    /// asks already does not ask twice: an `elevated` that was restarted knows of neither.
    pub(super) fn ask_code(&mut self, prompt: String) {
        if let Some(held) = self.held.as_mut().filter(|held| !held.asked) {
            held.asked = true;
            self.client.say(&ToClient::AskCode { prompt });
        }
    }

    /// What was answered, by the process that the kernel names.
    pub(super) fn pass_code(&mut self, text: Secret, sender: Option<Credentials>) {
        let same = self.client.is_the_first(sender);
        let asked = self.held.as_mut().filter(|held| held.asked);
        let Some(held) = asked.filter(|_| same && text.reveal().len() <= CODE_BYTES) else {
            let who = sender.map_or(0, |sender| sender.pid);
            eprintln!("session {}: a code of process {who} is not taken", self.id);
            return;
        };
        held.asked = false;
        self.control.say(&FromLeader::Code { text });
    }

    /// The code was right.
    pub(super) fn let_go(&mut self) -> Result<(), Failure> {
        let Some(held) = self.held.take() else {
            return Ok(());
        };
        self.schedule.release(timer::now());
        self.mark(Mark::Released);
        self.client.say(&ToClient::Released);
        if let Some(window) = held.window {
            self.resize(window);
        }
        // Whoever fills the screen draws it anew.
        self.signal(Signal::WINCH);
        self.set_timer()
    }

    /// Remember a size for later; whether the terminal is held.
    pub(super) fn defer_resize(&mut self, window: Window) -> bool {
        match &mut self.held {
            Some(held) => {
                held.window = Some(window);
                true
            }
            None => false,
        }
    }
}
