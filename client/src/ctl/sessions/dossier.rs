//! Everything that is known of one session, put together from the daemon, the journal and the
//! recording. What one of them lacks, another may have.

use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;

use elevate_protocol::escape;
use elevate_protocol::recording::{Event, Executed, Mark};
use serde::Serialize;

use super::journal::Entry;
use super::outline::Outline;
use super::tape::Tape;
use crate::ctl::objects::{Request, Session};
use crate::failure::Failure;

/// What is known. Texts are escaped; times are milliseconds since 1970, 0 for unknown or never.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Dossier {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) user: String,
    pub(super) uid: Option<u32>,
    pub(super) target: String,
    pub(super) command: String,
    pub(super) rule: String,
    pub(super) reason: String,
    pub(super) ticket: String,
    pub(super) approvals: Vec<Approval>,
    pub(super) begun: u64,
    pub(super) deadline: u64,
    pub(super) ended: u64,
    /// How it ended: the status, and why if not by itself.
    pub(super) outcome: String,
    pub(super) recording: Option<Recording>,
    /// How many commands ran in it, as far as that was counted.
    pub(super) execs: u64,
    pub(super) commands: Vec<Ran>,
    /// What else happened, in the journal's words.
    pub(super) history: Vec<Happened>,
}

/// Somebody's yes or no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Approval {
    pub(super) voter: String,
    pub(super) approved: bool,
    pub(super) comment: String,
    pub(super) at: u64,
}

/// What the recording holds in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Recording {
    /// Bytes that were shown.
    pub(super) bytes: u64,
    /// In milliseconds.
    pub(super) length: u64,
    pub(super) complete: bool,
}

/// A command that ran, or was to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Ran {
    pub(super) number: u64,
    pub(super) at: u64,
    /// Where in the recording, in milliseconds.
    pub(super) offset: Option<u64>,
    pub(super) pid: i32,
    pub(super) ppid: i32,
    pub(super) uid: Option<u32>,
    /// Whether the call was of another kind than the machine's own, as of 32-bit programs.
    pub(super) compat: bool,
    pub(super) denied: bool,
    pub(super) failed: bool,
    /// Whether something of the command line is missing.
    pub(super) cut: bool,
    pub(super) cwd: String,
    pub(super) file: String,
    pub(super) command: String,
}

/// Something that is on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Happened {
    pub(super) at: u64,
    pub(super) what: String,
}

fn shown(text: &str) -> String {
    escape::line(text.as_bytes())
}

impl Dossier {
    /// Whether nothing at all is known.
    pub(super) fn is_empty(&self) -> bool {
        self.user.is_empty() && self.command.is_empty()
    }

    /// Take over what the daemon says of the session, and of the request that it was.
    pub(super) fn add_objects(&mut self, session: Option<Session>, request: Option<Request>) {
        if let Some(session) = session {
            (self.user, self.target) = (session.user, session.target_user);
            (self.command, self.rule) = (session.command, session.rule);
            (self.state, self.outcome) = (session.state, session.outcome);
            (self.begun, self.ended) = (session.begun, session.ended);
            (self.deadline, self.execs) = (session.deadline, session.execs);
        }
        if let Some(request) = request {
            (self.uid, self.reason) = (Some(request.uid), request.reason);
            let votes = request.votes.into_iter();
            self.approvals = votes
                .map(|(voter, approved, comment, at)| Approval {
                    voter,
                    approved,
                    comment,
                    at,
                })
                .collect();
        }
    }

    /// Take over what an entry of the journal says; where two say the same, the later one counts.
    pub(super) fn add_entry(&mut self, entry: &Entry) {
        let number = entry.number("ELEVATE_EXEC_NUMBER");
        match entry.text("ELEVATE_EVENT") {
            "exec" => return self.commands.push(ran(entry)),
            "exec-failed" => {
                let of = |ran: &&mut Ran| Some(ran.number) == number;
                if let Some(ran) = self.commands.iter_mut().rev().find(of) {
                    ran.failed = true;
                }
                return;
            }
            "request" => {
                self.about(entry);
                self.reason = shown(entry.text("ELEVATE_REASON"));
                self.ticket = shown(entry.text("ELEVATE_TICKET"));
            }
            "approval" | "denial" => self.approvals.push(Approval {
                voter: shown(entry.text("ELEVATE_APPROVER")),
                approved: entry.text("ELEVATE_OUTCOME") == "approved",
                comment: shown(entry.text("ELEVATE_REASON")),
                at: entry.at(),
            }),
            "start" => (self.begun, self.state) = (entry.at(), "running".into()),
            "extend" => {
                self.deadline = entry.number("ELEVATE_DEADLINE").unwrap_or(self.deadline);
            }
            "end" => self.end(entry),
            _ => {}
        }
        self.history.push(Happened {
            at: entry.at(),
            what: entry.text("MESSAGE").to_owned(),
        });
    }

