//! A command of sudoers in the words of our language.
//!
//! What is allowed matches what sudo's entry does, or less; what is denied, or more.

use super::deed::{Arguments, Deed, Run, What, is_wild};
use super::glob::{Token, literal, tokens, wide_word, word, words};

/// What a path leads to on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// With the links of its folder followed.
    pub(super) file: String,
    /// With every link followed.
    pub(super) real: String,
}

/// Finds what an absolute path leads to; `None` is nothing.
pub(super) type Files<'a> = dyn Fn(&str) -> Option<Found> + 'a;

/// Which way a pattern may differ from sudo's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    /// It matches no more: an allow.
    Narrow,
    /// It matches no less: a deny.
    Wide,
}

impl Width {
    fn say(self, tokens: &[Token]) -> Option<String> {
        match self {
            Self::Narrow => word(tokens),
            Self::Wide => wide_word(tokens),
        }
    }
}

/// Entries of `commands` and `edit`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) commands: Vec<String>,
    pub(super) edit: Vec<String>,
    /// Why it is narrower than sudo's.
    pub(super) narrowed: Option<String>,
}

impl Said {
    fn command(text: String) -> Self {
        Self {
            commands: vec![text],
            ..Self::default()
        }
    }

    fn edit(path: String) -> Self {
        Self {
            edit: vec![path],
            ..Self::default()
        }
    }

    fn narrowed(self, why: &str) -> Self {
        Self {
            narrowed: Some(why.to_owned()),
            ..self
        }
    }
}

const ANY_FILE: &str = "/**";
const ONE_OF_SEVERAL: &str = "`?` and `[…]` have no word here";
const STEPS: &str = "a path with `.` or `..` in it is none here; write where it leads";

/// What a deed is called in a rule that allows it, or why it can't be said.
pub(super) fn allow(deed: &Deed, files: &Files<'_>) -> Result<Said, String> {
    if !deed.digests.is_empty() {
        return allow_pinned(deed, files);
    }
    match &deed.what {
        What::All => Ok(Said {
            commands: vec!["ALL".into()],
            ..Said::edit(ANY_FILE.into())
        }),
        What::Edit(None) => Ok(Said::edit(ANY_FILE.into())),
        What::Edit(Some(text)) => allow_edit(text, files),
        What::List => Err("what others may is told to root and auditors alone".into()),
        What::Other(_) => Err("it is no path, and regular expressions have no words here".into()),
        What::Run(run) => allow_run(run, files),
    }
}

/// A command whose file has one of these hashes: an entry to each.
fn allow_pinned(deed: &Deed, files: &Files<'_>) -> Result<Said, String> {
    let What::Run(run) = &deed.what else {
        return Err("a hash is of one file here, and of commands by their path".into());
    };
    let said = allow_run(run, files)?;
    let hashes = deed.digests.iter().map(|digest| {
        let hash = digest.strip_prefix("sha256:")?.to_ascii_lowercase();
        let whole = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        whole.then_some(hash)
    });
    let hashes: Option<Vec<_>> = hashes.collect();
    let hashes = hashes.ok_or("a file is known by sha256 in hexadecimal alone here")?;
    let each = hashes.iter().flat_map(|hash| {
        let commands = said.commands.iter();
        commands.map(move |command| format!("sha256:{hash} {command}"))
    });
    Ok(Said {
        commands: each.collect(),
        ..said
    })
}

fn allow_edit(text: &str, files: &Files<'_>) -> Result<Said, String> {
    let path = tokens(text);
    if words(&path).count() > 1 {
        return Err("sudo wants these files edited together, in this order".into());
    }
    match literal(&path) {
        Some(plain) => {
            let found = files(&plain);
            if found.as_ref().is_some_and(|found| found.file != found.real) {
                return Err("it is a link, and no link is edited".into());
            }
            let plain = cleaned(&found.map_or(plain, |found| found.file))?;
            Ok(Said::edit(said_path(&plain)?))
        }
        None => Ok(Said::edit(
            wild_path(text, files, Width::Narrow).ok_or(ONE_OF_SEVERAL)?,
        )),
    }
}

