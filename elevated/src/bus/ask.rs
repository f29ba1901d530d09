//! The `a{sv}` of `Manager.Elevate`, read within its limits.

use std::collections::HashMap;
use std::time::Duration;

use elevate_protocol::bus::ask;
use elevate_protocol::limits::{
    ARGV_BYTES, ARGV_WORDS, EDIT_FILES, ENVIRONMENT_BYTES, ENVIRONMENT_VARIABLES, NAME_BYTES,
    PATH_BYTES, REASON_BYTES,
};
use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::{Window, harmless, kept_by_default};
use elevate_protocol::{Bytes, ErrorName};
use zbus::OwnedVariant;

use crate::conversation::{Ask, Mode, Refusal};

/// The fields of a call.
pub(super) type Fields = HashMap<String, OwnedVariant>;

/// The longest duration that can be named; policies allow less.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What `fields` ask for; a key that is not known is refused.
pub(super) fn read(mut fields: Fields) -> Result<Ask, Refusal> {
    let mode = mode(
        take(&mut fields, ask::SHELL)?,
        take(&mut fields, ask::EDIT)?,
    )?;
    let argv = take(&mut fields, ask::ARGV)?.unwrap_or_default();
    let ask = Ask {
        argv: words(argv, mode)?,
        mode,
        user: name(&mut fields, ask::USER)?,
        group: name(&mut fields, ask::GROUP)?,
        cwd: cwd(take(&mut fields, ask::CWD)?)?,
        environment: environment(take(&mut fields, ask::ENVIRONMENT)?.unwrap_or_default())?,
        set: set(take(&mut fields, ask::SET)?.unwrap_or_default())?,
        preserve: take(&mut fields, ask::PRESERVE)?.unwrap_or_default(),
        forget: take(&mut fields, ask::FORGET)?.unwrap_or_default(),
        umask: take(&mut fields, ask::UMASK)?.unwrap_or_default(),
        answers: take(&mut fields, ask::ANSWERS)?.unwrap_or_default(),
        reason: reason(&mut fields, ask::REASON)?,
        ticket: reason(&mut fields, ask::TICKET)?,
        duration: take(&mut fields, ask::DURATION)?
            .map(duration)
            .transpose()?,
        rule: name(&mut fields, ask::RULE)?,
        stdio: stdio(take(&mut fields, ask::STDIO)?)?,
        window: take(&mut fields, ask::WINDOW)?
            .map(|(rows, columns): (u16, u16)| Window { rows, columns }),
        non_interactive: take(&mut fields, ask::NON_INTERACTIVE)?.unwrap_or_default(),
    };
    unknown(fields)?;
    Ok(ask)
}

/// Refuse what is left.
pub(super) fn unknown(fields: Fields) -> Result<(), Refusal> {
    match fields.into_keys().min() {
        Some(unknown) => Err(invalid(format!("unknown key `{unknown}`"))),
        None => Ok(()),
    }
}

/// A reason or a ticket, within its limit.
pub(super) fn reason(fields: &mut Fields, key: &str) -> Result<Option<String>, Refusal> {
    text(fields, key, "REASON_BYTES", REASON_BYTES)
}

/// The value of `key`, which must be of the right type.
pub(super) fn take<T: TryFrom<OwnedVariant>>(
    fields: &mut Fields,
    key: &str,
) -> Result<Option<T>, Refusal> {
    let value = fields.remove(key).map(T::try_from).transpose();
    value.map_err(|_| invalid(format!("`{key}` has a value of the wrong type")))
}

fn mode(shell: Option<String>, edit: Option<bool>) -> Result<Mode, Refusal> {
    match (shell.as_deref(), edit.unwrap_or_default()) {
        (None, false) => Ok(Mode::Command),
        (None, true) => Ok(Mode::Edit),
        (Some("plain"), false) => Ok(Mode::Shell),
        (Some("login"), false) => Ok(Mode::Login),
        (Some("plain" | "login"), true) => Err(invalid("`shell` and `edit` exclude each other")),
        _ => Err(invalid("`shell` is \"plain\" or \"login\"")),
    }
}

