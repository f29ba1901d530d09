//! Numbers that people and groups of a directory may have.

use std::fmt;
use std::ops::RangeInclusive;

use elevate_protocol::limits::LOWEST_LEAVER;

/// What no setting can allow (systemd.io/UIDS-GIDS): the systems' own accounts; systemd-homed's,
/// dynamic services', nobody's and the 16-bit −1; foreign images' and all above, where programs
/// that take ids for signed numbers see negative ones.
const NEVER: [(RangeInclusive<u32>, &str); 3] = [
    (0..=LOWEST_LEAVER - 1, "the system's own accounts have it"),
    (
        60_001..=65_535,
        "systemd gives it to services, or it is nobody's",
    ),
    (
        2_147_352_576..=u32::MAX,
        "systemd or the kernel keep it for themselves",
    ),
];

/// The ranges of uids and gids that records may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(Vec<RangeInclusive<u32>>);

/// All that is not kept for others. systemd draws containers' ids from 524288 upwards, where the
/// ids of FreeIPA and of Active Directory lie too: those are allowed.
impl Default for Ids {
    fn default() -> Self {
        Ids(vec![LOWEST_LEAVER..=60_000, 65_536..=2_147_352_575])
    }
}

impl Ids {
    /// The ranges that `texts` say, each as `1000-59999`.
    ///
    /// # Errors
    /// What is wrong with the first one that is none, or that holds what no record may have.
    pub fn parse(texts: &[impl AsRef<str>]) -> Result<Self, String> {
        if texts.is_empty() {
            return Err("no range of ids is given".into());
        }
        let ranges = texts.iter().map(|text| range(text.as_ref()));
        Ok(Ids(ranges.collect::<Result<_, _>>()?))
    }

    /// `id` as a `kind` (uid or gid) of a record.
    ///
    /// # Errors
    /// Why it can't be one.
    pub fn check(&self, kind: &str, id: i64) -> Result<u32, String> {
        let refused = |why: &str| Err(format!("its {kind} {id} is not allowed: {why}"));
        let Ok(number) = u32::try_from(id) else {
            return refused("it is no number of 32 bits");
        };
        if let Some((_, why)) = NEVER.iter().find(|(range, _)| range.contains(&number)) {
            return refused(why);
        }
        if !self.0.iter().any(|range| range.contains(&number)) {
            return refused(&format!("`directory.ids` (elevated.toml) allows {self}"));
        }
        Ok(number)
    }
}

/// As in the settings.
impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}-{}", range.start(), range.end())?;
        }
        Ok(())
    }
}

fn range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let bounds = text.split_once('-').and_then(|(first, last)| {
        let number = |text: &str| text.trim().parse::<u32>().ok();
        Some(number(first)?..=number(last)?)
    });
    let range = bounds
        .filter(|range| !range.is_empty())
        .ok_or_else(|| format!("\"{text}\" is no range of ids such as \"1000-60000\""))?;
    let meets =
        |never: &RangeInclusive<u32>| range.start() <= never.end() && never.start() <= range.end();
    match NEVER.iter().find(|(never, _)| meets(never)) {
        Some((never, why)) => Err(format!(
            "\"{text}\" holds ids from {} to {}, which no record may have: {why}",
            never.start(),
            never.end()
        )),
        None => Ok(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_system_and_of_nobody_are_never_allowed() {
        let ids = Ids::default();
        let edges = [
            i64::MIN,
            -1,
            0,
            1,
            999,
            60_001,
            61_184,
            65_534,
            65_535,
            2_147_352_576,
            2_147_483_647,
            2_147_483_648,
            4_294_967_294,
            4_294_967_295,
            4_294_967_296,
            i64::MAX,
        ];
        for id in edges {
            assert!(ids.check("uid", id).is_err(), "{id}");
        }
        for id in [1000, 5001, 60_000, 65_536, 1_234_800_001, 2_147_352_575] {
            assert_eq!(ids.check("uid", id), Ok(id as u32));
        }
    }

    #[test]
    fn a_setting_narrows_and_never_widens() {
        let ids = Ids::parse(&["5000-5999", "7000-7000"]).unwrap();
        assert_eq!(ids.check("gid", 7000), Ok(7000));
        let error = ids.check("gid", 6000).unwrap_err();
        assert!(error.contains("5000-5999, 7000-7000"), "{error}");
        for wrong in [
            "",
            "5",
            "9-5",
            "0-5",
            "500-2000",
            "1000-70000",
            "a-b",
            "1000-4294967296",
        ] {
            assert!(Ids::parse(&[wrong]).is_err(), "{wrong}");
        }
        assert!(Ids::parse(&[""; 0]).is_err());
    }
}
