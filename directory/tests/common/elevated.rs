//! What takes the records.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use elevate_protocol::directory::{Applied, Begun, INTERFACE, Method, Order, Ordered};
use elevate_protocol::limits::DIRECTORY_BYTES;
use elevate_protocol::varlink::{self, Messages, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

/// What was called, in its order.
#[derive(Default)]
pub(crate) struct Elevated {
    calls: RefCell<Vec<Method>>,
    /// The cursor to hand out.
    pub(crate) cursor: RefCell<Option<String>>,
    order: Notify,
}

impl Elevated {
    /// Listens at `path`.
    pub(crate) fn listen(path: &Path) -> Rc<Self> {
        let elevated = Rc::new(Elevated::default());
        let listener = UnixListener::bind(path).unwrap();
        let this = Rc::clone(&elevated);
        tokio::task::spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::task::spawn_local(Rc::clone(&this).serve(stream));
            }
        });
        elevated
    }

    async fn serve(self: Rc<Self>, mut stream: UnixStream) {
        let mut messages = Messages::new(DIRECTORY_BYTES);
        let mut bytes = vec![0; 65536];
        loop {
            match stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(count) => messages.push(&bytes[..count]),
            }
            while let Some(call) = messages.read().unwrap() {
                let mut call: varlink::Call = call;
                let method: Method = varlink::method(&mut call, INTERFACE).unwrap();
                self.calls.borrow_mut().push(method.clone());
                let reply = match method {
                    Method::Begin { .. } => Reply::new(&Begun {
                        cursor: self.cursor.borrow().clone(),
                    }),
                    Method::Apply { cursor, .. } => {
                        if cursor.is_some() {
                            *self.cursor.borrow_mut() = cursor;
                        }
                        Reply::new(&Applied { refused: 0 })
                    }
                    Method::Contact { .. } => Reply::new(&()),
                    Method::Orders {} => {
                        assert!(call.more);
                        self.order.notified().await;
                        let order = Order::Resync;
                        Reply::new(&Ordered { order }).to_be_continued()
                    }
                };
                let _ = stream.write_all(&varlink::encode(&reply)).await;
            }
        }
    }

    /// Orders everything to be read again.
    pub(crate) fn order(&self) {
        self.order.notify_one();
    }

    /// What was called so far.
    pub(crate) fn calls(&self) -> Vec<Method> {
        self.calls.borrow().clone()
    }

    /// Waits until calls are there that `fit`; what it says of them.
    pub(crate) async fn until<T>(&self, what: &str, fit: impl Fn(&[Method]) -> Option<T>) -> T {
        for _ in 0..1500 {
            if let Some(found) = fit(&self.calls.borrow()) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what}: never came\n{:#?}", self.calls.borrow());
    }
}

/// How many contacts told that the directory is there.
pub(crate) fn reached(calls: &[Method]) -> usize {
    let told = |call: &&Method| {
        matches!(
            call,
            Method::Contact {
                connected: true,
                ..
            }
        )
    };
    calls.iter().filter(told).count()
}

/// The first problem that a contact told.
pub(crate) fn problem(calls: &[Method]) -> Option<String> {
    calls.iter().find_map(|call| match call {
        Method::Contact {
            connected: false,
            problem,
        } => problem.clone(),
        _ => None,
    })
}

/// Names of all people and groups that were handed over.
pub(crate) fn names(calls: &[Method]) -> Vec<String> {
    let changes = calls.iter().flat_map(|call| match call {
        Method::Apply { changes, .. } => changes.clone(),
        _ => Vec::new(),
    });
    changes
        .filter_map(|change| {
            let person = change.person.map(|person| person.name);
            person
                .or(change.group.map(|group| group.name))
                .or(change.gone)
        })
        .collect()
}
