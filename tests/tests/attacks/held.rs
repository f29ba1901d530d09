//! A terminal that is held for a code: nobody but the process that began the session gives one, nothing
//! that is typed shows, and the code is used up.

use elevate_tests::Entry;

use super::{MACHINE, login};

/// A client of the bus with a terminal that is held soon. It says what it did and what it heard.
const CLIENT: &str = r#"
def held(command):
    id, stream = elevate(command, window=("(qq)", (24, 80)), stdio=("as", ["terminal"] * 3))
    stream.prove()
    heard = stream.hear()
    assert heard["type"] == "attach", heard
    stream.say("stdio")
    while stream.hear()["type"] != "ask-code":
        pass
    return id, stream

def kinds(stream):
    return [heard["type"] for heard in iter(stream.hear, None)]
"#;

#[test]
fn a_held_terminal_takes_a_code_from_nobody_but_who_began_the_session() {
    let machine = MACHINE.get();
    let user = login(&machine, "heldia", "idle");
    let mut factor = user.enrol();
    let program = format!(
        r#"{CLIENT}
id, stream = held(["sh", "-c", "read line; touch /held-was-here"])
if os.fork() == 0:
    stream.say("code", text="CODE")
    stream.socket.send(b"Tx\n")
    os._exit(0)
os.wait()
# Keys and signals reach nobody either.
for packet in (b"Tx\n", b'{{"type":"signal","number":10}}', b'{{"type":"stdio"}}',
               b'{{"type":"proof","nonce":"x"}}', b'{{"type":"environment","variables":[]}}'):
    stream.socket.send(packet)
print(kinds(stream)[-1:])
"#
    );
    let said = user
        .hostile(&program.replace("CODE", &factor.code()))
        .text();
    assert!(said == "['ended']" || said == "[]", "{said}");
    let end = machine.event("end", &[("ELEVATE_USER", "heldia")]);
    assert!(end.is("ELEVATE_OUTCOME", "idle"), "{end:#?}");
    assert!(
        !machine.has("/held-was-here"),
        "keys went on to the command"
    );
    let given = [
        ("ELEVATE_USER", "heldia"),
        ("ELEVATE_EVENT", "factor-given"),
    ];
    let ours = |entry: &Entry| {
        let purpose = entry.get("ELEVATE_PURPOSE").unwrap_or_default();
        purpose.starts_with("session ")
    };
    assert!(!machine.events(&given).iter().any(ours), "a code was taken");

    // From the process that began it it counts.
    let program = format!(
        r#"{CLIENT}
id, stream = held(["sh", "-c", "sleep 600"])
stream.say("code", text="000000")
while stream.hear()["type"] != "ask-code":
    pass
stream.say("code", text="CODE")
while stream.hear()["type"] != "released":
    pass
print("released")
"#
    );
    let said = user
        .hostile(&program.replace("CODE", &factor.code()))
        .text();
    assert_eq!(said, "released");
}

#[test]
fn what_is_typed_at_a_held_terminal_shows_nowhere_and_the_code_is_used_up() {
    let machine = MACHINE.get();
    let user = login(&machine, "heddy", "idle");
    let mut factor = user.enrol();
    let mut desk = user.shell();
    desk.send("elevate sh -c 'echo begun; read line; echo \"<$line>\"'\n");
    desk.expect("begun");
    desk.expect("Verification code: $");
    let code = factor.code();
    desk.send(format!("{code}\n"));
    let fields = [("ELEVATE_USER", "heddy"), ("ELEVATE_OUTCOME", "released")];
    machine.event("held", &fields);
    desk.send("kept\n");
    desk.expect("<kept>");
    desk.expect("ready> $");
    assert!(!desk.screen().contains(&code), "it was shown");
    let read = machine.event("end", &[("ELEVATE_USER", "heddy")]).request();
    let played = machine
        .run(&["elevatectl", "sessions", "play", &read])
        .success();
    assert!(!played.text().contains(&code), "it was recorded");

    // Once more, with the same code: it is refused, and after the second span the session ends.
    desk.send("elevate sh -c 'echo again; read line; echo \"<$line>\"'\n");
    desk.expect("again");
    desk.expect("Verification code: $");
    desk.send(format!("{code}\n"));
    desk.expect("Verification code: $");
    desk.expect("ready> $");
    desk.send("stty -a | grep -c ' echo '; stty -a | grep -c ' icanon'\n");
    desk.expect("1\r\n1\r\nready> $");
}

#[test]
fn a_client_that_ends_at_a_held_terminal_leaves_it_as_it_was() {
    let machine = MACHINE.get();
    for (name, signal) in [("hetty", "TERM"), ("hella", "HUP"), ("hedwig", "INT")] {
        let user = login(&machine, name, "idle");
        let _factor = user.enrol();
        let mut desk = user.shell();
        desk.send("stty -a | md5sum >before; elevate sh -c 'echo begun; read line'\n");
        desk.expect("begun");
        desk.expect("Verification code: $");
        desk.send("12345");
        let pid = machine.run(&["pgrep", "--uid", name, "--exact", "elevate"]);
        machine.signal(pid.success().text().parse().unwrap(), signal);
        desk.expect("ready> $");
        desk.send("stty -a | md5sum | cmp - before && echo as it was\n");
        desk.expect("\nas it was");
        assert!(!desk.screen().contains("12345"), "{signal}");
        machine.event("end", &[("ELEVATE_USER", name)]);
    }
}