fn allow_run(run: &Run, files: &Files<'_>) -> Result<Said, String> {
    let path = match run.folder() {
        Some(_) if run.arguments != Arguments::Any => {
            return Err("a folder has no arguments".into());
        }
        Some(folder) => whole_folder(folder, files, Width::Narrow).ok_or(ONE_OF_SEVERAL)?,
        None if is_wild(&run.path) => {
            wild_path(&run.path, files, Width::Narrow).ok_or(ONE_OF_SEVERAL)?
        }
        None => {
            let plain = literal(&tokens(&run.path)).unwrap_or_default();
            let plain = files(&plain).map_or(plain, |found| found.file);
            said_path(&cleaned(&plain)?)?
        }
    };
    match &run.arguments {
        Arguments::Any => Ok(Said::command(format!("{path} ..."))),
        Arguments::None => Ok(Said::command(path)),
        Arguments::Regex(_) => Err("regular expressions have no words here".into()),
        Arguments::Like(text) => {
            let tokens = tokens(text);
            let said: Option<Vec<_>> = words(&tokens).map(word).collect();
            let said = said.ok_or(ONE_OF_SEVERAL)?.join(" ");
            let said = Said::command(format!("{path} {said}"));
            Ok(match literal(&tokens) {
                Some(_) => said,
                None => said.narrowed(
                    "`*` stands within one argument here, and for no `/`; `**` crosses folders, \
                     and `...` at the end is any further arguments",
                ),
            })
        }
    }
}

/// What a deed is called in a rule that denies it; `None` where it can't be said.
pub(super) fn deny(deed: &Deed, files: &Files<'_>) -> Option<Said> {
    let said = match &deed.what {
        What::All => Said::command("ALL".into()),
        What::Edit(None) => Said::edit(ANY_FILE.into()),
        What::Edit(Some(text)) => deny_edit(text, files),
        What::List => Said::default(),
        What::Other(_) => return None,
        What::Run(run) => deny_run(run, files)?,
    };
    Some(match deed.digests.is_empty() {
        true => said,
        false => said.narrowed("denied whatever the file's digest"),
    })
}

fn deny_edit(text: &str, files: &Files<'_>) -> Said {
    let all = tokens(text);
    let first = words(&all).next().unwrap_or_default();
    let said = match literal(first) {
        Some(plain) => {
            let real = files(&plain).map_or(plain, |found| found.real);
            cleaned(&real).and_then(|real| said_path(&real)).ok()
        }
        None => Some(text)
            .filter(|_| first.len() == all.len())
            .and_then(|text| wild_path(text, files, Width::Wide)),
    };
    let exact = first.len() == all.len() && !all.contains(&Token::One);
    match said {
        Some(path) if exact => Said::edit(path),
        Some(path) => Said::edit(path).narrowed("denied whatever else is edited with it"),
        None => Said::edit(ANY_FILE.into()).narrowed("no edit can be told apart from this one"),
    }
}

fn deny_run(run: &Run, files: &Files<'_>) -> Option<Said> {
    let (path, narrowed) = match run.folder() {
        Some(folder) => (whole_folder(folder, files, Width::Wide)?, None),
        None if is_wild(&run.path) => {
            let exact = !tokens(&run.path).contains(&Token::One);
            let why = "`?` and `[…]` are any number of any characters here";
            (
                wild_path(&run.path, files, Width::Wide)?,
                (!exact).then_some(why),
            )
        }
        None => denied_file(&run.path, files)?,
    };
    let (commands, wider) = denied_arguments(&path, &run.arguments);
    let narrowed = narrowed.or(wider.then_some("denied with more arguments than those"));
    Some(Said {
        commands,
        edit: Vec::new(),
        narrowed: narrowed.map(str::to_owned),
    })
}

fn denied_file<'w>(path: &str, files: &Files<'_>) -> Option<(String, Option<&'w str>)> {
    let plain = literal(&tokens(path))?;
    let Some(found) = files(&plain) else {
        return Some((said_path(&cleaned(&plain).ok()?).ok()?, None));
    };
    let link = found.file != found.real;
    let why = "it is a link here, and the file that it leads to is denied by all its names";
    Some((said_path(&found.real).ok()?, link.then_some(why)))
}

