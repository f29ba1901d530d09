//! How the person is asked, as the command line says.

use std::path::PathBuf;

use elevate_protocol::stdio::{Kind, Three};

use super::request::Person;
use crate::cli::{Questions, Target};
use crate::conversation::{Asking, Names, Place, wording};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Where the program of `-A` is named. It runs as the person and with what they may do anyway, which
/// is why a variable may name it.
const ASKPASS: [&str; 2] = ["ELEVATE_ASKPASS", "SUDO_ASKPASS"];

/// What the command line says of questions, with the program of `-A`.
#[derive(Debug)]
pub struct Means<'a> {
    questions: &'a Questions,
    program: Option<PathBuf>,
}

impl<'a> Means<'a> {
    /// Fails where a program is to ask and none is named.
    pub fn of(questions: &'a Questions) -> Result<Means<'a>, Failure> {
        let program = match questions.askpass && !questions.non_interactive {
            true => Some(askpass(|name| std::env::var_os(name).map(PathBuf::from))?),
            false => None,
        };
        Ok(Means { questions, program })
    }

    /// Whom we are talking for.
    pub fn person<'b>(
        &'b self,
        terminal: Option<&'b Terminal>,
        kinds: Three<Kind>,
        target: &Target,
    ) -> Person<'b> {
        let wording = self.questions.prompt.as_deref();
        Person {
            asking: self.asking(terminal, kinds),
            wording: wording.map(|template| wording_of(template, target)),
            status: kinds[2] == Kind::Terminal,
        }
    }

    fn asking<'b>(&'b self, terminal: Option<&'b Terminal>, kinds: Three<Kind>) -> Asking<'b> {
        let questions = self.questions;
        let [input, output, _] = kinds;
        match (&self.program, terminal) {
            _ if questions.non_interactive => Asking::Nobody,
            (Some(program), _) => Asking::Program(program),
            (None, _) if questions.stdin && input != Kind::Terminal => Asking::Input,
            (None, None) => Asking::Nobody,
            (None, Some(terminal)) => Asking::Terminal(Place {
                terminal,
                shared: input == Kind::Pipe || output == Kind::Pipe,
                on_error: questions.stdin,
            }),
        }
    }
}

/// The program that asks, by a path that holds wherever we are.
fn askpass(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, Failure> {
    let mut named = ASKPASS.iter().filter_map(|name| variable(name));
    let named = named.find(|program| !program.as_os_str().is_empty());
    match named.map(std::path::absolute) {
        Some(program) => Ok(program?),
        None => Err(
            Failure::usage("-A (--askpass) needs a program that asks, and none is named")
                .hint("set ELEVATE_ASKPASS, or SUDO_ASKPASS, to its path"),
        ),
    }
}

fn wording_of(template: &str, target: &Target) -> String {
    let host = rustix::system::uname();
    let user = own_name();
    let names = Names {
        host: host.nodename().to_string_lossy().into_owned(),
        target: match (&target.user, &target.group) {
            (Some(user), _) => name_of(user),
            // As with sudo, a group alone is asked for with one's own uid.
            (None, Some(_)) => user.clone(),
            (None, None) => "root".to_owned(),
        },
        user,
    };
    wording(template, &names)
}

fn own_name() -> String {
    let uid = nix::unistd::getuid();
    named(uid).unwrap_or_else(|| format!("#{uid}"))
}

/// The name that `#UID` stands for, where there is one.
fn name_of(user: &str) -> String {
    let uid = user.strip_prefix('#').and_then(|uid| uid.parse().ok());
    let name = uid.and_then(|uid| named(nix::unistd::Uid::from_raw(uid)));
    name.unwrap_or_else(|| user.to_owned())
}

fn named(uid: nix::unistd::Uid) -> Option<String> {
    let user = nix::unistd::User::from_uid(uid).ok().flatten()?;
    Some(user.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_that_asks_is_named_by_our_variable_before_sudos() {
        let variable = |named: &'static str| {
            move |name: &str| {
                named
                    .split(' ')
                    .find_map(|one| one.strip_prefix(name)?.strip_prefix('=').map(PathBuf::from))
            }
        };
        let both = variable("SUDO_ASKPASS=/b ELEVATE_ASKPASS=/a");
        assert_eq!(askpass(both).unwrap(), PathBuf::from("/a"));
        let empty = variable("SUDO_ASKPASS=/b ELEVATE_ASKPASS=");
        assert_eq!(askpass(empty).unwrap(), PathBuf::from("/b"));
        assert!(askpass(variable("SUDO_ASKPASS=ask")).unwrap().is_absolute());
        let none = askpass(variable("")).unwrap_err();
        assert!(none.hint.unwrap().contains("ELEVATE_ASKPASS"));
    }

    #[test]
    fn n_asks_nobody_whatever_else_is_said() {
        let questions = Questions {
            non_interactive: true,
            stdin: true,
            ..Questions::default()
        };
        let means = Means::of(&questions).unwrap();
        let person = means.person(None, [Kind::Pipe; 3], &Target::default());
        assert!(!person.asking.is_possible());
    }

    #[test]
    fn answers_come_from_standard_input_only_where_that_is_no_terminal() {
        let questions = Questions {
            stdin: true,
            prompt: Some("%U's: ".into()),
            ..Questions::default()
        };
        let means = Means::of(&questions).unwrap();
        let person = means.person(None, [Kind::Pipe; 3], &Target::default());
        assert!(matches!(person.asking, Asking::Input));
        assert_eq!(person.wording.as_deref(), Some("root's: "));
        let questions = Questions::default();
        let means = Means::of(&questions).unwrap();
        let person = means.person(None, [Kind::Pipe; 3], &Target::default());
        assert!(matches!(person.asking, Asking::Nobody));
    }
}
