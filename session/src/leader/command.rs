//! The command's process, from its fork to its exec. It is forked before there is a scope to be
//! put into, a PAM session or a standard stream, waits for all of them, and gives up everything
//! that is not the target's before it executes the file that was judged.

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use elevate_protocol::launch::{Execs, File, Launch};
use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::{Bytes, ErrorName, Id, escape};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::process::{Pid, chdir, setpgid, setsid, umask};
use serde::{Deserialize, Serialize};

use super::confinement::{self, Confined, PidNamespace};
use super::failure::{Doing, Failure};
use super::sealed;
use crate::cgroup;
use crate::identity::identity;
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
    /// The leader, where PAM put it into a mount namespace of its own and the command belongs there.
    pub(super) follow: Option<i32>,
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
        let child = |placed| {
            // Nothing of the leader's but this: not the client's stream, not the control socket.
            let pipes = streams.iter().filter_map(|stream| match stream {
                Stream::Pipe(pipe) => Some(pipe.as_fd()),
                _ => None,
            });
            let kept: Vec<_> = pipes.chain(terminal).chain([far.as_fd()]).collect();
            let begun = close_all_but(&kept)
                .doing("close descriptors")
                .and_then(|()| begin(launch, terminal, &streams, far.as_fd(), placed));
            if let Err(Failure { error, message }) = begun {
                let report = message::encode(&Report::Failed { error, message });
                let _ = seqpacket::send(&far, &report, &[], Wait::No);
            }
            127
        };
        let cgroup = cgroup::create(id).ok();
        let cgroup = cgroup.as_ref().map(AsFd::as_fd);
        let space = match launch.confinement.contain {
            Some(_) => Some(PidNamespace::make(cgroup)?),
            None => None,
        };
        // Where there is no slice yet: systemd makes the cgroup, and moves the process.
        let fork = || match cgroup.map(|cgroup| fork::fork_into(cgroup, || child(true))) {
            Some(Ok(pid)) => Ok((pid, true)),
            _ => fork::fork(|| child(false)).map(|pid| (pid, false)),
        };
        let forked = match space {
            Some(space) => space.forking(fork)?,
            None => fork(),
        };
        let (pid, placed) = forked.doing("fork")?;
        Ok(Command { pid, link, placed })
    }
}

/// In the forked process: returns only if the command could not be executed.
fn begin(
    launch: &Launch,
    terminal: Option<BorrowedFd<'_>>,
    streams: &[Stream; 3],
    link: BorrowedFd<'_>,
    placed: bool,
) -> Result<(), Failure> {
    let Some((go, passed)) = wait_for_go(link)? else {
        // The leader gave up, and has said why.
        return Ok(());
    };
    let contained = launch.confinement.contain.is_some();
    if contained && !placed {
        PidNamespace::bring_first()?;
    }
    match terminal {
        // In the leader's session; the leader says who has the keyboard.
        Some(_) => setpgid(None, None),
        None => setsid().map(drop),
    }
    .doing("begin a process group")?;
    if let Some(leader) = go.follow {
        follow_leader(leader).doing("follow PAM into its mount namespace")?;
    }
    umask(Mode::from_raw_mode(go.umask));
    if contained {
        let mut passed = passed.iter();
        passed.try_for_each(|stream| confinement::judge_stream(stream.as_fd()))?;
    }
    let path = terminal.map(path_of_terminal).transpose();
    let confined = Confined::enter(launch, path.doing("name the terminal")?)?;
    let console = match terminal {
        Some(_) if contained => Some(confinement::open_console()?),
        _ => None,
    };
    // By descriptors of the view's own, where there is one: through the host's, root inside could
    // change who may use a device.
    connect(
        streams,
        console.as_ref().map(AsFd::as_fd).or(terminal),
        passed,
    )?;
    enter(launch).map_err(|failure| confinement::explain(launch, &launch.cwd, failure))?;
    if launch.execs != Execs::None {
        let listener = exec_filter::install().doing("install the exec filter")?;
        let report = message::encode(&Report::Listener);
        seqpacket::send(link, &report, &[listener.as_fd()], Wait::Yes)
            .doing("hand the exec filter's listener over")?;
    }
    confined.lower()?;
    credentials::become_account(&launch.target).doing("become the target")?;
    confined.hold()?;
    signals::restore_defaults().doing("reset signals")?;
    execute(launch, &words(&go.environment)?)
        .map_err(|failure| confinement::explain(launch, &launch.file.path, failure))
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

fn follow_leader(leader: i32) -> io::Result<()> {
    let namespace = std::fs::File::open(format!("/proc/{leader}/ns/mnt"))?;
    rustix::thread::move_into_link_name_space(namespace.as_fd(), None)?;
    Ok(())
}

fn path_of_terminal(terminal: BorrowedFd<'_>) -> io::Result<PathBuf> {
    let name = rustix::termios::ttyname(terminal, Vec::new())?;
    Ok(OsString::from_vec(name.into_bytes()).into())
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
        })?;
    stays_on_the_way(launch)
}

/// A link on the way could have been put there since somebody agreed to the folder. Nobody but the
/// administrator chooses a home.
fn stays_on_the_way(launch: &Launch) -> Result<(), Failure> {
    let here = rustix::process::getcwd(Vec::new()).doing("look where we are")?;
    if here.to_bytes() == &launch.cwd[..] || launch.target.home.as_bytes() == &launch.cwd[..] {
        return Ok(());
    }
    let asked = escape::line(&launch.cwd);
    // Not where it leads: neither of the two may be allowed to know.
    let message = format!("there is a link on the way to {asked}: name the folder without links");
    Err(Failure::new(ErrorName::Changed, message))
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

/// The file, still the one that was judged and in the same state: open as a place only, or, where
/// its contents were judged and others could change them meanwhile, a copy that nobody can.
fn open_judged(file: &File) -> Result<OwnedFd, Failure> {
    let hash = file.sha256.as_ref().filter(|_| !file.fixed);
    let access = match hash {
        Some(_) => OFlags::RDONLY | OFlags::NONBLOCK,
        None => OFlags::PATH,
    };
    let failed = |error| not_executed(file, error);
    let opened = open(
        file.path.as_os_str(),
        access | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| failed(error.into()))?;
    let stat = fstat(&opened).map_err(|error| failed(error.into()))?;
    let judged = match hash {
        _ if identity(&stat) != file.identity => None,
        Some(hash) => sealed::copy(opened.into(), hash).map_err(failed)?,
        None => Some(opened),
    };
    judged.ok_or_else(|| {
        let path = escape::line(&file.path);
        let message = format!("{path} is no longer the file that was checked");
        Failure::new(ErrorName::Changed, message)
    })
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
