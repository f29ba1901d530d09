//! The calls of the login interface, and what their replies mean.

use std::time::{Duration, Instant};

use elevate_protocol::limits::{CODE_BYTES, LOGIN_TIME};
use elevate_protocol::login::{Admitted, Login, Method, REFUSED, Refused, Step, Stepped, Told};
use elevate_protocol::{Secret, escape};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::conversation::Conversation;
use crate::deadline::Deadline;
use crate::problem::Problem;
use crate::socket::{Connection, Endpoint, Reply, begin};

/// Prompts of one authentication; a person who is asked more often talks to no daemon of ours.
const PROMPTS: usize = 8;
/// Bytes of a line for the person. Programs have room for 512 (PAM_MAX_MSG_SIZE).
const LINE_BYTES: usize = 400;
/// Room for any answer, so that none is copied while it grows: a copy would not be wiped. The other
/// messages hold no secret and may grow.
const ANSWER_BYTES: usize = 512;

/// Before a prompt that comes once more.
const ANEW: &str = "elevated was restarted while you typed; once more, please. ";

/// What came of a call, or of a whole authentication.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Yes, with a line for the person.
    Passed(Option<String>),
    /// `elevated` says no, with a line for the person.
    Refused(String),
    /// Nobody answered a prompt, or not in time.
    Silence,
    /// `elevated` could not be asked, or not be believed.
    Problem(Problem),
}

impl From<Problem> for Outcome {
    fn from(problem: Problem) -> Self {
        Outcome::Problem(problem)
    }
}

/// Ask what `login` owes, and the person for it.
pub(crate) fn authenticate(
    endpoint: Endpoint<'_>,
    timeout: Duration,
    login: Login,
    person: &mut impl Conversation,
) -> Outcome {
    let call = encode(&Method::Authenticate { login });
    let (mut connection, mut reply) = match begin(endpoint, &call, timeout) {
        Ok(begun) => begun,
        Err(problem) => return problem.into(),
    };
    let mut anew = "";
    for _ in 0..PROMPTS {
        let (prompt, echo) = match results::<Stepped>(reply) {
            Ok(Stepped { step: Step::Passed }) => return Outcome::Passed(None),
            Ok(Stepped {
                step: Step::Ask { prompt, echo },
            }) => (line(&format!("{anew}{prompt}")), echo),
            Err(outcome) => return outcome,
        };
        let asked = Instant::now();
        let Some(answer) = person.ask(&prompt, echo) else {
            return Outcome::Silence;
        };
        // `elevated` has hung up by then, and put it on record.
        if asked.elapsed() >= LOGIN_TIME {
            return Outcome::Silence;
        }
        reply = match send_answer(&mut connection, answer, timeout) {
            Ok(reply) => reply,
            // It was restarted while the person typed, and its successor asks once more.
            Err(Problem::HungUp) => match begin(endpoint, &call, timeout) {
                Ok((successor, reply)) => {
                    (connection, anew) = (successor, ANEW);
                    reply
                }
                Err(problem) => return problem.into(),
            },
            Err(problem) => return problem.into(),
        };
    }
    Problem::Nonsense("there is no end to its questions".to_owned()).into()
}

/// An answer is sent once: the code in it may have been used up.
fn send_answer(
    connection: &mut Connection,
    answer: Secret,
    timeout: Duration,
) -> Result<Reply, Problem> {
    // What can be no code goes as an empty one, so that the daemon puts the failure on record.
    let text = match answer.reveal().len() {
        0..=CODE_BYTES => answer,
        _ => String::new().into(),
    };
    let call = encode(&Method::Answer { text });
    connection.call(&call, &Deadline::after(timeout))
}

/// Whether a role admits `login`.
pub(crate) fn admit(endpoint: Endpoint<'_>, timeout: Duration, login: Login) -> Outcome {
    match ask_once::<Admitted>(endpoint, timeout, &Method::Admit { login }) {
        Ok(admitted) => Outcome::Passed(admitted.notice.as_deref().map(line)),
        Err(outcome) => outcome,
    }
}

/// Tell of the beginning or the end of a session.
pub(crate) fn tell(endpoint: Endpoint<'_>, timeout: Duration, method: &Method) -> Outcome {
    match ask_once::<Told>(endpoint, timeout, method) {
        Ok(_) => Outcome::Passed(None),
        Err(outcome) => outcome,
    }
}

fn ask_once<T: DeserializeOwned>(
    endpoint: Endpoint<'_>,
    timeout: Duration,
    method: &Method,
) -> Result<T, Outcome> {
    let (_, reply) = begin(endpoint, &encode(method), timeout)?;
    results(reply)
}

/// The bytes of a call, its end included; wiped when dropped.
fn encode(method: &Method) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES));
    // Into memory, and with string keys only: this can't fail.
    let _ = serde_json::to_writer(&mut *bytes, method);
    bytes.push(0);
    bytes
}

fn results<T: DeserializeOwned>(reply: Reply) -> Result<T, Outcome> {
    let parameters = Value::Object(reply.parameters);
    let nonsense = |text: String| Problem::Nonsense(line(&text));
    match reply.error.as_deref() {
        None => serde_json::from_value(parameters).map_err(|why| nonsense(why.to_string()).into()),
        // A no whose words are missing is still a no.
        Some(REFUSED) => Err(Outcome::Refused(
            match serde_json::from_value::<Refused>(parameters) {
                Ok(Refused { message }) => line(&message),
                Err(_) => "Login refused".to_owned(),
            },
        )),
        Some(other) => Err(nonsense(format!("the error {other}")).into()),
    }
}

/// One line that steers no terminal and fits into any program's buffer.
fn line(text: &str) -> String {
    let mut line = escape::line(text.as_bytes());
    let mut end = line.len().min(LINE_BYTES);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.truncate(end);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_what_varlink_says() {
        let login = Login {
            service: "sshd".into(),
            user: "alice".into(),
            source: Some("192.0.2.1".into()),
            terminal: None,
        };
        let call = Method::Admit { login };
        let expected = elevate_protocol::varlink::encode(&elevate_protocol::varlink::call(&call));
        let read = |bytes: &[u8]| -> elevate_protocol::varlink::Call {
            serde_json::from_slice(bytes.strip_suffix(&[0]).unwrap()).unwrap()
        };
        assert_eq!(read(&encode(&call)), read(&expected));
    }

    #[test]
    fn the_longest_answer_fits_without_growing() {
        // Six bytes for each of these in JSON, the most there is.
        let text = "\u{1}".repeat(CODE_BYTES).into();
        let bytes = encode(&Method::Answer { text });
        assert!(bytes.len() > 6 * CODE_BYTES && bytes.capacity() == ANSWER_BYTES);
    }

    #[test]
    fn the_longest_names_fit_into_a_message() {
        let name = || "\u{1}".repeat(elevate_protocol::limits::NAME_BYTES);
        let call = Method::Authenticate {
            login: Login {
                service: name(),
                user: name(),
                source: Some(name()),
                terminal: Some(name()),
            },
        };
        assert!(encode(&call).len() <= elevate_protocol::limits::LOGIN_BYTES);
    }

    #[test]
    fn a_line_is_one_line_of_bounded_length() {
        assert_eq!(line("a\nb\x1b[2J"), "a\\nb\\x1b[2J");
        assert_eq!(line(&"é".repeat(1000)).len(), LINE_BYTES);
    }
}
