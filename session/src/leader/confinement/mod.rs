//! What confines a command beyond its user: the capabilities that it can ever have, and a view of
//! the host of its own. What this host lacks for it is an error, never a weaker session.

mod capabilities;
mod devices;
mod init;
mod places;
mod view;

use std::ffi::OsStr;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use elevate_protocol::launch::Launch;
use elevate_protocol::{ErrorName, escape};
use rustix::fs::{FileType, Mode, OFlags, fstat, fstatfs, open};

use self::capabilities::Ceiling;
use self::view::View;
use super::failure::Failure;
use crate::sys::{contain_filter, landlock::Restriction};

pub(super) use self::init::PidNamespace;

/// Whether what is asked for is possible at all, and on this host.
pub(super) fn check(launch: &Launch) -> Result<(), Failure> {
    Ceiling::of(launch)?;
    match &launch.confinement.contain {
        Some(contain) => places::check(launch, contain),
        None => Ok(()),
    }
}

/// What a command still has to be confined to, once it is in its view.
pub(super) struct Confined {
    ceiling: Option<Ceiling>,
    restriction: Option<Restriction>,
    contained: bool,
}

impl Confined {
    /// Enter the view, as root still. `terminal` is the path of the session's own, if it has one.
    pub(super) fn enter(launch: &Launch, terminal: Option<PathBuf>) -> Result<Confined, Failure> {
        let contain = &launch.confinement.contain;
        let restriction = match contain {
            Some(contain) => View::begin(contain)?.build(terminal)?,
            None => None,
        };
        Ok(Confined {
            ceiling: Ceiling::of(launch)?,
            restriction,
            contained: contain.is_some(),
        })
    }

    /// While this process is root: take from it what nothing below may get again.
    pub(super) fn lower(&self) -> Result<(), Failure> {
        match &self.ceiling {
            Some(ceiling) => ceiling.lower().lacking("lower the capabilities"),
            None => Ok(()),
        }
    }

    /// Once it is the target: no right beyond the confinement's is left.
    pub(super) fn hold(self) -> Result<(), Failure> {
        if let Some(ceiling) = self.ceiling {
            ceiling.hold().lacking("hold the capabilities")?;
        }
        if let Some(restriction) = self.restriction {
            restriction.enforce().lacking("enforce Landlock's rules")?;
        }
        match self.contained {
            true => contain_filter::install().lacking("filter system calls"),
            false => Ok(()),
        }
    }
}

/// The session's terminal, as the view has it.
pub(super) fn open_console() -> Result<OwnedFd, Failure> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    open("/dev/console", flags, Mode::empty()).lacking("open the terminal")
}

/// Whether a contained command may be handed this standard stream: an anonymous pipe, through which
/// it reaches nothing but who is at the other end. With a file it would hold its mount on the host:
/// for root inside, a way to change the file's owner and mode, whoever opened it and for what.
pub(super) fn judge_stream(descriptor: BorrowedFd<'_>) -> Result<(), Failure> {
    const PIPEFS: u32 = 0x5049_5045;
    let judged = || -> io::Result<bool> {
        let kind = FileType::from_raw_mode(fstat(descriptor)?.st_mode);
        Ok(kind == FileType::Fifo && fstatfs(descriptor)?.f_type as u32 == PIPEFS)
    };
    match judged() {
        Ok(true) => Ok(()),
        _ => Err(Failure::new(
            ErrorName::InvalidArgument,
            "a contained session takes pipes only as its standard streams",
        )),
    }
}

/// `failure` at `place`, which the host has and a contained session maybe not.
pub(super) fn explain(launch: &Launch, place: &[u8], failure: Failure) -> Failure {
    let place = Path::new(OsStr::from_bytes(place));
    let own = places::OWN.iter().find(|(own, _)| place.starts_with(own));
    match (&launch.confinement.contain, own) {
        (Some(_), Some((own, _))) => Failure {
            message: format!(
                "{}; a contained session has a {own} of its own",
                failure.message
            ),
            ..failure
        },
        _ => failure,
    }
}

/// Says what this host could not do for a confinement.
trait Lacking<T> {
    /// The failure of "this host cannot `what`", where it could not.
    fn lacking(self, what: &str) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> Lacking<T> for Result<T, E> {
    fn lacking(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| {
            let message = format!(
                "the session cannot be confined as its rule demands: cannot {what}: {}",
                error.into()
            );
            Failure::new(ErrorName::Unavailable, message)
        })
    }
}

/// A path for a message.
fn shown(path: &[u8]) -> String {
    escape::line(path)
}
