//! Where a login comes from, as far as that proves anything.

use std::net::IpAddr;

use elevate_policy::Origin;
use elevate_protocol::login::Login;

/// Where `login` comes from. A name is no address: nothing was proved about it.
pub fn origin(login: &Login) -> Origin {
    match login.source.as_deref() {
        None | Some("") => Origin::Here,
        Some(source) => address(source).map_or(Origin::Unknown, Origin::Address),
    }
}

/// A remote host as sshd gives it, which may name the interface too.
fn address(source: &str) -> Option<IpAddr> {
    let without_zone = source.split('%').next().unwrap_or(source);
    without_zone.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(source: Option<&str>) -> Origin {
        origin(&Login {
            service: "sshd".into(),
            user: "alice".into(),
            source: source.map(str::to_owned),
            terminal: None,
        })
    }

    #[test]
    fn only_an_address_is_one() {
        let address = |text: &str| Origin::Address(text.parse().unwrap());
        assert_eq!(from(Some("192.0.2.7")), address("192.0.2.7"));
        assert_eq!(from(Some("fe80::1%eth0")), address("fe80::1"));
        assert_eq!(from(Some("trusted.example.org")), Origin::Unknown);
        assert_eq!((from(Some("")), from(None)), (Origin::Here, Origin::Here));
    }
}
