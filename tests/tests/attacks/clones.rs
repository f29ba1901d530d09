//! An image that was cloned, with all of its state, to a machine of another id.

use elevate_tests::{MachineInTest, Spec};

use super::{login, prepare, voter};

const CLONE: &str = "
    systemctl stop elevated
    tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
    systemctl start elevated
";

#[test]
fn a_request_and_its_approvals_are_nothing_on_another_machine() {
    let machine = MachineInTest::alone(Spec::new("cloned").prepared(prepare));
    let user = login(&machine, "dolly", "asking");
    let approver = voter(&machine, "morag");
    let asking = user.command("elevate touch /cloned").start();
    let id = machine
        .event("request", &[("ELEVATE_USER", "dolly")])
        .request();
    let shown = approver
        .run(&format!("elevatectl show {id} --json"))
        .success();
    assert!(shown.text().contains(&id));
    let state =
        "systemctl stop elevated; cp -a /var/lib/elevate /root/image; systemctl start elevated";
    machine.run(&["sh", "-euc", state]).success();
    let _ = asking.wait();

    machine.run(&["sh", "-euc", CLONE]).success();
    let listed = machine
        .run(&["elevatectl", "requests", "--all"])
        .success()
        .text();
    assert!(!listed.contains(&id), "{listed}");
    machine.run(&["elevatectl", "show", &id]).status(1);
    // The image once more, as it was while the request stood: what is another machine's stays so.
    let image = "
        systemctl stop elevated
        rm -rf /var/lib/elevate
        cp -a /root/image /var/lib/elevate
        systemctl start elevated
    ";
    machine.run(&["sh", "-euc", image]).success();
    let listed = machine
        .run(&["elevatectl", "requests", "--all"])
        .success()
        .text();
    assert!(!listed.contains(&id), "{listed}");
    approver
        .run(&format!("elevatectl approve --yes {id}"))
        .status(1);
    assert!(!machine.has("/cloned"));

    // journald itself goes on under the old id.
    let argv = ["journalctl", "--merge", "--no-pager", "--unit=elevated"];
    let said = machine.run(&argv).success().text();
    let count = said
        .matches("the state of another machine is set aside")
        .count();
    assert_eq!(count, 2, "once for each time that it was cloned: {said}");

    let asking = user.command("elevate id -u").start();
    let id = machine.poll("the request", std::time::Duration::from_secs(20), || {
        let listed = machine.run(&["elevatectl", "requests"]).success().text();
        listed
            .split_whitespace()
            .find(|word| word.len() == 8)
            .map(str::to_owned)
    });
    let anew = machine.enrol("morag");
    let mut factor = anew;
    let mut desk = approver.terminal(&format!("elevatectl approve --yes {id}"));
    desk.expect("Verification code: $");
    desk.send(format!("{}\n", factor.code()));
    desk.wait();
    assert_eq!(asking.wait().success().text(), "0");
}
