//! What `elevated` orders, over a connection of its own.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use elevate_protocol::directory::{Order, Ordered};
use tokio::sync::Notify;

use crate::link::{Link, Lost};

/// Orders that wait to be carried out.
#[derive(Debug, Default)]
pub struct Orders {
    resync: Cell<bool>,
    came: Notify,
}

impl Orders {
    /// Until there is an order to read everything from nothing. It stays until it is
    /// [taken](Self::take).
    pub async fn resync(&self) {
        while !self.resync.get() {
            self.came.notified().await;
        }
    }

    /// Takes the order, if there is one.
    pub fn take(&self) -> bool {
        self.resync.take()
    }

    /// Listens for as long as the program runs.
    pub async fn listen(&self, socket: &Path) {
        loop {
            let lost = match self.listen_once(socket).await {
                Ok(never) => match never {},
                Err(lost) => lost,
            };
            // The other connection says what is wrong with `elevated`, unless it is this call.
            if let Lost::Refused(_) | Lost::Malformed(_) = lost {
                eprintln!("orders: {lost}");
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn listen_once(&self, socket: &Path) -> Result<std::convert::Infallible, Lost> {
        let mut link = Link::connect(socket).await?;
        link.ask_for_orders().await?;
        loop {
            let ordered: Ordered = link.ordered().await?;
            match ordered.order {
                Order::Resync => {
                    self.resync.set(true);
                    self.came.notify_one();
                }
            }
        }
    }
}
