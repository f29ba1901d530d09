//! One session, from a command that waits to the end of its tree.

mod ending;
mod execs;
mod hearing;
mod holding;
mod keeping;
mod polling;
mod showing;
mod timing;
mod transfers;

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use elevate_protocol::launch::{Execs, FromLeader};
use elevate_protocol::limits::START_TIME;
use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::stream::{EndReason, Status};
use elevate_protocol::{ErrorName, Id};
use rustix::process::{Pid, setpgid};

use self::holding::Held;
use self::polling::Source;
use super::client::Client;
use super::command::{Go, Report};
use super::control::Control;
use super::execs::ExecLog;
use super::failure::{Doing, Failure};
use super::pam_session::PamSession;
use super::recording::Recorder;
use super::schedule::Schedule;
use super::start::{Output, Started};
use super::terminal::Terminal;
use super::timer::Timer;
use crate::cgroup::{self, Tree};
use crate::sys::signals;

/// Where a session stands.
enum Stage {
    /// The command waits for its standard streams, and for its scope where it has to.
    Waiting {
        streams: Option<Vec<OwnedFd>>,
        until: Instant,
    },
    /// It was told to go on, and has not been executed yet.
    Released,
    /// It runs.
    Running,
    /// The client is gone; the tree was told, and has a moment to end by itself.
    HangingUp { until: Instant },
    /// The tree was killed and is not gone yet.
    Killing,
    /// The tree is gone; the client takes what is left of the output, where the grant's time is
    /// over or somebody ended it at the latest `until` a time.
    Delivering { until: Option<Instant> },
    /// Both sides know how it ended.
    Over,
}

/// How long a command may wait: less than the alarm that would end the leader without a word.
const WAITING_TIME: Duration = START_TIME.saturating_sub(Duration::from_secs(5));

/// How many seconds one turn may take. Closing a file, reading a process's memory and writing a
/// recording can hang in a file system that somebody else serves; a leader that hangs could neither
/// end its session nor record it, and so it ends with it instead.
const TURN_TIME: u32 = 5;

struct Session {
    id: Id,
    stage: Stage,
    go: Go,
    passes: usize,
    /// Whether the command waits for its scope.
    waits_for_scope: bool,
    /// When systemd must have made the scope, until it has: without it PID 1 would not bound this
    /// session should everything of ours fail.
    scope_due: Option<Instant>,
    /// The command's process; its process group too.
    command: Pid,
    /// Until the exec.
    link: Option<OwnedFd>,
    tree: Option<Tree>,
    control: Control,
    client: Client,
    signals: OwnedFd,
    schedule: Schedule,
    timer: Timer,
    terminal: Option<Terminal>,
    /// Whether the client lets the command have the keyboard.
    keyboard: bool,
    /// Whether the command stopped for want of it.
    wants_keyboard: bool,
    /// Whether the client stopped by itself, and had the command stop with it.
    client_stops: bool,
    held: Option<Held>,
    outputs: Vec<Output>,
    /// Where the command tells of the files that it passes.
    log: Option<OwnedFd>,
    recorder: Option<Recorder>,
    recorded: u64,
    /// What the rule says of execs.
    logs: Execs,
    execs: Option<ExecLog>,
    exec_count: u64,
    /// Whether the person heard that nothing can have a listener of its own.
    listener_explained: bool,
    status: Option<Status>,
    reason: EndReason,
    /// Whether both sides were told how it ended.
    told: bool,
    buffer: Box<[u8]>,
}

/// Lead the session to its end; the exit status of this process.
pub(super) fn run(started: Started, control: Control, client: Client) -> i32 {
    let (mut session, pam) = Session::new(started, control, client);
    let outcome = session.lead();
    signals::alarm(0);
    match outcome {
        Ok(()) => session.control.flush_for_good(),
        Err(failure) => session.abandon(failure),
    }
    // The outcome was told already: nobody waits for what modules do now.
    drop::<PamSession>(pam);
    0
}

impl Session {
    fn new(started: Started, control: Control, client: Client) -> (Session, PamSession) {
        let session = Session {
            id: started.id,
            stage: Stage::Waiting {
                streams: None,
                until: Instant::now() + WAITING_TIME,
            },
            go: started.go,
            passes: started.passes,
            waits_for_scope: started.waits_for_scope,
            scope_due: Some(Instant::now() + WAITING_TIME),
            command: started.command.pid,
            link: Some(started.command.link),
            tree: None,
            control,
            client,
            signals: started.signals,
            schedule: started.schedule,
            timer: started.timer,
            terminal: started.terminal,
            keyboard: true,
            wants_keyboard: false,
            client_stops: false,
            held: None,
            outputs: started.outputs,
            log: started.log,
            recorder: started.recorder,
            recorded: 0,
            logs: started.execs,
            execs: None,
            exec_count: 0,
            listener_explained: false,
            status: None,
            reason: EndReason::Finished,
            told: false,
            buffer: showing::buffer(),
        };
        (session, started.pam)
    }

