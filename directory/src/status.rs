//! What `systemctl status` and the journal say.

use sd_notify::NotifyState;

/// How many entries that can't be handed on are named in one refresh; the rest is counted.
const NAMED: usize = 20;

/// What was said last, so that nothing is repeated.
#[derive(Debug, Default)]
pub struct Status {
    said: String,
    noted: String,
    problem: String,
}

impl Status {
    /// Where it stands, for `systemctl status`.
    pub fn now(&mut self, text: String) {
        if text != self.said {
            // Started by hand nobody listens.
            let _ = sd_notify::notify(&[NotifyState::Status(&text)]);
            self.said = text;
        }
    }

    /// The same, and once for the journal.
    pub fn note(&mut self, text: String) {
        if text != self.noted {
            eprintln!("{text}");
            self.noted.clone_from(&text);
        }
        self.now(text);
    }

    /// Something is wrong: for the journal, once, and for `systemctl status`.
    pub fn problem(&mut self, text: &str) {
        if text != self.problem {
            eprintln!("{text}");
            text.clone_into(&mut self.problem);
        }
        self.now(text.to_owned());
    }

    /// Nothing is wrong any more.
    pub fn well(&mut self, text: String) {
        if !self.problem.is_empty() {
            eprintln!("{text}");
        }
        self.problem.clear();
        self.now(text);
    }
}

/// Entries that can't be handed on.
#[derive(Debug, Default)]
pub struct Odd {
    count: usize,
    first: String,
}

impl Odd {
    /// One more.
    pub fn add(&mut self, why: &str) {
        self.count += 1;
        if self.count == 1 {
            why.clone_into(&mut self.first);
        }
        match self.count {
            0..=NAMED => eprintln!("{why}"),
            count if count == NAMED + 1 => eprintln!("further ones are counted and not named"),
            _ => {}
        }
    }

    /// All of them in a line, if there are any.
    pub fn summary(&self) -> Option<String> {
        match self.count {
            0 => None,
            1 => Some(self.first.clone()),
            count => Some(format!("{count} such entries, the first: {}", self.first)),
        }
    }
}