fn words(argv: Vec<Vec<u8>>, mode: Mode) -> Result<Vec<Bytes>, Refusal> {
    let shell = matches!(mode, Mode::Shell | Mode::Login);
    if argv.first().map_or(!shell, Vec::is_empty) {
        return Err(invalid("there is no command"));
    }
    if mode == Mode::Edit {
        files(&argv)?;
    }
    if argv.len() > ARGV_WORDS {
        return Err(limit(
            "ARGV_WORDS",
            ARGV_WORDS,
            "a command has at most so many words",
        ));
    }
    if argv.iter().map(|word| word.len() + 1).sum::<usize>() > ARGV_BYTES {
        return Err(limit(
            "ARGV_BYTES",
            ARGV_BYTES,
            "a command has at most so many bytes",
        ));
    }
    without_nul(argv)
}

fn files(paths: &[Vec<u8>]) -> Result<(), Refusal> {
    if paths.len() > EDIT_FILES {
        let what = "so many files are edited at once at most";
        return Err(limit("EDIT_FILES", EDIT_FILES, what));
    }
    let absolute = |path: &Vec<u8>| path.starts_with(b"/") && path.len() <= PATH_BYTES;
    match paths.iter().all(absolute) {
        true => Ok(()),
        false => Err(invalid(
            "a file to be edited is no absolute path of at most 4096 bytes (PATH_BYTES)",
        )),
    }
}

/// Variables that are to be set; whether they may be, the rule says.
fn set(variables: Vec<Vec<u8>>) -> Result<Vec<Bytes>, Refusal> {
    within(&variables)?;
    let named = |variable: &Vec<u8>| variable.iter().position(|byte| *byte == b'=') > Some(0);
    match variables.iter().all(named) {
        true => without_nul(variables),
        false => Err(invalid("`set` holds what is no NAME=value")),
    }
}

fn within(variables: &[Vec<u8>]) -> Result<(), Refusal> {
    if variables.len() > ENVIRONMENT_VARIABLES {
        let what = "so many variables are kept at most";
        return Err(limit("ENVIRONMENT_VARIABLES", ENVIRONMENT_VARIABLES, what));
    }
    if variables.iter().map(Vec::len).sum::<usize>() > ENVIRONMENT_BYTES {
        let what = "the kept environment has at most so many bytes";
        return Err(limit("ENVIRONMENT_BYTES", ENVIRONMENT_BYTES, what));
    }
    Ok(())
}

fn environment(variables: Vec<Vec<u8>>) -> Result<Vec<Bytes>, Refusal> {
    within(&variables)?;
    let split = |variable: &Vec<u8>| {
        let place = variable.iter().position(|byte| *byte == b'=')?;
        Some((variable[..place].to_vec(), variable[place + 1..].to_vec()))
    };
    let known = |variable| {
        split(variable).is_some_and(|(name, value)| kept_by_default(&name) && harmless(&value))
    };
    if !variables.iter().all(known) {
        return Err(invalid(
            "`environment` holds a variable that is not kept by default, or `/` or `%` in a value",
        ));
    }
    without_nul(variables)
}

fn without_nul(strings: Vec<Vec<u8>>) -> Result<Vec<Bytes>, Refusal> {
    let strings: Vec<Bytes> = strings.into_iter().map(Bytes::from).collect();
    if strings.iter().any(Bytes::has_nul) {
        return Err(invalid(
            "a NUL byte can be neither in a word nor in a variable",
        ));
    }
    Ok(strings)
}

fn cwd(path: Option<Vec<u8>>) -> Result<Bytes, Refusal> {
    let path = Bytes::from(path.unwrap_or_else(|| b"/".to_vec()));
    if !path.starts_with(b"/") || path.has_nul() || path.len() > PATH_BYTES {
        return Err(invalid(
            "`cwd` is no absolute path of at most 4096 bytes (PATH_BYTES)",
        ));
    }
    Ok(path)
}

/// A name, within its limit.
pub(super) fn name(fields: &mut Fields, key: &str) -> Result<Option<String>, Refusal> {
    text(fields, key, "NAME_BYTES", NAME_BYTES)
}

