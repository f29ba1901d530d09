//! What a command of sudoers(5) speaks of.

use std::fmt;

use super::glob::{Token, literal, tokens, words};
use super::list::Atom;

/// One command of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deed {
    pub(super) what: What,
    /// Digests that the file must have one of, each as `sha256:…`.
    pub(super) digests: Vec<String>,
}

/// What is run or edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// `ALL`: any command, any shell and any edit.
    All,
    /// `sudoedit`, with these words.
    Edit(Option<String>),
    /// `list`: telling what others may.
    List,
    Run(Run),
    /// Regular expressions, and whatever else has no words in our language.
    Other(String),
}

/// A file or files of a folder, and arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// As written: `/usr/bin/id`, `/usr/bin/*`, or a folder with `/` at its end.
    pub(super) path: String,
    pub(super) arguments: Arguments,
}

/// The arguments of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arguments {
    /// Whichever, and none.
    Any,
    /// `""`
    None,
    /// All of them with a space between each, as a pattern in which `*` stands for spaces too.
    Like(String),
    /// A regular expression over the same.
    Regex(String),
}

impl Deed {
    /// Reads a command as cvtsudoers(1) writes it: path and arguments with a space between.
    pub(super) fn read(text: &str, digests: Vec<String>) -> Self {
        let (word, arguments) = match text.split_once(' ') {
            Some((word, arguments)) => (word, Some(arguments)),
            None => (text, None),
        };
        let what = match word {
            "ALL" if arguments.is_none() => What::All,
            "sudoedit" => What::Edit(arguments.map(str::to_owned)),
            "list" => What::List,
            path if path.starts_with('/') => What::Run(Run {
                path: path.to_owned(),
                arguments: Arguments::read(arguments),
            }),
            _ => What::Other(text.to_owned()),
        };
        Self { what, digests }
    }
}

impl Arguments {
    fn read(text: Option<&str>) -> Self {
        match text {
            None => Self::Any,
            Some("\"\"") => Self::None,
            Some("*") => Self::Any,
            Some(text) if text.starts_with('^') && text.ends_with('$') => {
                Self::Regex(text.to_owned())
            }
            Some(text) => Self::Like(text.to_owned()),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        *self == Self::Any || self == other
    }

    fn are_apart_from(&self, other: &Self) -> bool {
        let only = |arguments: &Self| match arguments {
            Self::None => Some(None),
            Self::Like(text) => literal(&tokens(text)).map(Some),
            Self::Any | Self::Regex(_) => None,
        };
        match (only(self), only(other)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        }
    }
}

impl Run {
    /// The folder of which it names every file.
    pub(super) fn folder(&self) -> Option<&str> {
        self.path.strip_suffix('/')
    }

    fn parts(&self) -> (&str, &str) {
        self.path.rsplit_once('/').unwrap_or(("", &self.path))
    }

