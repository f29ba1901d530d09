//! One connection to a server, in TLS from its first request on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use zeroize::{Zeroize, Zeroizing};

use super::control::Control;
use super::reply::{Message, Outcome, Reply};
use super::request::Request;
use super::uri::Uri;
use super::{Error, ber};

/// Bytes of one message of a server; holds a group of 100,000 members by their DNs.
const LONGEST: usize = 16 * 1024 * 1024;

/// Bytes that are asked for at a time.
const CHUNK: usize = 64 * 1024;

/// The id of what a server says without being asked (RFC 4511 section 4.4).
const UNSOLICITED: i32 = 0;

/// A connection.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    input: Input,
    /// What is yet to be sent. A bind's password is in it.
    output: Zeroizing<Vec<u8>>,
    next_id: i32,
}

impl Connection {
    /// Connects, and begins TLS. Nothing of ours but the wish for TLS is sent before it.
    ///
    /// # Errors
    /// The server can't be reached in time, has no TLS, or is not who the certificate says.
    pub async fn open(
        uri: &Uri,
        config: &Arc<ClientConfig>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let mut stream = connect(uri, timeout).await?;
        if !uri.tls_at_once {
            within("StartTLS", timeout, start_tls(&mut stream)).await?;
        }
        let name = ServerName::try_from(uri.host.clone())
            .map_err(|_| Error::Malformed("a host that no certificate can be for"))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
        let shake = async { Ok(connector.connect(name, stream).await?) };
        Ok(Connection {
            stream: within("the TLS handshake", timeout, shake).await?,
            input: Input::default(),
            output: Zeroizing::default(),
            next_id: 1,
        })
    }

    /// Puts a request into the queue and says which id its replies have. [`flush`](Self::flush)
    /// sends it.
    pub fn queue(&mut self, request: &Request, control: Option<&Control>) -> i32 {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.output.extend_from_slice(&request.message(id, control));
        id
    }

    /// Sends what is in the queue. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn flush(&mut self) -> Result<(), Error> {
        while !self.output.is_empty() {
            let sent = self.stream.write(&self.output).await?;
            self.output.drain(..sent);
        }
        self.output.zeroize();
        self.stream.flush().await?;
        Ok(())
    }

    /// Waits until a whole message is there. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// The connection ended, or what comes is no LDAP.
    pub async fn ready(&mut self) -> Result<(), Error> {
        while !self.input.holds_message()? {
            let buffer = self.input.space();
            if self.stream.read_buf(buffer).await? == 0 {
                return Err(Error::Ended("the server closed the connection"));
            }
        }
        Ok(())
    }

    /// The next message, if it is all there.
    ///
    /// # Errors
    /// It is none, or the server's goodbye.
    pub fn message(&mut self) -> Result<Option<Message<'_>>, Error> {
        match self.input.take()? {
            None => Ok(None),
            Some(bytes) => match Message::read(bytes)? {
                message if message.id == UNSOLICITED => {
                    Err(Error::Ended("the server said goodbye"))
                }
                message => Ok(Some(message)),
            },
        }
    }

    /// Logs in.
    ///
    /// # Errors
    /// The server says no, or nothing.
    pub async fn bind(&mut self, request: &Request, timeout: Duration) -> Result<(), Error> {
        let id = self.queue(request, None);
        let answer = async {
            self.flush().await?;
            self.ready().await?;
            match self.message()? {
                Some(Message {
                    id: found,
                    reply: Reply::Bound(outcome),
                    ..
                }) if found == id => Ok(outcome),
                _ => Err(Error::Malformed("something else answers a bind")),
            }
        };
        let outcome: Outcome = within("the bind", timeout, answer).await?;
        outcome.success("the bind")
    }

    /// Says goodbye, if that can be done at once.
    pub async fn close(mut self) {
        self.queue(&Request::unbind(), None);
        let goodbye = async {
            self.flush().await?;
            Ok(self.stream.shutdown().await?)
        };
        // The server ends what is left of a connection that doesn't get so far.
        let _ = within("the goodbye", Duration::from_millis(200), goodbye).await;
    }
}