fn text(
    fields: &mut Fields,
    key: &str,
    limit_name: &str,
    longest: usize,
) -> Result<Option<String>, Refusal> {
    let text: Option<String> = take(fields, key)?;
    match text {
        Some(text) if text.len() > longest => Err(limit(
            limit_name,
            longest,
            &format!("`{key}` has at most so many bytes"),
        )),
        Some(text) if text.is_empty() && ![ask::REASON, ask::TICKET].contains(&key) => {
            Err(invalid(format!("`{key}` is empty")))
        }
        other => Ok(other),
    }
}

pub(super) fn duration(millis: u64) -> Result<Duration, Refusal> {
    match Duration::from_millis(millis) {
        duration if duration <= LONGEST => Ok(duration),
        _ => Err(invalid("`duration` is longer than a year")),
    }
}

fn stdio(kinds: Option<Vec<String>>) -> Result<Three<Kind>, Refusal> {
    let Some(kinds) = kinds else {
        return Ok([Kind::Closed; 3]);
    };
    let kinds: Vec<Kind> = kinds
        .into_iter()
        .map(|kind| parse_kind(&kind))
        .collect::<Option<_>>()
        .unwrap_or_default();
    kinds
        .try_into()
        .map_err(|_| invalid("`stdio` is not three kinds of descriptor"))
}

fn parse_kind(text: &str) -> Option<Kind> {
    [
        Kind::Terminal,
        Kind::Pipe,
        Kind::File,
        Kind::Other,
        Kind::Closed,
    ]
    .into_iter()
    .find(|kind| format!("{kind:?}").eq_ignore_ascii_case(text))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(ErrorName::InvalidArgument, message)
}

fn limit(name: &str, value: usize, what: &str) -> Refusal {
    Refusal::new(
        ErrorName::LimitExceeded,
        format!("{what}: {value} ({name})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use zbus::Variant;

    fn fields(pairs: &[(&str, Variant<'_>)]) -> Fields {
        let owned =
            |value: &Variant<'_>| OwnedVariant::try_from(value.try_clone().unwrap()).unwrap();
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), owned(value)))
            .collect()
    }

    fn argv(words: &[&[u8]]) -> Variant<'static> {
        Variant::from(words.iter().map(|word| word.to_vec()).collect::<Vec<_>>())
    }

    fn refused(pairs: &[(&str, Variant<'_>)]) -> String {
        read(fields(pairs)).unwrap_err().message
    }

    #[test]
    fn a_command_is_enough() {
        let ask = read(fields(&[("argv", argv(&[b"id", b"\xff"]))])).unwrap();
        assert_eq!(ask.argv[1].0, b"\xff");
        assert_eq!(ask.cwd, "/".into());
    }

    #[test]
    fn no_command_an_empty_one_or_one_with_nul_is_refused() {
        assert_eq!(refused(&[]), "there is no command");
        assert_eq!(refused(&[("argv", argv(&[]))]), "there is no command");
        assert_eq!(refused(&[("argv", argv(&[b""]))]), "there is no command");
        assert!(refused(&[("argv", argv(&[b"a\0b"]))]).contains("NUL"));
    }

    #[test]
    fn limits_are_named() {
        let long = vec![b'x'; ARGV_BYTES];
        assert!(refused(&[("argv", argv(&[&long]))]).ends_with("(ARGV_BYTES)"));
        let reason = "x".repeat(REASON_BYTES + 1);
        let pairs = [("argv", argv(&[b"id"])), ("reason", Variant::from(reason))];
        assert!(refused(&pairs).ends_with("(REASON_BYTES)"));
    }

    #[test]
    fn a_variable_that_is_not_kept_by_default_is_refused() {
        for bad in ["LD_PRELOAD=x.so", "LANGUAGE=../../tmp", "LC_ALL=%n", "TERM"] {
            let variables = Variant::from(vec![bad.as_bytes().to_vec()]);
            let pairs = [("argv", argv(&[b"id"])), ("environment", variables)];
            assert!(refused(&pairs).contains("not kept"), "{bad}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let pairs = [("argv", argv(&[b"id"])), ("uid", Variant::from(0u32))];
        assert_eq!(refused(&pairs), "unknown key `uid`");
    }
}