    fn covers(&self, other: &Self) -> bool {
        let (folder, name) = other.parts();
        let plain = |text: &str| literal(&tokens(text)).as_deref() == Some(text);
        // No name in a folder begins with a dot for the wildcard that stands for the folder's files.
        let holds = self.folder() == Some(folder)
            && plain(name)
            && !name.is_empty()
            && !name.starts_with(['.', '-']);
        (self.path == other.path || holds) && self.arguments.covers(&other.arguments)
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        let named = |run: &Self| match run.parts().1 {
            "" => None,
            name => literal(&tokens(name)),
        };
        let names = (named(self), named(other));
        // sudo compares last names first. What has one in two folders may be one file.
        matches!(names, (Some(a), Some(b)) if a != b)
            || self.arguments.are_apart_from(&other.arguments)
    }
}

/// The one file that the words of `sudoedit` name, if it is one without wildcards.
fn one_file(text: Option<&String>) -> Option<String> {
    let tokens = tokens(text?);
    let single = words(&tokens).count() == 1;
    literal(&tokens).filter(|_| single)
}

impl Atom for Deed {
    fn covers(&self, other: &Self) -> bool {
        if !self.digests.is_empty() {
            return self == other;
        }
        match (&self.what, &other.what) {
            (What::All, _) | (What::Edit(None), What::Edit(_)) => true,
            (What::Run(one), What::Run(other)) => one.covers(other),
            (one, other) => one == other,
        }
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        match (&self.what, &other.what) {
            (What::Run(one), What::Run(other)) => one.is_apart_from(other),
            (What::Edit(one), What::Edit(other)) => {
                let files = (one_file(one.as_ref()), one_file(other.as_ref()));
                matches!(files, (Some(a), Some(b)) if a != b)
            }
            (What::Run(_), What::Edit(_)) | (What::Edit(_), What::Run(_)) => true,
            (What::List, What::List) => false,
            (What::List, _) | (_, What::List) => true,
            _ => false,
        }
    }
}

/// As sudoers writes it.
impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for digest in &self.digests {
            write!(f, "{digest} ")?;
        }
        match &self.what {
            What::All => f.write_str("ALL"),
            What::Edit(None) => f.write_str("sudoedit"),
            What::Edit(Some(files)) => write!(f, "sudoedit {files}"),
            What::List => f.write_str("list"),
            What::Other(text) => f.write_str(text),
            What::Run(run) => match &run.arguments {
                Arguments::Any => f.write_str(&run.path),
                Arguments::None => write!(f, "{} \"\"", run.path),
                Arguments::Like(text) | Arguments::Regex(text) => {
                    write!(f, "{} {text}", run.path)
                }
            },
        }
    }
}

/// Whether a pattern holds a wildcard.
pub(super) fn is_wild(text: &str) -> bool {
    tokens(text)
        .iter()
        .any(|token| !matches!(token, Token::Char(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(text: &str) -> Deed {
        Deed::read(text, Vec::new())
    }

    #[test]
    fn one_command_covers_another_where_that_is_sure() {
        for (one, other) in [
            ("ALL", "/usr/bin/id"),
            ("ALL", "sudoedit /etc/hosts"),
            ("/usr/bin/id", "/usr/bin/id -u"),
            ("/usr/bin/id *", "/usr/bin/id"),
            ("/usr/bin/id -u", "/usr/bin/id -u"),
            ("/usr/bin/", "/usr/bin/id"),
            ("sudoedit", "sudoedit /etc/hosts"),
        ] {
            assert!(deed(one).covers(&deed(other)), "{one}, {other}");
        }
        for (one, other) in [
            ("/usr/bin/id", "ALL"),
            ("/usr/bin/id -u", "/usr/bin/id"),
            ("/usr/bin/id \"\"", "/usr/bin/id -u"),
            ("/usr/bin/", "/usr/bin/x/y"),
            ("/usr/bin/", "/usr/bin/*"),
            ("sudoedit /etc/hosts", "sudoedit"),
        ] {
            assert!(!deed(one).covers(&deed(other)), "{one}, {other}");
        }
        let pinned = Deed::read("ALL", vec!["sha256:00".into()]);
        assert!(!pinned.covers(&deed("/usr/bin/id")));
    }

    #[test]
    fn two_commands_are_apart_where_that_is_sure() {
        for (one, other) in [
            ("/usr/bin/id", "/usr/bin/ls"),
            ("/usr/bin/id -u", "/usr/bin/id -g"),
            ("/usr/bin/id \"\"", "/usr/bin/id -u"),
            ("/usr/bin/id", "sudoedit /etc/hosts"),
            ("sudoedit /etc/hosts", "sudoedit /etc/motd"),
        ] {
            assert!(deed(one).is_apart_from(&deed(other)), "{one}, {other}");
        }
        for (one, other) in [
            ("/bin/id", "/usr/bin/id"),
            ("/usr/bin/*", "/usr/bin/id"),
            ("/usr/bin/id -*", "/usr/bin/id -u"),
            ("/usr/bin/", "/usr/bin/id"),
            ("^/usr/bin/.*$", "/usr/bin/id"),
            ("ALL", "sudoedit"),
            ("sudoedit /etc/*", "sudoedit /etc/hosts"),
        ] {
            assert!(!deed(one).is_apart_from(&deed(other)), "{one}, {other}");
        }
    }
}