/// Connects to the first of the host's addresses that answers. Each has the time for itself: one that
/// swallows everything must not hide the next.
async fn connect(uri: &Uri, timeout: Duration) -> Result<TcpStream, Error> {
    const ADDRESSES: usize = 8;
    let look_up = tokio::net::lookup_host((uri.host.as_str(), uri.port));
    let addresses = within("a question for its address", timeout, async {
        Ok(look_up.await?)
    });
    let mut problem = Error::Ended("the host has no address");
    for address in addresses.await?.take(ADDRESSES) {
        let connect = async { Ok(TcpStream::connect(address).await?) };
        match within("the connection", timeout, connect).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

/// The first request of a connection that begins without TLS. Nobody may slip in words before TLS
/// that would count as said in it: what follows the answer at once is an error.
async fn start_tls(stream: &mut TcpStream) -> Result<(), Error> {
    const ID: i32 = 1;
    stream
        .write_all(&Request::start_tls().message(ID, None))
        .await?;
    let mut input = Input::default();
    while !input.holds_message()? {
        if stream.read_buf(input.space()).await? == 0 {
            return Err(Error::Ended("the server closed the connection at StartTLS"));
        }
    }
    let answer = match input.take()?.map(Message::read).transpose()? {
        Some(Message {
            id: ID,
            reply: Reply::Extended(outcome, _),
            ..
        }) => outcome,
        _ => return Err(Error::Malformed("something else answers StartTLS")),
    };
    answer.success("StartTLS")?;
    match input.is_empty() {
        true => Ok(()),
        false => Err(Error::Ended("words before TLS that claim to be said in it")),
    }
}

/// What has come and is yet to be read.
#[derive(Default)]
struct Input {
    bytes: Vec<u8>,
    /// What is before here has been read.
    start: usize,
}

impl Input {
    fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Bytes of the next message, if they are all there.
    fn length(&self) -> Result<Option<usize>, Error> {
        let rest = &self.bytes[self.start..];
        if rest.first().is_some_and(|tag| *tag != ber::SEQUENCE) {
            return Err(Error::Malformed("a message that does not begin as one"));
        }
        match ber::header(rest)? {
            Some((header, content)) if header + content > LONGEST => {
                Err(Error::Malformed("a message of more than 16 MiB"))
            }
            Some((header, content)) if rest.len() >= header + content => Ok(Some(header + content)),
            _ => Ok(None),
        }
    }

    fn holds_message(&self) -> Result<bool, Error> {
        Ok(self.length()?.is_some())
    }

    fn take(&mut self) -> Result<Option<&[u8]>, Error> {
        let Some(length) = self.length()? else {
            return Ok(None);
        };
        let start = self.start;
        self.start += length;
        Ok(Some(&self.bytes[start..self.start]))
    }

    /// Where to put what comes.
    fn space(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.reserve(CHUNK);
        &mut self.bytes
    }
}

async fn within<T>(
    what: &'static str,
    timeout: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(timeout, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::Timeout(what, timeout)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_wherever_the_stream_is() {
        let mut input = Input::default();
        let message = Request::unbind().message(7, None);
        for byte in message.iter().chain(message.iter()) {
            input.space().push(*byte);
        }
        assert_eq!(input.take().unwrap(), Some(&message[..]));
        assert_eq!(input.take().unwrap(), Some(&message[..]));
        assert!(input.is_empty());
        assert_eq!(input.take().unwrap(), None);
        input.space().extend_from_slice(&message[..3]);
        assert!(!input.holds_message().unwrap());
    }

    #[test]
    fn a_message_that_would_fill_the_memory_is_refused_before_it_comes() {
        let mut input = Input::default();
        input
            .space()
            .extend_from_slice(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]);
        assert!(input.holds_message().is_err());
        let mut input = Input::default();
        input.space().extend_from_slice(b"HTTP/1.1 400");
        assert!(input.holds_message().is_err());
    }
}
