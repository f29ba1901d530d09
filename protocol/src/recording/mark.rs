//! What we note in a recording beside what a terminal shows: markers (`m`), whose labels are text
//! of a fixed form, so that any player shows them and ours reads them back.

use std::fmt;

use crate::launch::Exec;
use crate::stream::EndReason;
use crate::{Bytes, escape};

/// Bytes of a command line in a label; the rest is left out, and the journal has it.
const COMMAND_BYTES: usize = 4096;

/// Signals that can be passed on, by name (signal(7)).
const SIGNALS: [(&str, i32); 14] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("KILL", 9),
    ("USR1", 10),
    ("USR2", 12),
    ("ALRM", 14),
    ("TERM", 15),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("WINCH", 28),
];

/// One note. Its text is [`Display`](fmt::Display); every text is a mark, and has itself as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A process is about to execute something, or was denied it.
    Exec(Executed),
    /// As far as `/proc` shows it was not executed.
    ExecFailed {
        /// As [`Executed::number`] counts.
        number: u64,
    },
    /// The client passed this signal on (its number).
    Signal(i32),
    /// Something was typed while the terminal's echo was off; it is not kept. Said once for each
    /// such time.
    Hidden,
    /// Nobody pressed a key for so long that the terminal is held.
    Held,
    /// A code was given, and the terminal goes on.
    Released,
    /// The session was ended by something else than its command; who ended it is escaped.
    End(EndReason),
    /// None of ours.
    Other(String),
}

/// An exec, as a mark tells it: every text is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Counted from 1 within the session.
    pub number: u64,
    /// Who executes.
    pub pid: i32,
    /// Its parent.
    pub ppid: i32,
    /// Its effective uid.
    pub uid: u32,
    /// Whether it was a call of another kind than this machine's own (32-bit, x32).
    pub compat: bool,
    /// Whether it was denied.
    pub denied: bool,
    /// Whether something of the command line is missing.
    pub cut: bool,
    /// Its working directory, one word.
    pub cwd: String,
    /// The file, with every link resolved where that could be done; one word.
    pub file: String,
    /// The command line.
    pub command: String,
}

impl From<&Exec> for Executed {
    fn from(exec: &Exec) -> Executed {
        let (command, whole) = command(&exec.argv);
        Executed {
            number: exec.number,
            pid: exec.pid,
            ppid: exec.ppid,
            uid: exec.uid,
            compat: exec.compat,
            denied: exec.denied,
            cut: exec.cut || !whole,
            cwd: escape::word(&exec.cwd),
            file: escape::word(exec.real.as_ref().unwrap_or(&exec.path)),
            command,
        }
    }
}

/// The words as one line, and whether that is all of them.
fn command(words: &[Bytes]) -> (String, bool) {
    let mut line = String::new();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            line.push(' ');
        }
        // Escaped a word only gets longer: what is left out here would be cut anyway.
        line += &escape::word(&word[..word.len().min(COMMAND_BYTES + 1)]);
        if line.len() > COMMAND_BYTES {
            let mut ends = (0..=COMMAND_BYTES).rev();
            let end = ends.find(|&at| line.is_char_boundary(at));
            line.truncate(end.unwrap_or(0));
            return (line, false);
        }
    }
    (line, true)
}

