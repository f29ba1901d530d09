//! The command's process, from its fork to its exec. It is forked before there is a scope to be
//! put into, a PAM session or a standard stream, waits for all of them, and gives up everything
//! that is not the target's before it executes the file that was judged.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::launch::{Execs, File, Launch};
use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::{Bytes, ErrorName, Id, escape};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::process::{Pid, chdir, getpid, getppid, setpgid, setsid, umask};
use rustix::termios::tcsetpgrp;
use serde::{Deserialize, Serialize};

use super::failure::{Doing, Failure};
use crate::cgroup;
use crate::identity::identity;
use crate::resolver::sha256;
use crate::sys::descriptors::{become_standard, close_all_but};
use crate::sys::{credentials, exec, exec_filter, fork, signals};

/// Bytes of a [`Go`]; holds a whole environment.
const GO_BYTES: usize = elevate_protocol::limits::LAUNCH_BYTES;

/// From the leader: go on. The descriptors of the client's standard streams come with it.
#[derive(Serialize, Deserialize)]
pub(super) struct Go {
    /// The whole environment.
    pub(super) environment: Vec<Bytes>,
    /// File mode creation mask.
    pub(super) umask: u32,
    /// Whether PAM put the leader into a mount namespace of its own, where the command belongs.
    pub(super) follow: bool,
}

/// To the leader. The socket closes at the exec.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Report {
    /// The listener of the exec filter comes with this.
    Listener,
    /// Nothing was executed.
    Failed { error: ErrorName, message: String },
}

/// Where a standard stream of the command comes from.
pub(super) enum Stream {
    /// The session's terminal.
    Terminal,
    /// The next descriptor that comes with [`Go`].
    Passed,
    /// The command's end of a pipe of the leader's.
    Pipe(OwnedFd),
    /// `/dev/null`.
    Null,
}

/// The forked process.
pub(super) struct Command {
    pub(super) pid: Pid,
    /// For [`Go`] and [`Report`].
    pub(super) link: OwnedFd,
    /// Whether it is in its cgroup already.
    pub(super) placed: bool,
}

impl Command {
    /// Fork the process of session `id`; it waits.
    pub(super) fn fork(
        id: Id,
        launch: &Launch,
        terminal: Option<BorrowedFd<'_>>,
        streams: [Stream; 3],
    ) -> Result<Command, Failure> {
        let (link, far) = seqpacket::pair().doing("make a socket pair")?;
        let child = || {
            // Nothing of the leader's but this: not the client's stream, not the control socket.
            let pipes = streams.iter().filter_map(|stream| match stream {
                Stream::Pipe(pipe) => Some(pipe.as_fd()),
                _ => None,
            });
            let kept: Vec<_> = pipes.chain(terminal).chain([far.as_fd()]).collect();
            let begun = close_all_but(&kept)
                .doing("close descriptors")
                .and_then(|()| begin(launch, terminal, &streams, far.as_fd()));
            if let Err(Failure { error, message }) = begun {
                let report = message::encode(&Report::Failed { error, message });
                let _ = seqpacket::send(&far, &report, &[], Wait::No);
            }
            127
        };
        let born = cgroup::create(id).and_then(|cgroup| fork::fork_into(cgroup.as_fd(), child));
        let placed = born.is_ok();
        // Where there is no slice yet: systemd makes the cgroup, and moves the process.
        let pid = born.or_else(|_| fork::fork(child)).doing("fork")?;
        Ok(Command { pid, link, placed })
    }
}

/// In the forked process: returns only if the command could not be executed.
fn begin(
    launch: &Launch,
    terminal: Option<BorrowedFd<'_>>,
    streams: &[Stream; 3],
    link: BorrowedFd<'_>,
) -> Result<(), Failure> {
    let Some((go, passed)) = wait_for_go(link)? else {
        // The leader gave up, and has said why.
        return Ok(());
    };
    match terminal {
        // In the leader's session, a group of its own in the foreground.
        Some(terminal) => setpgid(None, None).and_then(|()| tcsetpgrp(terminal, getpid())),
        None => setsid().map(drop),
    }
    .doing("begin a process group")?;
    if go.follow {
        follow_leader().doing("follow PAM into its mount namespace")?;
    }
    umask(Mode::from_raw_mode(go.umask));
    connect(streams, terminal, passed)?;
    enter(launch)?;
    if launch.execs != Execs::None {
        let listener = exec_filter::install().doing("install the exec filter")?;
        let report = message::encode(&Report::Listener);
        seqpacket::send(link, &report, &[listener.as_fd()], Wait::Yes)
            .doing("hand the exec filter's listener over")?;
    }
    credentials::become_account(&launch.target).doing("become the target")?;
    signals::restore_defaults().doing("reset signals")?;
    execute(launch, &words(&go.environment)?)
}

