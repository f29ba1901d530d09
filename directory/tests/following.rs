//! The whole of it, between a directory server and an `elevated` of the test's own.

mod common;

use common::elevated::{Elevated, names, problem, reached};
use common::server::{Behaviour, cookie, done, entry, group, id_set, listen, person, refreshed};
use elevate_directory::run;
use elevate_protocol::directory::{Change, Method};

/// Runs the daemon against these connections of a server, beside the test.
fn scene<F: Future<Output = ()>>(
    behaviours: Vec<Behaviour>,
    test: impl FnOnce(
        std::rc::Rc<Elevated>,
        std::rc::Rc<std::cell::RefCell<common::server::Asked>>,
    ) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (_folder, socket) = common::socket();
        let elevated = Elevated::listen(&socket);
        let (uri, asked) = listen(behaviours).await;
        let daemon = tokio::task::spawn_local(run::run(socket, move || common::source(&uri)));
        test(elevated, asked).await;
        assert!(!daemon.is_finished(), "the daemon lives on");
    });
}

fn alice_and_dba() -> Vec<Vec<Vec<u8>>> {
    vec![
        vec![person("alice", 1, "5001"), refreshed(false, b"p1")],
        vec![
            group("dba", 9, "memberUid", &["alice"]),
            refreshed(false, b"g1"),
        ],
    ]
}

fn applied(calls: &[Method]) -> Vec<Change> {
    let changes = calls.iter().flat_map(|call| match call {
        Method::Apply { changes, .. } => changes.clone(),
        _ => Vec::new(),
    });
    changes.collect()
}

fn completes(calls: &[Method]) -> usize {
    let complete = |call: &&Method| matches!(call, Method::Apply { complete: true, .. });
    calls.iter().filter(complete).count()
}

#[test]
fn the_first_content_is_handed_over_as_everything_before_the_directory_counts_as_reached() {
    scene(
        vec![Behaviour::Searches(alice_and_dba())],
        |elevated, asked| async move {
            let calls = elevated
                .until("a contact", |calls| {
                    (reached(calls) == 1).then(|| calls.to_vec())
                })
                .await;
            assert_eq!(names(&calls), ["alice", "dba"]);
            assert_eq!(completes(&calls), 1);
            let last = calls.last().unwrap();
            assert!(
                matches!(
                    last,
                    Method::Contact {
                        connected: true,
                        problem: None
                    }
                ),
                "{last:?}"
            );
            let asked = asked.borrow();
            assert!(
                asked
                    .controls
                    .iter()
                    .all(|control| cookie(control).is_none())
            );
            let plain = String::from_utf8_lossy(&asked.plain);
            assert!(
                !plain.contains("secret") && !plain.contains("cn=elevate"),
                "{plain}"
            );
        },
    );
}

#[test]
fn who_was_followed_before_is_gone_on_with_from_the_cookie() {
    let later = vec![
        // What changed, and what a server without a log of what went says is still there.
        vec![
            person("bob", 2, "5002"),
            id_set(false, &[1]),
            refreshed(true, b"p2"),
        ],
        vec![id_set(false, &[9]), refreshed(true, b"g2")],
    ];
    let mut first = alice_and_dba();
    // The server ends the search, and with it the first connection.
    first[1].push(done(52, None));
    let behaviours = vec![Behaviour::Searches(first), Behaviour::Searches(later)];
    scene(behaviours, |elevated, asked| async move {
        let calls = elevated
            .until("the second refresh", |calls| {
                (completes(calls) == 2).then(|| calls.to_vec())
            })
            .await;
        let cookies: Vec<_> = asked.borrow().controls.iter().map(|c| cookie(c)).collect();
        let expected = [None, None, Some(b"p1".to_vec()), Some(b"g1".to_vec())];
        assert_eq!(cookies, expected);
        assert!(problem(&calls).unwrap().contains("unavailable"));
        let applied = calls.iter().rev().find_map(|call| match call {
            Method::Apply {
                changes, unchanged, ..
            } => Some((changes, unchanged)),
            _ => None,
        });
        let (changes, unchanged) = applied.unwrap();
        assert_eq!(changes[0].person.as_ref().unwrap().name, "bob");
        assert_eq!(unchanged.len(), 2);
        assert!(unchanged[0].starts_with("person/01") && unchanged[1].starts_with("group/09"));
    });
}

#[test]
fn a_person_that_the_search_for_groups_calls_gone_stays() {
    let mut first = alice_and_dba();
    first[1].push(done(52, None));
    let later = vec![
        vec![person("alice", 1, "5001"), refreshed(false, b"p2")],
        vec![id_set(true, &[1]), refreshed(false, b"g2")],
    ];
    let behaviours = vec![Behaviour::Searches(first), Behaviour::Searches(later)];
    scene(behaviours, |elevated, _| async move {
        let calls = elevated
            .until("both refreshes", |calls| {
                (reached(calls) == 2).then(|| calls.to_vec())
            })
            .await;
        let changes = applied(&calls);
        let alice = &changes[0].person.as_ref().unwrap().id;
        let gone: Vec<&String> = changes.iter().filter_map(|c| c.gone.as_ref()).collect();
        assert_eq!(gone.len(), 1);
        assert_ne!(gone[0], alice);
        assert_eq!(
            completes(&calls),
            1,
            "after a delete phase nothing else is gone"
        );
    });
}

