//! `elevate` without the bus, for tests: its stream is the socket at the path that it is given.

use std::os::fd::OwnedFd;

use elevate_client::elevate::conversation::{Outcome, Person, hold};
use elevate_client::exit::Exit;
use elevate_client::failure::Failure;
use elevate_client::terminal::Terminal;
use elevate_client::{session, stdio};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

fn main() {
    match run() {
        Ok(exit) => exit.leave(),
        Err(failure) => {
            failure.report("elevate");
            Exit::Status(failure.status).leave()
        }
    }
}

fn run() -> Result<Exit, Failure> {
    let stream = connect()?;
    let kinds = stdio::inspect()?;
    let terminal = Terminal::open();
    let status = kinds[2] == elevate_protocol::stdio::Kind::Terminal;
    eprintln!("kinds {kinds:?}");
    let person = Person {
        terminal: terminal.as_ref(),
        status,
    };
    match hold(&stream, &person)? {
        Outcome::Attach(attach) => session::run(stream, attach, kinds, terminal),
        Outcome::Interrupted(signal) => Ok(Exit::Signal(signal)),
    }
}

fn connect() -> Result<OwnedFd, Failure> {
    let path = std::env::args_os().nth(1).unwrap_or_default();
    let stream = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    rustix::net::connect(&stream, &SocketAddrUnix::new(path)?)?;
    Ok(stream)
}
