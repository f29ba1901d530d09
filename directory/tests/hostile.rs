//! What a hostile server can say, and what comes of it: a problem that is told, and another try.

mod common;

use common::elevated::{Elevated, names, problem, reached};
use common::server::{Behaviour, done, entry, group, id_set, info, listen, person, refreshed};
use elevate_directory::run;
use elevate_directory::source::{Event, Problem, Source};

/// Follows a server that behaves so until it can't be followed any more; why.
fn follow(behaviour: Behaviour) -> (Problem, Vec<Event>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (uri, _) = listen(vec![behaviour]).await;
        let mut source = common::source(&uri);
        let mut events = Vec::new();
        if let Err(problem) = source.follow(None).await {
            return (problem, events);
        }
        loop {
            match source.next().await {
                Ok(event) => events.push(event),
                Err(problem) => return (problem, events),
            }
        }
    })
}

fn why(behaviour: Behaviour) -> String {
    follow(behaviour).0.to_string()
}

fn nested(depth: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for level in (0..depth).rev() {
        bytes.extend_from_slice(&[0x30, 0x84]);
        bytes.extend_from_slice(&(level * 6).to_be_bytes());
    }
    bytes
}

#[test]
fn garbage_after_the_bind_is_a_problem_and_no_more() {
    for garbage in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        vec![0x30, 0x80, 0, 0],
        vec![0x30, 0x03, 0x02, 0x01, 0x02],
        vec![0x30, 0x05, 0x02, 0x01, 0x02, 0x64, 0x00],
        vec![0x30, 0x00],
        nested(200_000),
    ] {
        let why = why(Behaviour::Garbage(garbage.clone()));
        assert!(
            why.contains("malformed"),
            "{why}: {:?}",
            &garbage[..garbage.len().min(8)]
        );
    }
}

#[test]
fn replies_that_are_hostile_inside_are_problems_and_no_more() {
    let hostile = [
        info(&nested(10_000)),
        info(&[]),
        info(&[0xa3, 0x02, 0x31, 0x05]),
        info(&[0xa3, 0x05, 0x31, 0x03, 0x04, 0x01, 0x00]),
        entry(("o=x", 1), 9, None, &[]),
    ];
    for part in hostile {
        let why = why(Behaviour::Searches(vec![vec![part]]));
        assert!(why.contains("malformed"), "{why}");
    }
}

#[test]
fn who_says_no_is_quoted() {
    assert!(why(Behaviour::Bind(49)).contains("invalidCredentials"));
    assert!(why(Behaviour::Bind(8)).contains("strongerAuthRequired"));
    let limited = Behaviour::Searches(vec![vec![done(4, None)]]);
    assert!(why(limited).contains("sizeLimitExceeded"));
}

#[test]
fn who_says_nothing_is_given_up() {
    assert!(why(Behaviour::Silence).contains("sign of life"));
}

#[test]
fn nothing_is_said_to_who_has_no_tls_or_slips_words_in_before_it() {
    let granted = |after: &[u8]| {
        let mut bytes = vec![
            0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00,
        ];
        bytes.extend_from_slice(after);
        Behaviour::BeforeTls(bytes)
    };
    let bound = [
        0x30, 0x0c, 0x02, 0x01, 0x01, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00,
    ];
    assert!(why(granted(&bound)).contains("before TLS"));
    let refused = vec![
        0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x02, 0x04, 0x00, 0x04, 0x00,
    ];
    assert!(why(Behaviour::BeforeTls(refused)).contains("StartTLS: protocolError"));
    assert!(why(Behaviour::BeforeTls(nested(1000))).contains("malformed"));
}

#[test]
fn after_garbage_the_daemon_lives_on_and_follows_an_honest_server() {
    let honest = vec![
        vec![person("alice", 1, "5001"), refreshed(false, b"p1")],
        vec![
            group("dba", 9, "memberUid", &["alice"]),
            refreshed(false, b"g1"),
        ],
    ];
    let behaviours = vec![
        Behaviour::Garbage(nested(100_000)),
        Behaviour::Searches(vec![vec![id_set(true, &[1, 2]), info(&[0xff])]]),
        Behaviour::Searches(honest),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (_folder, socket) = common::socket();
        let elevated = Elevated::listen(&socket);
        let (uri, _) = listen(behaviours).await;
        tokio::task::spawn_local(run::run(socket, move || common::source(&uri)));
        let calls = elevated
            .until("the honest server's records", |calls| {
                (reached(calls) == 1).then(|| calls.to_vec())
            })
            .await;
        assert!(problem(&calls).unwrap().contains("malformed"));
        assert!(names(&calls).ends_with(&["alice".to_owned(), "dba".to_owned()]));
    });
}
