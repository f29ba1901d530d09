//! Where a server is: `ldap://HOST[:PORT]` (with StartTLS) or `ldaps://HOST[:PORT]` (RFC 4516
//! without its further parts).

use std::fmt;

use tokio_rustls::rustls::pki_types::ServerName;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// TLS from the first byte instead of StartTLS.
    pub tls_at_once: bool,
    /// A name or an address, without the brackets of an IPv6 one.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl std::str::FromStr for Uri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("\"{text}\" {why}"));
        let (tls_at_once, rest) = match text.split_once("://") {
            Some(("ldap", rest)) => (false, rest),
            Some(("ldaps", rest)) => (true, rest),
            _ => return wrong("is no URI that begins with ldap:// or ldaps://"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '@', '#', ' ']) {
            return wrong("holds more than a host and a port; base and filter are settings");
        }
        let (host, port) = match rest.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, ""))) => (host, None),
            Some(Some((host, port))) => (host, port.strip_prefix(':').or(Some("?"))),
            Some(None) => return wrong("lacks a closing bracket"),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let port = match port.map(str::parse::<u16>) {
            None if tls_at_once => 636,
            None => 389,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => return wrong("holds no port from 1 to 65535"),
        };
        if ServerName::try_from(host).is_err() {
            return wrong("holds no host that a certificate can be for");
        }
        Ok(Uri {
            tls_at_once,
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls_at_once { "ldaps" } else { "ldap" };
        let (open, close) = match self.host.contains(':') {
            true => ("[", "]"),
            false => ("", ""),
        };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_those_of_the_scheme_unless_named() {
        for (text, shown) in [
            ("ldap://localhost", "ldap://localhost:389"),
            ("ldaps://ldap.example.org/", "ldaps://ldap.example.org:636"),
            ("ldap://10.0.0.1:1389", "ldap://10.0.0.1:1389"),
            ("ldaps://[2001:db8::1]", "ldaps://[2001:db8::1]:636"),
            ("ldap://[::1]:4000", "ldap://[::1]:4000"),
        ] {
            assert_eq!(text.parse::<Uri>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for wrong in [
            "localhost",
            "ldapi:///run/slapd",
            "http://localhost",
            "ldap://",
            "ldap://host:0",
            "ldap://host:70000",
            "ldap://host:",
            "ldap://[::1",
            "ldap://[::1]x",
            "ldap://host/dc=example,dc=org",
            "ldap://user@host",
            "ldap://under score",
        ] {
            assert!(wrong.parse::<Uri>().is_err(), "{wrong}");
        }
    }
}
