//! The table `[directory]` of the settings.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::directory::{Rules, check_path};
use super::ids::Ids;

/// The shortest and the longest that records may count without a directory. A lost connection is
/// noticed within 15 s; a longer time than a month is none.
const CACHE_MAX_AGE: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(30)..=Duration::from_secs(30 * 24 * 60 * 60);

/// What a host makes of its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectorySettings {
    /// How long records count after the directory was last reached; 30 s to 30 days.
    pub cache_max_age: Duration,
    /// What every record is checked against.
    pub rules: Rules,
}

impl Default for DirectorySettings {
    fn default() -> Self {
        DirectorySettings {
            cache_max_age: Duration::from_secs(3 * 24 * 60 * 60),
            rules: Rules::default(),
        }
    }
}

/// The table as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    cache_max_age: Option<Spanned<String>>,
    ids: Option<Spanned<Vec<String>>>,
    default_shell: Option<Spanned<String>>,
}

/// Its keys.
pub(crate) const KEYS: [&str; 3] = ["cache_max_age", "ids", "default_shell"];

impl Written {
    /// What it says; `at` tells the place of an offset in the file.
    pub(crate) fn read(self, at: impl Fn(usize) -> String) -> Result<DirectorySettings, String> {
        let mut settings = DirectorySettings::default();
        if let Some(written) = self.cache_max_age {
            let age = max_age(written.get_ref());
            settings.cache_max_age =
                age.map_err(|why| format!("{}: {why}", at(written.span().start)))?;
        }
        if let Some(written) = self.ids {
            let ids = Ids::parse(written.get_ref());
            settings.rules.ids =
                ids.map_err(|why| format!("{}: {why}", at(written.span().start)))?;
        }
        if let Some(written) = self.default_shell {
            if let Err(why) = check_path(written.get_ref()) {
                return Err(format!(
                    "{}: `default_shell` {why}",
                    at(written.span().start)
                ));
            }
            settings.rules.default_shell = written.into_inner();
        }
        Ok(settings)
    }
}

fn max_age(text: &str) -> Result<Duration, String> {
    let day = |text: &str| {
        Some(Duration::from_secs(
            text.strip_suffix('d')?.trim().parse::<u32>().ok()? as u64 * 86400,
        ))
    };
    let parsed = day(text).or_else(|| {
        let parsed: jiff::SignedDuration = text.parse().ok()?;
        Duration::try_from(parsed).ok()
    });
    let fits = parsed.filter(|age| CACHE_MAX_AGE.contains(age));
    fits.ok_or_else(|| {
        format!("\"{text}\" is no duration such as \"3d\" or \"12h\", from 30s to 30d")
    })
}

#[cfg(test)]
mod tests {
    use crate::settings::parse;
    use std::time::Duration;

    #[test]
    fn the_age_of_the_cache_is_days_or_less_and_never_unlimited() {
        let age = |text: &str| {
            let parsed = parse("f", &format!("[directory]\ncache_max_age = \"{text}\""));
            parsed.map(|settings| settings.directory.cache_max_age)
        };
        assert_eq!(age("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(age("3d"), Ok(Duration::from_secs(3 * 86400)));
        assert_eq!(age("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(age("720h"), Ok(Duration::from_secs(30 * 86400)));
        for wrong in [
            "29s",
            "31d",
            "0",
            "0s",
            "never",
            "-1d",
            "",
            "d",
            "4294967296d",
        ] {
            let error = age(wrong).unwrap_err();
            assert!(error.starts_with("f:2:17: "), "{error}");
        }
    }

    #[test]
    fn ids_and_shell_are_checked_where_they_stand() {
        let parse = |text: &str| parse("f", &format!("[directory]\n{text}"));
        let good = parse("ids = [\"5000-6999\"]\ndefault_shell = \"/bin/sh\"").unwrap();
        assert_eq!(good.directory.rules.default_shell, "/bin/sh");
        assert!(good.directory.rules.ids.check("uid", 4999).is_err());
        let error = parse("ids = [\"0-6999\"]").unwrap_err();
        assert!(error.starts_with("f:2:7: \"0-6999\" holds ids"), "{error}");
        let error = parse("default_shell = \"sh\"").unwrap_err();
        assert!(
            error.starts_with("f:2:17: `default_shell` is no absolute"),
            "{error}"
        );
        let error = parse("cache_max_ago = \"1h\"").unwrap_err();
        assert!(
            error.ends_with("(did you mean `cache_max_age`?)"),
            "{error}"
        );
    }
}
