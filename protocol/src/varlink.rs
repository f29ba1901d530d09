//! Framing and the common errors of Varlink (<https://varlink.org/Method-Call>): JSON objects on a
//! Unix stream socket, each ended by a NUL.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What ends a message.
const END: u8 = 0;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Interface and method, with a dot between.
    pub method: String,
    /// Its arguments by name.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// Whether the caller takes more than one reply.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Whether the caller takes no reply.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub oneway: bool,
}

/// A reply: parameters, or an error with parameters of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The error's full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Results, or details of the error, by name.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// Whether more replies follow to the same call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub continues: bool,
}

impl Reply {
    /// A reply with these results; anything but a JSON object is an empty one.
    pub fn new(results: &impl Serialize) -> Self {
        Reply {
            error: None,
            parameters: object(results),
            continues: false,
        }
    }

    /// An error by its full name.
    pub fn error(name: &str, details: &impl Serialize) -> Self {
        Reply {
            error: Some(name.to_owned()),
            ..Reply::new(details)
        }
    }

    /// The same, with more replies to come.
    pub fn to_be_continued(mut self) -> Self {
        self.continues = true;
        self
    }

    /// The results, if this is no error and they are of this kind.
    pub fn results<T: DeserializeOwned>(&self) -> Option<T> {
        if self.error.is_some() {
            return None;
        }
        serde_json::from_value(Value::Object(self.parameters.clone())).ok()
    }
}