fn wait_for_go(link: BorrowedFd<'_>) -> Result<Option<(Go, Vec<OwnedFd>)>, Failure> {
    let packet = seqpacket::receive(link, GO_BYTES, Wait::Yes).doing("hear from the leader")?;
    let Some(packet) = packet else {
        return Ok(None);
    };
    match message::decode(&packet.body) {
        Ok(Frame::Message(go)) => Ok(Some((go, packet.descriptors))),
        _ => Err(Failure::new(
            ErrorName::Failed,
            "the leader is not understood",
        )),
    }
}

fn follow_leader() -> io::Result<()> {
    let leader = getppid().ok_or(io::ErrorKind::NotFound)?;
    let namespace = std::fs::File::open(format!("/proc/{}/ns/mnt", leader.as_raw_pid()))?;
    rustix::thread::move_into_link_name_space(namespace.as_fd(), None)?;
    Ok(())
}

/// Put the three standard streams in their places.
fn connect(
    streams: &[Stream; 3],
    terminal: Option<BorrowedFd<'_>>,
    passed: Vec<OwnedFd>,
) -> Result<(), Failure> {
    let mut passed = passed.iter();
    for (number, stream) in (0..).zip(streams) {
        let null;
        let source = match stream {
            Stream::Terminal => terminal,
            Stream::Passed => passed.next().map(AsFd::as_fd),
            Stream::Pipe(pipe) => Some(pipe.as_fd()),
            Stream::Null => {
                let flags = OFlags::RDWR | OFlags::CLOEXEC;
                null = open("/dev/null", flags, Mode::empty()).doing("open /dev/null")?;
                Some(null.as_fd())
            }
        };
        let missing = || Failure::new(ErrorName::InvalidArgument, "a standard stream is missing");
        become_standard(source.ok_or_else(missing)?, number).doing("connect a standard stream")?;
    }
    Ok(())
}

/// Enter the working directory, with the rights of the target or else of the caller: a folder
/// that neither may enter, nobody gains.
fn enter(launch: &Launch) -> Result<(), Failure> {
    let enter = || Ok(chdir(launch.cwd.as_os_str())?);
    credentials::with_file_rights_of(&launch.target, enter)
        .or_else(|_| credentials::with_file_rights_of(&launch.caller, enter))
        .map_err(|error| {
            let folder = escape::line(&launch.cwd);
            let [target, caller] =
                [&launch.target, &launch.caller].map(|who| escape::line(who.name.as_bytes()));
            let message = format!("neither {target} nor {caller} can enter {folder}: {error}");
            Failure::new(ErrorName::InvalidArgument, message)
        })
}

/// Execute the file that was judged, if it is still that file.
fn execute(launch: &Launch, environment: &[CString]) -> Result<(), Failure> {
    let argv = words(&launch.argv)?;
    let file = &launch.file;
    let opened = open_judged(file)?;
    if file.fixed {
        // By its path, which only root can lead elsewhere.
        let path = word(&file.path)?;
        return Err(not_executed(file, exec::by_path(&path, &argv, environment)));
    }
    let mut interpreter = &file.interpreter;
    while let Some(next) = interpreter {
        open_judged(next)?;
        interpreter = &next.interpreter;
    }
    if file.interpreter.is_some() {
        // Its interpreter opens it again, by the descriptor's number.
        rustix::io::fcntl_setfd(&opened, rustix::io::FdFlags::empty()).doing("keep the script")?;
    }
    let error = exec::by_descriptor(opened.as_fd(), &argv, environment);
    Err(not_executed(file, error))
}

/// The file, open as a place only: still the one that was judged, in the same state.
fn open_judged(file: &File) -> Result<OwnedFd, Failure> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let opened = open(file.path.as_os_str(), flags, Mode::empty())
        .map_err(|error| not_executed(file, error.into()))?;
    let stat = fstat(&opened).map_err(|error| not_executed(file, error.into()))?;
    if identity(&stat) != file.identity || !still_hashes(file)? {
        let path = escape::line(&file.path);
        let message = format!("{path} is no longer the file that was checked");
        return Err(Failure::new(ErrorName::Changed, message));
    }
    Ok(opened)
}

/// Whether the contents are the hashed ones, where they were hashed and others could have changed
/// them.
fn still_hashes(file: &File) -> Result<bool, Failure> {
    let Some(expected) = file.sha256.as_ref().filter(|_| !file.fixed) else {
        return Ok(true);
    };
    let contents =
        std::fs::File::open(file.path.as_os_str()).map_err(|error| not_executed(file, error))?;
    let hash = sha256(contents).map_err(|error| not_executed(file, error))?;
    Ok(hash == *expected)
}

fn not_executed(file: &File, error: io::Error) -> Failure {
    let path = escape::line(&file.path);
    let name = match error.kind() {
        io::ErrorKind::NotFound => ErrorName::CommandNotFound,
        _ => ErrorName::CommandNotExecutable,
    };
    Failure::new(name, format!("cannot execute {path}: {error}"))
}

fn words(words: &[Bytes]) -> Result<Vec<CString>, Failure> {
    words.iter().map(word).collect()
}

fn word(word: &Bytes) -> Result<CString, Failure> {
    CString::new(word.to_vec())
        .map_err(|_| Failure::new(ErrorName::InvalidArgument, "a word with a NUL in it"))
}
