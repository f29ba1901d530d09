//! `elevate` without the bus, for tests: its stream is the socket at the path that it is given, and
//! the words after that are flags of its own. With `mfa` as the second word it is `elevatectl mfa`.

use std::os::fd::OwnedFd;

use elevate_client::cli::{Options, Order, parse_elevate};
use elevate_client::conversation::Broken;
use elevate_client::ctl::mfa;
use elevate_client::elevate::person::Means;
use elevate_client::elevate::request::hold;
use elevate_client::elevate::{begin, editor, kinds};
use elevate_client::exit::Exit;
use elevate_client::failure::Failure;
use elevate_client::terminal::Terminal;
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
    if std::env::args_os().nth(2).is_some_and(|word| word == "mfa") {
        return manage(&stream);
    }
    let options = options()?;
    let editor = editor(&options)?;
    let kinds = kinds(&options)?;
    let terminal = Terminal::open();
    eprintln!("kinds {kinds:?}");
    let means = Means::of(&options.questions)?;
    let person = means.person(terminal.as_ref(), kinds, &options.target);
    let outcome = hold(&stream, person);
    begin(outcome, &options, editor, (stream, kinds, terminal))
}

fn options() -> Result<Options, Failure> {
    let words = ["elevate".into()].into_iter();
    let flags = std::env::args_os().skip(2);
    match parse_elevate(words.chain(flags).chain(["id".into()])) {
        Ok(Order::Run(options)) => Ok(*options),
        other => Err(Failure::usage(format!("{other:?}"))),
    }
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
