//! What of the machine a call touches. The paths are constants: an argument or a variable for them
//! would let whoever sets it answer in `elevated`'s place.

use std::path::Path;

use elevate_protocol::paths::{LOGIN_SOCKET, LOGIN_SPOOL};

use crate::socket::Endpoint;
use crate::terminal;

/// The machine around a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) endpoint: Endpoint<'a>,
    pub(crate) spool: &'a Path,
    /// The process's real terminal.
    pub(crate) terminal: fn() -> Option<String>,
    /// Whether root itself runs the program, and not somebody else a set-uid one. They could stop it
    /// until its deadline is over, or leave it no descriptors: then nobody is asked because they want
    /// it so.
    pub(crate) by_root: bool,
}

impl World<'static> {
    pub(crate) fn real() -> Self {
        World {
            endpoint: Endpoint {
                path: Path::new(LOGIN_SOCKET),
                owner: 0,
            },
            spool: Path::new(LOGIN_SPOOL),
            terminal: terminal::real,
            by_root: rustix::process::getuid().is_root(),
        }
    }
}
