//! A panic ends the cycle that it happened in, and nothing else.

mod common;

use std::cell::Cell;
use std::rc::Rc;

use common::elevated::{Elevated, names, reached};
use elevate_directory::run;
use elevate_directory::source::{Event, Problem, Reached, Source};
use elevate_protocol::directory::{Change, Group};

/// Panics in its first life, and tells of a group in its second.
struct Mortal {
    events: Vec<Event>,
    doomed: bool,
}

impl Source for Mortal {
    fn origin(&self) -> String {
        "a test".into()
    }

    async fn follow(&mut self, _: Option<&str>) -> Result<Reached, Problem> {
        Ok(Reached {
            name: "a test".into(),
            from_cursor: false,
        })
    }

    async fn next(&mut self) -> Result<Event, Problem> {
        assert!(!self.doomed, "as a parser would");
        match self.events.pop() {
            Some(event) => Ok(event),
            None => std::future::pending().await,
        }
    }

    fn forget(&mut self) {}

    async fn close(&mut self) {}
}

#[test]
fn what_panics_is_started_again() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (_folder, socket) = common::socket();
        let elevated = Elevated::listen(&socket);
        let lives = Rc::new(Cell::new(0));
        let counted = Rc::clone(&lives);
        let make = move || {
            counted.set(counted.get() + 1);
            let group = Group {
                id: "1".into(),
                name: "dba".into(),
                gid: 6002,
                members: Vec::new(),
            };
            let change = Change {
                group: Some(group),
                ..Change::default()
            };
            let refreshed = Event::Refreshed {
                everything: true,
                cursor: None,
            };
            Mortal {
                events: vec![refreshed, Event::Change(Box::new(change))],
                doomed: counted.get() == 1,
            }
        };
        tokio::task::spawn_local(run::run(socket, make));
        let calls = elevated
            .until("a contact", |calls| {
                (reached(calls) == 1).then(|| calls.to_vec())
            })
            .await;
        assert_eq!(names(&calls), ["dba"]);
        assert_eq!(lives.get(), 2);
    });
}
