use std::sync::OnceLock;

use super::*;
use proptest::prelude::*;

fn zones() -> TimeZoneDatabase {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    let zones = || TimeZoneDatabase::from_dir("/usr/share/zoneinfo").expect("tzdata is installed");
    ZONES.get_or_init(zones).clone()
}

fn hours(text: &str) -> Hours {
    Hours::parse(text, &zones()).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When the clock of Berlin shows this; 2026-03-29 and 2026-10-25 are the days it is set.
fn berlin(text: &str) -> Timestamp {
    let clock: DateTime = text.parse().unwrap();
    clock.in_tz("Europe/Berlin").unwrap().timestamp()
}

#[track_caller]
fn open_until(text: &str, begin: Timestamp, end: Timestamp) {
    let all = [hours(text)];
    assert!(all[0].contains(begin), "{text} at {begin}");
    assert_eq!(until(&all, begin), Some(end), "{text} at {begin}");
    assert!(!all[0].contains(end), "{text} at {end}");
}

#[test]
fn working_hours_hold_on_working_days_by_the_clock_of_their_zone() {
    let work = hours("Mon..Fri 07:00-20:00 Europe/Berlin");
    // A Monday in winter, when Berlin is an hour ahead of UTC; in summer it is two.
    for (time, open) in [
        ("2026-01-05T05:59:59Z", false),
        ("2026-01-05T06:00:00Z", true),
        ("2026-01-05T18:59:59.999999999Z", true),
        ("2026-01-05T19:00:00Z", false),
        ("2026-07-06T05:00:00Z", true),
        ("2026-07-06T18:00:00Z", false),
        ("2026-01-04T12:00:00Z", false),
        ("2026-01-10T12:00:00Z", false),
    ] {
        assert_eq!(work.contains(at(time)), open, "{time}");
    }
    assert_eq!(
        until(&[work], at("2026-01-09T10:00:00Z")),
        Some(at("2026-01-09T19:00:00Z"))
    );
}

#[test]
fn a_night_belongs_to_the_day_it_begins_on() {
    let night = "Fri 22:00-06:00 Europe/Berlin";
    open_until(
        night,
        berlin("2026-01-09T22:00"),
        berlin("2026-01-10T06:00"),
    );
    open_until(
        night,
        berlin("2026-01-10T05:59"),
        berlin("2026-01-10T06:00"),
    );
    for time in [
        "2026-01-09T05:00",
        "2026-01-09T21:59",
        "2026-01-10T22:00",
        "2026-01-11T01:00",
    ] {
        assert!(!hours(night).contains(berlin(time)), "{time}");
    }
    open_until(
        "Sun 23:00-00:00 UTC",
        at("2026-01-11T23:30:00Z"),
        at("2026-01-12T00:00:00Z"),
    );
    open_until(
        "Sun 23:00-24:00 UTC",
        at("2026-01-11T23:30:00Z"),
        at("2026-01-12T00:00:00Z"),
    );
}

#[test]
fn days_are_listed_and_go_round_the_week() {
    let on = |text: &str| {
        let hours = hours(&format!("{text} 00:00-24:00 UTC"));
        let days = 5..12;
        days.map(|day| hours.contains(at(&format!("2026-01-{day:02}T12:00:00Z"))))
            .map(|open| if open { 'x' } else { '-' })
            .collect::<String>()
    };
    assert_eq!(on("Mon"), "x------");
    assert_eq!(on("Mon,Wed,Sun"), "x-x---x");
    assert_eq!(on("Sat..Mon"), "x----xx");
    assert_eq!(on("Tue..Wed,Fri"), "-xx-x--");
    assert_eq!(on("daily"), "xxxxxxx");
}

#[test]
fn a_time_with_the_hour_that_is_left_out_ends_as_the_clock_shows() {
    // At 02:00 the clock goes to 03:00.
    open_until(
        "Sun 01:00-02:30 Europe/Berlin",
        berlin("2026-03-29T01:30"),
        berlin("2026-03-29T03:00"),
    );
    open_until(
        "Sun 01:00-04:00 Europe/Berlin",
        berlin("2026-03-29T01:30"),
        berlin("2026-03-29T04:00"),
    );
    let skipped = hours("Sun 02:00-03:00 Europe/Berlin");
    let night: Vec<_> = (0..180)
        .map(|m| at("2026-03-29T00:00:00Z") + Span::new().minutes(m))
        .collect();
    assert!(night.iter().all(|minute| !skipped.contains(*minute)));
    // Half a day and its hour less.
    let length = |day: &str| {
        let begin = berlin(&format!("{day}T22:00"));
        until(&[hours("daily 22:00-06:00 Europe/Berlin")], begin)
            .unwrap()
            .duration_since(begin)
    };
    assert_eq!(length("2026-03-28").as_hours(), 7);
    assert_eq!(length("2026-10-24").as_hours(), 9);
    assert_eq!(length("2026-01-05").as_hours(), 8);
}

#[test]
fn an_hour_that_the_clock_shows_twice_counts_twice() {
    // At 03:00 summer time, 01:00 UTC, the clock goes back to 02:00.
    let early = "Sun 01:00-02:30 Europe/Berlin";
    open_until(
        early,
        at("2026-10-24T23:30:00Z"),
        at("2026-10-25T00:30:00Z"),
    );
    open_until(
        early,
        at("2026-10-25T01:10:00Z"),
        at("2026-10-25T01:30:00Z"),
    );
    assert!(!hours(early).contains(at("2026-10-25T00:45:00Z")));
    // It is past 02:30, and then it is not, and then it is again.
    let late = "Sun 02:30-20:00 Europe/Berlin";
    open_until(late, at("2026-10-25T00:45:00Z"), at("2026-10-25T01:00:00Z"));
    open_until(late, at("2026-10-25T01:30:00Z"), berlin("2026-10-25T20:00"));
    open_until(
        "Sun 02:00-03:00 Europe/Berlin",
        at("2026-10-25T00:00:00Z"),
        at("2026-10-25T02:00:00Z"),
    );
}

#[test]
fn several_hours_that_touch_are_one_time() {
    let all = [
        hours("Mon..Fri 07:00-12:00 Europe/Berlin"),
        hours("Mon..Fri 12:00-20:00 Europe/Berlin"),
        hours("Fri 17:00-21:30 UTC"),
    ];
    assert_eq!(
        until(&all, berlin("2026-01-05T08:00")),
        Some(berlin("2026-01-05T20:00"))
    );
    assert_eq!(
        until(&all, berlin("2026-01-09T08:00")),
        Some(at("2026-01-09T21:30:00Z"))
    );
    let workdays = [hours("Mon..Fri 00:00-24:00 Europe/Berlin")];
    assert_eq!(
        until(&workdays, berlin("2026-01-06T08:00")),
        Some(berlin("2026-01-10T00:00"))
    );
    for time in ["2026-01-05T08:00", "2026-03-28T08:00", "2026-10-24T08:00"] {
        assert_eq!(
            until(&[hours("daily 00:00-24:00 Europe/Berlin")], berlin(time)),
            None
        );
    }
    assert_eq!(
        until(&all, berlin("2026-01-10T08:00")),
        Some(berlin("2026-01-10T08:00"))
    );
    assert_eq!(
        until(&[], at("2026-01-10T08:00:00Z")),
        Some(at("2026-01-10T08:00:00Z"))
    );
}

#[test]
fn at_the_ends_of_time_nothing_breaks() {
    for time in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
        for text in [
            "daily 00:00-24:00 Asia/Kathmandu",
            "daily 23:00-01:00 UTC",
            "Mon 00:00-00:01 UTC",
        ] {
            let all = [hours(text)];
            let _ = (all[0].contains(time), until(&all, time));
        }
    }
}

