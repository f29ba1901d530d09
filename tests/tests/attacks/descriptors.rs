//! Descriptors that do something when root touches them: nothing of ours reads or writes them as
//! root, and the command gets a pipe of the client's in their place.

use super::{MACHINE, login, reason, refusals_after_honest_use};

/// The uid that a socket's other end sees when a command writes to it.
const WHO_WRITES: &str = r#"
import subprocess
def writer(*command):
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs)
    theirs.close()
    _, extra, _, _ = ours.recvmsg(100, 100)
    return struct.unpack("iII", extra[0][2])[1] if extra else "nobody"
"#;

#[test]
fn whoever_hears_the_command_through_a_socket_hears_the_user_and_not_root() {
    let machine = MACHINE.get();
    machine.write(
        "/etc/sudoers.d/attacks",
        "proctor ALL=(ALL) NOPASSWD: ALL\n",
        0o440,
    );
    let user = login(&machine, "proctor", "plain");
    let uid = user.run("id -u").text();
    let heard = |command: &str| {
        user.hostile(&format!("{WHO_WRITES}\nprint(writer({command}))"))
            .text()
    };
    assert_eq!(
        heard(r#""sudo", "-n", "echo", "x""#),
        "0",
        "the attack works on sudo"
    );
    assert_eq!(heard(r#""elevate", "echo", "x""#), uid);
    machine.member("proctor", &["recorded"]);
    assert_eq!(
        heard(r#""elevate", "--rule", "recorded", "echo", "x""#),
        uid
    );
}

#[test]
fn the_command_holds_no_socket_no_device_and_no_other_terminal() {
    let machine = MACHINE.get();
    let user = login(&machine, "sockeye", "plain");
    let other = login(&machine, "sockeye", "plain");
    let mut idle = other.terminal("tty; read forever");
    let terminal = idle.expect("/dev/pts/[0-9]+");
    let program = r#"
import subprocess
ours, theirs = socket.socketpair()
command = ["elevate", "sh", "-c", "for n in 0 1 2; do readlink /proc/self/fd/$n; done"]
def seen(descriptor):
    child = subprocess.Popen(command, stdin=descriptor, stdout=descriptor, stderr=descriptor)
    assert child.wait() == 0
seen(theirs)
print(ours.recv(1000).decode())
device = os.open("/dev/full", os.O_RDWR)
print(subprocess.run(command, stdin=device, stderr=device, stdout=-1).stdout.decode())
asks_who_writes = os.open("/proc/self/oom_score_adj", os.O_RDWR)
print(subprocess.run(command, stdin=asks_who_writes, stderr=asks_who_writes, stdout=-1).stdout.decode())
seen(os.open("TERMINAL", os.O_RDWR | os.O_NOCTTY))
"#;
    let links = user.hostile(&program.replace("TERMINAL", &terminal)).text();
    let links: Vec<_> = links.split_whitespace().collect();
    assert_eq!(links.len(), 9, "{links:?}");
    assert!(
        links.iter().all(|link| link.starts_with("pipe:[")),
        "{links:?}"
    );
    for _ in 0..3 {
        idle.expect(r"pipe:\[[0-9]+\]");
    }
}

#[test]
fn a_socket_passes_everything_all_the_same() {
    let machine = MACHINE.get();
    for (name, group) in [("socrates", "plain"), ("solon", "recorded")] {
        let user = login(&machine, name, group);
        let program = r#"
import subprocess, threading
ours, theirs = socket.socketpair()
child = subprocess.Popen(["elevate", "cat"], stdin=theirs, stdout=theirs)
theirs.close()
sent = bytes(range(256)) * 4096
def send():
    ours.sendall(sent)
    ours.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
got = b""
while more := ours.recv(1 << 16):
    got += more
print(got == sent, child.wait())
"#;
        assert_eq!(user.hostile(program).text(), "True 0", "{group}");
    }
}

#[test]
fn a_folder_and_a_mere_place_are_refused_before_anything_is_asked() {
    let machine = MACHINE.get();
    let user = login(&machine, "folder", "plain");
    let refused = user.run("elevate cat < /etc").status(2);
    assert!(
        refused.errors().contains("a folder"),
        "{}",
        refused.describe()
    );
    let program = r#"
import subprocess
place = os.open("/etc/passwd", os.O_PATH)
ended = subprocess.run(["elevate", "cat"], stdin=place, stderr=-1)
print(ended.returncode, ended.stderr.decode())
"#;
    let refused = user.hostile(program).text();
    assert!(refused.starts_with("2 "), "{refused}");
    assert!(refused.contains("O_PATH"), "{refused}");
    assert_eq!(
        user.run("elevate cat < /etc/hostname").success().text(),
        "attacks"
    );
    assert!(
        machine
            .events(&[("ELEVATE_USER", "folder"), ("ELEVATE_EVENT", "refusal")])
            .is_empty()
    );
}

/// A client that says "pipe" and hands over something else.
#[test]
fn a_client_that_lies_about_a_descriptor_runs_nothing() {
    let machine = MACHINE.get();
    let user = login(&machine, "liar", "plain");
    let uid = user.run("id -u").text();
    let program = r#"
def opened(path, flags=os.O_RDONLY):
    return lambda: os.open(path, flags)
slice = "/sys/fs/cgroup/user.slice/user-UID.slice/user@UID.service"
lies = dict(
    socket=lambda: socket.socketpair()[0].detach(),
    mem=opened("/proc/self/mem", os.O_RDWR),
    proc=opened("/proc/self/oom_score_adj", os.O_RDWR),
    sys=opened("/sys/kernel/notes"),
    cgroup=opened("/sys/fs/cgroup/cgroup.controllers"),
    own_cgroup=opened(slice + "/cgroup.procs", os.O_RDWR),
    namespace=opened("/proc/self/ns/mnt"),
    folder=opened("/etc"),
    place=opened("/etc/passwd", os.O_PATH),
    link=opened("/proc/self/exe", os.O_PATH | os.O_NOFOLLOW),
    device=opened("/dev/full", os.O_RDWR),
    null=opened("/dev/null", os.O_RDWR),
    ptmx=opened("/dev/ptmx", os.O_RDWR | os.O_NOCTTY),
    process=lambda: os.pidfd_open(os.getpid()),
    event=lambda: os.eventfd(0),
    epoll=lambda: select.epoll().fileno(),
)
for name, make in lies.items():
    if name == "epoll":
        poll = select.epoll()
        make = poll.fileno
    _, stream = elevate(["touch", "/liar-was-here"], stdio=("as", ["pipe", "closed", "closed"]))
    stream.prove()
    assert stream.hear()["type"] == "attach"
    stream.say("stdio", [make()])
    last = stream.rest()[-1]
    print(name, last["type"], last.get("error"), last.get("message"))
"#;
    let answers = user.hostile(&program.replace("UID", &uid)).text();
    assert_eq!(answers.lines().count(), 16, "{answers}");
    for answer in answers.lines() {
        assert!(
            answer.contains(" refused InvalidArgument a standard stream "),
            "{answer}"
        );
    }
    assert_eq!(
        user.run("elevate cat < /etc/hostname").success().text(),
        "attacks"
    );
    machine.event(
        "end",
        &[("ELEVATE_USER", "liar"), ("ELEVATE_OUTCOME", "finished")],
    );
    let failed = machine.events(&[("ELEVATE_USER", "liar"), ("ELEVATE_OUTCOME", "failed")]);
    assert_eq!(failed.len(), 16, "each is on record once");
    assert!(
        failed
            .iter()
            .all(|entry| reason(entry).contains("standard stream")),
        "{:?}",
        failed.iter().map(reason).collect::<Vec<_>>()
    );
    assert!(!machine.has("/liar-was-here"));
}

#[test]
fn too_few_and_too_many_descriptors_run_nothing() {
    let machine = MACHINE.get();
    let user = login(&machine, "counter", "plain");
    let program = r#"
for count in (0, 2, 4, 5, 200):
    _, stream = elevate(["touch", "/counter-was-here"], stdio=("as", ["pipe", "closed", "closed"]))
    stream.prove()
    assert stream.hear()["type"] == "attach"
    stream.say("stdio", [os.pipe()[0] for _ in range(count)])
    print(count, [message["type"] for message in stream.rest()])
"#;
    let answers = user.hostile(program).text();
    assert_eq!(answers.lines().count(), 5, "{answers}");
    assert!(!answers.contains("ended"), "{answers}");
    assert!(refusals_after_honest_use(&user).is_empty());
    let failed = machine.events(&[("ELEVATE_USER", "counter"), ("ELEVATE_OUTCOME", "failed")]);
    assert_eq!(failed.len(), 5, "each is on record once: {failed:?}");
    assert!(!machine.has("/counter-was-here"));
}

#[test]
fn flags_that_are_shared_with_others_stay_as_they_are() {
    let machine = MACHINE.get();
    for (name, group) in [("flagg", "plain"), ("flynn", "recorded")] {
        let user = login(&machine, name, group);
        let program = r#"
import subprocess
for blocking in (True, False):
    input, feed = os.pipe()
    tail, output = os.pipe()
    ours, theirs = socket.socketpair()
    shared = (input, output, theirs.fileno())
    for descriptor in shared:
        os.set_blocking(descriptor, blocking)
    child = subprocess.Popen(["elevate", "sh", "-c", "cat; echo done"],
                             stdin=input, stdout=output, stderr=theirs)
    os.write(feed, b"x\n")
    while b"x" not in os.read(tail, 100):
        pass
    during = [os.get_blocking(descriptor) for descriptor in shared]
    os.close(feed)
    child.wait()
    after = [os.get_blocking(descriptor) for descriptor in shared]
    print(during == after == [blocking] * 3)
"#;
        assert_eq!(user.hostile(program).text(), "True\nTrue", "{group}");
    }
}
