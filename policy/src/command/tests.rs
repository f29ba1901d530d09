use std::sync::Arc;

use proptest::prelude::*;

use super::{Command, File, Reading};
use crate::diagnostic::Place;

fn parse(text: &str) -> Result<Command, String> {
    let place = Place {
        file: Arc::from("test"),
        line: 1,
        column: 1,
    };
    Command::parse(text, place).map_err(|error| error.what)
}

fn matches(pattern: &str, argv: &[&str], reading: Reading) -> bool {
    let command = parse(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"));
    let args: Vec<Vec<u8>> = argv[1..]
        .iter()
        .map(|arg| arg.as_bytes().to_vec())
        .collect();
    let file = File::new(argv[0].as_bytes(), argv[0].as_bytes());
    command.matches(&file, &args, false, reading)
}

#[track_caller]
fn table(pattern: &str, yes: &[&[&str]], no: &[&[&str]]) {
    for argv in yes {
        assert!(
            matches(pattern, argv, Reading::Strict),
            "{pattern} should match {argv:?}"
        );
        assert!(
            matches(pattern, argv, Reading::Generous),
            "a deny of {pattern} misses {argv:?}"
        );
    }
    for argv in no {
        assert!(
            !matches(pattern, argv, Reading::Strict),
            "{pattern} should not match {argv:?}"
        );
    }
}

#[test]
fn a_bare_path_means_no_arguments() {
    table(
        "/usr/bin/id",
        &[&["/usr/bin/id"]],
        &[&["/usr/bin/id", "-u"], &["/usr/bin/idx"]],
    );
}

#[test]
fn an_ellipsis_means_any_further_arguments_and_none() {
    let yes: &[&[&str]] = &[
        &["/usr/bin/git", "log"],
        &["/usr/bin/git", "log", "-p", ".."],
    ];
    table(
        "/usr/bin/git log ...",
        yes,
        &[&["/usr/bin/git"], &["/usr/bin/git", "push"]],
    );
    table(
        "/usr/bin/git '...'",
        &[&["/usr/bin/git", "..."]],
        &[&["/usr/bin/git", "a"]],
    );
}

// sudo joins the arguments and lets `*` run over the spaces between them (sudoers(5),
// "Wildcards in command arguments").
#[test]
fn a_star_stays_within_one_argument() {
    let no: &[&[&str]] = &[
        &["/usr/bin/cat", "/var/log/a", "/etc/shadow"],
        &["/usr/bin/cat", "/var/log/a /etc/shadow", "x"],
        &["/usr/bin/cat"],
    ];
    table(
        "/usr/bin/cat /var/log/*",
        &[&["/usr/bin/cat", "/var/log/a"]],
        no,
    );
}

#[test]
fn a_star_does_not_cross_folders_and_two_do() {
    let no: &[&[&str]] = &[&["/usr/bin/cat", "/srv/a/b"], &["/usr/bin/cat", "/srv"]];
    table("/usr/bin/cat /srv/*", &[&["/usr/bin/cat", "/srv/a"]], no);
    let yes: &[&[&str]] = &[&["/usr/bin/cat", "/srv/a"], &["/usr/bin/cat", "/srv/a/b/c"]];
    table("/usr/bin/cat /srv/**", yes, &[&["/usr/bin/cat", "/etc/a"]]);
    let yes: &[&[&str]] = &[
        &["/opt/bin/run"],
        &["/opt/a/bin/run"],
        &["/opt/a/b/bin/run"],
    ];
    table(
        "/opt/**/bin/run",
        yes,
        &[&["/opt/a/sbin/run"], &["/opt/xbin/run"]],
    );
}

#[test]
fn dots_that_step_up_never_match() {
    let no: &[&[&str]] = &[
        &["/usr/bin/cat", "/srv/../etc/shadow"],
        &["/usr/bin/cat", "/srv/a/.."],
        &["/usr/bin/cat", "/srv/a../b"],
    ];
    table("/usr/bin/cat /srv/**", &[], no);
    let no: &[&[&str]] = &[
        &["/usr/bin/cat", "--file=../x"],
        &["/usr/bin/cat", "--file=.."],
    ];
    table(
        "/usr/bin/cat --file=**",
        &[&["/usr/bin/cat", "--file=a/b"]],
        no,
    );
    table(
        "/usr/bin/cat /srv/.*/x",
        &[&["/usr/bin/cat", "/srv/.a/x"]],
        &[&["/usr/bin/cat", "/srv/../x"]],
    );
}

#[test]
fn a_leading_dot_or_dash_is_matched_only_by_itself() {
    let no: &[&[&str]] = &[
        &["/usr/bin/vim", "-c"],
        &["/usr/bin/vim", ".vimrc"],
        &["/usr/bin/vim", ""],
        &["/usr/bin/vim", "--"],
    ];
    table("/usr/bin/vim *", &[&["/usr/bin/vim", "a-b.c"]], no);
    table(
        "/usr/bin/vim **",
        &[&["/usr/bin/vim", "a/b"]],
        &[
            &["/usr/bin/vim", "-x"],
            &["/usr/bin/vim", "a/.b"],
            &["/usr/bin/vim", "a/-b"],
        ],
    );
    table(
        "/usr/bin/vim *.conf",
        &[&["/usr/bin/vim", "a.conf"]],
        &[&["/usr/bin/vim", ".conf"]],
    );
    table(
        "/usr/bin/vim .*",
        &[&["/usr/bin/vim", ".vimrc"]],
        &[&["/usr/bin/vim", "vimrc"]],
    );
    table(
        "/usr/bin/vim -*",
        &[&["/usr/bin/vim", "-R"]],
        &[&["/usr/bin/vim", "R"]],
    );
    table(
        "/opt/**",
        &[&["/opt/a/b"]],
        &[&["/opt/.a/b"], &["/opt/a/.b"]],
    );
}

#[test]
fn a_deny_reads_wildcards_as_widely_as_they_could_be_meant() {
    for (pattern, argv) in [
        ("/usr/bin/rm *", &["/usr/bin/rm", ".profile"][..]),
        ("/usr/bin/rm *", &["/usr/bin/rm", "-rf"]),
        ("/usr/bin/rm *", &["/usr/bin/rm", ""]),
        ("/usr/bin/rm /srv/**", &["/usr/bin/rm", "/srv/../etc"]),
        ("/home/**", &["/home/eve/.local/bin/x"]),
    ] {
        assert!(
            matches(pattern, argv, Reading::Generous),
            "{pattern} {argv:?}"
        );
        assert!(
            !matches(pattern, argv, Reading::Strict),
            "{pattern} {argv:?}"
        );
    }
}

#[test]
fn braces_are_alternatives_also_empty_and_nested_ones() {
    let yes: &[&[&str]] = &[
        &["/usr/bin/systemctl", "restart", "postgresql"],
        &["/usr/bin/systemctl", "reload", "postgresql@15-main"],
    ];
    let no: &[&[&str]] = &[
        &["/usr/bin/systemctl", "stop", "postgresql"],
        &["/usr/bin/systemctl", "restart", "postgresqlx"],
        &["/usr/bin/systemctl", "restart", "postgresql", "ssh"],
    ];
    table(
        "/usr/bin/systemctl {restart,reload} postgresql{,@*}",
        yes,
        no,
    );
    let yes: &[&[&str]] = &[
        &["/usr/bin/x", "ad"],
        &["/usr/bin/x", "abd"],
        &["/usr/bin/x", "acd"],
    ];
    table("/usr/bin/x a{,{b,c}}d", yes, &[&["/usr/bin/x", "abcd"]]);
    table(
        "/usr/{bin,sbin}/x",
        &[&["/usr/bin/x"], &["/usr/sbin/x"]],
        &[&["/usr/x"]],
    );
}

#[test]
fn braces_never_make_two_stars_of_one() {
    table(
        "/usr/bin/x *{*,a}",
        &[&["/usr/bin/x", "b"]],
        &[&["/usr/bin/x", "b/c"]],
    );
}

#[test]
fn quotes_and_backslashes_take_the_meaning_away() {
    table(
        r"/usr/bin/x '*' \* 'a b'",
        &[&["/usr/bin/x", "*", "*", "a b"]],
        &[&["/usr/bin/x", "y", "*", "a b"]],
    );
    table(
        r#"/usr/bin/find . -name "*.c" -exec '{}' ';'"#,
        &[&["/usr/bin/find", ".", "-name", "*.c", "-exec", "{}", ";"]],
        &[],
    );
    table("/usr/bin/x ''", &[&["/usr/bin/x", ""]], &[&["/usr/bin/x"]]);
}

#[test]
fn both_spellings_of_a_merged_usr_are_one_file() {
    // The file of a question has gone through the same reading, in `judge`.
    table("/bin/sh", &[&["/usr/bin/sh"]], &[&["/usr/sbin/sh"]]);
    table(
        "/{bin,sbin}/*",
        &[&["/usr/bin/sh"], &["/usr/sbin/fdisk"]],
        &[&["/usr/lib/x"]],
    );
}

#[test]
fn what_could_mean_something_else_than_it_says_is_an_error() {
    for (pattern, part) in [
        ("systemctl restart nginx", "whole path"),
        ("all", "whole path"),
        ("", "empty"),
        ("''", "whole path"),
        ("...", "whole path"),
        ("/usr/bin/", "empty part"),
        ("/usr//bin/x", "empty part"),
        ("/usr/./bin/x", "no `.`"),
        ("/usr/../bin/x", "`..` never matches"),
        ("/usr/bin/cat /srv/../x", "`..` never matches"),
        ("/usr/bin/git a..*", "`..` never matches"),
        ("/usr/bin/x ... y", "at the end only"),
        ("/usr/bin/x...", "space before it"),
        ("/usr/bin/x y...", "space before it"),
        ("/usr/bin/x [a-z]", "unquoted `[`"),
        ("/usr/bin/x ?", "unquoted `?`"),
        ("/usr/bin/x; id", "unquoted `;`"),
        ("/usr/bin/x $HOME", "unquoted `$`"),
        ("/usr/bin/x ~/a", "unquoted `~`"),
        ("!/usr/bin/x", "effect = \"deny\""),
        ("/usr/bin/x ***", "`***`"),
        ("/usr/bin/x {a", "`{` without `}`"),
        ("/usr/bin/x a}", "`}` without `{`"),
        ("/usr/bin/x {a}", "alternatives"),
        ("/usr/bin/x 'a", "not closed"),
        ("/usr/bin/x \"a", "not closed"),
        ("/usr/bin/x a\\", "not closed"),
        ("/usr/bin/x a\0", "NUL"),
        ("/usr/bin/x 'a\0'", "NUL"),
        (
            &format!("/usr/bin/x {}", "{a,b}".repeat(9)),
            "more than 256",
        ),
        (
            &format!("/usr/bin/x {}", "{a,".repeat(9)),
            "more than 8 deep",
        ),
        (
            &format!("/usr/bin/x {}", "a".repeat(4096)),
            "longer than 4096",
        ),
    ] {
        let why = parse(pattern).expect_err(pattern);
        assert!(why.contains(part), "{pattern}: {why}");
    }
}

#[test]
fn a_hostile_argument_cannot_make_a_pattern_slow() {
    let pattern = format!("/usr/bin/x {}b", "*a".repeat(200));
    let arg = "a".repeat(100_000);
    assert!(!matches(&pattern, &["/usr/bin/x", &arg], Reading::Strict));
}

// The language once more, as plain as can be, to hold the compiled one against: wildcards by
// trying every length, the guards as the design states them.
fn reference(pattern: &[u8], text: &[u8], strict: bool) -> bool {
    let wild = pattern.contains(&b'*');
    if !wild {
        return pattern == text;
    }
    if strict && (text.is_empty() || text.windows(2).any(|pair| pair == b"..")) {
        return false;
    }
    by_trying(pattern, 0, text, 0, strict)
}

fn by_trying(pattern: &[u8], p: usize, text: &[u8], t: usize, strict: bool) -> bool {
    let rest = &pattern[p..];
    let leading = |at: usize| at == 0 || text[at - 1] == b'/';
    let guarded = |at: usize| strict && leading(at) && matches!(text.get(at), Some(b'.' | b'-'));
    let name_begins = p == 0 || pattern[p - 1] == b'/';
    if rest.is_empty() {
        return t == text.len();
    }
    if name_begins && rest.starts_with(b"**/") {
        return by_trying(pattern, p + 3, text, t, strict)
            || (t < text.len() && text[t] != b'/')
                && (t..text.len())
                    .take_while(|&end| !guarded(end) || end > t && text[end - 1] != b'/')
                    .find(|&end| text[end] == b'/')
                    .is_some_and(|end| by_trying(pattern, p, text, end + 1, strict));
    }
    if rest.starts_with(b"*") {
        let double = rest.starts_with(b"**");
        let after = p + 1 + usize::from(double);
        let mut end = t;
        loop {
            if by_trying(pattern, after, text, end, strict) {
                return true;
            }
            if end == text.len() || guarded(end) || (!double && text[end] == b'/') {
                return false;
            }
            end += 1;
        }
    }
    t < text.len()
        && text[t] == rest[0]
        && (!guarded(t) || name_begins)
        && by_trying(pattern, p + 1, text, t + 1, strict)
}

proptest! {
    #[test]
    fn the_compiled_pattern_agrees_with_the_plain_one(
        pattern in "([ab/.-]|\\*|\\*\\*/?){0,7}",
        text in "[ab/.-]{0,8}",
    ) {
        let Ok(command) = parse(&format!("/x {pattern}")) else { return Ok(()) };
        if pattern.is_empty() || pattern == "..." { return Ok(()) }
        let args = [text.clone().into_bytes()];
        for (reading, strict) in [(Reading::Strict, true), (Reading::Generous, false)] {
            let expected = reference(pattern.as_bytes(), text.as_bytes(), strict);
            prop_assert_eq!(command.matches(&File::new(b"/x", b"/x"), &args, false, reading), expected);
        }
    }

    #[test]
    fn whatever_an_allow_matches_a_deny_of_the_same_words_matches(
        pattern in "[ab*/.{},-]{1,8}",
        text in "[ab/.-]{0,8}",
    ) {
        let Ok(command) = parse(&format!("/x {pattern}")) else { return Ok(()) };
        let args = [text.into_bytes()];
        if command.matches(&File::new(b"/x", b"/x"), &args, false, Reading::Strict) {
            prop_assert!(command.matches(&File::new(b"/x", b"/x"), &args, false, Reading::Generous));
        }
    }

    #[test]
    fn neither_parser_nor_matcher_panics_on_anything(
        pattern in "(/x )?\\PC*",
        file in prop::collection::vec(any::<u8>(), 0..20),
        args in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..4),
    ) {
        if let Ok(command) = parse(&pattern) {
            command.matches(&File::new(&file, &file), &args, false, Reading::Strict);
            command.matches(&File::new(&file, &file), &args, true, Reading::Generous);
        }
    }
}