#[test]
fn a_server_that_does_not_know_the_cookie_is_read_from_nothing() {
    let mut first = alice_and_dba();
    first[1].push(done(52, None));
    let behaviours = vec![
        Behaviour::Searches(first),
        Behaviour::Searches(vec![vec![done(4096, None)]]),
        Behaviour::Searches(alice_and_dba()),
    ];
    scene(behaviours, |elevated, asked| async move {
        elevated
            .until("everything once more", |calls| {
                (completes(calls) == 2).then_some(())
            })
            .await;
        let cookies: Vec<_> = asked.borrow().controls.iter().map(|c| cookie(c)).collect();
        assert_eq!(cookies.len(), 5);
        assert_eq!(cookies[2], Some(b"p1".to_vec()));
        assert!(cookies[3].is_none() && cookies[4].is_none());
    });
}

#[test]
fn an_order_has_everything_read_from_nothing() {
    scene(
        vec![Behaviour::Searches(alice_and_dba())],
        |elevated, asked| async move {
            elevated
                .until("the first refresh", |calls| {
                    (reached(calls) == 1).then_some(())
                })
                .await;
            elevated.order();
            elevated
                .until("the second", |calls| (completes(calls) == 2).then_some(()))
                .await;
            let controls = asked.borrow().controls.clone();
            assert!(controls.iter().all(|control| cookie(control).is_none()));
            assert_eq!(problem(&elevated.calls()), None);
        },
    );
}

#[test]
fn members_by_dn_follow_the_people_that_have_them() {
    let alice = "UID=Alice,OU=People,O=x";
    let searches = vec![
        vec![person("alice", 1, "5001"), refreshed(false, b"p1")],
        vec![
            group("dba", 9, "member", &[alice, "uid=bob,ou=people,o=x"]),
            refreshed(false, b"g1"),
        ],
    ];
    let mut with_bob = searches.clone();
    with_bob[0].push(person("bob", 2, "5002"));
    // bob comes right after the refresh of people, before groups are searched for.
    scene(
        vec![Behaviour::Searches(with_bob)],
        |elevated, _| async move {
            let calls = elevated
                .until("a contact", |calls| {
                    (reached(calls) == 1).then(|| calls.to_vec())
                })
                .await;
            let groups = applied(&calls)
                .into_iter()
                .filter_map(|change| change.group);
            let members: Vec<Vec<String>> = groups.map(|group| group.members).collect();
            assert_eq!(members.last().unwrap(), &["alice", "bob"]);
        },
    );
}

#[test]
fn an_entry_without_a_name_is_told_with_the_contact_and_the_rest_is_handed_over() {
    let mut searches = alice_and_dba();
    let nameless = entry(("cn=\u{1b}[2Jx,o=x", 7), 1, None, &[("uidNumber", &[b"1"])]);
    searches[0].insert(0, nameless);
    scene(
        vec![Behaviour::Searches(searches)],
        |elevated, _| async move {
            let problem = elevated
                .until("a contact", |calls| {
                    calls.iter().find_map(|call| match call {
                        Method::Contact {
                            connected: true,
                            problem,
                        } => Some(problem.clone()),
                        _ => None,
                    })
                })
                .await;
            let problem = problem.unwrap();
            assert!(
                problem.contains("no login name") && !problem.contains('\u{1b}'),
                "{problem}"
            );
            let calls = elevated.calls();
            assert!(names(&calls).contains(&"alice".to_owned()));
            assert!(names(&calls).contains(&"dba".to_owned()));
        },
    );
}

#[test]
fn a_server_that_can_not_tell_changes_is_read_in_pages() {
    fn page(uuid: &'static [u8], name: &'static [u8], attribute: &'static str) -> Vec<u8> {
        entry(
            ("cn=x,o=x", 0),
            1,
            None,
            &[("entryUUID", &[uuid]), (attribute, &[name])],
        )
    }
    fn end(cookie: &[u8]) -> Vec<u8> {
        use elevate_directory::ldap::ber;
        let mut value = Vec::new();
        ber::write_all(&mut value, ber::SEQUENCE, |out| {
            ber::write_integer(out, ber::INTEGER, 0);
            ber::write(out, ber::OCTETS, cookie);
        });
        let mut controls = Vec::new();
        ber::write_all(&mut controls, ber::SEQUENCE, |out| {
            ber::write(out, ber::OCTETS, b"1.2.840.113556.1.4.319");
            ber::write(out, ber::OCTETS, &value);
        });
        done(0, Some(&controls))
    }
    let paged = vec![
        vec![
            page(b"00000000-0000-0000-0000-000000000001", b"alice", "uid"),
            end(b"next"),
        ],
        vec![
            page(b"00000000-0000-0000-0000-000000000002", b"bob", "uid"),
            end(b""),
        ],
        vec![
            page(b"00000000-0000-0000-0000-000000000009", b"dba", "cn"),
            end(b""),
        ],
    ];
    let unknown = Behaviour::Searches(vec![vec![done(12, None)]]);
    scene(
        vec![unknown, Behaviour::Searches(paged)],
        |elevated, asked| async move {
            let calls = elevated
                .until("a contact", |calls| {
                    (reached(calls) == 1).then(|| calls.to_vec())
                })
                .await;
            assert_eq!(names(&calls), ["alice", "bob", "dba"]);
            assert_eq!(completes(&calls), 1);
            assert_eq!(asked.borrow().controls.len(), 4);
        },
    );
}