impl Mark {
    /// The session was ended for this reason.
    pub fn end(reason: &EndReason) -> Mark {
        Mark::End(match reason {
            EndReason::Revoked { by } => EndReason::Revoked {
                by: escape::line(by.as_bytes()),
            },
            other => other.clone(),
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mark::Exec(exec) => exec.fmt(f),
            Mark::ExecFailed { number } => write!(f, "exec {number} failed"),
            Mark::Signal(number) => match SIGNALS.iter().find(|(_, known)| known == number) {
                Some((name, _)) => write!(f, "signal {name}"),
                None => write!(f, "signal {number}"),
            },
            Mark::Hidden => f.write_str("hidden"),
            Mark::Held => f.write_str("held"),
            Mark::Released => f.write_str("released"),
            Mark::End(reason) => {
                write!(f, "end {}", reason.word())?;
                match reason {
                    EndReason::Revoked { by } => write!(f, " by {by}"),
                    _ => Ok(()),
                }
            }
            Mark::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Executed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, pid, ppid, uid) = (self.number, self.pid, self.ppid, self.uid);
        write!(f, "exec {number} pid {pid} ppid {ppid} uid {uid}")?;
        let flags = [
            (self.compat, "compat"),
            (self.denied, "denied"),
            (self.cut, "cut"),
        ];
        for (_, name) in flags.iter().filter(|(set, _)| *set) {
            write!(f, " {name}")?;
        }
        let (cwd, file, command) = (&self.cwd, &self.file, &self.command);
        write!(f, " cwd {cwd} file {file}: {command}")
    }
}

impl From<String> for Mark {
    fn from(label: String) -> Mark {
        // Only what we would have written ourselves is ours.
        let ours = parse(&label).filter(|mark| mark.to_string() == label);
        ours.unwrap_or(Mark::Other(label))
    }
}

impl From<&str> for Mark {
    fn from(label: &str) -> Mark {
        label.to_owned().into()
    }
}

fn parse(label: &str) -> Option<Mark> {
    let (first, rest) = label.split_once(' ').unwrap_or((label, ""));
    Some(match first {
        "exec" => match rest.split_once(' ')? {
            (number, "failed") => Mark::ExecFailed {
                number: number.parse().ok()?,
            },
            _ => Mark::Exec(parse_exec(rest)?),
        },
        "signal" => Mark::Signal(match SIGNALS.iter().find(|(name, _)| *name == rest) {
            Some((_, number)) => *number,
            None => rest.parse().ok()?,
        }),
        "hidden" => Mark::Hidden,
        "held" => Mark::Held,
        "released" => Mark::Released,
        "end" => Mark::End(match rest.strip_prefix("revoked by ") {
            Some(by) => EndReason::Revoked { by: by.into() },
            None => reason(rest)?,
        }),
        _ => return None,
    })
}

/// The reason of this word, but for the one that says who.
fn reason(word: &str) -> Option<EndReason> {
    let reasons = [
        EndReason::Finished,
        EndReason::Deadline,
        EndReason::Idle,
        EndReason::Unwatched,
        EndReason::ClientGone,
        EndReason::DaemonGone,
        EndReason::RecordingFailed,
        EndReason::LeaderGone,
        EndReason::Reboot,
    ];
    reasons.into_iter().find(|reason| reason.word() == word)
}

fn parse_exec(text: &str) -> Option<Executed> {
    let (number, rest) = text.split_once(" pid ")?;
    let (pid, rest) = rest.split_once(" ppid ")?;
    let (ppid, rest) = rest.split_once(" uid ")?;
    let (uid, mut rest) = rest.split_once(' ')?;
    let mut flag = |name| {
        let without = rest.strip_prefix(name);
        rest = without.unwrap_or(rest);
        without.is_some()
    };
    let (compat, denied, cut) = (flag("compat "), flag("denied "), flag("cut "));
    let (cwd, rest) = split_word(rest.strip_prefix("cwd ")?, " file ")?;
    let (file, rest) = split_word(rest.strip_prefix(" file ")?, ": ")?;
    Some(Executed {
        number: number.parse().ok()?,
        pid: pid.parse().ok()?,
        ppid: ppid.parse().ok()?,
        uid: uid.parse().ok()?,
        compat,
        denied,
        cut,
        cwd: cwd.into(),
        file: file.into(),
        command: rest.strip_prefix(": ")?.into(),
    })
}

/// The first word of `text`, quoted as [`escape::word`] does, and what follows it: without quotes
/// it goes as far as `end`, which has a space, and so is in no such word.
fn split_word<'a>(text: &'a str, end: &str) -> Option<(&'a str, &'a str)> {
    let length = if let Some(quoted) = text.strip_prefix("$'") {
        let mut escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '\'' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        end? + 3
    } else if let Some(quoted) = text.strip_prefix('\'') {
        quoted.find('\'')? + 2
    } else {
        text.find(end)?
    };
    text.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exec(cwd: &str, file: &str, words: &[&str]) -> Exec {
        Exec {
            number: 12,
            pid: 345,
            ppid: 340,
            uid: 0,
            compat: false,
            path: file.into(),
            real: None,
            argv: words.iter().map(|&word| word.into()).collect(),
            cut: false,
            cwd: cwd.into(),
            denied: false,
        }
    }

    #[test]
    fn an_exec_reads_as_a_line() {
        let words = ["systemctl", "restart", "nginx"];
        let mut exec = exec("/root", "/usr/bin/systemctl", &words);
        let text = |exec: &Exec| Mark::Exec(exec.into()).to_string();
        assert_eq!(
            text(&exec),
            "exec 12 pid 345 ppid 340 uid 0 cwd /root file /usr/bin/systemctl: \
             systemctl restart nginx"
        );
        (exec.denied, exec.compat) = (true, true);
        assert!(text(&exec).contains(" uid 0 compat denied cwd "));
    }

    #[test]
    fn marks_have_words_that_people_read() {
        let by = |by: &str| EndReason::Revoked { by: by.into() };
        for (mark, text) in [
            (Mark::ExecFailed { number: 3 }, "exec 3 failed"),
            (Mark::Signal(15), "signal TERM"),
            (Mark::Signal(40), "signal 40"),
            (Mark::Hidden, "hidden"),
            (Mark::end(&EndReason::Deadline), "end deadline"),
            (Mark::end(&by("bob")), "end revoked by bob"),
            (Mark::end(&by("b\x1bob")), "end revoked by b\\x1bob"),
        ] {
            assert_eq!(mark.to_string(), text);
            assert_eq!(Mark::from(text), mark);
        }
    }

    #[test]
    fn what_only_looks_like_ours_is_not() {
        for label in [
            "exec 012 failed",
            "exec 1 failed ",
            "signal 15",
            "held ",
            "end",
            "end of it",
            "exec 1 pid 2 ppid 3 uid 0 cwd / file '/x: y",
            "exec 1 pid 2 ppid 3 uid 0 denied compat cwd / file /x: y",
        ] {
            assert_eq!(Mark::from(label), Mark::Other(label.into()));
        }
    }

    #[test]
    fn a_long_command_line_is_cut_and_says_so() {
        let long = "é".repeat(COMMAND_BYTES);
        for words in [&[&*long][..], &["a", &long], &["é"; COMMAND_BYTES]] {
            let executed = Executed::from(&exec("/", "/bin/x", words));
            assert!(executed.cut);
            assert!(executed.command.len() <= COMMAND_BYTES);
        }
        assert!(!Executed::from(&exec("/", "/bin/x", &["a"; 100])).cut);
    }

    fn bytes() -> impl Strategy<Value = Bytes> {
        let text = "[ -~\u{80}-\u{2fff}\n\\\\']{0,20}".prop_map(|text| text.into_bytes());
        prop_oneof![text, any::<Vec<u8>>()].prop_map(Bytes)
    }

    prop_compose! {
        fn hostile()(
            (number, pid, ppid, uid) in any::<(u64, i32, i32, u32)>(),
            (compat, cut, denied) in any::<(bool, bool, bool)>(),
            (path, cwd, real) in (bytes(), bytes(), prop::option::of(bytes())),
            argv in prop::collection::vec(bytes(), 0..5),
        ) -> Exec {
            Exec { number, pid, ppid, uid, compat, path, real, argv, cut, cwd, denied }
        }
    }

    proptest! {
        #[test]
        fn every_exec_is_read_back_as_it_was_written(exec in hostile()) {
            let mark = Mark::Exec(Executed::from(&exec));
            let text = mark.to_string();
            prop_assert!(!text.contains(char::is_control));
            prop_assert_eq!(Mark::from(text), mark);
        }

        #[test]
        fn whoever_ended_a_session_is_read_back(by: String) {
            let mark = Mark::end(&EndReason::Revoked { by });
            prop_assert_eq!(Mark::from(mark.to_string()), mark);
        }

        #[test]
        fn every_label_is_a_mark_with_itself_as_text(
            label in "(exec |signal |end |held|hidden)?[0-9a-z :/'$\\\\\u{1b}]{0,40}"
        ) {
            prop_assert_eq!(Mark::from(label.clone()).to_string(), label);
        }
    }
}
