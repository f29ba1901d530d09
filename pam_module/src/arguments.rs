//! Our line in a PAM file.

use std::ffi::CStr;
use std::time::Duration;

use elevate_protocol::escape;

use crate::rescue::Rescue;

/// How long each answer of `elevated` may take unless the line says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that a line may ask for: sshd gives a whole login two minutes.
const LONGEST: u64 = 60;

/// What the line says.
///
/// With an argument that isn't understood every login of the line is refused, since it may have
/// been meant to make the line stricter. What was understood beside it still holds: other services
/// are left alone, and a rescue stays one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    services: Option<Vec<String>>,
    pub(crate) rescues: Vec<Rescue>,
    pub(crate) timeout: Duration,
    pub(crate) debug: bool,
    /// Speak up only where sshd has accepted a key in this login already.
    pub(crate) after_key: bool,
    /// The first mistake.
    pub(crate) mistake: Option<String>,
}

impl Line {
    pub(crate) fn parse(arguments: &[&CStr]) -> Self {
        let mut line = Line {
            services: None,
            rescues: Vec::new(),
            timeout: TIMEOUT,
            debug: false,
            after_key: false,
            mistake: None,
        };
        for argument in arguments {
            let text = escape::line(argument.to_bytes());
            if let Err(why) = line.read(&text) {
                line.mistake.get_or_insert(format!("{text}: {why}"));
            }
        }
        line
    }

    fn read(&mut self, argument: &str) -> Result<(), &'static str> {
        match argument.split_once('=') {
            Some(("services", names)) => self.read_services(names),
            Some(("rescue", text)) => Rescue::parse(text).map(|rescue| self.rescues.push(rescue)),
            Some(("timeout", seconds)) => match seconds.parse() {
                Ok(seconds @ 1..=LONGEST) => {
                    self.timeout = Duration::from_secs(seconds);
                    Ok(())
                }
                _ => Err("write seconds, from 1 to 60"),
            },
            Some(("after", "publickey")) => {
                self.after_key = true;
                Ok(())
            }
            Some(("after", _)) => Err("write after=publickey"),
            None if argument == "debug" => {
                self.debug = true;
                Ok(())
            }
            _ => Err("no such argument"),
        }
    }

    fn read_services(&mut self, names: &str) -> Result<(), &'static str> {
        let names: Vec<String> = names.split(',').map(str::to_owned).collect();
        if names.iter().any(String::is_empty) {
            return Err("it names no service");
        }
        self.services.get_or_insert_default().extend(names);
        Ok(())
    }

    /// Whether this line is about `service`. Without `services=` it is about every one.
    pub(crate) fn concerns(&self, service: &str) -> bool {
        match &self.services {
            Some(names) => names.iter().any(|name| name == service),
            None => true,
        }
    }

    /// Whether `user` on `terminal` is rescued.
    pub(crate) fn rescues(&self, user: &str, terminal: Option<&str>) -> bool {
        let mut rescues = self.rescues.iter();
        rescues.any(|rescue| rescue.applies(user, terminal))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::ffi::CString;

    pub(crate) fn line(text: &str) -> Line {
        let words = text
            .split_whitespace()
            .map(|word| CString::new(word).unwrap());
        let words: Vec<CString> = words.collect();
        Line::parse(&words.iter().map(CString::as_c_str).collect::<Vec<_>>())
    }

    #[test]
    fn every_argument_is_read() {
        let read = line(
            "services=sshd,login services=su rescue=root@tty1 timeout=3 debug after=publickey",
        );
        assert_eq!(read.mistake, None);
        assert!(read.concerns("sshd") && read.concerns("login") && read.concerns("su"));
        assert!(!read.concerns("cron") && !read.concerns("ssh") && !read.concerns(""));
        assert!(read.rescues("root", Some("tty1")) && !read.rescues("root", Some("tty2")));
        assert_eq!(read.timeout, Duration::from_secs(3));
        assert!(read.debug && read.after_key);
    }

    #[test]
    fn an_empty_line_is_about_every_service_and_rescues_nobody() {
        let read = line("");
        assert!(read.concerns("sshd") && !read.rescues("root", Some("tty1")));
        assert_eq!((read.timeout, read.mistake), (TIMEOUT, None));
    }

    #[test]
    fn a_mistake_is_named_and_what_was_understood_still_holds() {
        for (word, why) in [
            ("nullok", "nullok: no such argument"),
            ("service=sshd", "service=sshd: no such argument"),
            ("debug=yes", "debug=yes: no such argument"),
            ("timeout=0", "timeout=0: write seconds, from 1 to 60"),
            ("timeout=61", "timeout=61: write seconds, from 1 to 60"),
            ("timeout=-1", "timeout=-1: write seconds, from 1 to 60"),
            ("services=", "services=: it names no service"),
            (
                "services=sshd,,su",
                "services=sshd,,su: it names no service",
            ),
            ("after=password", "after=password: write after=publickey"),
            (
                "rescue=root",
                "rescue=root: write it as USER@TERMINAL,TERMINAL",
            ),
            ("a\x1b[2J", "a\\x1b[2J: no such argument"),
        ] {
            let read = line(&format!("services=sshd rescue=root@tty1 {word}"));
            assert_eq!(read.mistake.as_deref(), Some(why));
            assert!(read.rescues("root", Some("tty1")) && !read.concerns("cron"));
        }
    }

    #[test]
    fn services_that_are_not_understood_are_all_of_them() {
        assert!(line("services=").concerns("cron"));
    }
}