    fn about(&mut self, entry: &Entry) {
        self.user = shown(entry.text("ELEVATE_USER"));
        self.uid = entry.number("ELEVATE_UID");
        self.target = shown(entry.text("ELEVATE_TARGET"));
        // The daemon has escaped it.
        self.command = entry.text("ELEVATE_COMMAND").to_owned();
        self.rule = shown(entry.text("ELEVATE_RULE"));
    }

    fn end(&mut self, entry: &Entry) {
        self.ended = entry.at();
        self.state = "ended".into();
        self.execs = entry.number("ELEVATE_EXECS").unwrap_or(0);
        let status = shown(entry.text("ELEVATE_STATUS"));
        self.outcome = match entry.text("ELEVATE_OUTCOME") {
            "finished" => status,
            reason if status.is_empty() => shown(reason),
            reason => format!("{}, {status}", shown(reason)),
        };
    }

    /// Take over what a recording says. Of commands it knows where they are in it.
    pub(super) fn add_recording<R: Read + Clone>(&mut self, fresh: R) -> Result<(), Failure> {
        let mut tape = Tape::open(fresh.clone())?;
        let header = tape.header().clone();
        if self.is_empty() {
            self.command = header.command;
            self.user = header.title;
        }
        let begun = header.timestamp * 1000;
        if self.begun == 0 {
            self.begun = begun;
        }
        let mut commands = Vec::new();
        let mut failed: HashMap<u64, ()> = HashMap::new();
        while let Some(moment) = tape.next()? {
            match moment.event {
                Event::Marker(Mark::Exec(exec)) => commands.push(recorded(exec, begun, moment.at)),
                Event::Marker(Mark::ExecFailed { number }) => {
                    failed.insert(number, ());
                }
                _ => {}
            }
        }
        for command in &mut commands {
            command.failed = failed.contains_key(&command.number);
        }
        if !commands.is_empty() {
            self.execs = self.execs.max(commands.len() as u64);
            self.commands = commands;
        }
        let outline = Outline::of(&mut Tape::open(fresh)?)?;
        self.recording = Some(Recording {
            bytes: outline.shown,
            length: milliseconds(outline.length),
            complete: outline.status.is_some(),
        });
        if self.outcome.is_empty() && outline.status.is_some() {
            self.outcome = outline.ending();
            self.state = "ended".into();
            self.ended = begun + milliseconds(outline.length);
        }
        Ok(())
    }
}

/// The exec of an entry.
fn ran(entry: &Entry) -> Ran {
    let real = entry.text("ELEVATE_REAL_PATH");
    let file = match real.is_empty() {
        true => entry.text("ELEVATE_PATH"),
        false => real,
    };
    // The daemon has escaped it, and marked it where it is cut.
    let command = entry.text("ELEVATE_ARGV");
    let whole = command.strip_suffix(" …");
    Ran {
        number: entry.number("ELEVATE_EXEC_NUMBER").unwrap_or(0),
        at: entry.at(),
        offset: None,
        pid: entry.number("ELEVATE_PID").unwrap_or(0),
        ppid: entry.number("ELEVATE_PPID").unwrap_or(0),
        uid: entry.number("ELEVATE_EXEC_UID"),
        compat: entry.text("ELEVATE_EXEC_ABI") == "compat",
        denied: entry.text("ELEVATE_OUTCOME") == "denied",
        failed: false,
        cut: whole.is_some(),
        cwd: escape::word(entry.text("ELEVATE_CWD").as_bytes()),
        file: escape::word(file.as_bytes()),
        command: whole.unwrap_or(command).to_owned(),
    }
}

