//! What the host program knows of a login, and how it is told to `elevated`.

use elevate_protocol::limits::NAME_BYTES;
use elevate_protocol::login::Login;

use crate::conversation::Conversation;
use crate::problem::Problem;

/// The host program, through libpam. Everything is a copy: a conversation may free libpam's own.
pub(crate) trait Host: Conversation {
    /// `PAM_SERVICE`.
    fn service(&self) -> Option<Vec<u8>>;
    /// `PAM_USER`; asked for where it is not known yet. `None` where nobody answers.
    fn user(&mut self) -> Option<Vec<u8>>;
    /// `PAM_RHOST`.
    fn source(&self) -> Option<Vec<u8>>;
    /// `PAM_TTY`.
    fn terminal(&self) -> Option<Vec<u8>>;
    /// `SSH_AUTH_INFO_0` of the PAM environment: what sshd has accepted in this login already, one
    /// method to a line. sshd itself writes it before each call of ours, and no other variable of
    /// any environment is ever read.
    fn accepted(&mut self) -> Option<Vec<u8>>;
    /// Have the program wait before it tells of a failure, as pam_unix has it wait.
    fn delay_failure(&mut self);
    /// A line for the system's log.
    fn log(&mut self, level: Level, text: &str);
}

/// How much a line in the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warning,
    Debug,
}

/// Whether sshd has accepted a key in this login already.
pub(crate) fn has_key(accepted: Option<&[u8]>) -> bool {
    let mut lines = accepted.unwrap_or_default().split(|byte| *byte == b'\n');
    lines.any(|line| line.starts_with(b"publickey "))
}

/// The login that this call is about. A user or service that isn't text, or is longer than any name,
/// is a problem; the login that comes with it is for the record.
pub(crate) fn login(host: &mut impl Host, service: &[u8], user: &[u8]) -> (Login, Option<Problem>) {
    let problem = [service, user].into_iter().find_map(unfit);
    let text = |bytes: Vec<u8>| cut(&bytes);
    let login = Login {
        service: cut(service),
        user: cut(user),
        source: host.source().filter(|it| !it.is_empty()).map(text),
        terminal: host.terminal().filter(|it| !it.is_empty()).map(text),
    };
    (login, problem)
}

fn unfit(name: &[u8]) -> Option<Problem> {
    if name.len() > NAME_BYTES {
        return Some(Problem::Facts(
            "a name is longer than any user's or service's",
        ));
    }
    match std::str::from_utf8(name) {
        Ok(_) => None,
        Err(_) => Some(Problem::Facts("a name is not UTF-8")),
    }
}

/// As text of at most as many bytes as a name may have.
fn cut(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut end = text.len().min(NAME_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakeHost;

    #[test]
    fn only_a_key_that_sshd_accepted_is_one() {
        let yes = |text: &str| has_key(Some(text.as_bytes()));
        assert!(yes("publickey ssh-ed25519 AAAA"));
        assert!(yes("hostbased x\npublickey ssh-rsa AAAA\n"));
        for none in [
            "",
            "publickey",
            "publickeys x",
            "keyboard-interactive/pam",
            "password",
            "hostbased publickey x",
            " publickey x",
        ] {
            assert!(!yes(none), "{none}");
        }
        assert!(!has_key(None));
    }

    #[test]
    fn a_name_that_is_no_name_is_a_problem_and_still_on_record() {
        let mut host = FakeHost::new("sshd", "x");
        let long = "é".repeat(NAME_BYTES);
        let (login_of_long, problem) = login(&mut host, b"sshd", long.as_bytes());
        assert!(problem.is_some() && login_of_long.user.len() <= NAME_BYTES);
        let (login_of_bytes, problem) = login(&mut host, b"sshd", b"a\xff");
        assert!(problem.is_some());
        assert_eq!(login_of_bytes.user, "a\u{fffd}");
        let (fine, problem) = login(&mut host, b"sshd", b"alice");
        assert!(problem.is_none());
        assert_eq!((&*fine.service, &*fine.user), ("sshd", "alice"));
        assert_eq!(fine.source.as_deref(), Some("192.0.2.1"));
    }
}
