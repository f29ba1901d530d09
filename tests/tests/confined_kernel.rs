//! A contained session on a whole machine, with its release's own kernel: an older one may lack what
//! a view needs, or do it in another way.

use elevate_tests::{SharedMachine, Spec};

const POLICY: &str = r#"
[role.contained]
members = ["%contained"]

[rule.contained]
roles    = ["contained"]
run_as   = "root"
commands = ["ALL"]
require  = {}
session  = { contain = true, writable = ["/srv/data"] }
"#;

/// Each line that it writes is one thing that held.
const SCRIPT: &str = r#"
touch /srv/data/made && echo wrote
touch /etc/way 2>/dev/null || echo read-only
chmod 4755 /srv/data/made 2>/dev/null || echo no setuid
unshare --user true 2>/dev/null || echo no namespace
systemctl is-system-running >/dev/null 2>&1 || echo no bus
test "$(cat /proc/1/comm)" = elevate-init && echo own processes
grep -q 'CapBnd:.00000000000485eb' /proc/self/status && echo few capabilities
exit 7
"#;

static MACHINE: SharedMachine = SharedMachine::new(|| {
    Spec::new("confined-kernel").whole().prepared(|machine| {
        machine.run(&["groupadd", "contained"]).success();
        machine.run(&["mkdir", "/srv/data"]).success();
        machine.write("/srv/script", SCRIPT, 0o644);
        machine.policy("contained", POLICY);
    })
});

#[test]
fn a_contained_session_is_contained_by_the_releases_own_kernel_and_ends_with_its_command() {
    let machine = MACHINE.get();
    machine.member("alice", &["contained"]);
    let alice = machine.login("alice");
    let held = "wrote\nread-only\nno setuid\nno namespace\nno bus\nown processes\nfew capabilities";
    for _ in 0..3 {
        let contained = alice.run("elevate sh /srv/script").status(7);
        assert_eq!(contained.text(), held);
    }
}