/// The exec of a mark.
fn recorded(exec: Executed, begun: u64, at: Duration) -> Ran {
    Ran {
        number: exec.number,
        at: begun + milliseconds(at),
        offset: Some(milliseconds(at)),
        pid: exec.pid,
        ppid: exec.ppid,
        uid: Some(exec.uid),
        compat: exec.compat,
        denied: exec.denied,
        failed: false,
        cut: exec.cut,
        cwd: exec.cwd,
        file: exec.file,
        command: exec.command,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::tape::tests::{after, exec, text};
    use super::*;

    fn entry(at: u64, fields: &[(&str, &str)]) -> Entry {
        let mut json = serde_json::Map::new();
        json.insert(
            "__REALTIME_TIMESTAMP".into(),
            (at * 1000).to_string().into(),
        );
        for (name, value) in fields {
            json.insert(format!("ELEVATE_{name}"), (*value).into());
        }
        json.insert("MESSAGE".into(), fields[0].1.into());
        Entry::read(&serde_json::Value::Object(json).to_string()).unwrap()
    }

    fn journal() -> Vec<Entry> {
        vec![
            entry(
                10,
                &[
                    ("EVENT", "request"),
                    ("USER", "alice"),
                    ("UID", "1000"),
                    ("TARGET", "root"),
                    ("COMMAND", "sh -c 'ls'"),
                    ("RULE", "all"),
                    ("REASON", "fix\u{1b}[2J"),
                ],
            ),
            entry(
                20,
                &[
                    ("EVENT", "approval"),
                    ("APPROVER", "bob"),
                    ("OUTCOME", "approved"),
                    ("REASON", "fine"),
                ],
            ),
            entry(30, &[("EVENT", "start")]),
            entry(
                40,
                &[
                    ("EVENT", "exec"),
                    ("EXEC_NUMBER", "1"),
                    ("PID", "7"),
                    ("PPID", "6"),
                    ("EXEC_UID", "0"),
                    ("PATH", "ls"),
                    ("REAL_PATH", "/usr/bin/ls"),
                    ("ARGV", "ls -l …"),
                    ("CWD", "/my files"),
                ],
            ),
            entry(41, &[("EVENT", "exec-failed"), ("EXEC_NUMBER", "1")]),
            entry(
                50,
                &[
                    ("EVENT", "end"),
                    ("OUTCOME", "deadline"),
                    ("STATUS", "signal 9"),
                    ("EXECS", "1"),
                ],
            ),
        ]
    }

    fn of_journal() -> Dossier {
        let mut dossier = Dossier::default();
        journal().iter().for_each(|entry| dossier.add_entry(entry));
        dossier
    }

    #[test]
    fn of_a_session_long_over_the_journal_tells_all() {
        let dossier = of_journal();
        assert_eq!((dossier.user.as_str(), dossier.uid), ("alice", Some(1000)));
        assert_eq!(dossier.reason, "fix\\x1b[2J");
        assert_eq!(dossier.approvals[0].voter, "bob");
        assert_eq!((dossier.begun, dossier.ended), (30, 50));
        assert_eq!(dossier.outcome, "deadline, signal 9");
        let ran = &dossier.commands[0];
        assert_eq!((ran.pid, ran.ppid, ran.uid), (7, 6, Some(0)));
        assert_eq!(
            (ran.cwd.as_str(), ran.file.as_str()),
            ("'/my files'", "/usr/bin/ls")
        );
        assert!(ran.failed && ran.cut && ran.command == "ls -l");
        let events: Vec<_> = dossier.history.iter().map(|event| event.at).collect();
        assert_eq!(
            events,
            [10, 20, 30, 50],
            "commands have a table of their own"
        );
    }

    #[test]
    fn a_recording_says_where_commands_are_and_what_the_journal_lacks() {
        let bytes = text(|encoder| {
            let mut lines = encoder.marker(after(1.5), exec(1, "ls"));
            lines += &encoder.marker(after(1.6), Mark::ExecFailed { number: 1 });
            lines += &encoder.output(after(2.0), b"hello").unwrap();
            lines += &encoder.marker(after(3.0), exec(2, "id"));
            lines + &encoder.exit(after(4.0), "0")
        });
        let mut dossier = of_journal();
        dossier.add_recording(bytes.as_bytes()).unwrap();
        assert_eq!(dossier.outcome, "deadline, signal 9");
        assert_eq!(dossier.user, "alice");
        let commands: Vec<_> = dossier
            .commands
            .iter()
            .map(|ran| (ran.offset, ran.failed))
            .collect();
        assert_eq!(commands, [(Some(1500), true), (Some(3000), false)]);
        let recording = dossier.recording.unwrap();
        assert_eq!(
            (recording.bytes, recording.length, recording.complete),
            (5, 4000, true)
        );

        let mut alone = Dossier::default();
        alone.add_recording(bytes.as_bytes()).unwrap();
        assert_eq!(alone.user, "alice as root by rule all");
        assert_eq!((alone.begun, alone.ended), (1_000_000, 1_004_000));
        assert_eq!(alone.outcome, "ended after 0:04 with status 0");
        assert_eq!(alone.execs, 2);
    }

    #[test]
    fn what_the_daemon_says_counts_before_the_journal() {
        let mut dossier = of_journal();
        let session = Session {
            user: "alice".into(),
            state: "running".into(),
            deadline: 99,
            execs: 5,
            ..Session::default()
        };
        dossier.add_objects(Some(session), None);
        assert_eq!((dossier.state.as_str(), dossier.deadline), ("running", 99));
        assert_eq!((dossier.execs, dossier.reason.as_str()), (5, "fix\\x1b[2J"));
    }
}
