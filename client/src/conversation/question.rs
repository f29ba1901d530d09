//! What the person is asked, and what counts as an answer.

use elevate_protocol::Secret;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// What to ask for, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// As it is shown.
    pub(crate) text: &'a str,
    /// Whether nothing of what is typed may be shown.
    pub(crate) hidden: bool,
    /// Bytes of an answer at most.
    pub(crate) longest: usize,
    /// What is said where nothing is answered.
    pub(crate) missing: &'static str,
}

impl Question<'_> {
    /// The answer in a line that was typed.
    pub(super) fn answer(&self, typed: &[u8]) -> Result<Secret, Failure> {
        let text = Zeroizing::new(String::from_utf8_lossy(typed).into_owned());
        let text = text.trim();
        if text.is_empty() {
            return Err(Failure::new(self.missing));
        }
        if text.len() > self.longest {
            let longest = self.longest;
            let message = format!("an answer here has at most {longest} bytes");
            return Err(Failure::new(message));
        }
        Ok(Secret::from(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_endless_answer_is_none() {
        let question = Question {
            text: "Reason: ",
            hidden: false,
            longest: 20,
            missing: "no reason was given",
        };
        let given = question.answer(b" restart \n").unwrap();
        assert_eq!(given.reveal(), "restart");
        for empty in [&b""[..], b" \n"] {
            let failure = question.answer(empty).unwrap_err();
            assert_eq!(failure.message, "no reason was given");
        }
        let failure = question.answer(&[b'x'; 21]).unwrap_err();
        assert_eq!(failure.message, "an answer here has at most 20 bytes");
    }
}
