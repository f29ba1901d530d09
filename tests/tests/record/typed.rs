//! What was typed, where a rule has it recorded, and what a leader that dies leaves of a recording.

use super::recordings::{RECORDINGS, recording};
use super::*;

#[test]
fn what_is_typed_is_in_the_recording_and_a_password_is_not() {
    let machine = MACHINE.get();
    let tia = member(&machine, "tia", "typist");
    machine.write(
        "/usr/local/bin/asks",
        "#!/bin/sh\necho ready; read name; until [ -e /run/tia ]; do sleep 0.05; done\n\
         stty -echo; echo password:; read word; stty echo; echo over; read last\n",
        0o755,
    );
    let mut terminal = tia.terminal("elevate asks");
    terminal.expect("ready");
    terminal.send("carla\n");
    terminal.expect("carla");
    machine.write("/run/tia", "", 0o644);
    terminal.expect("password:");
    terminal.send("open-sesame\n");
    terminal.expect("over");
    terminal.send("bye\n");
    assert_eq!(terminal.wait(), 0);
    let (_, events) = recording(&machine, &ended(&tia));
    let typed = events.iter().filter(|(_, code, _)| code == "i");
    let typed: String = typed.map(|(_, _, data)| data.as_str()).collect();
    assert_eq!(typed, "carla\nbye\n");
    assert!(
        events
            .iter()
            .any(|(_, code, data)| code == "m" && data == "hidden")
    );
    assert!(
        events.iter().all(|(.., data)| !data.contains("sesame")),
        "{events:?}"
    );
}

#[test]
fn a_leader_that_dies_leaves_a_recording_up_to_the_last_second() {
    let machine = MACHINE.get();
    let lou = member(&machine, "lou", "typist");
    let mut terminal = lou.terminal("elevate sh -c 'echo begun; sleep 2; echo still; sleep 600'");
    terminal.expect("begun");
    let start = machine.event("start", &[("ELEVATE_USER", "lou")]);
    let (id, leader) = (start.request(), start.get("ELEVATE_LEADER").unwrap());
    let path = format!("{RECORDINGS}/{id}.cast.zst");
    let first = machine.read(&path).len();
    // What was shown is in the file without anything else having to happen.
    machine.poll("what was shown", Duration::from_secs(20), || {
        (machine.read(&path).len() > first).then_some(())
    });
    terminal.expect("still");
    let shown = machine.read(&path).len();
    machine.poll("the last second", Duration::from_secs(20), || {
        (machine.read(&path).len() > shown).then_some(())
    });
    machine.signal(leader.parse().unwrap(), "KILL");
    terminal.wait();
    let end = machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    assert_fields(&end, &[("ELEVATE_OUTCOME", "leader-gone")]);
    let ana = member(&machine, "ana", "auditor");
    let exported = ana
        .run(&format!("elevatectl sessions export {id}"))
        .success();
    let text = exported.text();
    assert!(
        text.contains("begun\\r\\n") && text.contains("still\\r\\n"),
        "{text}"
    );
}
