use elevate_protocol::Bytes;
use elevate_protocol::account::Account;
use elevate_protocol::launch::{Confinement, Execs, File, Identity, OnFull};
use elevate_protocol::stream::Window;

use super::*;

fn root() -> Account {
    Account {
        name: "root".into(),
        uid: 0,
        gid: 0,
        groups: vec![0],
        home: "/root".into(),
        shell: "/bin/sh".into(),
    }
}

/// An order that passes every check.
pub(in crate::leader) fn launch() -> Launch {
    let identity = Identity {
        device: 0,
        inode: 0,
        size: 0,
        modified: 0,
        changed: 0,
    };
    Launch {
        caller: root(),
        login_uid: None,
        target: root(),
        argv: vec!["/bin/true".into()],
        file: File {
            path: "/bin/true".into(),
            real: "/usr/bin/true".into(),
            identity,
            fixed: true,
            interpreter: None,
            sha256: None,
        },
        cwd: "/".into(),
        environment: vec!["TERM=xterm".into()],
        umask: 0,
        window: None,
        routes: [Route::Null; 3],
        record: Record::None,
        on_full: OnFull::End,
        execs: Execs::None,
        confinement: Confinement::default(),
        limited: false,
        deadline: 0,
        warnings: Vec::new(),
        grace: 0,
        idle: None,
        watched: false,
        rule: "r".into(),
    }
}

fn refused(change: impl FnOnce(&mut Launch)) -> bool {
    let mut order = launch();
    assert_eq!(check(&order), Ok(()));
    change(&mut order);
    check(&order).is_err()
}

#[test]
fn an_order_that_the_kernel_would_read_otherwise_is_refused() {
    assert!(refused(|order| order.argv.clear()));
    assert!(refused(|order| order.argv[0] = Bytes(b"a\0b".to_vec())));
    assert!(refused(|order| order
        .environment
        .push(Bytes(b"A=\0".to_vec()))));
    assert!(refused(|order| order.cwd = Bytes(b"/\0".to_vec())));
    assert!(refused(|order| order.target.uid = u32::MAX));
    assert!(refused(|order| order.target.gid = u32::MAX));
    assert!(refused(|order| order.target.groups.push(u32::MAX)));
    assert!(refused(|order| order.caller.uid = u32::MAX));
    assert!(refused(|order| order.routes[1] = Route::Terminal));
    assert!(refused(|order| order.routes[0] = Route::Carry));
}

#[test]
fn a_stream_to_the_terminal_is_fine_where_there_is_one() {
    let mut order = launch();
    order.routes = [Route::Terminal; 3];
    order.window = Some(Window {
        rows: 24,
        columns: 80,
    });
    assert_eq!(check(&order), Ok(()));
}
