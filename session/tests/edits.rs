//! Edits: what is written, with whose rights, and when nothing is.

#[macro_use]
mod support;

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use elevate_protocol::launch::{
    Edit, EditFile, Edited, FromLeader, Purpose, Resolution, Resolve, ToLeader,
};
use elevate_protocol::message::{self, Channel, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::stream::{ChangedFile, EndReason, Status, ToClient, ToServer};
use elevate_protocol::{ErrorName, Id};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use support::{Host, account, now, unused_id};

/// A folder of root's with a file in it.
const FOLDER: &str = "/mnt/etc";
const FILE: &str = "/mnt/etc/conf";

const FINISHED: (Status, EndReason) = (Status::Exited(0), EndReason::Finished);
const FAILED: (Status, EndReason) = (Status::Exited(1), EndReason::Finished);

fn prepare() {
    fs::create_dir(FOLDER).unwrap();
    fs::write(FILE, "old\n").unwrap();
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap()
}

/// What is in a folder, to see that nothing of ours is left there.
fn names(folder: &str) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// `path` as a resolver judges it for Alice, who wants to edit it as `target`.
fn judge(host: &Host, path: &str, target: &str) -> Resolution {
    host.resolve(&Resolve {
        command: path.into(),
        cwd: "/".into(),
        search_path: String::new(),
        target: account(target),
        hash: false,
        purpose: Purpose::Edit {
            caller: account("alice"),
        },
    })
}

fn editable(host: &Host, path: &str) -> EditFile {
    match judge(host, path, "root") {
        Resolution::Editable(file) => file,
        other => panic!("{path}: {other:?}"),
    }
}

/// Alice edits these files as root, within a minute.
fn order(host: &Host, paths: &[&str]) -> Edit {
    Edit {
        caller: account("alice"),
        target: account("root"),
        files: paths.iter().map(|path| editable(host, path)).collect(),
        deadline: now() + 60_000,
        warnings: Vec::new(),
    }
}

/// An edit, as `elevated` and the client see it.
struct Editing {
    id: Id,
    control: Option<OwnedFd>,
    client: Option<OwnedFd>,
    copies: Vec<(String, Vec<u8>)>,
    notices: Vec<String>,
    /// What is about to be written.
    announced: Option<Edited>,
    edited: Vec<Edited>,
}

impl Editing {
    fn order(host: &mut Host, order: &Edit) -> Editing {
        let id = unused_id();
        let (control, client) = host.edit(id, order);
        Editing {
            id,
            control: Some(control),
            client: Some(client),
            copies: Vec::new(),
            notices: Vec::new(),
            announced: None,
            edited: Vec::new(),
        }
    }

    /// With the copies at the client.
    fn begin(host: &mut Host, order: &Edit) -> Editing {
        let mut editing = Editing::order(host, order);
        match editing.hear_client() {
            ToClient::Attach { session, .. } => assert_eq!(session, editing.id),
            other => panic!("{other:?}"),
        }
        assert_eq!(editing.hear_control(), FromLeader::Running);
        let ToClient::Copies { files } = editing.hear_client() else {
            panic!("no copies");
        };
        for file in files {
            let mut contents = Vec::new();
            while (contents.len() as u64) < file.size {
                let packet = receive(editing.client.as_ref().unwrap()).unwrap();
                match message::decode::<ToClient>(&packet).unwrap() {
                    Frame::Data(Channel::File, bytes) => contents.extend_from_slice(bytes),
                    other => panic!("{other:?}"),
                }
            }
            let path = String::from_utf8(file.path.0).unwrap();
            editing.copies.push((path, contents));
        }
        editing
    }

    fn hear_client(&mut self) -> ToClient {
        loop {
            let packet = receive(self.client.as_ref().unwrap()).expect("the stream ended");
            match message::decode(&packet).unwrap() {
                Frame::Message(ToClient::Notice { text }) => self.notices.push(text),
                Frame::Message(message) => return message,
                other => panic!("{other:?}"),
            }
        }
    }

    fn hear_control(&mut self) -> FromLeader {
        loop {
            let packet = receive(self.control.as_ref().unwrap()).expect("the leader died");
            match message::decode(&packet).unwrap() {
                Frame::Message(FromLeader::Editing(edited)) => self.announced = Some(edited),
                Frame::Message(FromLeader::NotEdited) => assert!(self.announced.take().is_some()),
                Frame::Message(FromLeader::Edited(edited)) => {
                    assert_eq!(self.announced.take().as_ref(), Some(&edited));
                    self.edited.push(edited);
                }
                Frame::Message(message) => return message,
                other => panic!("{other:?}"),
            }
        }
    }

    fn tell(&self, message: &ToLeader) {
        let packet = message::encode(message);
        seqpacket::send(self.control.as_ref().unwrap(), &packet, &[], Wait::Yes).unwrap();
    }

    /// The editor is done.
    fn change(&self, changed: &[(u32, &[u8])]) {
        let file = |&(index, contents): &(u32, &[u8])| ChangedFile {
            index,
            size: contents.len() as u64,
        };
        self.announce(changed.iter().map(file).collect());
        for (_, contents) in changed {
            self.send(contents);
        }
    }

    fn announce(&self, files: Vec<ChangedFile>) {
        let packet = message::encode(&ToServer::Changed { files });
        seqpacket::send(self.client.as_ref().unwrap(), &packet, &[], Wait::Yes).unwrap();
    }

    fn send(&self, contents: &[u8]) {
        for chunk in contents.chunks(30_000) {
            let packet = message::encode_data(Channel::File, chunk);
            let client = self.client.as_ref().unwrap();
            match seqpacket::send(client, &packet, &[], Wait::Yes) {
                // The leader has heard enough.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return,
                sent => sent.unwrap(),
            }
        }
    }

    /// How it ended, told to both sides alike.
    fn ended(&mut self) -> (Status, EndReason) {
        let told = match self.hear_client() {
            ToClient::Ended { status, reason } => (status, reason),
            other => panic!("{other:?}"),
        };
        assert_eq!(self.ended_for_elevated(), told);
        told
    }

    fn ended_for_elevated(&mut self) -> (Status, EndReason) {
        let last = self.hear_control();
        assert_eq!(self.announced, None);
        match last {
            FromLeader::Ended { status, reason, .. } => (status, reason),
            other => panic!("{other:?}"),
        }
    }

    /// Why it never began, told to both sides alike.
    fn refused(&mut self) -> (ErrorName, String) {
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
}

fn receive(socket: &OwnedFd) -> Option<Vec<u8>> {
    let patience = Timespec {
        tv_sec: 20,
        tv_nsec: 0,
    };
    let ready = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&patience)).unwrap();
    assert_eq!(ready, 1, "nothing was said for too long");
    let packet = seqpacket::receive(socket.as_fd(), 1 << 20, Wait::No).unwrap();
    packet.map(|packet| packet.body)
}

