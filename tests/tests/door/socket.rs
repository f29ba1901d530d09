//! The login socket itself: root's alone, and it says what it speaks.

use elevate_tests::Release;

use super::*;

const SOCKET: &str = "/run/elevate/login.sock";

#[test]
fn only_root_reaches_the_socket() {
    let machine = MACHINE.get();
    let mode = machine.run(&["stat", "-c", "%U:%G %a", SOCKET]).success();
    assert_eq!(mode.text(), "root:root 600");
    machine.member("sven", &["robot"]);
    let connect =
        format!("python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{SOCKET}\")'");
    let refused = machine.login("sven").run(&connect);
    assert_ne!(refused.status, 0);
    assert!(refused.errors().contains("PermissionError"), "{refused:?}");
    machine.run(&["sh", "-c", &connect]).success();
}

#[test]
fn varlinkctl_shows_what_the_socket_speaks() {
    let machine = MACHINE.get();
    if machine.release() == Release::Bookworm {
        // It has no varlinkctl.
        return;
    }
    let info = machine.run(&["varlinkctl", "info", SOCKET]).success();
    assert!(info.text().contains("org.elevate.Login"), "{info:?}");
    let argv = ["varlinkctl", "introspect", SOCKET, "org.elevate.Login"];
    let interface = machine.run(&argv).success().text();
    for part in [
        "method Authenticate",
        "method Answer",
        "method Admit",
        "method Open",
        "method Close",
        "error Refused",
    ] {
        assert!(interface.contains(part), "{part}: {interface}");
    }
    let call = [
        "varlinkctl",
        "call",
        SOCKET,
        "org.elevate.Login.Answer",
        r#"{"text":"123456"}"#,
    ];
    let refused = machine.run(&call);
    assert_ne!(refused.status, 0);
    assert!(refused.errors().contains("OutOfTurn"), "{refused:?}");
}

/// Asks as the module does, and prints what came of it and after how many milliseconds.
const ASK: &str = r#"
import socket, sys, time
user, code = sys.argv[1:]
peer = socket.socket(socket.AF_UNIX)
peer.connect("/run/elevate/login.sock")
def call(method, parameters):
    begun = time.monotonic()
    # Nothing in it needs escaping, and the smallest Python has no module for JSON.
    peer.sendall(b'{"method":"org.elevate.Login.%s","parameters":%s}\0' % (method, parameters.encode()))
    reply = b""
    while not reply.endswith(b"\0"):
        reply += peer.recv(65536)
    return reply[:-1].decode(), round(1000 * (time.monotonic() - begun))
login = '{"login":{"service":"sshd","user":"%s","source":"127.0.0.1"}}' % user
asked, first = call(b"Authenticate", login)
answered, second = call(b"Answer", '{"text":"%s"}' % code)
print(first, second, asked, answered)
"#;

/// Whether a user is there, has a role, is enrolled or locked: neither words nor time tell it.
#[test]
fn every_refusal_takes_as_long_and_says_as_much_as_any_other() {
    let machine = machine("oracle");
    let factor = enrolled(&machine, "wim", &["staff"]);
    enrolled(&machine, "nol", &["nobodies"]);
    machine.member("una", &["staff"]);
    let wrong = factor.wrong();
    let mut said = Vec::new();
    for (user, code) in [
        ("wim", &*wrong),
        ("wim", "abcd-efgh-jkmn"),
        ("wim", "nonsense"),
        ("wim", ""),
        ("nol", &wrong),
        ("una", &wrong),
        ("una", "abcd-efgh-jkmn"),
        ("ghost", &wrong),
        ("root", &wrong),
        ("../../etc", &wrong),
    ] {
        let asked = machine.run(&["python3", "-c", ASK, user, code]).success();
        let text = asked.text();
        let [first, second, words] = text.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("{text}");
        };
        let time = |text: &str| text.parse::<u32>().expect("milliseconds");
        println!("{user} {code:?}: {first} ms, {second} ms");
        assert!(time(first) < 200, "{user}: {text}");
        assert!(
            (1000..1300).contains(&time(second)),
            "{user} {code:?}: {text}"
        );
        said.push(words.to_owned());
    }
    assert!(said.iter().all(|words| *words == said[0]), "{said:#?}");
}
