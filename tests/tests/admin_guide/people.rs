//! People at their terminals, who do what the guide's blocks with prompts say.

use std::collections::HashMap;
use std::time::Duration;

use elevate_tests::{Factor, Machine, Terminal};
use regex::Regex;

use crate::blocks::pattern;

/// Ids in the guide; each stands for one that the machine makes up.
const IDS: [&str; 3] = ["k7m2x9qd", "p4t8w2za", "r6v3h8cb"];

/// Everybody who has sat down so far.
pub(crate) struct People<'m> {
    machine: &'m Machine,
    terminals: HashMap<String, Terminal>,
    factors: HashMap<String, Factor<'m>>,
    ids: HashMap<&'static str, String>,
}

impl<'m> People<'m> {
    pub(crate) fn new(machine: &'m Machine) -> Self {
        Self {
            machine,
            terminals: HashMap::new(),
            factors: HashMap::new(),
            ids: HashMap::new(),
        }
    }

    /// Does what a block says: commands after prompts, answers in parentheses, and the rest is what
    /// the terminal shows.
    pub(crate) fn at_their_terminals(&mut self, lines: &[String]) {
        let prompt = Regex::new(r"^(\w+)@(laptop|server)(?::~)?\$ ?(.*)$").unwrap();
        let answer = Regex::new(r"^(.*)\((code|recovery code|guess)\)$").unwrap();
        let mut who = String::new();
        for line in lines {
            if let Some(found) = prompt.captures(line) {
                who = found[1].to_owned();
                let command = self.with_ids(&found[3]);
                match &found[2] {
                    "laptop" => self.sit_down(&who, &command),
                    _ => self.command(&who, &command),
                }
            } else if let Some(found) = answer.captures(line) {
                self.answer(&who, &found[1], &found[2]);
            } else {
                self.shows(&who, line);
            }
        }
    }

    /// What an id of the guide stands for here.
    pub(crate) fn with_ids(&self, text: &str) -> String {
        let known = self.ids.iter();
        known.fold(text.to_owned(), |text, (id, here)| text.replace(id, here))
    }

    fn sit_down(&mut self, who: &str, command: &str) {
        let mut terminal = self
            .machine
            .terminal(&["sh", "-c", &format!("exec {command}")]);
        // Long lines of a shell wrap.
        terminal.resize(50, 200);
        self.terminals.insert(who.to_owned(), terminal);
    }

    fn terminal(&mut self, who: &str) -> &mut Terminal {
        let terminal = self.terminals.get_mut(who);
        terminal.unwrap_or_else(|| panic!("{who} is at no terminal yet"))
    }

    fn command(&mut self, who: &str, command: &str) {
        let terminal = self.terminal(who);
        terminal.expect(&format!(r"{who}@server:~\$ "));
        if !command.is_empty() {
            terminal.send(format!("{command}\n"));
            // The echo is not what the command shows.
            terminal.expect(&format!(r"{}\r\n", regex::escape(command)));
        }
    }

    fn answer(&mut self, who: &str, prompt: &str, kind: &str) {
        let patience = Duration::from_secs(30);
        self.terminal(who).expect_within(&pattern(prompt), patience);
        let answer = match (kind, self.factors.get_mut(who)) {
            ("guess", _) => "000000".to_owned(),
            ("code", Some(factor)) => factor.code(),
            ("recovery code", Some(factor)) => factor.recovery_code(),
            _ => panic!("{who} has no second factor"),
        };
        self.terminal(who).send(format!("{answer}\n"));
    }

    fn shows(&mut self, who: &str, line: &str) {
        let known = self.with_ids(line);
        let new_id = IDS.into_iter().find(|id| known.contains(id));
        let terminal = self.terminals.get_mut(who);
        let terminal = terminal.unwrap_or_else(|| panic!("{who} is at no terminal yet"));
        if line.starts_with("Secret: ") {
            let secret = terminal.expect(r"\nSecret: ([A-Z2-7]+)\r");
            let factor = Factor::new(self.machine, &secret, []);
            self.factors.insert(who.to_owned(), factor);
        } else if line.starts_with("Recovery codes") {
            let factor = self.factors.get_mut(who);
            let factor = factor.unwrap_or_else(|| panic!("{who} has no second factor"));
            factor.read_recovery_codes(terminal);
        } else if let Some(id) = new_id {
            let here = terminal.expect(&pattern(&known).replace(id, "([0-9a-z]{8})"));
            self.ids.insert(id, here);
        } else if line.trim() != "…" {
            terminal.expect(&pattern(&known));
        }
    }
}
