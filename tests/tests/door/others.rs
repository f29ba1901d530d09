//! Services that nobody enabled never meet the module, whatever becomes of `elevated`.

use elevate_tests::Machine;

use super::*;

/// cron's stack by pamtester, since cron itself looks once a minute; the others as themselves.
const WAYS: &[(&str, &str)] = &[
    ("sudo", "runuser -u otto -- sudo -n id -u | grep -qx 0"),
    ("doas", "runuser -u otto -- doas -n id -u | grep -qx 0"),
    ("su", "su - otto -c 'id -un' | grep -qx otto"),
    ("runuser", "runuser -l otto -c 'id -un' | grep -qx otto"),
    (
        "cron",
        "pamtester cron otto acct_mgmt setcred open_session close_session",
    ),
    (
        "at",
        "rm -f /tmp/at-was-here; echo 'touch /tmp/at-was-here' | at now 2>/dev/null; \
         for _ in $(seq 200); do [ -e /tmp/at-was-here ] && exit 0; sleep 0.05; done; exit 1",
    ),
];

fn admit_otto(machine: &Machine) {
    machine.member("otto", &["nobodies"]);
    machine.write(
        "/etc/sudoers.d/otto",
        "otto ALL=(ALL) NOPASSWD: ALL\n",
        0o440,
    );
    machine.write("/etc/doas.conf", "permit nopass otto\n", 0o600);
    machine
        .run(&["systemctl", "start", "atd", "cron"])
        .success();
}

#[track_caller]
fn assert_all_work(machine: &Machine) {
    for (name, way) in WAYS {
        let done = machine.run(&["sh", "-c", way]);
        assert_eq!(done.status, 0, "{name}: {}", done.describe());
    }
}

#[test]
fn other_services_work_whether_elevated_answers_or_not() {
    let machine = machine("others");
    admit_otto(&machine);
    assert_all_work(&machine);
    stop(&machine);
    assert_all_work(&machine);
    start(&machine);
    assert_eq!(machine.events(&[("ELEVATE_EVENT", "login")]), []);
    assert_eq!(machine.events(&[("ELEVATE_EVENT", "login-refused")]), []);
}

/// Somebody writes the module into what every service shares, with `services=` as its manual says.
#[test]
fn a_line_that_names_its_services_leaves_all_others_alone() {
    let machine = machine("shared-line");
    admit_otto(&machine);
    for (file, kind) in [
        ("common-auth", "auth"),
        ("common-account", "account"),
        ("common-session", "session"),
    ] {
        let line = format!("1i {kind} required pam_elevate.so services=probe");
        let edit = ["sed", "--in-place", &line, &format!("/etc/pam.d/{file}")];
        machine.run(&edit).success();
    }
    machine.write("/etc/pam.d/probe", "@include common-account\n", 0o644);
    stop(&machine);
    assert_all_work(&machine);
    let probe = ["pamtester", "probe", "otto", "acct_mgmt"];
    assert_ne!(machine.run(&probe).status, 0, "the line is in force");
}
