//! `/etc/elevate/elevated.toml`.

use std::path::Path;
use std::time::Duration;

use elevate_policy::{Mfa, Source};
use elevate_protocol::limits::WARNINGS;
use elevate_protocol::paths::RECORDED_SHELL;
use serde::Deserialize;

use crate::identity::{self, DirectorySettings};
use crate::last_good::LastGood;
use crate::trusted;

/// The settings, with their defaults where the file is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a request waits for its approvals; 1 s to 24 h.
    pub request_timeout: Duration,
    /// Folders for bare command names.
    pub secure_path: String,
    /// What a session gets that names no time, where its rule has no `limit`; 1 s to `limit_max`.
    pub limit_default: Duration,
    /// The most it may ask for there; 1 s to 24 h.
    pub limit_max: Duration,
    /// The second factor of a vote; 1 s to 24 h old, or a code each time.
    pub vote_mfa: Mfa,
    /// The shell of people whose account names the one that records logins; absolute.
    pub login_shell: String,
    /// How long before its end a session's person is told, the longest first; at most
    /// [`WARNINGS`], 1 s to 24 h each.
    pub warnings: Vec<Duration>,
    /// What the host makes of its directory.
    pub directory: DirectorySettings,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            request_timeout: Duration::from_secs(15 * 60),
            secure_path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into(),
            limit_default: Duration::from_secs(15 * 60),
            limit_max: Duration::from_secs(8 * 60 * 60),
            vote_mfa: Mfa::Within(Duration::from_secs(15 * 60)),
            login_shell: "/bin/bash".into(),
            warnings: vec![Duration::from_secs(120), Duration::from_secs(30)],
            directory: DirectorySettings::default(),
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const KEYS: [&str; 6] = [
    "login_shell",
    "request_timeout",
    "secure_path",
    "limit",
    "vote_mfa",
    "directory",
];
const LIMIT_KEYS: [&str; 3] = ["default", "max", "warnings"];

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Written {
    request_timeout: Option<toml::Spanned<String>>,
    secure_path: Option<toml::Spanned<String>>,
    vote_mfa: Option<toml::Spanned<String>>,
    login_shell: Option<toml::Spanned<String>>,
    limit: WrittenLimit,
    directory: identity::settings::Written,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenLimit {
    default: Option<toml::Spanned<String>>,
    max: Option<toml::Spanned<String>>,
    warnings: Option<Vec<toml::Spanned<String>>>,
}

/// The settings in `path`, or the defaults where there is no such file. Where it can't be believed,
/// the settings of the last good one, and why: file, line and what is wrong.
///
/// # Errors
/// Why the file can't be believed, where there was no good one before it.
pub fn load(path: &Path, last_good: &LastGood) -> Result<(Settings, Option<String>), String> {
    let problem = match read(path) {
        Ok((settings, source)) => {
            if let Err(error) = last_good.keep(source.as_slice()) {
                eprintln!("a start with broken settings would find no good ones: {error}");
            }
            return Ok((settings, None));
        }
        Err(problem) => problem,
    };
    let kept = last_good.take().and_then(|sources| match &sources[..] {
        [] => Some(Settings::default()),
        [source, ..] => parse(&source.name, &source.text).ok(),
    });
    match kept {
        Some(settings) => Ok((settings, Some(problem))),
        None => Err(problem),
    }
}

/// The settings, and the file they are from, where there is one.
fn read(path: &Path) -> Result<(Settings, Option<Source>), String> {
    let name = path.display().to_string();
    match trusted::read(path) {
        Ok(text) => parse(&name, &text).map(|settings| (settings, Some(Source { name, text }))),
        Err(trusted::Untrusted::Io { error, .. })
            if error.kind() == std::io::ErrorKind::NotFound =>
        {
            Ok((Settings::default(), None))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// The settings that `text` says; `name` is the file's name for messages.
pub fn parse(name: &str, text: &str) -> Result<Settings, String> {
    let at = |offset: usize| {
        let before = &text[..offset.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("{name}:{line}:{column}")
    };
    let written: Written = toml::from_str(text).map_err(|error| {
        let place = at(error.span().map_or(0, |span| span.start));
        format!(
            "{place}: {}{}",
            error.message(),
            suggestion(text, error.span())
        )
    })?;
    let defaults = Settings::default();
    let duration = |field: Option<toml::Spanned<String>>, default: Duration| match field {
        None => Ok(default),
        Some(value) => parse_duration(value.get_ref())
            .map_err(|why| format!("{}: {why}", at(value.span().start))),
    };
    let warnings = match written.limit.warnings {
        None => defaults.warnings,
        Some(words) => read_warnings(&words, at)?,
    };
    let settings = Settings {
        warnings,
        login_shell: match written.login_shell {
            None => defaults.login_shell,
            Some(path) if is_shell(path.get_ref()) => path.into_inner(),
            Some(path) => {
                let place = at(path.span().start);
                return Err(format!(
                    "{place}: `login_shell` is the absolute path of a shell, and not {RECORDED_SHELL}"
                ));
            }
        },
        request_timeout: duration(written.request_timeout, defaults.request_timeout)?,
        limit_default: duration(written.limit.default, defaults.limit_default)?,
        limit_max: duration(written.limit.max, defaults.limit_max)?,
        directory: written.directory.read(at)?,
        vote_mfa: match written.vote_mfa {
            Some(word) if word.get_ref() == "always" => Mfa::Always,
            Some(age) => {
                let place = at(age.span().start);
                let parsed = parse_duration(age.get_ref()).map(Mfa::Within);
                parsed.map_err(|why| format!("{place}: {why}; or write \"always\""))?
            }
            None => defaults.vote_mfa,
        },
        secure_path: match written.secure_path {
            None => defaults.secure_path,
            Some(path)
                if path
                    .get_ref()
                    .split(':')
                    .all(|folder| folder.starts_with('/')) =>
            {
                path.into_inner()
            }
            Some(path) => {
                let place = at(path.span().start);
                return Err(format!(
                    "{place}: `secure_path` holds a folder that is not absolute"
                ));
            }
        },
    };
    if settings.limit_default > settings.limit_max {
        return Err(format!(
            "{name}: `limit.default` is longer than `limit.max`"
        ));
    }
    Ok(settings)
}

fn is_shell(path: &str) -> bool {
    path.starts_with('/') && path != RECORDED_SHELL && !path.contains(['\0', '\n', ':'])
}

/// The longest first.
fn read_warnings(
    words: &[toml::Spanned<String>],
    at: impl Fn(usize) -> String,
) -> Result<Vec<Duration>, String> {
    if let Some(word) = words.get(WARNINGS) {
        let place = at(word.span().start);
        return Err(format!("{place}: at most {WARNINGS} warnings (WARNINGS)"));
    }
    let parsed = words.iter().map(|word| {
        let place = || at(word.span().start);
        parse_duration(word.get_ref()).map_err(|why| format!("{}: {why}", place()))
    });
    let mut warnings = parsed.collect::<Result<Vec<_>, _>>()?;
    warnings.sort_unstable_by(|one, other| other.cmp(one));
    warnings.dedup();
    Ok(warnings)
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{text}\" is no duration such as \"15m\", from 1s to 24h");
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let duration = Duration::try_from(parsed).map_err(|_| wrong())?;
    if (Duration::from_secs(1)..=DAY).contains(&duration) {
        Ok(duration)
    } else {
        Err(wrong())
    }
}

/// The key that was probably meant by an unknown one.
fn suggestion(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let Some(word) = span.and_then(|span| text.get(span)) else {
        return String::new();
    };
    let known = KEYS
        .into_iter()
        .chain(LIMIT_KEYS)
        .chain(identity::settings::KEYS);
    let near = known
        .map(|key| (strsim::damerau_levenshtein(key, word), key))
        .filter(|(distance, key)| *distance > 0 && *distance <= key.len() / 2)
        .min();
    near.map_or_else(String::new, |(_, key)| format!(" (did you mean `{key}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_says_the_defaults() {
        let shipped = include_str!("../../packaging/config/elevated.toml");
        assert_eq!(parse("elevated.toml", shipped), Ok(Settings::default()));
        let spoken: String = shipped
            .lines()
            .map(|line| {
                if line.contains(" = ") {
                    line.trim_start_matches('#')
                } else {
                    line
                }
            })
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(parse("elevated.toml", &spoken), Ok(Settings::default()));
    }

    #[test]
    fn a_wrong_word_is_named_with_its_line_and_the_likely_right_one() {
        let error = parse("elevated.toml", "\nrequest_timout = \"1m\"\n").unwrap_err();
        assert!(
            error.starts_with("elevated.toml:2:1: unknown field `request_timout`"),
            "{error}"
        );
        assert!(
            error.ends_with("(did you mean `request_timeout`?)"),
            "{error}"
        );
    }

    #[test]
    fn times_out_of_range_are_refused() {
        for wrong in ["0s", "25h", "5", "-1m", "soon"] {
            let error = parse("f", &format!("request_timeout = \"{wrong}\"")).unwrap_err();
            assert!(error.starts_with("f:1:19: "), "{error}");
        }
    }

    #[test]
    fn a_vote_owes_a_factor_whatever_is_written() {
        let mfa = |text: &str| parse("f", &format!("vote_mfa = {text}")).map(|it| it.vote_mfa);
        assert_eq!(mfa("\"always\""), Ok(Mfa::Always));
        assert_eq!(mfa("\"1h\""), Ok(Mfa::Within(Duration::from_secs(3600))));
        for wrong in [
            "\"\"",
            "\"0s\"",
            "\"never\"",
            "\"none\"",
            "\"25h\"",
            "false",
            "0",
        ] {
            let error = mfa(wrong).unwrap_err();
            assert!(error.starts_with("f:1:12: "), "{error}");
        }
    }

    #[test]
    fn the_shell_behind_the_recorded_one_is_another() {
        for wrong in ["bash", RECORDED_SHELL, "/bin/sh:"] {
            let error = parse("f", &format!("login_shell = \"{wrong}\"")).unwrap_err();
            assert!(error.starts_with("f:1:15: `login_shell`"), "{error}");
        }
    }

    #[test]
    fn warnings_are_told_from_the_longest_on() {
        let warnings = |text: &str| {
            parse("f", &format!("[limit]\nwarnings = {text}")).map(|settings| settings.warnings)
        };
        let seconds = |all: &[u64]| all.iter().copied().map(Duration::from_secs).collect();
        assert_eq!(warnings(r#"["10s", "5m", "10s"]"#), Ok(seconds(&[300, 10])));
        assert_eq!(warnings("[]"), Ok(seconds(&[])));
        assert!(warnings(r#"["0s"]"#).unwrap_err().starts_with("f:2:13: "));
        let many = format!("[{}]", [r#""1m""#; WARNINGS + 1].join(", "));
        assert!(warnings(&many).unwrap_err().ends_with("(WARNINGS)"));
    }

    #[test]
    fn a_relative_folder_in_the_search_path_is_refused() {
        assert!(parse("f", "secure_path = \"/bin:.\"").is_err());
    }
}
