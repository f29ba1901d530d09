use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use elevate_protocol::launch::{
    AccountChecked, CheckAccount, Edit, EndUser, Header, Launch, Order, Resolution, Resolve,
    UserEnded,
};
use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::{Id, paths};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix,
    SocketFlags, SocketType, bind, connect, listen, recvmsg, socket_with,
};

use super::led::Led;
use super::poll_until;

/// A launcher that believes systemd started it.
pub struct Host {
    folder: tempfile::TempDir,
    listener: OwnedFd,
    notify: UnixDatagram,
    launcher: Child,
    connection: OwnedFd,
    /// What systemd keeps for the launcher.
    stored: Vec<(String, OwnedFd)>,
}

impl Host {
    pub fn start() -> Host {
        let folder = tempfile::tempdir().unwrap();
        let listener = socket();
        bind(
            &listener,
            &SocketAddrUnix::new(folder.path().join("launcher")).unwrap(),
        )
        .unwrap();
        listen(&listener, 8).unwrap();
        let notify = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        notify
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let launcher = spawn(&folder, &listener, &[]);
        let connection = socket();
        let mut host = Host {
            folder,
            listener,
            notify,
            launcher,
            connection,
            stored: Vec::new(),
        };
        host.expect("READY=1");
        host.reconnect();
        host
    }

    /// Connect as a new `elevated` does.
    pub fn reconnect(&mut self) {
        self.connection = socket();
        let address = SocketAddrUnix::new(self.folder.path().join("launcher")).unwrap();
        connect(&self.connection, &address).unwrap();
    }

    /// Kill the launcher and start another, which gets back what systemd kept.
    pub fn restart_launcher(&mut self) {
        self.kill_launcher();
        self.start_launcher();
    }

    pub fn kill_launcher(&mut self) {
        self.launcher.kill().unwrap();
        self.launcher.wait().unwrap();
    }

    pub fn start_launcher(&mut self) {
        self.launcher = spawn(&self.folder, &self.listener, &self.stored);
        self.expect("READY=1");
        self.reconnect();
    }

    /// Forget what systemd keeps, as after `systemctl stop`.
    pub fn forget_stored(&mut self) {
        self.stored.clear();
    }

    /// Hear what the launcher tells systemd until it says `wanted`.
    pub fn expect(&mut self, wanted: &str) {
        loop {
            let said = self.hear();
            if said.lines().any(|line| line == wanted) {
                return;
            }
        }
    }

