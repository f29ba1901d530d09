//! A client's stream, from our side.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::ErrorName;
use elevate_protocol::limits::MESSAGE_BYTES;
use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::Credentials;
use elevate_protocol::stream::{ToClient, ToServer};
use zeroize::Zeroizing;

use crate::elevation::Problem;
use crate::launch::Packets;

/// Why a client gets nothing: a kind, a line, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind.
    pub error: ErrorName,
    /// One line for the person.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(error: ErrorName, message: impl Into<String>) -> Self {
        Refusal {
            error,
            message: message.into(),
            hint: None,
        }
    }

    /// With what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal::new(problem.error, problem.message)
    }
}

/// Why a conversation ends without a grant.
#[derive(Debug)]
pub enum Stop {
    /// The client is told.
    Refused(Refusal),
    /// There is nobody to tell.
    Gone,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Stop::Refused(problem.into())
    }
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Stop::Gone
    }
}

/// The stream.
#[derive(Debug)]
pub struct Stream(Packets);

impl Stream {
    /// The client at the other end of `socket`.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Stream(Packets::new(socket)?))
    }

    /// Say something.
    pub async fn send(&self, message: &ToClient) -> io::Result<()> {
        // It may hold a secret.
        let packet = Zeroizing::new(message::encode(message));
        self.0.send(&packet, &[]).await
    }

    /// Say that nothing comes of it; the last word.
    pub async fn refuse(&self, refusal: &Refusal) {
        let message = ToClient::Refused {
            error: refusal.error,
            message: refusal.message.clone(),
            hint: refusal.hint.clone(),
        };
        // Whoever is gone needs no answer.
        let _ = self.send(&message).await;
    }

    /// The next message, and who sent it. Descriptors that come now are closed unseen.
    pub async fn receive(&self) -> Result<(ToServer, Option<Credentials>), Stop> {
        let packet = self.0.receive(MESSAGE_BYTES).await?.ok_or(Stop::Gone)?;
        let body = Zeroizing::new(packet.body);
        match message::decode(&body) {
            Ok(Frame::Message(message)) => Ok((message, packet.credentials)),
            Ok(Frame::Data(..)) | Err(_) => Err(unexpected()),
        }
    }

    /// The socket, to be handed to a leader.
    pub fn into_socket(self) -> OwnedFd {
        self.0.into_inner()
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The client said what nobody asked.
pub(super) fn unexpected() -> Stop {
    Refusal::new(
        ErrorName::InvalidArgument,
        "the client sent a message out of turn",
    )
    .hint("client and daemon may be of different versions")
    .into()
}
