//! A host program that follows a script, and an `elevated` that does what a test says.

use std::collections::VecDeque;

use elevate_protocol::Secret;

use crate::conversation::{Conversation, Tone};
use crate::facts::{Host, Level};

/// What happens in a conversation, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// A prompt, whether it echoes, and the answer, if there is one.
    Asked(&'static str, bool, Option<&'static str>),
    /// A line for the person.
    Told(&'static str, Tone),
}

/// A host program whose conversation must go exactly as scripted.
pub(crate) struct FakeHost {
    script: VecDeque<Said>,
    service: Option<Vec<u8>>,
    user: Option<Vec<u8>>,
    pub(crate) accepted: Option<Vec<u8>>,
    pub(crate) logged: Vec<String>,
    /// Nothing is checked: for bytes of which nobody knows what comes of them.
    pub(crate) careless: bool,
}

impl FakeHost {
    pub(crate) fn new(service: &str, user: &str) -> Self {
        FakeHost {
            script: VecDeque::new(),
            service: Some(service.into()),
            user: Some(user.into()),
            accepted: None,
            logged: Vec::new(),
            careless: false,
        }
    }

    pub(crate) fn script(mut self, script: impl IntoIterator<Item = Said>) -> Self {
        self.script = script.into_iter().collect();
        self
    }

    pub(crate) fn without_user(mut self) -> Self {
        self.user = None;
        self
    }

    fn next(&mut self, seen: &str) -> Said {
        let step = self.script.pop_front();
        step.unwrap_or_else(|| panic!("{seen:?} is not in the script"))
    }
}

impl Drop for FakeHost {
    /// A step that is left over is a failure.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.script.is_empty(), "never happened: {:?}", self.script);
        }
    }
}

impl Conversation for FakeHost {
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<Secret> {
        if self.careless {
            return Some("123456".to_owned().into());
        }
        match self.next(prompt) {
            Said::Asked(wanted, echoes, answer) => {
                assert_eq!((prompt, echo), (wanted, echoes));
                answer.map(|text| text.to_owned().into())
            }
            other => panic!("{prompt:?} was asked where the script has {other:?}"),
        }
    }

    fn tell(&mut self, text: &str, tone: Tone) {
        if self.careless {
            return;
        }
        match self.next(text) {
            Said::Told(wanted, in_tone) => assert_eq!((text, tone), (wanted, in_tone)),
            other => panic!("{text:?} was said where the script has {other:?}"),
        }
    }
}

impl Host for FakeHost {
    fn service(&self) -> Option<Vec<u8>> {
        self.service.clone()
    }

    fn user(&mut self) -> Option<Vec<u8>> {
        self.user.clone()
    }

    fn source(&self) -> Option<Vec<u8>> {
        Some(b"192.0.2.1".to_vec())
    }

    fn terminal(&self) -> Option<Vec<u8>> {
        Some(b"ssh".to_vec())
    }

    fn accepted(&mut self) -> Option<Vec<u8>> {
        self.accepted.clone()
    }

    fn delay_failure(&mut self) {}

    fn log(&mut self, _: Level, text: &str) {
        self.logged.push(text.to_owned());
    }
}
