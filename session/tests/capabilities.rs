//! Capabilities for a target that is not root: exactly those that the rule names, and no more ever.

#[macro_use]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use elevate_protocol::ErrorName;
use elevate_protocol::launch::{Execs, Launch};
use elevate_protocol::stream::Status;
use support::{Host, account, launch};

const NET_ADMIN: u64 = 1 << 12;
const NET_RAW: u64 = 1 << 13;
const SETUID: u64 = 1 << 7;

fn with(mask: u64, script: &str) -> Launch {
    let mut order = launch(&["/bin/sh", "-c", script]);
    order.target = account("alice");
    order.confinement.capabilities = Some(mask);
    order
}

fn run(order: &Launch) -> (Status, String) {
    let mut host = Host::start();
    let mut led = host.lead(order);
    led.begin(&[]);
    let (status, _) = led.ended();
    let text = led.output() + &String::from_utf8_lossy(&led.error);
    (status, text.trim_end().to_owned())
}

inside! {
    fn the_masks_are_exact_over_every_exec() {
        let masks = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status";
        for mask in [NET_ADMIN | NET_RAW, 0] {
            let set = format!("{mask:016x}");
            let sets = ["Inh", "Prm", "Eff", "Bnd", "Amb"].map(|name| format!("Cap{name}:\t{set}\n"));
            let expected = sets.concat() + "NoNewPrivs:\t1";
            assert_eq!(run(&with(mask, masks)), (Status::Exited(0), expected.clone()));
            let mut logged = with(mask, &format!("/bin/sh -c \"{masks}\""));
            logged.execs = Execs::Log;
            assert_eq!(run(&logged).1, expected);
        }
    }

    fn what_is_named_can_be_done_and_no_more() {
        let act = "ip link set lo up 2>/dev/null && echo up; touch /etc/elevate-test 2>/dev/null || echo no; id -u";
        assert_eq!(run(&with(NET_ADMIN, act)).1, "up\nno\n4001");
        assert_eq!(run(&with(0, act)).1, "no\n4001");
    }

    fn nobody_becomes_more_by_a_setuid_program_or_as_uid_0() {
        fs::copy("/usr/bin/id", "/mnt/id").unwrap();
        fs::set_permissions("/mnt/id", fs::Permissions::from_mode(0o4755)).unwrap();
        assert_eq!(run(&with(NET_ADMIN, "/mnt/id -u")).1, "4001");
        let mut plain = with(0, "/mnt/id -u");
        plain.confinement.capabilities = None;
        assert_eq!(run(&plain).1, "0");
        // Who may become uid 0 has no more there.
        let program = "import os; os.setuid(0); os.execv('/bin/grep', ['grep', 'CapEff', '/proc/self/status'])";
        let mut order = with(SETUID, "");
        order.argv = vec!["/usr/bin/python3".into(), "-c".into(), program.into()];
        order.file = support::file("/usr/bin/python3");
        assert_eq!(run(&order).1, format!("CapEff:\t{SETUID:016x}"));
    }

    fn what_cannot_be_given_lets_nothing_begin() {
        let mut host = Host::start();
        let mut order = with(1 << 62, "true");
        let (error, message) = host.lead(&order).refused();
        assert_eq!(error, ErrorName::Unavailable);
        assert!(message.contains("capability 62"), "{message}");
        order.confinement.capabilities = Some(NET_ADMIN);
        order.target = account("root");
        let (error, message) = host.lead(&order).refused();
        assert_eq!(error, ErrorName::InvalidArgument);
        assert!(message.contains("contain"), "{message}");
    }
}
