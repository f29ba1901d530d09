//! `elevate` without the bus, for tests: its stream is the socket at the path that it is given. With
//! a second word it is `elevatectl mfa`.

use std::os::fd::OwnedFd;

use elevate_client::conversation::Broken;
use elevate_client::ctl::mfa;
use elevate_client::elevate::begin;
use elevate_client::elevate::request::{Person, hold};
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
    if std::env::args_os().nth(2).is_some() {
        return manage(&stream);
    }
    let kinds = stdio::inspect()?;
    let terminal = Terminal::open();
    let status = kinds[2] == elevate_protocol::stdio::Kind::Terminal;
    eprintln!("kinds {kinds:?}");
    let person = Person {
        terminal: terminal.as_ref(),
        status,
    };
    begin(hold(&stream, &person), |attach| {
        session::run(stream, attach, kinds, terminal)
    })
}

fn manage(stream: &OwnedFd) -> Result<Exit, Failure> {
    match mfa::hold(stream, Terminal::open().as_ref()) {
        Ok(()) => Ok(Exit::Status(0)),
        Err(Broken::Interrupted(signal)) => Ok(Exit::Signal(signal)),
        Err(Broken::Failed(failure)) => Err(failure),
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