    /// Fails only as long as nothing was executed.
    fn lead(&mut self) -> Result<(), Failure> {
        while !matches!(self.stage, Stage::Over) {
            signals::alarm(0);
            let sources = self.wait()?;
            signals::alarm(TURN_TIME);
            for source in sources {
                self.attend(source)?;
            }
            if self.client.is_gone() {
                self.lose_client()?;
            }
            self.attend_to_time()?;
        }
        Ok(())
    }

    fn attend(&mut self, source: Source) -> Result<(), Failure> {
        match source {
            Source::Timer => self.hear_timer()?,
            Source::Link => self.hear_link()?,
            Source::Control => self.hear_control()?,
            Source::Client => self.hear_client()?,
            Source::ClientGone => self.lose_client()?,
            Source::Execs => self.hear_exec()?,
            Source::ExecsOver => self.forget_listener(),
            Source::Terminal => self.show_terminal(),
            Source::Typed => self.type_in(&[]),
            Source::Output(place) => self.show_output(place),
            Source::Log => self.hear_log(),
            Source::Signals => self.hear_signals()?,
            Source::Tree => self.look_at_tree(),
        }
        Ok(())
    }

    /// Let the command go on once all that it waits for is there.
    fn release_if_ready(&mut self) -> Result<(), Failure> {
        if self.waits_for_scope {
            return Ok(());
        }
        let Stage::Waiting { streams, .. } = &mut self.stage else {
            return Ok(());
        };
        let (Some(streams), Some(link)) = (streams.take(), &self.link) else {
            return Ok(());
        };
        self.tree = Some(enter_tree(self.id, self.command)?);
        if let Some(terminal) = self.terminal.as_mut().filter(|_| self.keyboard) {
            // The command does so too: whoever is first.
            setpgid(Some(self.command), Some(self.command)).doing("make a process group")?;
            terminal.give_keyboard(self.command);
        }
        let passed: Vec<_> = streams.iter().map(std::os::fd::AsFd::as_fd).collect();
        seqpacket::send(link, &message::encode(&self.go), &passed, Wait::Yes)
            .doing("let the command go on")?;
        self.stage = Stage::Released;
        Ok(())
    }

    /// What the command's process has to say before it is the command.
    fn hear_link(&mut self) -> Result<(), Failure> {
        while let Some(link) = &self.link {
            let packet = match seqpacket::receive(link, REPORT_BYTES, Wait::No) {
                Ok(Some(packet)) => packet,
                Ok(None) => {
                    self.link = None;
                    return self.executed();
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                // Such as a listener for which there is no descriptor left.
                Err(error) => return Err(error).doing("hear from the command"),
            };
            match message::decode(&packet.body) {
                Ok(Frame::Message(Report::Listener)) => {
                    let mut descriptors = packet.descriptors;
                    let lost =
                        || Failure::new(ErrorName::Failed, "the exec filter has no listener");
                    let listener = descriptors.pop().ok_or_else(lost)?;
                    self.execs = Some(ExecLog::new(listener, self.logs));
                }
                Ok(Frame::Message(Report::Failed { error, message })) => {
                    return Err(Failure { error, message });
                }
                _ => {
                    return Err(Failure::new(
                        ErrorName::Failed,
                        "the command is not understood",
                    ));
                }
            }
        }
        Ok(())
    }

    fn executed(&mut self) -> Result<(), Failure> {
        if matches!(self.stage, Stage::Waiting { .. }) {
            return Err(Failure::new(
                ErrorName::Failed,
                "the command's process was killed",
            ));
        }
        self.stage = Stage::Running;
        self.control.say(&FromLeader::Running);
        Ok(())
    }
}

/// Bytes of a [`Report`].
const REPORT_BYTES: usize = 64 * 1024;

/// The tree of session `id`, in which `command` must be: everything that ends a session ends what
/// is in there.
fn enter_tree(id: Id, command: Pid) -> Result<Tree, Failure> {
    let cgroup = cgroup::of_process(command).doing("look at the command's cgroup")?;
    if cgroup != cgroup::of_session(id) {
        let message = format!("the command is in the cgroup {cgroup}, not in its scope");
        return Err(Failure::new(ErrorName::Failed, message));
    }
    Tree::open(id).doing("open the command's cgroup")
}
