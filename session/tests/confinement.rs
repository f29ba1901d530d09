//! A contained session: what it is, and that what it shows of the host leads nowhere.

#[macro_use]
mod support;

use elevate_protocol::ErrorName;
use elevate_protocol::launch::{Contain, Launch};
use elevate_protocol::stream::{EndReason, Status};
use support::{Host, Led, launch};

fn contained(script: &str) -> Launch {
    let mut order = launch(&["/bin/sh", "-c", script]);
    order.confinement.contain = Some(Contain {
        writable: Vec::new(),
        network: false,
    });
    order
}

/// What root's `script` writes in a contained session, without the last newline.
fn says(script: &str) -> String {
    run(&contained(script)).1
}

fn run(order: &Launch) -> (Status, String) {
    let mut host = Host::start();
    let mut led = host.lead(order);
    led.begin(&[]);
    let (status, reason) = led.ended();
    assert_eq!(reason, EndReason::Finished);
    (status, said(&led))
}

fn said(led: &Led) -> String {
    let text = led.output() + &String::from_utf8_lossy(&led.error);
    text.trim_end().to_owned()
}

inside! {
    fn a_contained_command_runs_and_its_status_comes_back() {
        assert_eq!(run(&contained("id -u; exit 7")), (Status::Exited(7), "0".into()));
        let (status, _) = run(&contained("kill -TERM $$; sleep 10"));
        assert_eq!(status, Status::Signaled(15));
    }

    fn it_sees_no_process_but_its_own() {
        let said = says("ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm; cat /proc/1/root/etc/passwd");
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines[..2], ["4", "elevate-init"]);
        assert!(lines[2].contains("Permission denied"), "{said}");
    }
}
