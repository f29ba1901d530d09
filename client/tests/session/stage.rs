//! A terminal with a shell's job control, a client in it, and a leader that says what a test wants.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use elevate_protocol::Id;
use elevate_protocol::message::{self, Channel, Frame};
use elevate_protocol::seqpacket::{self, Packet, Wait};
use elevate_protocol::stdio::{Route, Three};
use elevate_protocol::stream::{EndReason, Status, ToClient, ToServer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{InputModes, LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Longer than anything here takes; what should come is waited for, never slept for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where the client of a test finds its leader.
const STREAM: &str = "ELEVATE_TEST_STREAM";

pub(crate) const TERMINAL: Three<Route> = [Route::Terminal, Route::Terminal, Route::Terminal];

/// What stands for `elevate` in a test's script: the example `stand_in`, which cargo builds with
/// the tests.
pub(crate) fn client() -> String {
    let program = std::env::current_exe().unwrap();
    let program = program.with_file_name("../examples/stand_in");
    assert!(
        program.exists(),
        "build it: cargo build -p elevate-client --example stand_in"
    );
    format!("{} $ELEVATE_TEST_STREAM", program.display())
}

fn socket() -> OwnedFd {
    let flags = SocketFlags::CLOEXEC;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap()
}

/// The modes of a terminal that matter to whoever types: nothing of ours may change them for good.
fn modes(terminal: &OwnedFd) -> (LocalModes, InputModes) {
    let modes = tcgetattr(terminal).unwrap();
    (modes.local_modes, modes.input_modes)
}

/// A test's terminal, shell and leader.
pub(crate) struct Stage {
    before: (LocalModes, InputModes),
    shell: Child,
    master: File,
    slave: OwnedFd,
    leader: OwnedFd,
    seen: String,
    keyboard: bool,
    folder: PathBuf,
}

impl Stage {
    /// Run `script` in bash, as the foreground of a new terminal, and meet the client it starts.
    pub(crate) fn script(script: &str) -> Stage {
        let mut stage = Stage::silent_script(script);
        assert_eq!(stage.message(), ToServer::Hello);
        stage
    }

    /// The same with a client that says nothing.
    pub(crate) fn silent_script(script: &str) -> Stage {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
        let master = master.unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let peer = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let slave = ioctl_tiocgptpeer(&master, peer).unwrap();
        let before = modes(&slave);
        let folder = std::env::temp_dir().join(format!("elevate-{}", unique()));
        std::fs::create_dir(&folder).unwrap();
        let listener = socket();
        let path = folder.join("stream");
        rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&listener, 1).unwrap();
        let terminal = || Stdio::from(slave.try_clone().unwrap());
        // Whoever runs the tests under nohup(1) has them ignore SIGHUP, and what they start too.
        let shell = Command::new("setsid")
            .args([
                "--ctty",
                "env",
                "--default-signal=HUP,INT,QUIT,TERM",
                "bash",
                "-c",
                script,
            ])
            .env(STREAM, &path)
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal())
            .spawn()
            .unwrap();
        assert!(readable(&listener), "no client came");
        let leader = rustix::net::accept_with(&listener, SocketFlags::CLOEXEC).unwrap();
        Stage {
            before,
            shell,
            master: master.into(),
            slave,
            leader,
            seen: String::new(),
            keyboard: true,
            folder,
        }
    }

    /// Let the session begin, with these routes; the descriptors that the client hands over.
    pub(crate) fn attach(&mut self, routes: Three<Route>, terminal: bool) -> Vec<OwnedFd> {
        self.say(&ToClient::Attach {
            session: Id::from_random(7),
            routes,
            terminal,
        });
        let mut packet = self.packet();
        while let ToServer::Keyboard { given } = decode(&packet) {
            self.keyboard = given;
            packet = self.packet();
        }
        assert_eq!(decode(&packet), ToServer::Stdio);
        packet.descriptors
    }

    /// Whether the client let the command have the keyboard when it began.
    pub(crate) fn keyboard(&self) -> bool {
        self.keyboard
    }

    /// Have the command want the terminal, as one that reads it in the background does, and see that
    /// it gets it.
    pub(crate) fn want_terminal(&mut self) {
        let signal = rustix::process::Signal::TTIN.as_raw();
        self.say(&ToClient::Stopped { signal });
        assert_eq!(self.message_but_size(), ToServer::Keyboard { given: true });
        assert_eq!(self.message_but_size(), ToServer::Continue);
        self.until_raw(true);
    }

    pub(crate) fn say(&self, message: &ToClient) {
        seqpacket::send(&self.leader, &message::encode(message), &[], Wait::Yes).unwrap();
    }

    pub(crate) fn send(&self, channel: Channel, bytes: &[u8]) {
        let packet = message::encode_data(channel, bytes);
        seqpacket::send(&self.leader, &packet, &[], Wait::Yes).unwrap();
    }

    /// Whether the client takes one more packet now.
    pub(crate) fn try_send(&self, channel: Channel, bytes: &[u8]) -> bool {
        let packet = message::encode_data(channel, bytes);
        seqpacket::send(&self.leader, &packet, &[], Wait::No).is_ok()
    }

    pub(crate) fn end(&self, status: Status) {
        let reason = EndReason::Finished;
        self.say(&ToClient::Ended { status, reason });
    }

    pub(crate) fn packet(&mut self) -> Packet {
        assert!(
            readable(&self.leader),
            "the client says nothing; seen: {}",
            self.seen
        );
        let packet = seqpacket::receive(&self.leader, 1 << 16, Wait::Yes).unwrap();
        packet.unwrap_or_else(|| panic!("the client is gone; seen: {}", self.rest()))
    }

    /// The next message of the client.
    pub(crate) fn message(&mut self) -> ToServer {
        decode(&self.packet())
    }

    /// The next bytes that were typed.
    pub(crate) fn typed(&mut self) -> Vec<u8> {
        let packet = self.packet();
        match message::decode::<ToServer>(&packet.body) {
            Ok(Frame::Data(Channel::Terminal, bytes)) => bytes.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    /// The next message that is not a size.
    pub(crate) fn message_but_size(&mut self) -> ToServer {
        loop {
            match self.message() {
                ToServer::Resize { .. } => {}
                other => return other,
            }
        }
    }

    /// Whether the client said nothing more.
    pub(crate) fn is_silent(&self) -> bool {
        let mut waiting = [PollFd::new(&self.leader, PollFlags::IN)];
        poll(&mut waiting, Some(&Timespec::default())).unwrap() == 0
    }

    pub(crate) fn drop_leader(&mut self) {
        let (other, _) = seqpacket::pair().unwrap();
        self.leader = other;
    }

    pub(crate) fn type_keys(&mut self, keys: &[u8]) {
        self.master.write_all(keys).unwrap();
    }

    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = rustix::termios::Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&self.master, size).unwrap();
    }

    pub(crate) fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.slave).unwrap().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Wait until the terminal is raw, or no longer is.
    pub(crate) fn until_raw(&self, raw: bool) {
        let begin = Instant::now();
        while self.is_raw() != raw {
            assert!(begin.elapsed() < PATIENCE, "raw is still {}", !raw);
            std::thread::yield_now();
        }
    }

    /// Take it out of the client's hands, as stty(1) in another window would.
    pub(crate) fn put_into_line_mode(&self) {
        let mut modes = tcgetattr(&self.slave).unwrap();
        modes.local_modes.insert(LocalModes::ICANON);
        tcsetattr(&self.slave, OptionalActions::Now, &modes).unwrap();
    }

    /// Whether what is typed is taken in lines and not shown.
    pub(crate) fn is_hidden(&self) -> bool {
        let modes = tcgetattr(&self.slave).unwrap().local_modes;
        modes.contains(LocalModes::ICANON) && !modes.contains(LocalModes::ECHO)
    }

    /// Wait until what is typed is not shown, or is again.
    pub(crate) fn until_hidden(&self, hidden: bool) {
        let begin = Instant::now();
        while self.is_hidden() != hidden {
            assert!(begin.elapsed() < PATIENCE, "hidden is still {}", !hidden);
            std::thread::yield_now();
        }
    }

    /// Forget what was shown so far.
    pub(crate) fn look_away(&mut self) {
        self.rest();
        self.seen.clear();
    }

    /// Wait until the terminal shows `text`.
    pub(crate) fn until_seen(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert!(readable(&self.master), "{text:?} not in {:?}", self.seen);
            assert!(self.see(), "{text:?} not in {:?}", self.seen);
        }
    }

    fn see(&mut self) -> bool {
        let mut bytes = [0; 65536];
        let count = self.master.read(&mut bytes).unwrap_or(0);
        self.seen += &String::from_utf8_lossy(&bytes[..count]);
        count > 0
    }

    fn rest(&mut self) -> String {
        while is_ready(&self.master) && self.see() {}
        self.seen.clone()
    }

    /// Send a signal to the client, whose pid the script has written to `$ELEVATE_TEST_STREAM.pid`.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = std::fs::read_to_string(self.folder.join("stream.pid")).unwrap();
        let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Write to `$ELEVATE_TEST_STREAM.name`, which a script may wait for.
    pub(crate) fn write_beside(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(format!("stream.{name}")), text).unwrap();
    }

    /// What a script wrote to `$ELEVATE_TEST_STREAM.name`.
    pub(crate) fn read_beside(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(format!("stream.{name}"))).unwrap()
    }

    /// How the shell ended, and all that the terminal showed.
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        let begin = Instant::now();
        loop {
            // Somebody must read the terminal, or the shell waits for it.
            if is_ready(&self.master) {
                self.see();
            }
            if let Some(status) = self.shell.try_wait().unwrap() {
                let after = modes(&self.slave);
                assert_eq!(after, self.before, "the terminal was not restored");
                return (status, self.rest());
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "it does not end; seen: {}",
                self.seen
            );
            std::thread::yield_now();
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The status, or 128 and the signal, as a shell has it.
pub(crate) fn shell_status(status: ExitStatus) -> i32 {
    let signal = status.signal().map(|signal| 128 + signal);
    signal.or(status.code()).unwrap_or(-1)
}

fn decode(packet: &Packet) -> ToServer {
    match message::decode(&packet.body) {
        Ok(Frame::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn readable(descriptor: impl AsFd) -> bool {
    let mut waiting = [PollFd::new(&descriptor, PollFlags::IN)];
    poll(&mut waiting, Some(&PATIENCE.try_into().unwrap())).unwrap() > 0
}

fn is_ready(descriptor: impl AsFd) -> bool {
    let mut waiting = [PollFd::new(&descriptor, PollFlags::IN)];
    poll(&mut waiting, Some(&Timespec::default())).unwrap() > 0
}

fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{count}", std::process::id())
}
