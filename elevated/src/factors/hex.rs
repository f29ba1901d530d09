//! Bytes as lower-case hexadecimal digits, in the store and in the key's file.

use zeroize::Zeroizing;

/// The digits of `bytes`.
pub(super) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits =
        |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)]));
    bytes.iter().flat_map(digits).collect()
}

/// The bytes that `digits` stand for.
pub(super) fn decode(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.as_bytes().chunks_exact(2) {
        let half = |digit: u8| char::from(digit).to_digit(16);
        bytes.push((half(pair[0])? * 16 + half(pair[1])?) as u8);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_hex_is_nothing() {
        for wrong in ["0", "0g", "+1", "éé"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(bytes: Vec<u8>) {
            let decoded = decode(&encode(&bytes));
            prop_assert_eq!(decoded.as_deref(), Some(&bytes));
        }
    }
}