fn object(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// The call of one of an interface's methods, from an enum that is tagged with `method` and holds
/// its `parameters`.
pub fn call(method: &impl Serialize) -> Call {
    let mut call = object(method);
    let method = call.remove("method");
    Call {
        method: method
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default(),
        parameters: match call.remove("parameters") {
            Some(Value::Object(parameters)) => parameters,
            _ => Map::new(),
        },
        more: false,
        oneway: false,
    }
}

/// Which method of an interface a call is, whose parameters are taken out of it; the reply to send
/// where it is none. `interface` is the interface's name.
pub fn method<M: DeserializeOwned>(call: &mut Call, interface: &str) -> Result<M, Reply> {
    if !is_of(call, interface) {
        return Err(unknown(call));
    }
    // Moved and not copied, since a call may hold hundreds of records.
    let parameters = Value::Object(std::mem::take(&mut call.parameters));
    let method = Value::String(call.method.clone());
    let tagged = [("method", method), ("parameters", parameters)];
    let tagged = tagged.map(|(name, value)| (name.to_owned(), value));
    serde_json::from_value(Value::Object(tagged.into_iter().collect())).map_err(|error| match error
        .to_string()
    {
        text if text.starts_with("unknown variant") => Reply::error(
            "org.varlink.service.MethodNotFound",
            &json!({ "method": call.method }),
        ),
        text => invalid(&text),
    })
}

/// The reply to a call that has an argument too few, too many or of the wrong type.
pub fn invalid(parameter: &str) -> Reply {
    Reply::error(
        "org.varlink.service.InvalidParameter",
        &json!({ "parameter": parameter }),
    )
}

fn unknown(call: &Call) -> Reply {
    let interface = call.method.rsplit_once('.').map_or("", |(name, _)| name);
    Reply::error(
        "org.varlink.service.InterfaceNotFound",
        &json!({ "interface": interface }),
    )
}

fn is_of(call: &Call, interface: &str) -> bool {
    call.method
        .rsplit_once('.')
        .is_some_and(|(name, _)| name == interface)
}

/// The description of `org.varlink.service` itself.
const SERVICE: &str = "interface org.varlink.service\n\
    method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)\n\
    method GetInterfaceDescription(interface: string) -> (description: string)\n\
    error InterfaceNotFound (interface: string)\n\
    error MethodNotFound (method: string)\n\
    error MethodNotImplemented (method: string)\n\
    error InvalidParameter (parameter: string)\n";

/// What every service answers about itself (`varlinkctl info`, `introspect`); `None` for a call of
/// another interface. `name` and `description` are those of the one interface that is served.
pub fn introspect(call: &Call, name: &str, description: &str) -> Option<Reply> {
    if !is_of(call, "org.varlink.service") {
        return None;
    }
    let reply = match call.method.rsplit('.').next() {
        Some("GetInfo") => Reply::new(&json!({
            "vendor": "Elevate",
            "product": "elevated",
            "version": env!("CARGO_PKG_VERSION"),
            "url": "",
            "interfaces": ["org.varlink.service", name],
        })),
        Some("GetInterfaceDescription") => {
            let asked = call.parameters.get("interface").and_then(Value::as_str);
            match asked {
                Some(asked) if asked == name => Reply::new(&json!({ "description": description })),
                Some("org.varlink.service") => Reply::new(&json!({ "description": SERVICE })),
                Some(asked) => Reply::error(
                    "org.varlink.service.InterfaceNotFound",
                    &json!({ "interface": asked }),
                ),
                None => invalid("interface"),
            }
        }
        _ => Reply::error(
            "org.varlink.service.MethodNotFound",
            &json!({ "method": call.method }),
        ),
    };
    Some(reply)
}

/// The bytes of a message, its end included.
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = crate::message::encode(message);
    bytes.push(END);
    bytes
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// More bytes than a message may have came without an end.
    #[error("a message is longer than {0} bytes")]
    TooLong(usize),
    /// Not the JSON object that was expected.
    #[error("a malformed message: {0}")]
    Json(#[from] serde_json::Error),
}

/// Cuts what arrives into messages.
#[derive(Debug)]
pub struct Messages {
    buffer: Vec<u8>,
    longest: usize,
}

impl Messages {
    /// For messages of at most `longest` bytes.
    pub fn new(longest: usize) -> Self {
        Messages {
            buffer: Vec::new(),
            longest,
        }
    }

    /// These bytes arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether bytes of an unfinished message wait.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The next whole message; `None` until more arrives. After an error the stream can't be
    /// trusted any more.
    pub fn read<M: DeserializeOwned>(&mut self) -> Result<Option<M>, Malformed> {
        let end = self.buffer.iter().position(|byte| *byte == END);
        if end.unwrap_or(self.buffer.len()) > self.longest {
            return Err(Malformed::TooLong(self.longest));
        }
        let Some(end) = end else { return Ok(None) };
        let message = serde_json::from_slice(&self.buffer[..end]);
        self.buffer.drain(..=end);
        Ok(Some(message?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::{INTERFACE, Login, Method};
    use proptest::prelude::*;

    fn open() -> Call {
        call(&Method::Open {
            login: Login {
                service: "sshd".into(),
                user: "alice".into(),
                source: None,
                terminal: None,
            },
        })
    }

    #[test]
    fn messages_are_cut_wherever_the_stream_is() {
        let mut bytes = encode(&open());
        bytes.extend(encode(&open()));
        let mut messages = Messages::new(1000);
        let mut found = 0;
        for byte in bytes {
            messages.push(&[byte]);
            while let Some(call) = messages.read::<Call>().unwrap() {
                assert_eq!(call, open());
                found += 1;
            }
        }
        assert!(found == 2 && messages.is_empty());
    }

    #[test]
    fn a_call_is_a_method_of_its_interface_alone() {
        assert!(matches!(
            method(&mut open(), INTERFACE),
            Ok(Method::Open { .. })
        ));
        let mut wrong = open();
        wrong.method = "org.elevate.Login.Explode".into();
        let error = method::<Method>(&mut wrong, INTERFACE).unwrap_err().error;
        assert_eq!(error.as_deref(), Some("org.varlink.service.MethodNotFound"));
        wrong.method = "org.elevate.Other.Open".into();
        let error = method::<Method>(&mut wrong, INTERFACE).unwrap_err().error;
        assert_eq!(
            error.as_deref(),
            Some("org.varlink.service.InterfaceNotFound")
        );
        let mut extra = open();
        extra.parameters.insert("uid".into(), json!(0));
        let error = method::<Method>(&mut extra, INTERFACE).unwrap_err().error;
        assert_eq!(
            error.as_deref(),
            Some("org.varlink.service.InvalidParameter")
        );
    }

    #[test]
    fn a_message_without_end_stops_at_the_limit() {
        let mut messages = Messages::new(10);
        messages.push(&[b' '; 10]);
        assert!(messages.read::<Call>().unwrap().is_none());
        messages.push(b" ");
        assert!(matches!(
            messages.read::<Call>(),
            Err(Malformed::TooLong(10))
        ));
    }

    #[test]
    fn a_service_describes_itself() {
        let ask = |interface: &str| Call {
            method: "org.varlink.service.GetInterfaceDescription".into(),
            parameters: object(&json!({ "interface": interface })),
            more: false,
            oneway: false,
        };
        let reply = introspect(&ask(INTERFACE), INTERFACE, "x").unwrap();
        assert_eq!(reply.parameters["description"], "x");
        let reply = introspect(&ask("other"), INTERFACE, "x").unwrap();
        assert!(reply.error.is_some());
        assert!(introspect(&open(), INTERFACE, "x").is_none());
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_errors_and_nothing_else(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..16)
        ) {
            let mut messages = Messages::new(256);
            for chunk in chunks {
                messages.push(&chunk);
                while let Ok(Some(mut call)) = messages.read::<Call>() {
                    let _ = method::<Method>(&mut call, INTERFACE);
                }
            }
        }

        #[test]
        fn hostile_json_is_no_method(text in "\\PC{0,200}", key in "[a-z]{1,8}") {
            let mut hostile = open();
            hostile.parameters.insert(key, Value::String(text.clone()));
            hostile.parameters.insert("login".into(), Value::String(text));
            prop_assert!(method::<Method>(&mut hostile, INTERFACE).is_err());
        }
    }
}
