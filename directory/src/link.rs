//! Our connection to `elevated`.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use elevate_protocol::directory::{Applied, Begun, Method};
use elevate_protocol::escape;
use elevate_protocol::limits::DIRECTORY_BYTES;
use elevate_protocol::varlink::{self, Messages, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::batch::Batch;

/// How long `elevated` may take to answer; it may be writing many records to a slow disk.
const PATIENCE: Duration = Duration::from_secs(60);

/// Batches that may be under way, so that `elevated` has work while the next one is made.
const UNDER_WAY: usize = 3;

/// Why the connection is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// It was never there.
    #[error("elevated: {0}: {1}; is elevate-directory.socket started?")]
    Unreached(PathBuf, io::Error),
    /// It broke.
    #[error("elevated: {0}")]
    Io(#[from] io::Error),
    /// It ended.
    #[error("elevated closed the connection")]
    Closed,
    /// Nothing came in time.
    #[error("elevated does not answer")]
    Silent,
    /// Something came that is no reply.
    #[error("elevated sent what is no reply: {0}")]
    Malformed(#[from] varlink::Malformed),
    /// An error came.
    #[error("elevated refused a call: {0}")]
    Refused(String),
    /// Somebody else than root listens there.
    #[error("the socket of elevated is not root's")]
    NotRoot,
}

/// A connection on which calls are answered in their order.
pub struct Link {
    stream: UnixStream,
    messages: Messages,
    /// Replies of `Apply` that are yet to come.
    applying: usize,
    replies: VecDeque<Reply>,
    refused: u64,
}

impl Link {
    /// Connects. systemd holds the socket, so that this works while `elevated` starts.
    ///
    /// # Errors
    /// Nobody listens, or not root.
    pub async fn connect(path: &Path) -> Result<Self, Lost> {
        let stream = UnixStream::connect(path)
            .await
            .map_err(|error| Lost::Unreached(path.to_owned(), error))?;
        if !root_listens(&stream)? {
            return Err(Lost::NotRoot);
        }
        Ok(Link {
            stream,
            messages: Messages::new(DIRECTORY_BYTES),
            applying: 0,
            replies: VecDeque::new(),
            refused: 0,
        })
    }

    /// How many of all records `elevated` does not believe, as it said last.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Begins, or begins anew. From where to go on.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub async fn begin(&mut self, source: String) -> Result<Option<String>, Lost> {
        let begun: Begun = self.call(&Method::Begin { source }).await?;
        Ok(begun.cursor)
    }

    /// Tells whether the directory was reached.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub async fn contact(&mut self, problem: Option<String>, connected: bool) -> Result<(), Lost> {
        let call = Method::Contact { connected, problem };
        self.call::<serde_json::Value>(&call).await.map(|_| ())
    }

    /// Waits for an order; further ones come by [`ordered`](Self::ordered).
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub async fn ask_for_orders(&mut self) -> Result<(), Lost> {
        let call = varlink::Call {
            more: true,
            ..varlink::call(&Method::Orders {})
        };
        self.send(&varlink::encode(&call)).await
    }

    /// An order came.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub async fn ordered<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Lost> {
        loop {
            if let Some(reply) = self.replies.pop_front() {
                return results(&reply);
            }
            self.receive().await?;
        }
    }

    /// Hands a batch over. The reply to it is waited for when too many are under way.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub async fn apply(&mut self, batch: &mut Batch) -> Result<(), Lost> {
        while self.applying >= UNDER_WAY {
            self.hear().await?;
        }
        let call = batch.call();
        self.applying += 1;
        self.send(&call).await
    }

    /// Waits until all that was handed over is stored.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub async fn settle(&mut self) -> Result<(), Lost> {
        while self.applying > 0 {
            self.hear().await?;
        }
        Ok(())
    }

    /// Takes replies as they come, for as long as the connection holds. Nothing is lost when the
    /// future is dropped.
    pub async fn watch(&mut self) -> Lost {
        loop {
            if let Err(lost) = self.receive().await {
                return lost;
            }
            if let Some(reply) = self.replies.front()
                && self.applying == 0
            {
                let lost = results::<serde_json::Value>(reply).err();
                return lost.unwrap_or(Lost::Refused("a reply to no call".to_owned()));
            }
        }
    }

    async fn call<T: serde::de::DeserializeOwned>(&mut self, method: &Method) -> Result<T, Lost> {
        self.settle().await?;
        self.send(&varlink::encode(&varlink::call(method))).await?;
        loop {
            if let Some(reply) = self.replies.pop_front() {
                return results(&reply);
            }
            self.hear().await?;
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        match tokio::time::timeout(PATIENCE, self.stream.write_all(bytes)).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Lost::Silent),
        }
    }

    async fn hear(&mut self) -> Result<(), Lost> {
        match tokio::time::timeout(PATIENCE, self.receive()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Lost::Silent),
        }
    }

    /// Waits for bytes, and takes the replies in them: those to `Apply` at once.
    async fn receive(&mut self) -> Result<(), Lost> {
        let mut bytes = [0; 4096];
        let count = self.stream.read(&mut bytes).await?;
        if count == 0 {
            return Err(Lost::Closed);
        }
        self.messages.push(&bytes[..count]);
        while let Some(reply) = self.messages.read::<Reply>()? {
            if self.applying == 0 {
                self.replies.push_back(reply);
                continue;
            }
            self.applying -= 1;
            self.refused = results::<Applied>(&reply)?.refused;
        }
        Ok(())
    }
}

fn results<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T, Lost> {
    reply.results().ok_or_else(|| {
        let error = reply.error.as_deref().unwrap_or("a reply of another kind");
        let details = serde_json::to_string(&reply.parameters).unwrap_or_default();
        Lost::Refused(escape::line(format!("{error} {details}").as_bytes()))
    })
}

/// Whether root made the socket listen (unix(7), SO_PEERCRED).
fn root_listens(stream: &UnixStream) -> io::Result<bool> {
    let peer = stream.peer_cred()?.uid();
    // Tests listen themselves.
    Ok(peer == 0 || peer == rustix::process::getuid().as_raw())
}
