//! One packet holds either a message (JSON, so that a newer daemon understands an older leader) or
//! raw bytes of one channel.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Which bytes a data packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The session's terminal: typed by the user, or shown to them.
    Terminal,
    /// The command's standard output.
    Output,
    /// The command's standard error.
    Error,
    /// Contents of files that are edited, one after the other.
    File,
}

impl Channel {
    fn tag(self) -> u8 {
        match self {
            Channel::Terminal => b'T',
            Channel::Output => b'O',
            Channel::Error => b'E',
            Channel::File => b'F',
        }
    }
}

/// What one packet holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a, M> {
    /// A message.
    Message(M),
    /// Bytes of a channel.
    Data(Channel, &'a [u8]),
}

/// A packet that is neither.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// The packet begins with a byte that stands for nothing.
    #[error("a packet of an unknown kind")]
    UnknownKind,
    /// The message is not one of those expected here.
    #[error("a malformed message: {0}")]
    Message(#[from] serde_json::Error),
}

/// The packet of a message.
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    // Our messages have string keys and no failing serializers.
    serde_json::to_vec(message).unwrap_or_default()
}

/// The packet of `bytes` of `channel`.
pub fn encode_data(channel: Channel, bytes: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(bytes.len() + 1);
    packet.push(channel.tag());
    packet.extend_from_slice(bytes);
    packet
}

/// What `packet` holds.
pub fn decode<M: DeserializeOwned>(packet: &[u8]) -> Result<Frame<'_, M>, Malformed> {
    match packet {
        [b'{', ..] => Ok(Frame::Message(serde_json::from_slice(packet)?)),
        [b'T', rest @ ..] => Ok(Frame::Data(Channel::Terminal, rest)),
        [b'O', rest @ ..] => Ok(Frame::Data(Channel::Output, rest)),
        [b'E', rest @ ..] => Ok(Frame::Data(Channel::Error, rest)),
        [b'F', rest @ ..] => Ok(Frame::Data(Channel::File, rest)),
        _ => Err(Malformed::UnknownKind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::ToServer;
    use proptest::prelude::*;

    #[test]
    fn messages_and_bytes_are_told_apart() {
        let message = encode(&ToServer::Proof { nonce: "x".into() });
        assert!(matches!(
            decode::<ToServer>(&message),
            Ok(Frame::Message(ToServer::Proof { .. }))
        ));
        let data = encode_data(Channel::Error, b"{}");
        assert_eq!(
            decode::<ToServer>(&data).unwrap(),
            Frame::Data(Channel::Error, b"{}")
        );
    }

    proptest! {
        #[test]
        fn hostile_packets_are_errors_and_nothing_else(packet: Vec<u8>) {
            let _ = decode::<ToServer>(&packet);
            let mut json = packet;
            json.insert(0, b'{');
            let _ = decode::<ToServer>(&json);
        }
    }
}
