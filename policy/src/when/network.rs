//! `from`: which networks.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use crate::wrong::Wrong;

/// An entry of `from`: the addresses whose first bits are these (RFC 4632, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

const HOW: &str = "no network looks like that; write it as in \"10.0.0.0/8\", \"2001:db8::/32\" or \
                   \"192.0.2.7\" (names of hosts are not compared: a source proves none)";

impl Network {
    /// `10.0.0.0/8`, `2001:db8::/32`; an address alone is a network of one.
    pub(crate) fn parse(text: &str) -> Result<Self, Wrong> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| HOW)?;
        let bits = bits(address);
        let prefix = match prefix {
            None => bits,
            Some(prefix) => number(prefix).ok_or(HOW)?,
        };
        if prefix > bits {
            return Err(format!("such an address has {bits} bits").into());
        }
        if address.to_canonical() != address {
            return Err(mapped(address, prefix));
        }
        let network = Self {
            address: first(address, prefix),
            prefix,
        };
        if network.address != address {
            let what = format!("the address has bits set after the first {prefix}");
            return Err(Wrong::suggesting(what, Some(network.to_string())));
        }
        Ok(network)
    }

    /// Whether `address` is one of its own. An IPv4 address that is written as an IPv6 one
    /// (`::ffff:192.0.2.7`, RFC 4291 section 2.5.5.2), as a socket for both gives it, is the
    /// IPv4 address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && first(address, self.prefix) == self.address
    }
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

// Digits alone: no sign, no zero before another digit.
fn number(text: &str) -> Option<u32> {
    let plain = text.len() == 1 || !text.starts_with('0');
    let digits = plain && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

// The address with all bits after the first ones cleared.
fn first(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

fn mapped(address: IpAddr, prefix: u32) -> Wrong {
    let what = "an IPv4 address is written as one, and meets both ways of writing it";
    let suggestion = prefix
        .checked_sub(96)
        .map(|prefix| format!("{}/{prefix}", first(address.to_canonical(), prefix)));
    Wrong::suggesting(what, suggestion)
}

/// As written in the policy; a single address without the length.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        match self.prefix == bits(self.address) {
            true => Ok(()),
            false => write!(f, "/{}", self.prefix),
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network)
            .unwrap()
            .contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_its_own_addresses_to_the_edges() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
        ] {
            assert!(contains(network, inside), "{network} {inside}");
            assert!(!contains(network, outside), "{network} {outside}");
        }
    }

    #[test]
    fn an_ipv4_address_is_one_however_it_is_written() {
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!contains("::/0", "::ffff:10.1.2.3"));
        // Not mapped, but the deprecated form that means nothing today.
        assert!(!contains("10.0.0.0/8", "::10.1.2.3"));
    }

    #[test]
    fn what_is_no_network_is_refused_and_told_the_likely_one() {
        let suggestion = |text: &str| Network::parse(text).unwrap_err().suggestion;
        assert_eq!(suggestion("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(
            suggestion("2001:db8::1/32").as_deref(),
            Some("2001:db8::/32")
        );
        assert_eq!(
            suggestion("::ffff:10.0.0.0/104").as_deref(),
            Some("10.0.0.0/8")
        );
        for text in [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/8/8",
            "10.0.0/8",
            "010.0.0.1",
            "10.0.0.0/8 ",
            "localhost",
            "fe80::1%eth0",
            "10.*",
            "::ffff:0:0/64",
            "10.0.0.0/4294967304",
            "[::1]",
            "10.0.0.0/٨",
        ] {
            assert_eq!(suggestion(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_what_is_printed_parses_to_the_same(text in "[0-9a-f:./]{0,24}") {
            if let Ok(network) = Network::parse(&text) {
                prop_assert_eq!(Network::parse(&network.to_string()), Ok(network));
            }
        }

        #[test]
        fn parsing_never_panics_on_any_text(text in "\\PC{0,40}") {
            let _ = Network::parse(&text);
        }

        #[test]
        fn a_network_holds_just_the_addresses_that_begin_as_it_does(
            address in any::<u32>(), other in any::<u32>(), prefix in 0u32..=32,
        ) {
            let network = Network {
                address: first(Ipv4Addr::from(address).into(), prefix), prefix,
            };
            prop_assert!(network.contains(Ipv4Addr::from(address).into()));
            let same = (0..prefix).all(|bit| (address ^ other) & (1 << (31 - bit)) == 0);
            prop_assert_eq!(network.contains(Ipv4Addr::from(other).into()), same);
        }

        #[test]
        fn the_same_holds_for_ipv6(
            address in any::<u128>(), flip in 0u32..128, prefix in 0u32..=128,
        ) {
            prop_assume!(Ipv6Addr::from(address).to_ipv4_mapped().is_none());
            let other = Ipv6Addr::from(address ^ (1 << (127 - flip)));
            prop_assume!(other.to_ipv4_mapped().is_none());
            let network = Network {
                address: first(Ipv6Addr::from(address).into(), prefix), prefix,
            };
            prop_assert_eq!(network.contains(other.into()), flip >= prefix);
        }
    }
}
