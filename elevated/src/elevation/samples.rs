//! An elevation for tests.

use std::time::Duration;

use elevate_protocol::Id;
use elevate_protocol::account::Account;
use elevate_protocol::launch::{Confinement, Execs, File, Identity, OnFull, Record};
use elevate_protocol::stdio::Kind;

use super::{Asked, Caller, Digest, Elevation, Given, Shown, Stage, Subject, Terms};
use crate::clock::Moment;

/// Who asks in every sample.
pub(crate) const ALICE: u32 = 1000;
/// How long a sample waits, in milliseconds.
pub(crate) const TIMEOUT: u64 = 60_000;

fn account(name: &str, uid: u32) -> Account {
    Account {
        name: name.into(),
        uid,
        gid: uid,
        groups: vec![uid],
        home: "/".into(),
        shell: "/bin/sh".into(),
    }
}

/// A request of alice that needs so many approvals, and wants so many milliseconds.
pub(crate) fn request(id: u64, needed: u32, duration: u64, now: Moment) -> Elevation {
    let path: elevate_protocol::Bytes = "/usr/bin/id".into();
    let identity = Identity {
        device: 1,
        inode: 2,
        size: 3,
        modified: 4,
        changed: 5,
    };
    let asked = Asked {
        caller: Caller {
            account: account("alice", ALICE),
            login_uid: Some(ALICE),
            pid: 7,
        },
        target: account("root", 0),
        target_group: None,
        argv: vec!["id".into()],
        subject: Subject::Command(File {
            path: path.clone(),
            real: path,
            identity,
            fixed: true,
            interpreter: None,
            sha256: None,
        }),
        cwd: "/".into(),
        environment: Vec::new(),
        stdio: [Kind::Closed; 3],
        umask: 0o022,
        window: None,
        reason: None,
        ticket: None,
        duration: Duration::from_millis(duration),
    };
    let rule_content = Digest::of(b"rule");
    Elevation {
        id: Id::from_random(id),
        digest: Shown::new("machine", &asked, ("rule", rule_content), None).digest(),
        asked,
        rule: "rule".into(),
        rule_content,
        factor: Given::None,
        needed,
        each: false,
        approvers: vec!["role:lead".into()],
        terms: terms(Duration::from_millis(duration)),
        requested: now,
        expires: now.boot + TIMEOUT,
        votes: Vec::new(),
        stage: Stage::Waiting,
        begun: None,
        deadline: None,
        processes: None,
        execs: 0,
        extends: None,
    }
}

fn terms(longest: Duration) -> Terms {
    Terms {
        longest,
        until: None,
        default: longest,
        grace: Duration::ZERO,
        idle: None,
        tasks: None,
        memory: None,
        cpu: None,
        record: Record::Output,
        on_full: OnFull::End,
        execs: Execs::Log,
        watched: false,
        confinement: Confinement::default(),
    }
}
