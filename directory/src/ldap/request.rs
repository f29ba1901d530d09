//! What we say to a server (RFC 4511 section 4), as BER.

use zeroize::Zeroizing;

use super::ber;
use super::control::Control;

/// A request without its message id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    tag: u8,
    content: Zeroizing<Vec<u8>>,
}

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search<'a> {
    /// Below this DN, or at it.
    pub base: &'a str,
    /// The base alone, instead of everything below it too.
    pub base_only: bool,
    /// As [`filter::encode`](super::filter::encode) made it.
    pub filter: &'a [u8],
    /// Names of the attributes to send.
    pub attributes: &'a [String],
}

const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";

impl Request {
    /// Log in with a password (section 4.2).
    pub fn bind(dn: &str, password: &[u8]) -> Self {
        Self::of(0x60, |out| {
            ber::write_integer(out, ber::INTEGER, 3);
            ber::write(out, ber::OCTETS, dn.as_bytes());
            ber::write(out, 0x80, password);
        })
    }

    /// Begin TLS (section 4.14).
    pub fn start_tls() -> Self {
        Self::extended(START_TLS)
    }

    /// Who are we to you (RFC 4532)? It costs the server next to nothing.
    pub fn who_am_i() -> Self {
        Self::extended(WHO_AM_I)
    }

    fn extended(name: &str) -> Self {
        Self::of(0x77, |out| ber::write(out, 0x80, name.as_bytes()))
    }

    /// A search (section 4.5.1) without limits of its own, that follows no alias.
    pub fn search(search: &Search<'_>) -> Self {
        const WHOLE_SUBTREE: i64 = 2;
        const BASE_OBJECT: i64 = 0;
        const NEVER: i64 = 0;
        Self::of(0x63, |out| {
            let scope = match search.base_only {
                true => BASE_OBJECT,
                false => WHOLE_SUBTREE,
            };
            ber::write(out, ber::OCTETS, search.base.as_bytes());
            ber::write_integer(out, ber::ENUMERATED, scope);
            ber::write_integer(out, ber::ENUMERATED, NEVER);
            ber::write_integer(out, ber::INTEGER, 0);
            ber::write_integer(out, ber::INTEGER, 0);
            ber::write_boolean(out, false);
            out.extend_from_slice(search.filter);
            ber::write_all(out, ber::SEQUENCE, |out| {
                for name in search.attributes {
                    ber::write(out, ber::OCTETS, name.as_bytes());
                }
            });
        })
    }

    /// Goodbye (section 4.3); nothing answers it.
    pub fn unbind() -> Self {
        Self::of(0x42, |_| {})
    }

    fn of(tag: u8, fill: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut content = Zeroizing::new(Vec::with_capacity(1024));
        fill(&mut content);
        Request { tag, content }
    }

    /// The whole message (section 4.1.1).
    pub fn message(&self, id: i32, control: Option<&Control>) -> Zeroizing<Vec<u8>> {
        let mut message = Zeroizing::new(Vec::with_capacity(1024));
        ber::write_all(&mut message, ber::SEQUENCE, |out| {
            ber::write_integer(out, ber::INTEGER, i64::from(id));
            ber::write(out, self.tag, &self.content);
            if let Some(control) = control {
                ber::write_all(out, 0xa0, |out| control.write(out));
            }
        });
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bind_is_written_as_the_rfc_says() {
        let message = Request::bind("cn=a", b"pw").message(1, None);
        let expected = [
            0x30, 0x12, 0x02, 0x01, 0x01, 0x60, 0x0d, 0x02, 0x01, 0x03, 0x04, 0x04, b'c', b'n',
            b'=', b'a', 0x80, 0x02, b'p', b'w',
        ];
        assert_eq!(message[..], expected);
    }

    #[test]
    fn a_search_is_written_as_the_rfc_says() {
        let search = Search {
            base: "o=x",
            base_only: false,
            filter: &[0x87, 0x01, b'a'],
            attributes: &["cn".to_owned()],
        };
        let message = Request::search(&search).message(2, None);
        let expected = [
            0x30, 0x22, 0x02, 0x01, 0x02, 0x63, 0x1d, 0x04, 0x03, b'o', b'=', b'x', 0x0a, 0x01, 2,
            0x0a, 0x01, 0, 0x02, 0x01, 0, 0x02, 0x01, 0, 0x01, 0x01, 0, 0x87, 0x01, b'a', 0x30,
            0x04, 0x04, 0x02, b'c', b'n',
        ];
        assert_eq!(message[..], expected);
    }
}