/// The commands of a deny, and whether they forbid more than sudo does.
///
/// sudo compares all arguments as one text, and so denies `a b` as two arguments and as one.
fn denied_arguments(path: &str, arguments: &Arguments) -> (Vec<String>, bool) {
    let any = || vec![format!("{path} ...")];
    let text = match arguments {
        Arguments::Any => return (any(), false),
        Arguments::None => return (vec![path.to_owned()], false),
        Arguments::Regex(_) => return (any(), true),
        Arguments::Like(text) => tokens(text),
    };
    if literal(&text).is_some()
        && let Some(all) = groupings(&text)
    {
        return (
            all.iter().map(|words| format!("{path} {words}")).collect(),
            false,
        );
    }
    // The first argument at least begins so.
    let until = |end: fn(&Token) -> bool| text.iter().take_while(move |one| !end(one));
    let first: Vec<_> = until(|one| matches!(one, Token::Star | Token::One | Token::Char(' ')))
        .copied()
        .collect();
    match word(&first).filter(|word| !first.is_empty() && !word.contains("..")) {
        Some(first) => (vec![format!("{path} {first}** ...")], true),
        None => (any(), true),
    }
}

/// The words with a space between, and the same with some of the spaces as part of an argument; `None`
/// where there are too many ways.
fn groupings(text: &[Token]) -> Option<Vec<String>> {
    const MOST_WORDS: usize = 4;
    let words: Vec<_> = words(text).collect();
    if words.len() > MOST_WORDS {
        return None;
    }
    let gaps = words.len() - 1;
    let grouped = |ways: usize| {
        let mut arguments: Vec<Vec<Token>> = vec![words[0].to_vec()];
        for (gap, next) in words[1..].iter().enumerate() {
            match arguments.last_mut().filter(|_| ways & (1 << gap) != 0) {
                Some(last) => {
                    last.push(Token::Char(' '));
                    last.extend(*next);
                }
                None => arguments.push(next.to_vec()),
            }
        }
        let said: Option<Vec<_>> = arguments.iter().map(|one| word(one)).collect();
        said.map(|said| said.join(" "))
    };
    (0..1 << gaps).map(grouped).collect()
}

/// A path of which the last part alone may hold wildcards: all in its folder, as that is called here.
fn wild_path(path: &str, files: &Files<'_>, width: Width) -> Option<String> {
    let (folder, name) = path.rsplit_once('/')?;
    let name = width.say(&tokens(name))?;
    match literal(&tokens(folder)) {
        Some(plain) => {
            let real = files(&plain).map_or(plain, |found| found.real);
            Some(format!("{}/{name}", said_folder(&real)?))
        }
        // Links among such folders would be missed by a deny, which must not miss any.
        None if width == Width::Wide => Some(format!("/**/{name}")),
        None => {
            let folder = width.say(&tokens(folder))?;
            cleaned(&folder)
                .ok()
                .map(|folder| format!("{folder}/{name}"))
        }
    }
}

fn whole_folder(folder: &str, files: &Files<'_>, width: Width) -> Option<String> {
    wild_path(&format!("{folder}/*"), files, width)
}

fn said_folder(path: &str) -> Option<String> {
    match path.trim_end_matches('/') {
        "" => Some(String::new()),
        path => said_path(&cleaned(path).ok()?).ok(),
    }
}

fn said_path(path: &str) -> Result<String, String> {
    let plain: Vec<_> = path.chars().map(Token::Char).collect();
    word(&plain).ok_or_else(|| STEPS.into())
}

/// A path without empty parts.
fn cleaned(path: &str) -> Result<String, String> {
    let Some(path) = path.strip_prefix('/') else {
        return Err("it is no whole path".into());
    };
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.iter().any(|part| matches!(*part, "." | "..")) {
        true => Err(STEPS.into()),
        false => Ok(format!("/{}", parts.join("/"))),
    }
}
