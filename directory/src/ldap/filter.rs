//! Search filters: from text (RFC 4515) to BER (RFC 4511 section 4.5.1.7).

use super::ber;

/// How deep a filter may nest.
const DEEPEST: usize = 32;

/// The BER of a filter.
///
/// # Errors
/// What is wrong with the text, and where.
pub fn encode(text: &str) -> Result<Vec<u8>, String> {
    let mut parser = Parser { text, at: 0 };
    let mut out = Vec::new();
    parser.filter(&mut out, 0)?;
    match parser.rest() {
        "" => Ok(out),
        _ => Err(parser.wrong("something follows the filter's end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn wrong(&self, what: &str) -> String {
        format!(
            "a filter that is none, at its character {}: {what}",
            self.at + 1
        )
    }

    fn take(&mut self, c: char) -> Result<(), String> {
        if self.rest().starts_with(c) {
            self.at += c.len_utf8();
            Ok(())
        } else {
            Err(self.wrong(&format!("\"{c}\" is missing")))
        }
    }

    fn filter(&mut self, out: &mut Vec<u8>, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(self.wrong("it nests too deep"));
        }
        self.take('(')?;
        let set = match self.rest().bytes().next() {
            Some(b'&') => Some(0xa0),
            Some(b'|') => Some(0xa1),
            Some(b'!') => Some(0xa2),
            _ => None,
        };
        match set {
            None => self.item(out)?,
            Some(tag) => {
                self.at += 1;
                let mut content = Vec::new();
                self.filter(&mut content, depth + 1)?;
                while tag != 0xa2 && self.rest().starts_with('(') {
                    self.filter(&mut content, depth + 1)?;
                }
                ber::write(out, tag, &content);
            }
        }
        self.take(')')
    }

    /// `attr=value` and its kin.
    fn item(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let attribute = self.word(|c| c.is_ascii_alphanumeric() || "-.;".contains(c));
        let (tag, operator) = match self.rest() {
            rest if rest.starts_with(':') => return self.extensible(out, attribute),
            rest if rest.starts_with(">=") => (0xa5, 2),
            rest if rest.starts_with("<=") => (0xa6, 2),
            rest if rest.starts_with("~=") => (0xa8, 2),
            rest if rest.starts_with('=') => (0xa3, 1),
            _ => return Err(self.wrong("no \"=\" after an attribute's name")),
        };
        if attribute.is_empty() {
            return Err(self.wrong("an attribute's name is missing"));
        }
        self.at += operator;
        let value = self.word(|c| c != ')' && c != '(');
        if tag != 0xa3 || !value.contains('*') {
            let value = self.unescape(value)?;
            ber::write_all(out, tag, |out| {
                ber::write(out, ber::OCTETS, attribute.as_bytes());
                ber::write(out, ber::OCTETS, &value);
            });
            return Ok(());
        }
        if value == "*" {
            ber::write(out, 0x87, attribute.as_bytes());
            return Ok(());
        }
        self.substrings(out, attribute, value)
    }

    fn substrings(&self, out: &mut Vec<u8>, attribute: &str, value: &str) -> Result<(), String> {
        let parts: Vec<&str> = value.split('*').collect();
        let mut content = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let tag = match index {
                0 => 0x80,
                last if last + 1 == parts.len() => 0x82,
                _ => 0x81,
            };
            match part.is_empty() {
                true if tag == 0x81 => return Err(self.wrong("two \"*\" beside each other")),
                true => {}
                false => ber::write(&mut content, tag, &self.unescape(part)?),
            }
        }
        ber::write_all(out, 0xa4, |out| {
            ber::write(out, ber::OCTETS, attribute.as_bytes());
            ber::write(out, ber::SEQUENCE, &content);
        });
        Ok(())
    }

    /// `attr:dn:rule:=value`; attribute, `dn` and rule may be missing.
    fn extensible(&mut self, out: &mut Vec<u8>, attribute: &str) -> Result<(), String> {
        let mut rest = self.rest();
        let dn = ["dn:", "DN:"]
            .iter()
            .find_map(|dn| rest.strip_prefix(':')?.strip_prefix(dn));
        if let Some(after) = dn {
            // The colon before ":=" or the rule's name stays.
            rest = &rest[rest.len() - after.len() - 1..];
        }
        self.at = self.text.len() - rest.len();
        self.take(':')?;
        let rule = self.word(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
        if !rule.is_empty() {
            self.take(':')?;
        }
        self.take('=')?;
        if attribute.is_empty() && rule.is_empty() {
            return Err(self.wrong("neither an attribute nor a matching rule"));
        }
        let value = self.word(|c| c != ')' && c != '(');
        let value = self.unescape(value)?;
        ber::write_all(out, 0xa9, |out| {
            if !rule.is_empty() {
                ber::write(out, 0x81, rule.as_bytes());
            }
            if !attribute.is_empty() {
                ber::write(out, 0x82, attribute.as_bytes());
            }
            ber::write(out, 0x83, &value);
            if dn.is_some() {
                ber::write(out, 0x84, &[0xff]);
            }
        });
        Ok(())
    }

    fn word(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// `\XX` is a byte.
    fn unescape(&self, text: &str) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte != b'\\' {
                bytes.push(byte);
                continue;
            }
            let mut digit = || char::from(rest.next()?).to_digit(16);
            match (digit(), digit()) {
                (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
                _ => return Err(self.wrong("a \"\\\" without two hexadecimal digits")),
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(text: &str) -> String {
        encode(text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    #[test]
    fn each_kind_of_filter_is_written_as_the_rfc_says() {
        assert_eq!(hex("(a=b)"), "a306040161040162");
        assert_eq!(hex("(a=*)"), "870161");
        assert_eq!(hex("(a>=b)"), "a506040161040162");
        assert_eq!(hex("(a<=b)"), "a606040161040162");
        assert_eq!(hex("(a~=b)"), "a806040161040162");
        assert_eq!(hex("(a=)"), "a3050401610400");
        assert_eq!(hex("(!(a=b))"), "a208a306040161040162");
        assert_eq!(hex("(&(a=*)(b=*))"), "a006870161870162");
        assert_eq!(hex("(|(a=*))"), "a103870161");
        assert_eq!(hex("(a=b*c*d)"), "a40e0401613009800162810163820164");
        assert_eq!(hex("(a=*c)"), "a4080401613003820163");
        assert_eq!(hex("(a=b*)"), "a4080401613003800162");
        assert_eq!(hex("(a=\\2a\\29)"), "a3070401610402 2a29".replace(' ', ""));
        assert_eq!(hex("(a:=b)"), "a906820161830162");
        assert_eq!(
            hex("(a:dn:1.2:=b)"),
            "a90e8103312e32820161830162 8401ff".replace(' ', "")
        );
        assert_eq!(hex("(:1.2:=b)"), "a9088103312e32830162");
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for wrong in [
            "",
            "a=b",
            "(a=b",
            "(a=b))",
            "()",
            "(=b)",
            "(a)",
            "(&)",
            "(!(a=b)(c=d))",
            "(a=b**c)",
            "(a=\\2)",
            "(a=\\zz)",
            "(a=(b)",
            "(:=b)",
            "(a=b) ",
        ] {
            assert!(encode(wrong).is_err(), "{wrong}");
        }
        let deep = format!("{}(a=b){}", "(!".repeat(100), ")".repeat(100));
        assert!(encode(&deep).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in "[()&|!=*\\\\a-c:<>~é]{0,40}") {
            let _ = encode(&text);
        }
    }
}