#[test]
fn what_is_no_time_is_refused_and_told_how_it_is_written() {
    let wrong = |text: &str| Hours::parse(text, &zones()).unwrap_err();
    for (text, what, suggestion) in [
        ("", "it takes days, times and a time zone", None),
        ("Mon..Fri", "it takes days, times and a time zone", None),
        ("Mon..Fri 07:00-20:00", "the time zone is missing", None),
        ("07:00-20:00 Europe/Berlin", "the days are missing", None),
        ("Mon to Fri 07:00-20:00 UTC", "it takes days, times", None),
        ("Monday 07:00-20:00 UTC", "`Monday` is no day", Some("Mon")),
        ("mon..Fri 07:00-20:00 UTC", "`mon` is no day", Some("Mon")),
        (
            "Mon-Fri 07:00-20:00 UTC",
            "`Mon-Fri` is no day",
            Some("Mon"),
        ),
        ("Mon.. 07:00-20:00 UTC", "`` is no day", None),
        ("dayly 07:00-20:00 UTC", "`dayly` is no day", Some("daily")),
        ("Mon,,Tue 07:00-20:00 UTC", "`` is no day", None),
        (
            "daily 7:00-20:00 UTC",
            "times are from 00:00 to 24:00",
            None,
        ),
        ("daily 07:00 UTC", "times are from", None),
        ("daily 07:00-24:01 UTC", "times are from", None),
        ("daily 07:60-24:00 UTC", "times are from", None),
        ("daily +7:00-24:00 UTC", "times are from", None),
        ("daily 07:00:00-24:00 UTC", "times are from", None),
        ("daily 24:00-24:00 UTC", "a day begins at 00:00", None),
        ("daily 07:00-07:00 UTC", "the time is empty", None),
        (
            "daily 07:00-20:00 Europe/Berlni",
            "unknown time zone `Europe/Berlni`",
            Some("Europe/Berlin"),
        ),
        (
            "daily 07:00-20:00 localtime",
            "unknown time zone `localtime`",
            None,
        ),
        ("daily 07:00-20:00 Etc/Unknown", "unknown time zone", None),
        (
            "daily 07:00-20:00 ../../etc/passwd",
            "unknown time zone",
            None,
        ),
        ("daily 07:00-20:00 +02:00", "unknown time zone", None),
    ] {
        let wrong = wrong(text);
        assert!(wrong.what.contains(what), "{text}: {}", wrong.what);
        if suggestion.is_some() {
            assert_eq!(wrong.suggestion.as_deref(), suggestion, "{text}");
        }
    }
    let nowhere = TimeZoneDatabase::none();
    let wrong = Hours::parse("daily 07:00-20:00 Europe/Berlin", &nowhere).unwrap_err();
    assert!(wrong.what.contains("install tzdata"), "{}", wrong.what);
    assert!(Hours::parse("daily 07:00-20:00 UTC", &nowhere).is_ok());
}

