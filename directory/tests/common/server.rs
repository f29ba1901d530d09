//! What sends the entries: real TCP and TLS on the loopback, and whatever a test wants said.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use elevate_directory::ldap::ber::{self, Reader};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What a connection does.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Answers everything as a directory does: StartTLS, bind, "Who am I?"; a search by what is
    /// in here for it, the first for people, then for groups.
    Searches(Vec<Vec<Vec<u8>>>),
    /// After the bind these bytes.
    Garbage(Vec<u8>),
    /// These bytes instead of an answer to StartTLS.
    BeforeTls(Vec<u8>),
    /// An answer to the bind with this code.
    Bind(i64),
    /// Nothing more after the bind.
    Silence,
}

/// What was asked, as far as tests look at it.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The tags of all requests.
    pub(crate) tags: Vec<u8>,
    /// The content of each search's sync or page control.
    pub(crate) controls: Vec<Vec<u8>>,
    /// Whatever came before TLS.
    pub(crate) plain: Vec<u8>,
}

/// Listens, and does these things on one connection after another; the last on all that follow.
pub(crate) async fn listen(behaviours: Vec<Behaviour>) -> (String, Rc<RefCell<Asked>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let uri = format!("ldap://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let asked = Rc::new(RefCell::new(Asked::default()));
    let noted = Rc::clone(&asked);
    tokio::task::spawn_local(async move {
        let last = behaviours.last().cloned();
        let mut behaviours = behaviours.into_iter();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let behaviour = behaviours.next().or(last.clone()).unwrap();
            tokio::task::spawn_local(serve(stream, behaviour, Rc::clone(&noted)));
        }
    });
    (uri, asked)
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, asked: Rc<RefCell<Asked>>) {
    let mut input = Vec::new();
    let Some(request) = request(&mut stream, &mut input).await else {
        return;
    };
    asked.borrow_mut().plain.extend_from_slice(&request);
    if let Behaviour::BeforeTls(bytes) = behaviour {
        stream.write_all(&bytes).await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
        return;
    }
    let granted = message(id(&request), 0x78, &outcome(0), None);
    stream.write_all(&granted).await.unwrap();
    let Ok(mut stream) = acceptor().accept(stream).await else {
        return;
    };
    let mut input = Vec::new();
    let mut searches = match &behaviour {
        Behaviour::Searches(searches) => searches.clone(),
        _ => Vec::new(),
    }
    .into_iter();
    while let Some(request) = self::request(&mut stream, &mut input).await {
        let (id, tag) = (id(&request), operation(&request).0);
        asked.borrow_mut().tags.push(tag);
        let mut reply = Vec::new();
        match (tag, &behaviour) {
            (0x60, Behaviour::Bind(code)) => reply = message(id, 0x61, &outcome(*code), None),
            (0x60, Behaviour::Garbage(bytes)) => {
                reply = message(id, 0x61, &outcome(0), None);
                reply.extend_from_slice(bytes);
            }
            (0x60, _) => reply = message(id, 0x61, &outcome(0), None),
            (_, Behaviour::Silence) => {}
            (0x77, _) => reply = message(id, 0x78, &outcome(0), None),
            (0x63, _) => {
                asked.borrow_mut().controls.push(control(&request));
                for part in searches.next().unwrap_or_default() {
                    reply.extend_from_slice(&with_id(&part, id));
                }
            }
            _ => return,
        }
        if stream.write_all(&reply).await.is_err() {
            return;
        }
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../data/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../data/server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// The next request, whole.
async fn request(stream: &mut (impl AsyncReadExt + Unpin), input: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Ok(Some((header, content))) = ber::header(input)
            && input.len() >= header + content
        {
            return Some(input.drain(..header + content).collect());
        }
        if stream.read_buf(input).await.ok()? == 0 {
            return None;
        }
    }
}

fn fields(request: &[u8]) -> Reader<'_> {
    Reader::new(Reader::new(request).expect(ber::SEQUENCE).unwrap())
}

fn id(request: &[u8]) -> i64 {
    ber::integer(fields(request).expect(ber::INTEGER).unwrap()).unwrap()
}

fn operation(request: &[u8]) -> (u8, &[u8]) {
    let mut fields = fields(request);
    fields.expect(ber::INTEGER).unwrap();
    fields.element().unwrap().unwrap()
}

/// The value of the only control.
fn control(request: &[u8]) -> Vec<u8> {
    let mut fields = fields(request);
    fields.expect(ber::INTEGER).unwrap();
    fields.element().unwrap();
    let Ok(controls) = fields.expect(0xa0) else {
        return Vec::new();
    };
    let mut control = Reader::new(Reader::new(controls).expect(ber::SEQUENCE).unwrap());
    control.expect(ber::OCTETS).unwrap();
    control.expect(ber::BOOLEAN).unwrap();
    control.expect(ber::OCTETS).unwrap().to_owned()
}

/// The cookie that a search began from.
pub(crate) fn cookie(control: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Reader::new(Reader::new(control).expect(ber::SEQUENCE).unwrap());
    fields.expect(ber::ENUMERATED).unwrap();
    fields.optional(ber::OCTETS).unwrap().map(Vec::from)
}

