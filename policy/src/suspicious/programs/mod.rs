//! Programs that do whatever they are told, and how they come to be told.
//!
//! What is known here is what the programs' own manuals say of running others, and of writing where
//! root's programs read.

mod speakers;
mod workers;

/// Programs of one kind.
pub(super) struct Program {
    /// The names of their files, without a version at the end.
    pub(super) names: &'static [&'static str],
    /// How they lead out; one that a rule leaves open suffices.
    pub(super) ways: &'static [Way],
    /// Whether their options stand before the first other word.
    pub(super) options_end: bool,
    /// Why that is as good as root.
    pub(super) why: &'static str,
    /// What to write instead.
    pub(super) advice: &'static str,
}

/// One way out.
pub(super) struct Way {
    pub(super) when: When,
    pub(super) by: By,
}

/// What does it in the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Another program, which `execs = "deny"` keeps from starting.
    Exec,
    /// The program itself, or a service that it asks.
    Itself,
}

/// What a rule must leave open for it.
pub(super) enum When {
    /// Nothing.
    Always,
    /// It is started with options alone, and asks what to do.
    Alone,
    /// Any further arguments may follow.
    Open,
    /// Some argument is the caller's choice.
    Chosen,
    /// The word that so many others precede, options apart, is the caller's choice.
    Operand(usize),
    /// The last argument can be any file.
    Last,
    /// These words can stand one after another; `X` is the caller's choice.
    Has(&'static str),
    /// One of these verbs can be asked for, and any further arguments may follow.
    Verb(&'static [&'static str]),
    /// None of these options is written out.
    Without(&'static [&'static str]),
    /// One of these verbs can be asked for, or any if there are none, and no `--no-pager`.
    Pages(&'static [&'static str]),
}

impl Program {
    /// Whether a file of this name is one of them: `python3.13` and `vim.basic` are.
    pub(super) fn is_called(&self, name: &[u8]) -> bool {
        let called = |name: &[u8]| self.names.iter().any(|known| known.as_bytes() == name);
        let variant = [
            ".basic",
            ".tiny",
            ".nox",
            ".gtk3",
            ".athena",
            ".openbsd",
            ".traditional",
        ];
        let mut variant = variant
            .iter()
            .filter_map(|end| name.strip_suffix(end.as_bytes()));
        let numbered = |byte: &u8| !(byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        let end = name.iter().rposition(numbered).map_or(0, |last| last + 1);
        called(name) || called(&name[..end]) || variant.any(called)
    }
}

const fn exec(when: When) -> Way {
    Way { when, by: By::Exec }
}

const fn itself(when: When) -> Way {
    Way {
        when,
        by: By::Itself,
    }
}

const NO_MORE: &str = "write the arguments out, without `...` and wildcards";
const NO_PAGER: &str = "write `--no-pager` into the command";

/// Every program that is known to lead out, each kind with its ways.
pub(super) fn all() -> impl Iterator<Item = &'static Program> {
    speakers::PROGRAMS.iter().chain(workers::PROGRAMS)
}
