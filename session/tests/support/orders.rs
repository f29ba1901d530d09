use std::os::unix::fs::MetadataExt;

use elevate_protocol::Id;
use elevate_protocol::account::Account;
use elevate_protocol::launch::{Confinement, Execs, File, Identity, Launch, OnFull, Record};
use elevate_protocol::stdio::Route;
use rustix::time::{ClockId, clock_gettime};

/// An id that no other session of this process has.
pub fn unused_id() -> Id {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Id::from_random(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// `root`, `alice`, or `mallory`, whose account has expired.
pub fn account(name: &str) -> Account {
    let uid = match name {
        "root" => 0,
        "alice" => 4001,
        "mallory" => 4002,
        _ => panic!("no such account: {name}"),
    };
    Account {
        name: name.into(),
        uid,
        gid: uid,
        groups: vec![uid],
        home: "/".into(),
        shell: "/bin/sh".into(),
    }
}

/// Alice runs `argv` as root, without a terminal, nothing recorded, for a minute.
pub fn launch(argv: &[&str]) -> Launch {
    Launch {
        caller: account("alice"),
        login_uid: None,
        target: account("root"),
        argv: argv.iter().map(|&word| word.into()).collect(),
        file: file(argv[0]),
        cwd: "/".into(),
        environment: vec!["PATH=/usr/bin:/bin".into(), "TERM=dumb".into()],
        umask: 0,
        window: None,
        routes: [Route::Null, Route::Carry, Route::Carry],
        record: Record::None,
        on_full: OnFull::End,
        execs: Execs::None,
        confinement: Confinement::default(),
        limited: false,
        deadline: now() + 60_000,
        warnings: Vec::new(),
        grace: 0,
        idle: None,
        watched: false,
        rule: "test".into(),
    }
}

/// The file at `path`, as a resolver would describe it.
pub fn file(path: &str) -> File {
    let real = std::fs::canonicalize(path).unwrap_or(path.into());
    let identity = std::fs::metadata(path).map_or(NOTHING, |stat| Identity {
        device: stat.dev(),
        inode: stat.ino(),
        size: stat.size(),
        modified: stat.mtime() * 1_000_000_000 + stat.mtime_nsec(),
        changed: stat.ctime() * 1_000_000_000 + stat.ctime_nsec(),
    });
    File {
        path: path.into(),
        real: real.into_os_string().into(),
        identity,
        fixed: true,
        interpreter: None,
        sha256: None,
    }
}

const NOTHING: Identity = Identity {
    device: 0,
    inode: 0,
    size: 0,
    modified: 0,
    changed: 0,
};

/// Milliseconds of CLOCK_BOOTTIME.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}
