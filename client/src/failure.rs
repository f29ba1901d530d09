//! Why something did not happen, for the person who asked for it.

use std::fmt;
use std::io::Write as _;

use elevate_protocol::{ErrorName, escape};

/// What went wrong, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit status.
    pub status: u8,
    /// One line, without the program's name.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with status 1.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure {
            status: 1,
            message: message.into(),
            hint: None,
        }
    }

    /// Wrong use of the command line: status 2.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure {
            status: 2,
            ..Failure::new(message)
        }
    }

    /// The same with what to do next.
    pub fn hint(self, hint: impl Into<String>) -> Failure {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// A refusal by the daemon.
    pub fn refused(error: ErrorName, message: &str, hint: Option<&str>) -> Failure {
        Failure {
            status: error.exit_status(),
            message: escape::line(message.as_bytes()),
            hint: hint.map(|hint| escape::line(hint.as_bytes())),
        }
    }

    /// Tell the person, on standard error.
    pub fn report(&self, program: &str) {
        // Whoever closed standard error doesn't want to hear it.
        let _ = write!(std::io::stderr(), "{}", self.lines(program));
    }

    /// The lines of [`Failure::report`].
    pub fn lines(&self, program: &str) -> String {
        let mut lines = format!("{program}: {}\n", self.message);
        if let Some(hint) = &self.hint {
            lines += &format!("{program}: {hint}\n");
        }
        lines
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::new(error.to_string())
    }
}

impl From<rustix::io::Errno> for Failure {
    fn from(error: rustix::io::Errno) -> Failure {
        std::io::Error::from(error).into()
    }
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Failure {
        match &error {
            zbus::Error::MethodError(name, message, _) => {
                let message = message.as_deref().unwrap_or("no reason was given");
                match ErrorName::from_dbus(name.as_str()) {
                    Some(name) => Failure::refused(name, message, None),
                    None => method_error(name.as_str(), message),
                }
            }
            zbus::Error::FDO(standard) => standard_error(standard),
            zbus::Error::InputOutput(io) if io.kind() == std::io::ErrorKind::TimedOut => {
                Failure::new("elevated does not answer")
                    .hint("an admin finds out why with: systemctl status elevated")
            }
            zbus::Error::InputOutput(_) => went_away(),
            _ => Failure::new(escape::line(error.to_string().as_bytes())),
        }
    }
}

fn standard_error(error: &zbus::fdo::Error) -> Failure {
    use zbus::fdo::Error;
    match error {
        Error::ServiceUnknown(_) | Error::NameHasNoOwner(_) => not_running(),
        Error::AccessDenied(text) => Failure::refused(ErrorName::NotAuthorized, text, None),
        Error::UnknownObject(_) => Failure::new("there is no such request, grant or session"),
        Error::NoReply(_) | Error::Disconnected(_) => went_away(),
        // The bus tried to have it started.
        Error::TimedOut(_) => Failure::new("elevated does not come up")
            .hint("an admin finds out why with: systemctl status elevated"),
        other => Failure::new(escape::line(other.to_string().as_bytes())),
    }
}

/// Names that come when the bus tried to start the daemon for us (systemd and dbus each have
/// theirs).
fn method_error(name: &str, message: &str) -> Failure {
    let message = escape::line(message.as_bytes());
    if name.starts_with("org.freedesktop.systemd1.") || name.contains(".Spawn.") {
        return Failure {
            message: format!("elevated is not running: {message}"),
            ..not_running()
        };
    }
    Failure::new(format!("{message} ({})", escape::line(name.as_bytes())))
}

fn went_away() -> Failure {
    Failure::new("elevated went away before it answered")
        .hint("an admin finds out why with: systemctl status elevated")
}

fn not_running() -> Failure {
    Failure::new("elevated is not running")
        .hint("an admin starts it with: systemctl start elevated")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_without_steering_the_terminal() {
        let refusal = Failure::refused(
            ErrorName::CommandNotFound,
            "no \x1b[2J here",
            Some("ask\nbob"),
        );
        assert_eq!(refusal.status, 127);
        assert_eq!(
            refusal.lines("elevate"),
            "elevate: no \\x1b[2J here\nelevate: ask\\nbob\n"
        );
    }

    #[test]
    fn a_daemon_that_is_down_comes_with_the_way_to_start_it() {
        let down = zbus::fdo::Error::ServiceUnknown("x".into());
        let failure = Failure::from(zbus::Error::FDO(Box::new(down)));
        assert!(failure.hint.unwrap().contains("systemctl start elevated"));
    }
}
