//! From the order to lead a session to a command that waits for its scope and standard streams.

use std::os::fd::{AsFd, OwnedFd};

use elevate_protocol::launch::{Execs, FromLeader, Launch, Record};
use elevate_protocol::message::{self, Channel, Frame};
use elevate_protocol::seqpacket;
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::ToClient;
use elevate_protocol::{ErrorName, Id};
use rustix::fs::{Mode, OFlags, fcntl_setfl, stat};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{getpid, umask};

use super::client::Client;
use super::command::{Command, Go, Stream};
use super::confinement;
use super::control::Control;
use super::environment;
use super::failure::{Doing, Failure};
use super::hygiene::become_leader;
use super::limits::Snapshot;
use super::pam_session::PamSession;
use super::recording::Recorder;
use super::schedule::Schedule;
use super::terminal::Terminal;
use super::timer::{self, Timer};
use crate::{account, sys};

/// A pipe of the command's output that we carry to the client.
pub(super) struct Output {
    pub(super) channel: Channel,
    pub(super) pipe: OwnedFd,
}

/// A session whose command waits.
pub(super) struct Started {
    pub(super) id: Id,
    /// What to tell the command when it may go on.
    pub(super) go: Go,
    /// Descriptors that the client has to hand over.
    pub(super) passes: usize,
    pub(super) signals: OwnedFd,
    pub(super) schedule: Schedule,
    pub(super) timer: Timer,
    pub(super) terminal: Option<Terminal>,
    pub(super) outputs: Vec<Output>,
    /// Our end of [`Route::Log`].
    pub(super) log: Option<OwnedFd>,
    pub(super) command: Command,
    /// Whether the command waits for its scope.
    pub(super) waits_for_scope: bool,
    pub(super) pam: PamSession,
    pub(super) recorder: Option<Recorder>,
    /// What the rule says of execs.
    pub(super) execs: Execs,
}

/// Do all that can be done before the scope is there; the slow parts of both sides overlap.
pub(super) fn start(
    id: Id,
    body: &[u8],
    (go, account): (OwnedFd, OwnedFd),
    control: &mut Control,
    client: &mut Client,
) -> Result<Started, Failure> {
    let mut launch = read(body)?;
    become_leader(&launch)?;
    let signals = sys::signals::descriptor().doing("hear of signals")?;
    let schedule = Schedule::new(&launch, timer::now());
    let timer = Timer::new().doing("make a timer")?;
    timer.set(schedule.next()).doing("set the deadline")?;
    let terminal = open_terminal(&launch)?;
    let (streams, outputs, log) = connect(&launch)?;
    let command = Command::fork(id, &launch, terminal.as_ref().map(Terminal::slave), streams)?;
    wait_for_launcher(&go)?;
    let waits_for_scope = launch.limited || !command.placed;
    control.say(&FromLeader::Started {
        leader: getpid().as_raw_pid(),
        pid: command.pid.as_raw_pid(),
        waits: waits_for_scope,
    });
    client.say(&ToClient::Attach {
        session: id,
        routes: launch.routes,
        terminal: terminal.is_some(),
    });
    let mut said = account::hear(&account)?;
    let (mut pam, follow) = open_pam(&launch, terminal.as_ref(), &command)?;
    said.extend(pam.take_said());
    for text in said {
        client.say(&ToClient::Notice { text });
    }
    environment::add(&mut launch.environment, pam.environment());
    let recorder = match launch.record {
        Record::None => None,
        Record::Output | Record::Full => {
            Some(Recorder::create(id, &launch).doing("begin the recording")?)
        }
    };
    let mask = umask(Mode::from_raw_mode(0o077));
    let passed = |route: &&Route| matches!(route, Route::Pass | Route::Pump);
    Ok(Started {
        id,
        passes: launch.routes.iter().filter(passed).count(),
        go: Go {
            environment: launch.environment,
            umask: mask.as_raw_mode() | (launch.umask & 0o777),
            follow: follow.then(|| getpid().as_raw_pid()),
        },
        signals,
        schedule,
        timer,
        terminal,
        outputs,
        log,
        waits_for_scope,
        command,
        pam,
        recorder,
        execs: launch.execs,
    })
}

