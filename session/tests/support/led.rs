use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::launch::{Exec, FromLeader, ToLeader};
use elevate_protocol::message::{self, Channel, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::stream::{EndReason, Status, ToClient, ToServer};
use elevate_protocol::{Id, paths};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A session as `elevated` and the client see it.
pub struct Led {
    pub id: Id,
    control: Option<OwnedFd>,
    client: Option<OwnedFd>,
    /// What the leader said about itself.
    pub leader: i32,
    pub pid: i32,
    pub execs: Vec<Exec>,
    /// Numbers of execs that were seen to fail.
    pub failed: Vec<u64>,
    pub terminal: Vec<u8>,
    pub output: Vec<u8>,
    pub error: Vec<u8>,
    pub notices: Vec<String>,
}

impl Led {
    pub(super) fn new(id: Id, control: OwnedFd, client: OwnedFd) -> Led {
        Led {
            id,
            control: Some(control),
            client: Some(client),
            leader: 0,
            pid: 0,
            execs: Vec::new(),
            failed: Vec::new(),
            terminal: Vec::new(),
            output: Vec::new(),
            error: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Everything as it should be: attach, scope, standard streams, running.
    pub fn begin(&mut self, streams: &[BorrowedFd<'_>]) {
        self.attach();
        self.hand_over(streams);
        self.make_scope();
        self.running();
    }

    pub fn attach(&mut self) {
        match self.hear_client() {
            ToClient::Attach { session, .. } => assert_eq!(session, self.id),
            other => panic!("{other:?}"),
        }
        match self.hear_control() {
            FromLeader::Started { leader, pid, .. } => (self.leader, self.pid) = (leader, pid),
            other => panic!("{other:?}"),
        }
    }

    pub fn hand_over(&self, streams: &[BorrowedFd<'_>]) {
        let packet = message::encode(&ToServer::Stdio);
        seqpacket::send(self.client(), &packet, streams, Wait::Yes).unwrap();
    }

    /// Put the command into its scope and say so, as `elevated` has systemd do it.
    pub fn make_scope(&self) {
        let scope = paths::scope_cgroup(self.id);
        std::fs::create_dir_all(&scope).unwrap();
        // A command that was born there may be over already, and its leader gone.
        let moved = std::fs::write(format!("{scope}/cgroup.procs"), self.pid.to_string());
        let failed =
            moved.is_err_and(|error| error.raw_os_error() != Some(Errno::SRCH.raw_os_error()));
        assert!(!failed, "the command can't be moved into {scope}");
        let _ = self.try_to_tell(&ToLeader::ScopeReady);
    }

    /// Move the command out of its scope.
    pub fn leave_scope(&self) {
        let everything = format!("{}/cgroup.procs", paths::CGROUP);
        std::fs::write(everything, self.pid.to_string()).unwrap();
    }

    pub fn running(&mut self) {
        match self.hear_control() {
            FromLeader::Running => {}
            other => panic!("{other:?}"),
        }
    }

    pub fn tell(&self, message: &ToLeader) {
        self.try_to_tell(message).unwrap();
    }

    fn try_to_tell(&self, message: &ToLeader) -> io::Result<()> {
        let control = self.control.as_ref().unwrap();
        seqpacket::send(control, &message::encode(message), &[], Wait::Yes)
    }

    pub fn say(&self, message: &ToServer) {
        seqpacket::send(self.client(), &message::encode(message), &[], Wait::Yes).unwrap();
    }

    pub fn type_in(&self, text: &str) {
        let packet = message::encode_data(Channel::Terminal, text.as_bytes());
        seqpacket::send(self.client(), &packet, &[], Wait::Yes).unwrap();
    }

    pub fn client(&self) -> BorrowedFd<'_> {
        self.client.as_ref().unwrap().as_fd()
    }

    pub fn drop_client(&mut self) {
        self.client = None;
    }

    pub fn drop_control(&mut self) {
        self.control = None;
    }

    /// The next message from the leader; execs are collected on the way.
    pub fn hear_control(&mut self) -> FromLeader {
        loop {
            match receive(self.control.as_ref().unwrap().as_fd()).map(|packet| decode(&packet)) {
                Some(FromLeader::Exec(exec)) => self.execs.push(exec),
                Some(FromLeader::ExecFailed { number }) => self.failed.push(number),
                Some(message) => return message,
                None => panic!("the leader died: {:?}", self.output),
            }
        }
    }

    /// Collect what is said of one exec.
    pub fn hear_one_of_execs(&mut self) {
        match receive(self.control.as_ref().unwrap().as_fd()).map(|packet| decode(&packet)) {
            Some(FromLeader::Exec(exec)) => self.execs.push(exec),
            Some(FromLeader::ExecFailed { number }) => self.failed.push(number),
            other => panic!("{other:?}"),
        }
    }

    /// The next message to the client; data and notices are collected on the way.
    pub fn hear_client(&mut self) -> ToClient {
        loop {
            let packet = receive(self.client()).expect("the stream ended");
            if let Some(message) = self.take(&packet) {
                return message;
            }
        }
    }

    fn take(&mut self, packet: &[u8]) -> Option<ToClient> {
        let (to, bytes) = match message::decode(packet).unwrap() {
            Frame::Message(ToClient::Notice { text }) => {
                self.notices.push(text);
                return None;
            }
            Frame::Message(message) => return Some(message),
            Frame::Data(Channel::Terminal, bytes) => (&mut self.terminal, bytes),
            Frame::Data(Channel::Output, bytes) => (&mut self.output, bytes),
            Frame::Data(Channel::Error, bytes) => (&mut self.error, bytes),
            Frame::Data(Channel::File, _) => {
                panic!("a file's contents in a session that edits none")
            }
        };
        to.extend_from_slice(bytes);
        None
    }

    /// Hear until the terminal shows `text`.
    pub fn shows(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.terminal).contains(text) {
            let packet = receive(self.client()).expect("the stream ended");
            let said = self.take(&packet);
            let shown = String::from_utf8_lossy(&self.terminal);
            assert_eq!(said, None, "waiting for {text:?} after {shown}");
        }
    }

    /// The leader went without a word.
    pub fn hear_the_end_of_the_stream(&mut self) {
        while let Some(packet) = receive(self.client()) {
            assert_eq!(self.take(&packet), None);
        }
    }

    /// How it ended, told to both sides alike.
    pub fn ended(&mut self) -> (Status, EndReason) {
        let told = match self.hear_client() {
            ToClient::Ended { status, reason } => (status, reason),
            other => panic!("{other:?}"),
        };
        assert_eq!(self.ended_for_elevated(), told);
        told
    }

    pub fn ended_for_elevated(&mut self) -> (Status, EndReason) {
        match self.hear_control() {
            FromLeader::Ended { status, reason, .. } => (status, reason),
            other => panic!("{other:?}"),
        }
    }

    /// Why it never began, told to both sides alike.
    pub fn refused(&mut self) -> (elevate_protocol::ErrorName, String) {
        let told = match self.hear_client() {
            ToClient::Refused { error, message, .. } => (error, message),
            other => panic!("{other:?}"),
        };
        match self.hear_control() {
            FromLeader::Failed { error, message } => assert_eq!((error, message), told.clone()),
            other => panic!("{other:?}"),
        }
        told
    }

    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}

/// Processes in the scope of session `id`.
pub fn processes(id: Id) -> Vec<i32> {
    let procs = format!("{}/cgroup.procs", paths::scope_cgroup(id));
    let text = std::fs::read_to_string(procs).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn receive(socket: BorrowedFd<'_>) -> Option<Vec<u8>> {
    let patience = Timespec {
        tv_sec: 20,
        tv_nsec: 0,
    };
    let ready = poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&patience)).unwrap();
    assert_eq!(ready, 1, "nothing was said for too long");
    let packet = seqpacket::receive(socket, 1 << 20, Wait::No).unwrap();
    packet.map(|packet| packet.body)
}

fn decode(packet: &[u8]) -> FromLeader {
    match message::decode(packet).unwrap() {
        Frame::Message(message) => message,
        Frame::Data(..) => panic!("data on the control socket"),
    }
}
