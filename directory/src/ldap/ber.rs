//! The part of BER that LDAP uses (RFC 4511 section 5.1): one-byte tags, definite lengths.

use super::Error;

/// Tag of a BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// Tag of an INTEGER.
pub const INTEGER: u8 = 0x02;
/// Tag of an OCTET STRING.
pub const OCTETS: u8 = 0x04;
/// Tag of an ENUMERATED.
pub const ENUMERATED: u8 = 0x0a;
/// Tag of a SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// Tag of a SET.
pub const SET: u8 = 0x31;

/// Reads elements one after another; what an element contains is read by a reader of its own.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Of the elements in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Tag and content of the next element, if there is one.
    ///
    /// # Errors
    /// It is cut off, or not written as LDAP does.
    pub fn element(&mut self) -> Result<Option<(u8, &'a [u8])>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (header, length) = header(self.rest)?.ok_or(Error::Malformed("an element is cut"))?;
        let tag = self.rest[0];
        let content = (self.rest.get(header..))
            .and_then(|rest| rest.get(..length))
            .ok_or(Error::Malformed("an element is longer than what holds it"))?;
        self.rest = &self.rest[header + length..];
        Ok(Some((tag, content)))
    }

    /// The content of the next element, which has this tag.
    ///
    /// # Errors
    /// It has another, or there is none.
    pub fn expect(&mut self, tag: u8) -> Result<&'a [u8], Error> {
        match self.element()? {
            Some((found, content)) if found == tag => Ok(content),
            Some(_) => Err(Error::Malformed("an element is not of the expected type")),
            None => Err(Error::Malformed("an element is missing")),
        }
    }

    /// The content of the next element, if it has this tag.
    ///
    /// # Errors
    /// It is malformed.
    pub fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, Error> {
        if self.peek() == Some(tag) {
            self.expect(tag).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// Bytes of the header of the element that begins `bytes`, and of its content; `None` while the
/// header isn't all there.
///
/// # Errors
/// No header of LDAP's begins so.
pub fn header(bytes: &[u8]) -> Result<Option<(usize, usize)>, Error> {
    let (Some(tag), Some(first)) = (bytes.first(), bytes.get(1)) else {
        return Ok(None);
    };
    if tag & 0x1f == 0x1f {
        return Err(Error::Malformed("a tag of more than one byte"));
    }
    if first & 0x80 == 0 {
        return Ok(Some((2, usize::from(*first))));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return Err(Error::Malformed("a length of no or too many bytes"));
    }
    let Some(length) = bytes.get(2..2 + count) else {
        return Ok(None);
    };
    let length = length
        .iter()
        .fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
    Ok(Some((2 + count, length)))
}

/// A number that is no longer than eight bytes (X.690 section 8.3).
///
/// # Errors
/// It is longer, or empty.
pub fn integer(content: &[u8]) -> Result<i64, Error> {
    let Some(first) = content.first() else {
        return Err(Error::Malformed("a number without a digit"));
    };
    if content.len() > 8 {
        return Err(Error::Malformed("a number of too many bytes"));
    }
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    Ok(content
        .iter()
        .fold(sign, |sum, byte| sum << 8 | i64::from(*byte)))
}

/// A truth value.
///
/// # Errors
/// It is not one byte long.
pub fn boolean(content: &[u8]) -> Result<bool, Error> {
    match content {
        [byte] => Ok(*byte != 0),
        _ => Err(Error::Malformed("a truth value that is not one byte")),
    }
}

/// Appends an element.
pub fn write(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        // What we send is far below 4 GiB.
        out.push(0x84);
        out.extend_from_slice(&(length as u32).to_be_bytes());
    }
    out.extend_from_slice(content);
}

/// Appends an element of elements.
pub fn write_all(out: &mut Vec<u8>, tag: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    // It may hold a password; what it needs not grow for leaves no copy behind.
    let mut content = zeroize::Zeroizing::new(Vec::with_capacity(1024));
    fill(&mut content);
    write(out, tag, &content);
}

/// Appends a number.
pub fn write_integer(out: &mut Vec<u8>, tag: u8, number: i64) {
    let bytes = number.to_be_bytes();
    let spare = |at: usize| match bytes[at] {
        0 => bytes[at + 1] & 0x80 == 0,
        0xff => bytes[at + 1] & 0x80 != 0,
        _ => false,
    };
    let start = (0..7).find(|at| !spare(*at)).unwrap_or(7);
    write(out, tag, &bytes[start..]);
}

/// Appends a truth value.
pub fn write_boolean(out: &mut Vec<u8>, value: bool) {
    write(out, BOOLEAN, &[if value { 0xff } else { 0 }]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        write_all(&mut out, SEQUENCE, |out| {
            write(out, OCTETS, &[7; 300]);
            write_boolean(out, true);
        });
        let mut outer = Reader::new(&out);
        let mut inner = Reader::new(outer.expect(SEQUENCE).unwrap());
        assert!(outer.is_empty());
        assert_eq!(inner.expect(OCTETS).unwrap(), [7; 300]);
        assert!(boolean(inner.expect(BOOLEAN).unwrap()).unwrap());
        assert!(inner.element().unwrap().is_none());
    }

    #[test]
    fn a_header_that_is_not_all_there_is_waited_for() {
        for part in [&[][..], &[0x30], &[0x30, 0x84], &[0x30, 0x84, 0, 0, 1]] {
            assert_eq!(header(part).unwrap(), None, "{part:?}");
        }
        assert_eq!(header(&[0x30, 0x82, 1, 0]).unwrap(), Some((4, 256)));
        assert!(header(&[0x30, 0x80]).is_err(), "indefinite");
        assert!(header(&[0x30, 0x85, 0, 0, 0, 0, 1]).is_err());
        assert!(header(&[0x1f, 0x01]).is_err());
    }

    proptest! {
        #[test]
        fn numbers_come_back_in_as_few_bytes_as_they_need(number: i64) {
            let mut out = Vec::new();
            write_integer(&mut out, INTEGER, number);
            let content = Reader::new(&out).expect(INTEGER).unwrap();
            prop_assert_eq!(integer(content).unwrap(), number);
            if let [first, second, ..] = content {
                prop_assert!(!(*first == 0 && second & 0x80 == 0));
                prop_assert!(!(*first == 0xff && second & 0x80 != 0));
            }
        }

        #[test]
        fn hostile_bytes_are_elements_or_errors(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while let Ok(Some((_, content))) = reader.element() {
                let _ = integer(content);
                let _ = boolean(content);
            }
        }
    }
}