fn written() -> impl Strategy<Value = String> {
    let days = prop::sample::select(vec![
        "daily", "Mon..Fri", "Sat,Sun", "Fri..Mon", "Wed", "Sun",
    ]);
    let zones = prop::sample::select(vec![
        "Europe/Berlin",
        "UTC",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
    ]);
    (days, 0u16..1440, 0u16..=1440, zones)
        .prop_filter("empty", |(_, from, to, _)| from != to)
        .prop_map(|(days, from, to, zone)| {
            format!(
                "{days} {:02}:{:02}-{:02}:{:02} {zone}",
                from / 60,
                from % 60,
                to / 60,
                to % 60
            )
        })
}

proptest! {
    #[test]
    fn until_is_the_first_minute_that_is_outside(
        texts in prop::collection::vec(written(), 1..4),
        // From 2011, when Apia left a whole day out, over sixteen years.
        minute in 21_565_440i64..29_980_800,
    ) {
        let all: Vec<_> = texts.iter().map(|text| hours(text)).collect();
        let begin = Timestamp::from_second(minute * 60).unwrap();
        let open = |at: Timestamp| all.iter().any(|hours| hours.contains(at));
        let minutes = (0..8 * 24 * 60).map(|m| begin + Span::new().minutes(m));
        let first = minutes.into_iter().find(|minute| !open(*minute));
        prop_assert_eq!(until(&all, begin), first);
    }

    #[test]
    fn parsing_never_panics(text in "(daily|Mon|Mon\\.\\.Fri|\\PC{0,6})[ ,.]{0,3}[0-9:-]{0,12} ?(UTC|Europe/Berlin|\\PC{0,12})") {
        let _ = Hours::parse(&text, &zones());
    }

    #[test]
    fn parsing_never_panics_on_any_text(text in "\\PC{0,40}") {
        let _ = Hours::parse(&text, &TimeZoneDatabase::none());
    }
}
