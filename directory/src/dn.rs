//! Distinguished names, as far as two spellings of one name must be the same (RFC 4514, and the
//! case and spaces that RFC 4518 leaves aside).

/// A name in one spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dn(Box<str>);

/// One `type=value`, the type in lower case.
type Part = (String, Vec<u8>);

impl Dn {
    /// The name that is written so; `None` if none is, or the empty one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut spelled = String::with_capacity(text.len() + 16);
        for mut parts in rdns(text)? {
            parts.sort();
            for (kind, value) in parts {
                let value = folded(&value);
                // With its length before it, no value can pass for two.
                spelled.push_str(&format!("{kind}={}:{value}+", value.len()));
            }
            spelled.push(',');
        }
        (!spelled.is_empty()).then(|| Dn(spelled.into()))
    }
}

/// The value of the attribute `name` in the first part of a written name, if it is of text.
pub fn named_by(text: &[u8], name: &str) -> Option<String> {
    let first = rdns(text)?.into_iter().next()?;
    let (_, value) = first
        .into_iter()
        .find(|(kind, _)| kind.eq_ignore_ascii_case(name))?;
    String::from_utf8(value).ok()
}

fn folded(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value).to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rdns(text: &[u8]) -> Option<Vec<Vec<Part>>> {
    let mut rest = text;
    let mut rdns = vec![Vec::new()];
    if text.is_empty() {
        return None;
    }
    loop {
        let (part, end) = part(rest)?;
        rdns.last_mut()?.push(part);
        match rest.get(end) {
            None => return Some(rdns),
            Some(b'+') => {}
            Some(_) => rdns.push(Vec::new()),
        }
        rest = &rest[end + 1..];
    }
}

/// The first `type=value`, and where it ends.
fn part(text: &[u8]) -> Option<(Part, usize)> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let kind = std::str::from_utf8(&text[..equals]).ok()?.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if kind.is_empty() || !kind.chars().all(fits) {
        return None;
    }
    let (mut value, mut at) = (Vec::new(), equals + 1);
    // Spaces at both ends count only where they are escaped.
    while text.get(at) == Some(&b' ') {
        at += 1;
    }
    let mut solid = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b',' | b';' | b'+' => break,
            b'"' => return None,
            b'\\' => {
                let (byte, length) = escaped(&text[at + 1..])?;
                value.push(byte);
                at += 1 + length;
                solid = value.len();
            }
            byte => {
                value.push(byte);
                at += 1;
                if byte != b' ' {
                    solid = value.len();
                }
            }
        }
    }
    value.truncate(solid);
    Some(((kind.to_ascii_lowercase(), value), at))
}

/// What follows a backslash, and how long it is: two hexadecimal digits, or the character itself.
fn escaped(text: &[u8]) -> Option<(u8, usize)> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    match (digit(0), digit(1)) {
        (Some(high), Some(low)) => Some(((high * 16 + low) as u8, 2)),
        _ => text.first().map(|byte| (*byte, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dn(text: &str) -> Dn {
        Dn::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn spellings_of_one_name_are_the_same() {
        let name = dn("uid=alice,ou=People,dc=example,dc=org");
        for same in [
            "UID=Alice,OU=people,DC=example,DC=org",
            "uid = alice , ou = People , dc=example,dc=org",
            "uid=\\61lice,ou=People,dc=example,dc=org",
        ] {
            assert_eq!(dn(same), name, "{same}");
        }
        assert_eq!(dn("cn=a+sn=b,o=x"), dn("sn=B+cn=A,o=x"));
        assert_eq!(dn("cn=Alice  Archer,o=x"), dn("cn=alice archer,o=x"));
    }

    #[test]
    fn an_escaped_comma_does_not_end_a_part() {
        assert_ne!(dn("cn=a\\,o=x"), dn("cn=a,o=x"));
        assert_eq!(dn("cn=a\\,o=x"), dn("cn=a\\2co=x"));
        assert_ne!(dn("cn=a\\+sn=b"), dn("cn=a+sn=b"));
    }

    #[test]
    fn what_is_no_name_is_none() {
        for wrong in ["", "alice", "=x", "a b=c", "cn=a,", "cn=\"a\"", "cn=a\\"] {
            assert_eq!(Dn::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_first_part_tells_a_name() {
        let text = b"cn=A+uid=alice,o=x";
        assert_eq!(named_by(text, "UID").as_deref(), Some("alice"));
        assert_eq!(named_by(text, "o"), None);
        assert_eq!(named_by(b"uid=\\ff,o=x", "uid"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_parser(bytes: Vec<u8>) {
            let _ = Dn::parse(&bytes);
            let _ = named_by(&bytes, "uid");
        }

        #[test]
        fn hostile_names_are_names_or_none(text in "[a=,+\\\\ \"0-9]{0,30}") {
            let _ = Dn::parse(text.as_bytes());
        }
    }
}
