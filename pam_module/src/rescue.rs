//! The way in that the administrator keeps open for a day on which `elevated` can't be asked.

/// One user on named consoles: `rescue=root@tty1,ttyS0,hvc0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rescue {
    user: String,
    terminals: Vec<String>,
}

impl Rescue {
    /// What stands after `rescue=`; else what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some((user, terminals)) = text.split_once('@') else {
            return Err("write it as USER@TERMINAL,TERMINAL");
        };
        if user.is_empty() {
            return Err("it names no user");
        }
        let terminals: Vec<String> = terminals.split(',').map(str::to_owned).collect();
        // A pseudo-terminal (pts/0) has a slash, and is nobody's console: whoever logs in next
        // gets it.
        let console = |name: &String| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        match terminals.iter().all(console) {
            true => Ok(Rescue {
                user: user.to_owned(),
                terminals,
            }),
            false => Err("a terminal is a console's name, such as tty1, ttyS0 or hvc0"),
        }
    }

    /// Whether this rescues `user` on `terminal`, the process's real one.
    pub(crate) fn applies(&self, user: &str, terminal: Option<&str>) -> bool {
        self.user == user
            && terminal.is_some_and(|real| self.terminals.iter().any(|named| named == real))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rescue_is_one_user_on_the_named_consoles() {
        let rescue = Rescue::parse("root@tty1,ttyS0,hvc0").unwrap();
        for terminal in ["tty1", "ttyS0", "hvc0"] {
            assert!(rescue.applies("root", Some(terminal)));
            assert!(!rescue.applies("alice", Some(terminal)));
        }
        for terminal in [None, Some("tty2"), Some("tty"), Some("tty11"), Some("")] {
            assert!(!rescue.applies("root", terminal), "{terminal:?}");
        }
    }

    #[test]
    fn what_names_no_console_is_no_rescue() {
        for text in [
            "root",
            "root@",
            "@tty1",
            "root@tty1,",
            "root@pts/0",
            "root@*",
            "",
        ] {
            assert!(Rescue::parse(text).is_err(), "{text}");
        }
    }
}
