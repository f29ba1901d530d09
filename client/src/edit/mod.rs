//! `elevate -e`: the person's own editor, run as the person, on copies of files that others may
//! write. What it changed goes back to the leader, which alone touches the files themselves.

mod copies;
mod editor;
mod link;
mod running;
mod signals;
mod words;

use std::os::fd::OwnedFd;
use std::path::Path;

use elevate_protocol::escape;

use self::copies::Copies;
pub use self::editor::Editor;
use self::link::Link;
use crate::exit::Exit;
use crate::failure::Failure;

const PROGRAM: &str = "elevate";

/// Why nothing was written, or not all of it, and how we end.
#[derive(Debug)]
struct Undone {
    exit: Exit,
    why: Failure,
}

impl<E: Into<Failure>> From<E> for Undone {
    fn from(error: E) -> Undone {
        let why = error.into();
        Undone {
            exit: Exit::Status(why.status),
            why,
        }
    }
}

/// Edit what the leader at the other end of `stream` sends; how we end.
///
/// Afterwards the copies are gone, but for those that hold changes which were not written.
pub fn run(stream: &OwnedFd, editor: &Editor) -> Result<Exit, Failure> {
    let begun = Link::new(stream)
        .map_err(Undone::from)
        .and_then(|mut link| {
            let copies = Copies::make(link.copies()?)?;
            Ok((link, copies))
        });
    let (mut link, copies) = match begun {
        Ok(begun) => begun,
        Err(undone) => return Ok(undone.tell()),
    };
    match edit(&mut link, &copies, editor) {
        Ok(()) => Ok(Exit::Status(0)),
        Err(undone) => {
            let exit = undone.tell();
            for kept in copies.keep_changed() {
                tell(&format!("what you changed is kept in {}", shown(&kept)));
            }
            Ok(exit)
        }
    }
}

fn edit(link: &mut Link<'_>, copies: &Copies, editor: &Editor) -> Result<(), Undone> {
    running::run(link, editor, &copies.paths())?;
    let changed = copies.changed()?;
    for path in changed.unchanged {
        tell(&format!("{path} is unchanged"));
    }
    link.give(changed.files)
}

impl Undone {
    fn tell(self) -> Exit {
        self.why.report(PROGRAM);
        self.exit
    }
}

fn tell(line: &str) {
    use std::io::Write as _;
    // Whoever closed standard error doesn't want to hear it.
    let _ = writeln!(std::io::stderr(), "{PROGRAM}: {line}");
}

fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    escape::line(path.as_os_str().as_bytes())
}
