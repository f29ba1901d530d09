//! `hosts`: which machines.

use serde::Serialize;

use crate::wrong::Wrong;

/// The longest name of a host, in bytes (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 253;

/// An entry of `hosts`: a name, or a name in which `*` stands for any characters but a dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct HostPattern(String);

impl HostPattern {
    /// `db-*`, `pg1.example.org`.
    pub(crate) fn parse(text: &str) -> Result<Self, Wrong> {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*');
        let empty_part = |text: &str| text.split('.').any(|part| part.is_empty());
        if text.is_empty() {
            return Err("the name of a host is missing".into());
        }
        if text.contains(['/', ':']) || text.parse::<std::net::Ipv4Addr>().is_ok() {
            return Err("hosts are named here; `from` takes addresses".into());
        }
        if text.contains(['{', '?', '[', '!']) || text.contains("**") {
            return Err(
                "`*` is the only wildcard in the name of a host; write one entry for each".into(),
            );
        }
        if !text.bytes().all(good)
            || text.len() > MAX_HOST
            || empty_part(text)
            || text.starts_with('-')
        {
            return Err("no name of a host looks like that".into());
        }
        if is_localhost(text) {
            return Err("every host is called that; write the name that `hostname` prints".into());
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Whether one of a host's names fits. `localhost`, which every host is called, names none.
    pub(crate) fn matches(&self, names: &[&str]) -> bool {
        names.iter().any(|name| {
            let name = name.strip_suffix('.').unwrap_or(name);
            !is_localhost(name) && self.fits(&name.to_ascii_lowercase())
        })
    }

    // Part by part, so that no `*` reaches into another domain.
    fn fits(&self, name: &str) -> bool {
        let (mut patterns, mut parts) = (self.0.split('.'), name.split('.'));
        loop {
            match (patterns.next(), parts.next()) {
                (None, None) => return true,
                (Some(pattern), Some(part)) if part_fits(pattern, part) => {}
                _ => return false,
            }
        }
    }
}

/// As written in the policy, in lower case.
impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_localhost(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or_default();
    first.eq_ignore_ascii_case("localhost")
}

// The pieces between the stars in their order, each as early as it can be; first and last at the
// ends. A part that is empty is no part of a name.
fn part_fits(pattern: &str, part: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == part;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let within = part
        .strip_prefix(first)
        .and_then(|part| part.strip_suffix(last));
    let Some(mut within) = within.filter(|_| !part.is_empty()) else {
        return false;
    };
    for piece in middle.split('*') {
        match within.split_once(piece) {
            Some((_, after)) => within = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(pattern: &str, name: &str) -> bool {
        HostPattern::parse(pattern).unwrap().matches(&[name])
    }

    #[test]
    fn a_name_is_the_whole_name_in_any_case() {
        assert!(fits("DB1.example.org", "db1.Example.ORG"));
        assert!(fits("db1.example.org", "db1.example.org."));
        assert!(!fits("db1", "db1.example.org") && !fits("db1.example.org", "db1"));
        assert!(!fits("db1", "db10") && !fits("db1", ""));
    }

    #[test]
    fn a_star_stands_for_anything_within_one_part() {
        assert!(fits("db-*", "db-7") && fits("db-*", "db-") && fits("*", "db-7"));
        assert!(fits("*.example.org", "a.example.org") && fits("a*b*c", "aXbYbZc"));
        assert!(!fits("db-*", "db-7.evil.org") && !fits("*", "a.b") && !fits("a*a", "a"));
        assert!(!fits("*.example.org", "example.org") && !fits("*.example.org", "a.b.example.org"));
        assert!(!fits("a*b*c", "acb") && !fits("*", "") && !fits("*.*", "a."));
    }

    #[test]
    fn localhost_names_no_host() {
        for name in [
            "localhost",
            "LocalHost",
            "localhost.localdomain",
            "localhost.",
        ] {
            assert!(
                !fits("*", name) && !fits("local*", name) && !fits("*.*", name),
                "{name}"
            );
            assert!(HostPattern::parse(name).is_err(), "{name}");
        }
        assert!(fits("localhosts", "localhosts"));
    }

    #[test]
    fn what_names_no_host_is_refused() {
        let long = "a.".repeat(127);
        for text in [
            "",
            ".",
            "a..b",
            "a.",
            "-a",
            "10.0.0.1",
            "10.0.0.0/8",
            "::1",
            "db-{1,2}",
            "db-?",
            "a b",
            "dö",
            "a**",
            "db-[12]",
            "!a",
            "a\n",
            &long,
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    /// The plain meaning of a pattern, slow and obvious.
    fn plainly(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), Some((b, after))) => {
                plainly(rest, name) || (*b != b'.' && plainly(pattern, after))
            }
            (Some((b'*', rest)), None) => plainly(rest, name),
            (Some((a, rest)), Some((b, after))) => a == b && plainly(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_pattern_means_what_it_plainly_means(pattern in "[ab*.]{1,8}", name in "[ab.]{1,8}") {
            let whole = |text: &str| !text.split('.').any(str::is_empty);
            if let Ok(parsed) = HostPattern::parse(&pattern) {
                let plain = whole(&name) && plainly(pattern.as_bytes(), name.as_bytes());
                prop_assert!(!whole(&name) || parsed.matches(&[&name]) == plain);
            }
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,40}", name in "\\PC{0,40}") {
            if let Ok(parsed) = HostPattern::parse(&text) {
                parsed.matches(&[&name]);
            }
        }
    }
}
