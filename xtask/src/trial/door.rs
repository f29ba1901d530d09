//! How people come to their seats: through sshd, with a key, and with a code where one is asked for.

use std::time::Instant;

use anyhow::{Result, ensure};
use elevate_tests::{Door, Factor};

use super::screen;
use super::seat::{Seat, Who};
use super::stage::{Stage, took};

const PROMPT: &str = "Verification code: ";

impl<'m> Stage<'m> {
    /// Puts somebody on a seat, whoever sat there before.
    pub(super) fn sits_down(&mut self, who: Who, seat: Seat<'m>) {
        self.gets_up(who);
        self.seats.push((who, seat));
    }

    /// Leaves a seat empty.
    pub(super) fn gets_up(&mut self, who: Who) {
        self.seats.retain(|(seated, _)| *seated != who);
    }

    pub(super) fn seat(&mut self, who: Who) -> &mut Seat<'m> {
        let seat = self.seats.iter_mut().find(|(seated, _)| *seated == who);
        let seat = seat.map(|(_, seat)| seat);
        seat.unwrap_or_else(|| panic!("nobody is on the seat of {}", who.seat()))
    }

    /// Who was left in the middle of something when a step went wrong comes in anew: nobody knows
    /// what stands on their terminals.
    pub(super) fn starts_over(&mut self) -> Result<()> {
        let busy = self.seats.iter().filter(|(_, seat)| seat.is_busy());
        let busy: Vec<_> = busy.map(|(who, _)| *who).collect();
        for who in busy {
            self.gets_up(who);
            match who {
                Who::Root => self.sits_down(who, Seat::at_console(self.machine)),
                _ => self.comes_in_somehow(who)?,
            }
        }
        Ok(())
    }

    fn comes_in_somehow(&mut self, who: Who) -> Result<()> {
        let mut door = self.knocks(who);
        let terminal = door.terminal();
        terminal.shows_or_ends(&format!("{PROMPT}|is let in"));
        if terminal.screen().contains(PROMPT) {
            let code = self.takes_code(who);
            door.answer(&code);
        }
        let login = door.enter();
        self.sits_down(who, Seat::in_login(login));
        Ok(())
    }

    /// Starts an ssh client.
    pub(super) fn knocks(&self, who: Who) -> Door<'m> {
        let account = who.account();
        let name = self.style.name(&format!("{account}@laptop"));
        let line = format!("ssh {account}@server");
        println!("     {name}$ {}", self.style.bold(&line));
        self.machine.ssh(account).knock()
    }

    /// Comes in with a key alone.
    pub(super) fn comes_in_by_key(&mut self, who: Who) -> Result<()> {
        let begun = Instant::now();
        let login = self.knocks(who).enter();
        self.tells(&format!("let in after {}", took(begun.elapsed())));
        self.sits_down(who, Seat::in_login(login));
        Ok(())
    }

    /// Comes in with a key and a code.
    pub(super) fn comes_in(&mut self, who: Who) -> Result<()> {
        let door = self.knocks(who);
        self.answers(who, door)
    }

    /// Answers sshd's question with a code, and sits down.
    pub(super) fn answers(&mut self, who: Who, mut door: Door<'m>) -> Result<()> {
        self.is_asked(&mut door)?;
        let code = self.takes_code(who);
        let begun = Instant::now();
        door.answer(&code);
        let login = door.enter();
        self.tells(&format!("let in after {}", took(begun.elapsed())));
        self.sits_down(who, Seat::in_login(login));
        Ok(())
    }

    /// Answers sshd's question with this, and is refused. `what` tells what it is.
    pub(super) fn is_refused(&self, who: Who, answer: &str, what: &str) -> Result<()> {
        let mut door = self.knocks(who);
        self.is_asked(&mut door)?;
        self.does(who, &format!("types {what}"));
        door.answer(answer);
        let refusal = door.refused();
        ensure!(!refusal.screen.contains(answer), "the answer was echoed");
        let lines = screen::lines(&refusal.screen);
        let after = lines.iter().skip_while(|line| line.contains(PROMPT.trim()));
        self.output(&after.cloned().collect::<Vec<_>>());
        let denied = lines.iter().any(|line| line.contains("Permission denied"));
        ensure!(denied && refusal.status == 255, "sshd should deny it");
        Ok(())
    }

    /// Is refused without any question. Returns what was on the screen.
    pub(super) fn is_sent_away(&self, who: Who) -> String {
        let begun = Instant::now();
        let refusal = self.knocks(who).refused();
        self.output(&screen::lines(&refusal.screen));
        self.tells(&format!("sent away after {}", took(begun.elapsed())));
        refusal.screen
    }

    fn is_asked(&self, door: &mut Door<'m>) -> Result<()> {
        let asked = door.prompt();
        self.output(std::slice::from_ref(&asked));
        ensure!(asked == PROMPT, "sshd asks something else");
        Ok(())
    }

    /// Types a code where the terminal asks for one.
    pub(super) fn gives_code(&mut self, who: Who) {
        self.sees(who, PROMPT);
        let code = self.takes_code(who);
        self.seat(who).press(&format!("{code}\n"));
    }

    pub(super) fn factor(&mut self, who: Who) -> &mut Factor<'m> {
        let account = who.account();
        let mut factors = self.factors.iter_mut();
        let factor = factors.find(|(name, _)| *name == account);
        let factor = factor.map(|(_, factor)| factor);
        factor.unwrap_or_else(|| panic!("{account} has no second factor"))
    }

    /// A code never used before. A phone shows a new one every 30 seconds, and nobody who watches
    /// wants to wait for it.
    fn takes_code(&mut self, who: Who) -> String {
        let code = self.factor(who).code();
        let digits = code.len() == 6 && code.chars().all(|digit| digit.is_ascii_digit());
        match digits {
            true => self.does(who, "types the code that the phone shows"),
            false => self.does(
                who,
                "types a recovery code: the phone's of these 30 s is used up",
            ),
        }
        code
    }
}