fn message(id: i64, tag: u8, content: &[u8], controls: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    ber::write_all(&mut out, ber::SEQUENCE, |out| {
        ber::write_integer(out, ber::INTEGER, id);
        ber::write(out, tag, content);
        if let Some(controls) = controls {
            ber::write(out, 0xa0, controls);
        }
    });
    out
}

/// A part as the reply to this request.
pub(crate) fn with_id(part: &[u8], id: i64) -> Vec<u8> {
    let mut out = Vec::new();
    ber::write_all(&mut out, ber::SEQUENCE, |out| {
        ber::write_integer(out, ber::INTEGER, id);
        out.extend_from_slice(part);
    });
    out
}

fn outcome(code: i64) -> Vec<u8> {
    let mut out = Vec::new();
    ber::write_integer(&mut out, ber::ENUMERATED, code);
    ber::write(&mut out, ber::OCTETS, b"");
    ber::write(&mut out, ber::OCTETS, b"");
    out
}

fn sync_state(state: i64, uuid: u8, cookie: Option<&[u8]>) -> Vec<u8> {
    let mut value = Vec::new();
    ber::write_all(&mut value, ber::SEQUENCE, |out| {
        ber::write_integer(out, ber::ENUMERATED, state);
        ber::write(out, ber::OCTETS, &[uuid; 16]);
        if let Some(cookie) = cookie {
            ber::write(out, ber::OCTETS, cookie);
        }
    });
    let mut controls = Vec::new();
    ber::write_all(&mut controls, ber::SEQUENCE, |out| {
        ber::write(out, ber::OCTETS, b"1.3.6.1.4.1.4203.1.9.1.2");
        ber::write(out, ber::OCTETS, &value);
    });
    controls
}

/// An entry with its state (RFC 4533 section 2.3), as a part of a search's reply.
pub(crate) fn entry(
    (dn, uuid): (&str, u8),
    state: i64,
    cookie: Option<&[u8]>,
    attributes: &[(&str, &[&[u8]])],
) -> Vec<u8> {
    let mut out = Vec::new();
    ber::write_all(&mut out, 0x64, |out| {
        ber::write(out, ber::OCTETS, dn.as_bytes());
        ber::write_all(out, ber::SEQUENCE, |out| {
            for (name, values) in attributes {
                ber::write_all(out, ber::SEQUENCE, |out| {
                    ber::write(out, ber::OCTETS, name.as_bytes());
                    ber::write_all(out, ber::SET, |out| {
                        values
                            .iter()
                            .for_each(|value| ber::write(out, ber::OCTETS, value));
                    });
                });
            }
        });
    });
    ber::write(&mut out, 0xa0, &sync_state(state, uuid, cookie));
    out
}

/// A person that is new, or not as before.
pub(crate) fn person(name: &str, uuid: u8, uid: &str) -> Vec<u8> {
    let dn = format!("uid={name},ou=people,o=x");
    let attributes: [(&str, &[&[u8]]); 3] = [
        ("uid", &[name.as_bytes()]),
        ("uidNumber", &[uid.as_bytes()]),
        ("gidNumber", &[b"6000"]),
    ];
    entry((&dn, uuid), 1, None, &attributes)
}

/// A group that is new, or not as before.
pub(crate) fn group(name: &str, uuid: u8, attribute: &str, members: &[&str]) -> Vec<u8> {
    let dn = format!("cn={name},ou=groups,o=x");
    let members: Vec<&[u8]> = members.iter().map(|member| member.as_bytes()).collect();
    let attributes: [(&str, &[&[u8]]); 3] = [
        ("cn", &[name.as_bytes()]),
        ("gidNumber", &[b"6002"]),
        (attribute, &members),
    ];
    entry((&dn, uuid), 1, None, &attributes)
}

/// The end of a refresh (section 2.5): after a present phase, or not.
pub(crate) fn refreshed(present: bool, cookie: &[u8]) -> Vec<u8> {
    let mut value = Vec::new();
    ber::write_all(&mut value, if present { 0xa2 } else { 0xa1 }, |out| {
        ber::write(out, ber::OCTETS, cookie);
    });
    info(&value)
}

/// Ids of entries (section 2.5), gone or there as before.
pub(crate) fn id_set(gone: bool, uuids: &[u8]) -> Vec<u8> {
    let mut value = Vec::new();
    ber::write_all(&mut value, 0xa3, |out| {
        ber::write_boolean(out, gone);
        ber::write_all(out, ber::SET, |out| {
            uuids
                .iter()
                .for_each(|uuid| ber::write(out, ber::OCTETS, &[*uuid; 16]));
        });
    });
    info(&value)
}

/// An intermediate message with this value.
pub(crate) fn info(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    ber::write_all(&mut out, 0x79, |out| {
        ber::write(out, 0x80, b"1.3.6.1.4.1.4203.1.9.1.4");
        ber::write(out, 0x81, value);
    });
    out
}

/// The end of a search with this code, and with these controls.
pub(crate) fn done(code: i64, controls: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    ber::write(&mut out, 0x65, &outcome(code));
    if let Some(controls) = controls {
        ber::write(&mut out, 0xa0, controls);
    }
    out
}
