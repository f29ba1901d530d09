use super::*;

#[test]
fn the_launcher_finds_the_header_without_reading_the_body() {
    let header = Header {
        order: Order::Lead,
        id: Id::from_random(7),
    };
    let packet = header.packet(&ToLeader::ScopeReady);
    let (read, body) = Header::split(&packet).unwrap();
    assert_eq!(read, header);
    assert!(body.starts_with(b"{"));
}

#[test]
fn every_answer_of_a_resolver_is_a_message() {
    use crate::message::{Frame, decode, encode};
    for answer in [
        Resolution::NotFound,
        Resolution::NotExecutable("/x".into()),
        Resolution::Failed("x".into()),
    ] {
        let packet = encode(&answer);
        let Ok(Frame::Message(read)) = decode::<Resolution>(&packet) else {
            panic!("not a message: {answer:?}");
        };
        assert_eq!(read, answer);
    }
}

#[test]
fn a_packet_without_a_valid_id_has_no_header() {
    assert_eq!(Header::split(b"L../../.."), None);
    assert_eq!(Header::split(b"L"), None);
    assert_eq!(Header::split(b"X00000000"), None);
}
