//! Who is at the other end of a stream: the process that asked, and nobody who got hold of it.

use super::{MACHINE, login, reason, refusals_after_honest_use, voter};

#[test]
fn another_process_of_the_same_user_proves_nothing() {
    let machine = MACHINE.get();
    let user = login(&machine, "twin", "recorded");
    let program = r#"
id, stream = elevate(["touch", "/twin-was-here"])
stream.say("hello")
nonce = stream.hear()["nonce"]
if os.fork() == 0:
    stream.say("proof", nonce=nonce)
    os._exit(0)
os.wait()
print(stream.rest()[-1]["error"])
"#;
    assert_eq!(user.hostile(program).text(), "NotAuthorized");
    let refusals = refusals_after_honest_use(&user);
    assert_eq!(refusals.len(), 1);
    assert!(reason(&refusals[0]).contains("not the one that asked"));
    assert!(!machine.has("/twin-was-here"));
}

#[test]
fn a_wrong_or_old_nonce_proves_nothing() {
    let machine = MACHINE.get();
    let user = login(&machine, "nonce", "recorded");
    let program = r#"
old = ""
for attempt in range(3):
    id, stream = elevate(["true"])
    stream.say("hello")
    fresh = stream.hear()["nonce"]
    stream.say("proof", nonce=old or fresh[::-1])
    print(stream.rest()[-1]["error"], fresh != old)
    old = fresh
"#;
    let answers = user.hostile(program).text();
    assert_eq!(answers, "NotAuthorized True\n".repeat(3).trim());
    assert_eq!(refusals_after_honest_use(&user).len(), 3);
}

/// The caller lends the stream to somebody who may do nothing, who says hello on it.
#[test]
fn another_user_on_the_stream_proves_nothing() {
    let machine = MACHINE.get();
    let lender = login(&machine, "lender", "recorded");
    let borrower = login(&machine, "borrower", "nobodies");
    let lent = lender
        .hostile_command(
            r#"
listener = socket.socket(socket.AF_UNIX)
listener.bind("/tmp/lent")
os.chmod("/tmp/lent", 0o777)
listener.listen()
id, stream = elevate(["touch", "/borrower-was-here"])
socket.send_fds(listener.accept()[0], [b"x"], [stream.socket.fileno()])
stream.socket.close()
"#,
        )
        .start();
    machine.wait_for_file("/tmp/lent");
    let program = r#"
lender = socket.socket(socket.AF_UNIX)
while True:
    try:
        lender.connect("/tmp/lent")
        break
    except OSError:
        pass
stream = Stream(socket.recv_fds(lender, 1, 1)[1][0])
stream.say("hello")
print(stream.rest()[-1]["error"])
"#;
    assert_eq!(borrower.hostile(program).text(), "NotAuthorized");
    lent.wait().success();
    assert_eq!(refusals_after_honest_use(&lender).len(), 1);
    assert!(!machine.has("/borrower-was-here"));
}

/// CVE-2025-67859: the check must not take the new program's rights for the caller's.
#[test]
fn a_caller_that_becomes_a_setuid_program_gains_nothing() {
    let machine = MACHINE.get();
    let user = login(&machine, "morph", "nobodies");
    let program = r#"
bus = Bus()
id, stream = elevate(["touch", "/morph-was-here"], bus)
os.set_inheritable(stream.socket.fileno(), True)
stream.say("hello")
ours, theirs = os.pipe()
if os.fork() == 0:
    print(stream.rest()[-1]["error"], flush=True)
    os.kill(os.getppid(), signal.SIGKILL)
    os._exit(0)
os.dup2(ours, 0)
os.execv("/usr/bin/su", ["su", "-c", "true"])
"#;
    let ended = user.hostile_command(program).run();
    assert!(ended.text().contains("TimedOut"), "{}", ended.describe());
    let refusal = machine.event("refusal", &[("ELEVATE_USER", "morph")]);
    assert!(reason(&refusal).contains("who it is"), "{refusal:?}");
    assert!(!machine.has("/morph-was-here"));
}

#[test]
fn a_client_that_breaks_the_rules_is_not_spoken_with() {
    let machine = MACHINE.get();
    let user = login(&machine, "rude", "recorded");
    let program = r#"
for words in (b"{", b"[]", b"{}", b"\0", b"Tx", b"O" * 70000, b'{"type":"proof","nonce":"x"}',
              b'{"type":"hello","type":"hello"}', b'{"type":"stdio"}', b'{"type":"' + b"[" * 60000):
    id, stream = elevate(["touch", "/rude-was-here"])
    stream.socket.send(words)
    print(stream.rest()[-1:])
"#;
    let answers = user.hostile(program).text();
    assert_eq!(answers.lines().count(), 10, "{answers}");
    for answer in answers.lines() {
        assert!(
            answer == "[]" || answer.contains("InvalidArgument"),
            "{answer}"
        );
    }
    let refusals = refusals_after_honest_use(&user).len();
    assert_eq!(refusals, answers.matches("InvalidArgument").count());
    assert!(!machine.has("/rude-was-here"));
}

/// CVE-2017-1000367: a name that looks like the fields after it, or like a line of its own.
#[test]
fn a_name_that_looks_like_facts_changes_none() {
    let machine = MACHINE.get();
    let user = login(&machine, "named", "asking");
    let approver = voter(&machine, "nadine");
    let uid = user.run("id -u").text();
    let name = "$HOME/$'a) S 1 1\n0::elevate.slice\nUid:\t0'";
    user.run(&format!("cp /usr/bin/elevate {name}")).success();
    let asking = user.command(&format!("{name} id -un")).start();
    let request = machine.event("request", &[("ELEVATE_USER", "named")]);
    assert!(request.is("ELEVATE_UID", &uid), "{request:?}");
    assert!(request.is("ELEVATE_LOGIN_UID", &uid), "{request:?}");
    let renamed = "$HOME/$'b) S 1 1\n0::elevate.slice'";
    approver
        .run(&format!("cp /usr/bin/elevatectl {renamed}"))
        .success();
    let line = format!("{renamed} approve {} --yes", request.request());
    approver.with_code(&line).success();
    assert_eq!(asking.wait().success().text(), "root");
}