    fn hear(&mut self) -> String {
        let mut text = [0; 4096];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [std::io::IoSliceMut::new(&mut text)];
        let got = recvmsg(
            &self.notify,
            &mut parts,
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )
        .expect("the launcher says nothing");
        let said = String::from_utf8_lossy(&text[..got.bytes]).into_owned();
        let value = |key: &str| said.lines().find_map(|line| line.strip_prefix(key));
        let name = value("FDNAME=").unwrap_or_default().to_owned();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                assert_eq!(value("FDSTORE="), Some("1"));
                assert_eq!(value("FDPOLL="), Some("0"));
                self.stored.extend(descriptors.map(|fd| (name.clone(), fd)));
            }
        }
        if value("FDSTOREREMOVE=").is_some() {
            self.stored.retain(|(stored, _)| *stored != name);
        }
        said
    }

    /// Which file is it?
    pub fn resolve(&self, order: &Resolve) -> Resolution {
        let (own, theirs) = seqpacket::pair().unwrap();
        let header = Header {
            order: Order::Resolve,
            id: super::unused_id(),
        };
        self.send(&header.packet(order), &[theirs]);
        let packet = seqpacket::receive(&own, 1 << 20, Wait::Yes).unwrap();
        match message::decode(&packet.expect("the resolver died").body) {
            Ok(Frame::Message(resolution)) => resolution,
            other => panic!("{other:?}"),
        }
    }

    /// Have every process of a uid ended; none if there is no answer.
    pub fn end_user(&self, uid: u32) -> Option<UserEnded> {
        let (own, theirs) = seqpacket::pair().unwrap();
        let header = Header {
            order: Order::EndUser,
            id: super::unused_id(),
        };
        self.send(&header.packet(&EndUser { uid }), &[theirs]);
        let packet = seqpacket::receive(&own, 1 << 20, Wait::Yes).unwrap()?;
        match message::decode(&packet.body) {
            Ok(Frame::Message(ended)) => Some(ended),
            other => panic!("{other:?}"),
        }
    }

    /// Have a session led; it goes on when the caller plays its part.
    pub fn lead(&mut self, launch: &Launch) -> Led {
        let id = super::unused_id();
        let led = self.order(id, launch);
        self.expect(&format!("FDNAME=leader-{id}"));
        led
    }

    /// Only send the order.
    pub fn order(&self, id: Id, launch: &Launch) -> Led {
        let (control, far_control) = seqpacket::pair().unwrap();
        let (client, far_client) = seqpacket::pair().unwrap();
        // As `elevated` has it, to which the stream belongs before.
        seqpacket::want_credentials(&far_client).unwrap();
        let header = Header {
            order: Order::Lead,
            id,
        };
        let account = self.ask_account(id, &launch.caller.name);
        self.send(&header.packet(launch), &[far_control, far_client, account]);
        Led::new(id, control, client)
    }

    /// PAM's word on an account.
    pub fn check_account(&self, caller: &str) -> AccountChecked {
        let heard = self.ask_account(super::unused_id(), caller);
        let packet = seqpacket::receive(&heard, 1 << 20, Wait::Yes).unwrap();
        match message::decode(&packet.expect("nobody answered").body) {
            Ok(Frame::Message(checked)) => checked,
            other => panic!("{other:?}"),
        }
    }

    /// Have PAM asked about an account; where its word is heard.
    fn ask_account(&self, id: Id, caller: &str) -> OwnedFd {
        let (own, theirs) = seqpacket::pair().unwrap();
        let header = Header {
            order: Order::CheckAccount,
            id,
        };
        let order = CheckAccount {
            caller: caller.to_owned(),
            terminal: None,
        };
        self.send(&header.packet(&order), &[theirs]);
        own
    }

    /// Have an edit led; the control socket and the client's stream.
    pub fn edit(&mut self, id: Id, edit: &Edit) -> (OwnedFd, OwnedFd) {
        let (control, far_control) = seqpacket::pair().unwrap();
        let (client, far_client) = seqpacket::pair().unwrap();
        let header = Header {
            order: Order::Edit,
            id,
        };
        let account = self.ask_account(id, &edit.caller.name);
        self.send(&header.packet(edit), &[far_control, far_client, account]);
        self.expect(&format!("FDNAME=leader-{id}"));
        (control, client)
    }

    /// Send what is no order.
    pub fn send_raw(&self, packet: &[u8]) {
        seqpacket::send(&self.connection, packet, &[], Wait::Yes).unwrap();
    }

    fn send(&self, packet: &[u8], descriptors: &[OwnedFd]) {
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        seqpacket::send(&self.connection, packet, &descriptors, Wait::Yes).unwrap();
    }

    /// Whether the launcher closed our connection.
    pub fn is_refused(&self) -> bool {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            match seqpacket::receive(&self.connection, 64, Wait::No) {
                Ok(None) => return true,
                Ok(Some(_)) => return false,
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        false
    }

    /// Wait until the launcher knows that session `id` is over.
    pub fn expect_over(&mut self, id: Id) {
        let name = format!("leader-{id}");
        while self.stored.iter().any(|(stored, _)| *stored == name) {
            self.hear();
        }
        poll_until("the end of the scope", || {
            super::led::processes(id).is_empty().then_some(())
        });
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.launcher.kill();
        let _ = self.launcher.wait();
    }
}

fn socket() -> OwnedFd {
    let flags = SocketFlags::CLOEXEC;
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap()
}

/// Start the launcher in a cgroup of its own, with its socket as descriptor 3 and one stored
/// descriptor after it: a shell can pass what is its standard input and output.
fn spawn(folder: &tempfile::TempDir, listener: &OwnedFd, stored: &[(String, OwnedFd)]) -> Child {
    let cgroup = format!("{}/system.slice/elevate-launcher.service", paths::CGROUP);
    std::fs::create_dir_all(&cgroup).unwrap();
    let (one_more, names) = match stored.last() {
        Some((name, fd)) => (fd.try_clone().unwrap(), format!("x.socket:{name}")),
        None => (null(), "x.socket".into()),
    };
    let count = names.split(':').count();
    let script = format!(
        "echo $$ > {cgroup}/cgroup.procs
         exec 3<&0 4<&1 0</dev/null 1>&2
         export LISTEN_PID=$$ LISTEN_FDS={count} LISTEN_FDNAMES={names}
         exec \"$0\""
    );
    let notify: PathBuf = folder.path().join("notify");
    Command::new("sh")
        .args(["-ec", &script, env!("CARGO_BIN_EXE_elevate-launcher")])
        .stdin(listener.try_clone().unwrap())
        .stdout(one_more)
        .env("NOTIFY_SOCKET", notify)
        .spawn()
        .unwrap()
}

fn null() -> OwnedFd {
    std::fs::File::open("/dev/null").unwrap().into()
}
