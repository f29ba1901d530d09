//! A disk without room for recordings, under either rule.

use super::recordings::RECORDINGS;
use super::*;

/// Filling the disk would fail every other session.
static SMALL: SharedMachine = SharedMachine::new(|| {
    Spec::new("record-disk").prepared(|machine| {
        prepare(machine);
        let options = "size=32m,mode=0700";
        let mount = ["mount", "-t", "tmpfs", "-o", options, "none", RECORDINGS];
        machine
            .run(&["mkdir", "-p", "-m", "0700", RECORDINGS])
            .success();
        machine.run(&mount).success();
    })
});

#[test]
fn a_session_ends_where_its_recording_finds_no_room_and_one_that_could_does_not_begin() {
    let machine = SMALL.get();
    let cal = member(&machine, "cal", "careful");
    let refused = cal.run("elevate touch /root/cal").status(1);
    let said = refused.errors();
    assert!(
        said.contains("MiB are left") && said.contains("on_full = \"refuse\""),
        "{said}"
    );
    assert!(!machine.has("/root/cal"));

    let eli = member(&machine, "eli", "operator");
    let line = "elevate sh -c 'head -c 60000000 /dev/urandom; touch /root/eli' | wc -c";
    let ran = eli.run(line);
    assert!(ran.errors().contains("No space left on device"), "{ran:?}");
    let end = machine.event("end", &[("ELEVATE_USER", "eli")]);
    assert_fields(&end, &[("ELEVATE_OUTCOME", "recording-failed")]);
    assert!(!machine.has("/root/eli"));
}