fn run(command: &str) {
    assert!(
        Command::new("sh")
            .args(["-ec", command])
            .status()
            .unwrap()
            .success()
    );
}

/// Nobody's change gets lost by an edit that began before it.
fn refused_after(meanwhile: &str) -> String {
    let mut host = Host::start();
    prepare();
    let order = order(&host, &[FILE]);
    let mut editing = Editing::begin(&mut host, &order);
    run(meanwhile);
    let there = fs::read(FILE).ok();
    editing.change(&[(0, b"mine\n")]);
    assert_eq!(editing.ended(), FAILED);
    assert!(editing.edited.is_empty());
    assert_eq!(fs::read(FILE).ok(), there);
    assert_eq!(editing.notices.last().unwrap(), "nothing was written");
    host.expect_over(editing.id);
    editing.notices[0].clone()
}

inside! {
    fn what_the_editor_changed_is_written_and_on_record() {
        let mut host = Host::start();
        prepare();
        chown(FILE, Some(4001), Some(4002)).unwrap();
        fs::set_permissions(FILE, fs::Permissions::from_mode(0o640)).unwrap();
        let order = order(&host, &[FILE]);
        let mut editing = Editing::begin(&mut host, &order);
        assert_eq!(editing.copies, [(FILE.to_owned(), b"old\n".to_vec())]);
        editing.change(&[(0, b"new\n")]);
        assert_eq!(editing.ended(), FINISHED);
        assert_eq!(read(FILE), "new\n");
        let stat = fs::metadata(FILE).unwrap();
        assert_eq!((stat.uid(), stat.gid(), stat.mode() & 0o7777), (4001, 4002, 0o640));
        let [edited] = &editing.edited[..] else {
            panic!("{:?}", editing.edited);
        };
        assert_eq!(edited.path, FILE.into());
        assert_eq!(edited.diff, format!("--- {FILE}\n+++ {FILE}\n@@ -1 +1 @@\n-old\n+new\n"));
        assert_eq!(names(FOLDER), ["conf"]);
        host.expect_over(editing.id);
    }

    fn several_files_of_any_size_and_a_new_one_are_written() {
        let mut host = Host::start();
        prepare();
        let big: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
        fs::write("/mnt/etc/big", &big).unwrap();
        fs::write("/mnt/etc/empty", "").unwrap();
        let order = order(&host, &["/mnt/etc/big", "/mnt/etc/empty", FILE, "/mnt/etc/new"]);
        let mut editing = Editing::begin(&mut host, &order);
        assert_eq!(editing.copies[0].1, big);
        assert_eq!(editing.copies[3].1, b"");
        let bigger = [&big[..], b"more"].concat();
        editing.change(&[(0, &bigger), (1, b"something\n"), (2, b""), (3, b"made\n")]);
        assert_eq!(editing.ended(), FINISHED);
        assert_eq!(fs::read("/mnt/etc/big").unwrap(), bigger);
        assert_eq!(read("/mnt/etc/empty"), "something\n");
        assert_eq!(read(FILE), "");
        assert_eq!(read("/mnt/etc/new"), "made\n");
        assert_eq!(fs::metadata("/mnt/etc/new").unwrap().mode() & 0o7777, 0o644);
        assert_eq!(editing.edited.len(), 4);
        assert_eq!(editing.edited[3].before, None);
    }

    fn what_cannot_be_announced_is_not_written() {
        let mut host = Host::start();
        prepare();
        let paths: Vec<String> = (0..16).map(|number| format!("{FOLDER}/{number}")).collect();
        paths.iter().for_each(|path| fs::write(path, "old\n").unwrap());
        let order = order(&host, &paths.iter().map(String::as_str).collect::<Vec<_>>());
        let mut editing = Editing::begin(&mut host, &order);
        let long = "new\n".repeat(50_000);
        let changed: Vec<_> = (0..16).map(|index| (index, long.as_bytes())).collect();
        editing.change(&changed);
        let written = || paths.iter().filter(|path| read(path) != "old\n").count();
        // Nobody hears, until the socket is full and some time has gone by in which nothing was written.
        let (mut before, mut since) = (0, now());
        support::poll_until("the leader to wait", || {
            let count = written();
            if count != before {
                (before, since) = (count, now());
            }
            (count > 0 && now() > since + 500).then_some(())
        });
        assert!(written() < 16, "{}", written());
        assert_eq!(editing.ended_for_elevated(), FINISHED);
        assert_eq!((written(), editing.edited.len()), (16, 16));
    }

    fn an_edit_that_changes_nothing_leaves_all_as_it_is() {
        let mut host = Host::start();
        prepare();
        let inode = fs::metadata(FILE).unwrap().ino();
        for same in [&[][..], &[(0, &b"old\n"[..])]] {
            let order = order(&host, &[FILE, "/mnt/etc/new"]);
            let mut editing = Editing::begin(&mut host, &order);
            editing.change(same);
            assert_eq!(editing.ended(), FINISHED);
            assert!(editing.edited.is_empty());
        }
        assert_eq!(fs::metadata(FILE).unwrap().ino(), inode);
        assert_eq!(names(FOLDER), ["conf"]);
    }

    fn the_targets_rights_hold_and_not_roots() {
        let mut host = Host::start();
        prepare();
        assert!(matches!(judge(&host, FILE, "alice"), Resolution::NotEditable(_)));
        chown(FILE, Some(4001), None).unwrap();
        let Resolution::Editable(file) = judge(&host, FILE, "alice") else {
            panic!("alice's own file");
        };
        let order = Edit {
            target: account("alice"),
            files: vec![file],
            ..order(&host, &[FILE])
        };
        let mut editing = Editing::begin(&mut host, &order);
        editing.change(&[(0, b"new\n")]);
        // She may not write the folder: in place.
        assert_eq!(editing.ended(), FINISHED);
        assert_eq!(read(FILE), "new\n");
        chown(FILE, Some(0), None).unwrap();
        let mut editing = Editing::order(&mut host, &order);
        let (error, message) = editing.refused();
        assert_eq!(error, ErrorName::Changed);
        assert!(message.contains("alice cannot read and write"), "{message}");
    }

    fn another_file_than_the_judged_one_is_not_opened() {
        let mut host = Host::start();
        prepare();
        let order = order(&host, &[FILE]);
        run("rm /mnt/etc/conf; ln -s /etc/shadow /mnt/etc/conf");
        let (error, message) = Editing::order(&mut host, &order).refused();
        assert_eq!(error, ErrorName::Changed);
        assert!(message.contains("is a link"), "{message}");
        run("rm /mnt/etc/conf; echo other > /mnt/etc/conf");
        assert_eq!(Editing::order(&mut host, &order).refused().0, ErrorName::Changed);
        run("chown 4001 /mnt/etc");
        let (_, message) = Editing::order(&mut host, &order).refused();
        assert!(message.contains("alice may write to /mnt/etc"), "{message}");
    }

    fn an_expired_caller_edits_nothing() {
        let mut host = Host::start();
        prepare();
        let order = Edit {
            caller: account("mallory"),
            ..order(&host, &[FILE])
        };
        let (error, message) = Editing::order(&mut host, &order).refused();
        assert_eq!(error, ErrorName::Denied);
        assert_eq!(message, "the account of mallory has expired");
    }

    fn a_file_that_somebody_changed_meanwhile_is_not_overwritten() {
        assert!(refused_after("echo theirs > /mnt/etc/conf").contains("somebody else changed it"));
    }

    fn a_file_that_somebody_replaced_meanwhile_is_not_overwritten() {
        refused_after("cp -p /mnt/etc/conf /mnt/etc/x; mv /mnt/etc/x /mnt/etc/conf");
    }

    fn a_link_in_its_place_is_not_followed() {
        assert!(refused_after("mv /mnt/etc/conf /mnt/x; ln -s /mnt/x /mnt/etc/conf").contains("is a link"));
    }

    fn a_file_that_is_gone_meanwhile_is_not_made_again() {
        assert!(refused_after("rm /mnt/etc/conf").contains("somebody else changed it"));
    }

    fn another_folder_in_the_place_of_its_own_gets_nothing() {
        refused_after("mv /mnt/etc /mnt/old; mkdir /mnt/etc; echo old > /mnt/etc/conf");
    }

    fn a_folder_that_became_a_link_is_not_followed() {
        refused_after("mv /mnt/etc /mnt/old; ln -s old /mnt/etc; touch /mnt/old/conf");
    }

    fn a_folder_under_a_mount_gets_nothing() {
        refused_after("mkdir /mnt/o; echo old > /mnt/o/conf; mount --bind /mnt/o /mnt/etc");
    }

    fn a_new_file_is_not_made_in_another_folder_nor_over_anothers() {
        let mut host = Host::start();
        for meanwhile in [
            "mv /mnt/etc /mnt/old; mkdir /mnt/etc",
            "echo theirs > /mnt/etc/new",
        ] {
            run("rm -rf /mnt/etc /mnt/old; mkdir /mnt/etc");
            let order = order(&host, &["/mnt/etc/new"]);
            let mut editing = Editing::begin(&mut host, &order);
            run(meanwhile);
            editing.change(&[(0, b"mine\n")]);
            assert_eq!(editing.ended(), FAILED, "{meanwhile}");
            assert!(editing.edited.is_empty());
            assert_ne!(fs::read("/mnt/etc/new").ok().as_deref(), Some(&b"mine\n"[..]));
        }
    }

    fn where_one_file_was_changed_meanwhile_none_is_written() {
        let mut host = Host::start();
        prepare();
        fs::write("/mnt/etc/second", "second\n").unwrap();
        let order = order(&host, &[FILE, "/mnt/etc/second"]);
        let mut editing = Editing::begin(&mut host, &order);
        fs::write("/mnt/etc/second", "theirs\n").unwrap();
        editing.change(&[(0, b"mine\n"), (1, b"mine\n")]);
        assert_eq!(editing.ended(), FAILED);
        assert_eq!((read(FILE), read("/mnt/etc/second")), ("old\n".into(), "theirs\n".into()));
    }

    fn a_mounted_file_is_written_in_place() {
        let mut host = Host::start();
        prepare();
        run("echo old > /mnt/source; mount --bind /mnt/source /mnt/etc/conf");
        let order = order(&host, &[FILE]);
        let mut editing = Editing::begin(&mut host, &order);
        editing.change(&[(0, b"new\n")]);
        assert_eq!(editing.ended(), FINISHED);
        assert_eq!(read("/mnt/source"), "new\n");
        assert_eq!(names(FOLDER), ["conf"]);
    }

    fn where_there_is_no_room_the_file_stays_as_it_is() {
        let mut host = Host::start();
        run("mkdir /mnt/etc; mount -t tmpfs -o size=64k,mode=755 none /mnt/etc; echo old > /mnt/etc/conf");
        let big = vec![b'x'; 200_000];
        // With one name it is replaced, with two written in place.
        for names_of_it in [1, 2] {
            let order = order(&host, &[FILE]);
            let mut editing = Editing::begin(&mut host, &order);
            editing.change(&[(0, &big)]);
            assert_eq!(editing.ended(), FAILED);
            assert!(editing.notices[0].contains("No space left"), "{:?}", editing.notices);
            assert_eq!(editing.notices[1], "nothing was written");
            assert_eq!(read(FILE), "old\n");
            assert_eq!(names(FOLDER).len(), names_of_it);
            let _ = fs::hard_link(FILE, "/mnt/etc/second");
        }
    }

    fn at_the_deadline_nothing_is_written_and_it_was_told_before() {
        let mut host = Host::start();
        prepare();
        let order = Edit {
            deadline: now() + 1500,
            warnings: vec![120_000, 1000],
            ..order(&host, &[FILE])
        };
        let mut editing = Editing::begin(&mut host, &order);
        assert_eq!(editing.ended(), (Status::Exited(1), EndReason::Deadline));
        assert!(now() >= order.deadline);
        assert!(editing.notices[0].contains("ends in 1 second,"), "{:?}", editing.notices);
        assert_eq!(editing.notices.len(), 1);
        assert_eq!(read(FILE), "old\n");
        host.expect_over(editing.id);
    }

    fn an_edit_whose_time_was_extended_goes_on() {
        let mut host = Host::start();
        prepare();
        let order = Edit {
            deadline: now() + 1000,
            warnings: vec![500],
            ..order(&host, &[FILE])
        };
        let mut editing = Editing::begin(&mut host, &order);
        editing.tell(&ToLeader::Extend { deadline: now() + 60_000 });
        support::poll_until("the old deadline", || (now() > order.deadline + 100).then_some(()));
        editing.change(&[(0, b"new\n")]);
        assert_eq!(editing.ended(), FINISHED);
        assert_eq!(editing.notices.len(), 1);
        assert!(editing.notices[0].starts_with("this edit is extended: it ends in "));
        assert_eq!(read(FILE), "new\n");
    }

    fn a_revoked_edit_writes_nothing_though_all_of_it_has_arrived_but_a_byte() {
        let mut host = Host::start();
        prepare();
        let order = order(&host, &[FILE]);
        let mut editing = Editing::begin(&mut host, &order);
        editing.announce(vec![ChangedFile { index: 0, size: 5 }]);
        editing.send(b"mine");
        let reason = EndReason::Revoked { by: "bob".into() };
        editing.tell(&ToLeader::End { reason: reason.clone() });
        assert_eq!(editing.ended(), (Status::Exited(1), reason));
        assert_eq!(read(FILE), "old\n");
    }

    fn without_elevated_nothing_is_written() {
        let mut host = Host::start();
        prepare();
        let order = order(&host, &[FILE]);
        let mut editing = Editing::begin(&mut host, &order);
        editing.control = None;
        match editing.hear_client() {
            ToClient::Ended { reason, .. } => assert_eq!(reason, EndReason::DaemonGone),
            other => panic!("{other:?}"),
        }
        assert_eq!(read(FILE), "old\n");
    }

    fn a_client_that_goes_in_the_middle_changes_nothing() {
        let mut host = Host::start();
        prepare();
        let order = order(&host, &[FILE]);
        let mut editing = Editing::begin(&mut host, &order);
        editing.announce(vec![ChangedFile { index: 0, size: 10 }]);
        editing.send(b"half");
        editing.client = None;
        assert_eq!(editing.ended_for_elevated(), (Status::Exited(1), EndReason::ClientGone));
        assert_eq!(read(FILE), "old\n");
    }

    fn a_client_that_breaks_the_rules_changes_nothing() {
        let mut host = Host::start();
        prepare();
        type Breach = fn(&Editing);
        let breaches: [Breach; 5] = [
            |editing| editing.change(&[(1, b"x")]),
            |editing| editing.change(&[(0, b"x"), (0, b"y")]),
            |editing| editing.announce(vec![ChangedFile { index: 0, size: u64::MAX }]),
            |editing| editing.send(b"unasked"),
            |editing| {
                editing.announce(vec![ChangedFile { index: 0, size: 4 }]);
                editing.send(b"longer than said");
            },
        ];
        for breach in breaches {
            let order = order(&host, &[FILE]);
            let mut editing = Editing::begin(&mut host, &order);
            breach(&editing);
            assert_eq!(editing.ended_for_elevated(), (Status::Exited(1), EndReason::ClientGone));
            assert_eq!(read(FILE), "old\n");
        }
    }

    fn files_that_are_too_much_together_are_refused_before_any_is_read() {
        let mut host = Host::start();
        prepare();
        let paths: Vec<_> = (0..5).map(|n| format!("/mnt/etc/{n}")).collect();
        for path in &paths {
            fs::File::create(path).unwrap().set_len(16 * 1024 * 1024).unwrap();
        }
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        let order = order(&host, &paths);
        let (error, message) = Editing::order(&mut host, &order).refused();
        assert_eq!(error, ErrorName::LimitExceeded);
        assert!(message.contains("64 MiB"), "{message}");
        assert!(Path::new(FILE).exists());
    }
}