/// What is to be done. `elevated` decided it; checked again is only what would make it something
/// else on the way to the kernel.
fn read(body: &[u8]) -> Result<Launch, Failure> {
    let Ok(Frame::Message(mut launch)) = message::decode::<Launch>(body) else {
        return Err(Failure::new(
            ErrorName::Failed,
            "the order to begin is malformed",
        ));
    };
    check(&launch).map_err(|why| Failure::new(ErrorName::InvalidArgument, why))?;
    confinement::check(&launch)?;
    if launch.confinement.contain.is_some() {
        // No file of the host's goes in, whoever opened it: the client copies.
        let passed = launch
            .routes
            .iter_mut()
            .filter(|route| **route == Route::Pass);
        passed.for_each(|route| *route = Route::Pump);
    }
    Ok(launch)
}

fn check(launch: &Launch) -> Result<(), &'static str> {
    let words = || launch.argv.iter().chain(&launch.environment);
    let no_id = u32::MAX;
    let accounts = [&launch.caller, &launch.target];
    let without_terminal = launch.window.is_none();
    if launch.argv.is_empty() {
        Err("a command without words")
    } else if words()
        .chain([&launch.cwd, &launch.file.path])
        .any(|word| word.has_nul())
    {
        Err("a word with a NUL in it")
    } else if accounts
        .iter()
        .any(|who| who.uid == no_id || who.gid == no_id)
        || accounts.iter().any(|who| who.groups.contains(&no_id))
    {
        // To setresuid(2) and its kin this number means "leave it as it is".
        Err("4294967295 is no user and no group")
    } else if without_terminal && launch.routes.contains(&Route::Terminal) {
        Err("a stream to a terminal that isn't there")
    } else if launch.routes[0] == Route::Carry {
        Err("standard input cannot be carried")
    } else {
        Ok(())
    }
}

fn open_terminal(launch: &Launch) -> Result<Option<Terminal>, Failure> {
    let open = |window| Terminal::open(window, launch.target.uid).doing("open a terminal");
    launch.window.map(open).transpose()
}

/// Where each standard stream comes from, and our ends of the pipes that we carry and of the log.
type Connected = ([Stream; 3], Vec<Output>, Option<OwnedFd>);

fn connect(launch: &Launch) -> Result<Connected, Failure> {
    let mut outputs = Vec::new();
    let mut log = None;
    let mut stream = |route, channel| {
        Ok(match route {
            Route::Terminal => Stream::Terminal,
            Route::Pass | Route::Pump => Stream::Passed,
            Route::Null => Stream::Null,
            Route::Carry => {
                let (pipe, end) = pipe_with(PipeFlags::CLOEXEC).doing("make a pipe")?;
                // Of this end only: the command's is another open file.
                fcntl_setfl(&pipe, OFlags::NONBLOCK).doing("make a pipe")?;
                outputs.push(Output { channel, pipe });
                Stream::Pipe(end)
            }
            Route::Log => {
                let (ours, end) = seqpacket::pair().doing("make a socket pair")?;
                seqpacket::want_credentials(&ours).doing("make a socket pair")?;
                log = Some(ours);
                Stream::Pipe(end)
            }
        })
    };
    let [input, output, error] = launch.routes;
    let streams = [
        stream(input, Channel::Output)?,
        stream(output, Channel::Output)?,
        stream(error, Channel::Error)?,
    ];
    Ok((streams, outputs, log))
}

/// The launcher lets go when systemd has this process's pidfd, so that it cannot be lost.
pub(crate) fn wait_for_launcher(go: &OwnedFd) -> Result<(), Failure> {
    match rustix::io::read(go.as_fd(), &mut [0; 1]) {
        Ok(1) => Ok(()),
        _ => Err(Failure::new(ErrorName::Unavailable, "the launcher is gone")),
    }
}

/// Open the PAM session, give what it set on this process to the command, and say whether it left
/// for another mount namespace (pam_namespace(8)).
fn open_pam(
    launch: &Launch,
    terminal: Option<&Terminal>,
    command: &Command,
) -> Result<(PamSession, bool), Failure> {
    let namespace = || stat("/proc/self/ns/mnt").map(|stat| (stat.st_dev, stat.st_ino));
    let name = terminal
        .map(Terminal::name)
        .transpose()
        .doing("name the terminal")?;
    let before = namespace().doing("look at the mount namespace")?;
    let limits = Snapshot::take().doing("read limits")?;
    let pam = PamSession::open(launch, name.as_deref())?;
    limits
        .move_changes_to(command.pid)
        .doing("set the command's limits")?;
    let after = namespace().doing("look at the mount namespace")?;
    Ok((pam, after != before))
}

#[cfg(test)]
#[path = "start_tests.rs"]
pub(super) mod tests;
