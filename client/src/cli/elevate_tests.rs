use super::order::{Listing, Questions, Target};
use super::*;

fn parse(line: &[&str]) -> Result<Order, Stop> {
    let words = std::iter::once("elevate").chain(line.iter().copied());
    parse_elevate(words.map(OsString::from))
}

/// What is run.
#[track_caller]
fn run(line: &[&str]) -> Options {
    match parse(line) {
        Ok(Order::Run(options)) => *options,
        other => panic!("{line:?}: {other:?}"),
    }
}

#[track_caller]
fn list(line: &[&str]) -> Listing {
    match parse(line) {
        Ok(Order::List(listing)) => listing,
        other => panic!("{line:?}: {other:?}"),
    }
}

#[track_caller]
fn status(line: &[&str]) -> (u8, String) {
    let stop = parse(line).err().unwrap_or_else(|| panic!("{line:?}"));
    let lines = match &stop {
        Stop::Told(error) => error.to_string(),
        Stop::Failed(failure) => failure.lines("elevate"),
    };
    (stop.status(), lines)
}

#[test]
fn the_definition_is_sound() {
    elevate_command().debug_assert();
}

#[test]
fn options_end_at_the_first_word_of_the_command() {
    let options = run(&["-n", "-upostgres", "-g", "adm", "ls", "-u", "--for", "-h"]);
    assert_eq!(options.target.user.as_deref(), Some("postgres"));
    assert_eq!(options.target.group.as_deref(), Some("adm"));
    assert!(options.questions.non_interactive);
    assert_eq!(options.command, ["ls", "-u", "--for", "-h"]);
    assert_eq!(run(&["--", "-i", "--"]).command, ["-i", "--"]);
    assert_eq!(
        run(&["sh", "--", "-c", "x"]).command,
        ["sh", "--", "-c", "x"]
    );
}

#[test]
fn a_line_without_flags_means_what_it_means_with_all_of_them_built() {
    for line in [
        &["ls"][..],
        &["ls", "-u", "--", "--for", "-h"],
        &["help"],
        &[""],
        &["/opt/a=b", "A=b"],
    ] {
        let words = std::iter::once("elevate").chain(line.iter().copied());
        let words: Vec<_> = words.map(OsString::from).collect();
        assert!(begins_with_a_command(&words[1..]), "{line:?}");
        let slowly = read_flags(words.clone()).unwrap();
        assert_eq!(parse_elevate(words).unwrap(), slowly, "{line:?}");
    }
}

#[test]
fn words_that_are_not_text_reach_the_command_unchanged() {
    use std::os::unix::ffi::OsStringExt;
    let raw = OsString::from_vec(b"\xff\x01".to_vec());
    for flags in [&[][..], &["-n", "-D", "/"]] {
        let words = std::iter::once("elevate").chain(flags.iter().copied());
        let words = words.chain(["echo"]).map(OsString::from);
        match parse_elevate(words.chain([raw.clone()])).unwrap() {
            Order::Run(options) => assert_eq!(options.command[1], raw),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn durations_need_a_unit() {
    for (text, seconds) in [("30m", 1800), ("1h 30m", 5400), ("5s", 5), ("1h30m", 5400)] {
        let wanted = Some(Duration::from_secs(seconds));
        assert_eq!(run(&["--for", text, "id"]).duration, wanted, "{text}");
    }
    for text in ["300", "", "-5m", "0s", "soon", "30 parsecs"] {
        assert_eq!(status(&[&format!("--for={text}"), "id"]).0, 2, "{text:?}");
    }
}

#[test]
fn wrong_use_is_status_2_and_help_status_0() {
    assert_eq!(status(&[]).0, 2);
    assert_eq!(status(&["--no-such-flag", "id"]).0, 2);
    assert_eq!(status(&["-x", "id"]).0, 2);
    assert_eq!(status(&["-u"]).0, 2);
    assert_eq!(status(&["-h"]).0, 0);
    assert_eq!(status(&["--help"]).0, 0);
    assert_eq!(status(&["-V"]).0, 0);
    assert_eq!(status(&["-u", "bob"]).0, 2);
    assert_eq!(status(&["-b"]).0, 2);
    assert_eq!(status(&["-e"]).0, 2);
    assert_eq!(status(&["A=b"]).0, 2);
    assert_eq!(parse_elevate(std::iter::empty()).unwrap_err().status(), 2);
}

#[test]
fn each_flag_says_what_it_says_in_sudo() {
    let plain = Options {
        command: vec!["id".into()],
        ..Options::default()
    };
    assert_eq!(run(&["id"]), plain);
    let asked = |questions: Questions| Options {
        questions,
        ..plain.clone()
    };
    let default = Questions::default;
    for (line, wanted) in [
        (
            &["-n", "id"][..],
            asked(Questions {
                non_interactive: true,
                ..default()
            }),
        ),
        (
            &["-S", "id"],
            asked(Questions {
                stdin: true,
                ..default()
            }),
        ),
        (
            &["-A", "id"],
            asked(Questions {
                askpass: true,
                ..default()
            }),
        ),
        (
            &["-p", "pw:", "id"],
            asked(Questions {
                prompt: Some("pw:".into()),
                ..default()
            }),
        ),
        (
            &["-i", "id"],
            Options {
                what: What::Login,
                ..plain.clone()
            },
        ),
        (
            &["-s", "id"],
            Options {
                what: What::Shell,
                ..plain.clone()
            },
        ),
        (
            &["-e", "id"],
            Options {
                what: What::Edit,
                ..plain.clone()
            },
        ),
        (
            &["-b", "id"],
            Options {
                background: true,
                ..plain.clone()
            },
        ),
        (
            &["-k", "id"],
            Options {
                forget: true,
                ..plain.clone()
            },
        ),
        (
            &["-E", "id"],
            Options {
                preserve: true,
                ..plain.clone()
            },
        ),
        (
            &["--preserve-env", "id"],
            Options {
                preserve: true,
                ..plain.clone()
            },
        ),
        (&["-H", "id"], plain.clone()),
        (
            &["-D", "/srv", "id"],
            Options {
                folder: Some("/srv".into()),
                ..plain.clone()
            },
        ),
        (
            &["--chdir=/srv", "id"],
            Options {
                folder: Some("/srv".into()),
                ..plain.clone()
            },
        ),
        (
            &["--preserve-env=A,B", "--preserve-env=C", "id"],
            Options {
                keep: ["A", "B", "C"].map(String::from).to_vec(),
                ..plain.clone()
            },
        ),
    ] {
        assert_eq!(run(line), wanted, "{line:?}");
    }
}

#[test]
fn short_flags_can_be_written_as_one_word_and_repeated() {
    let options = run(&["-nEHbu", "bob", "-Sp", "code: ", "id"]);
    assert!(options.questions.non_interactive && options.questions.stdin);
    assert!(options.preserve && options.background);
    assert_eq!(options.target.user.as_deref(), Some("bob"));
    assert_eq!(options.questions.prompt.as_deref(), Some("code: "));
    assert_eq!(options.command, ["id"]);
    assert!(run(&["-n", "-n", "-E", "-E", "id"]).preserve);
    assert_eq!(status(&["-u", "alice", "-u", "root", "id"]).0, 2);
}

#[test]
fn a_shell_needs_no_command_and_takes_one() {
    assert_eq!(run(&["-i"]).what, What::Login);
    assert_eq!(run(&["-s"]).what, What::Shell);
    assert!(run(&["-u", "bob", "-i"]).command.is_empty());
    let options = run(&["-iu", "bob", "psql", "-l"]);
    assert_eq!(
        (options.what, options.command),
        (What::Login, vec!["psql".into(), "-l".into()])
    );
    let options = run(&["-s", "A=b"]);
    assert_eq!((options.set, options.command), (vec!["A=b".into()], vec![]));
}

#[test]
fn variables_come_before_the_command_and_options_may_follow_them() {
    let set = |line: &[&str]| {
        let options = run(line);
        (options.set, options.command, options.target.user)
    };
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let bob = Some("bob".to_owned());
    assert_eq!(set(&["A=b", "id"]), (words(&["A=b"]), words(&["id"]), None));
    assert_eq!(
        set(&["A=b", "-u", "bob", "C=d=e", "id", "X=y"]),
        (words(&["A=b", "C=d=e"]), words(&["id", "X=y"]), bob.clone())
    );
    assert_eq!(
        set(&["-u", "bob", "A=", "--", "id"]),
        (words(&["A="]), words(&["id"]), bob)
    );
    assert_eq!(
        set(&["--", "A=b", "id"]),
        (vec![], words(&["A=b", "id"]), None)
    );
    assert_eq!(set(&["/opt/a=b"]), (vec![], words(&["/opt/a=b"]), None));
    assert_eq!(set(&["-n", "1a=b"]), (vec![], words(&["1a=b"]), None));
}

#[test]
fn what_is_listed_is_asked_with_l() {
    assert_eq!(list(&["-l"]), Listing::default());
    assert!(list(&["-ll"]).long && list(&["-l", "-l"]).long && !list(&["-nl"]).long);
    let listing = list(&["-U", "bob", "-l", "-u", "#0", "-g", "adm", "id", "-u"]);
    let wanted = Listing {
        whose: Some("bob".into()),
        command: vec!["id".into(), "-u".into()],
        target: Target {
            user: Some("#0".into()),
            group: Some("adm".into()),
        },
        ..Listing::default()
    };
    assert_eq!(listing, wanted);
    assert!(parse(&["-l", "-ASk", "id"]).is_err(), "-A and -S");
    assert_eq!(list(&["-lnkp", "x", "id"]).command, ["id"]);
}

#[test]
fn codes_are_given_and_forgotten_with_v_and_k() {
    let forget = |everywhere| Order::Forget { everywhere };
    assert_eq!(parse(&["-k"]).unwrap(), forget(false));
    assert_eq!(parse(&["-nk"]).unwrap(), forget(false));
    assert_eq!(parse(&["-K"]).unwrap(), forget(true));
    assert!(run(&["-k", "-i"]).forget && run(&["-k", "-e", "/x"]).forget);
    for (line, forget, non_interactive) in [
        (&["-v"][..], false, false),
        (&["-nv"], false, true),
        (&["-kv"], true, false),
    ] {
        let questions = Questions {
            non_interactive,
            ..Questions::default()
        };
        assert_eq!(
            parse(line).unwrap(),
            Order::Validate { questions, forget },
            "{line:?}"
        );
    }
}

/// The usage lines of sudo(8), each flag of ours in them, must be taken; what they exclude, not.
#[test]
fn the_usage_lines_of_sudo_hold_here() {
    for line in [
        "-h",
        "-K",
        "-k",
        "-V",
        "-v -k -n -p x",
        "-v -A",
        "-v -S",
        "-l -k -n -S -p x -U bob -u carol -g adm id -u",
        "-b -E -H -k -n -S -D / -g adm -p x -u bob A=b id -u",
        "-A -i id",
        "-b -k -H -n -S -g adm -p x -u bob A=b -s id",
        "-e -k -n -S -D / -g adm -p x -u bob a b",
    ] {
        let words: Vec<_> = line.split(' ').collect();
        match parse(&words) {
            Ok(_) => {}
            Err(Stop::Told(told)) if !told.use_stderr() => {}
            Err(stop) => panic!("{line}: {stop:?}"),
        }
    }
    for line in [
        "-i -s id",
        "-i -E id",
        "-A -S id",
        "-U bob id",
        "-U bob -e a",
        "-e -E a",
        "-e A=b a",
        "-e -b a",
        "-e -s a",
        "-e -l a",
        "-l -b id",
        "-l -E id",
        "-l -i",
        "-l A=b id",
        "-l -v",
        "-l -K",
        "-v id",
        "-v -i",
        "-v -K",
        "-K id",
        "-K -u bob",
        "-k -u bob",
        "-k -K",
        "-k A=b",
        "-i -D /",
        "--preserve-env=A=b id",
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let (status, said) = status(&words);
        assert_eq!(status, 2, "{line}: {said}");
    }
}

#[test]
fn flags_that_exclude_each_other_are_named() {
    let (_, said) = status(&["-i", "-s"]);
    assert!(
        said.contains("-i (--login) and -s (--shell) do not go together"),
        "{said}"
    );
    let (_, said) = status(&["-l", "-b", "id"]);
    assert!(said.contains("-b (--background) and -l (--list)"), "{said}");
}

#[test]
fn what_sudo_has_and_we_do_not_is_said_in_one_line_with_a_way_out() {
    for line in [
        &["-B", "id"][..],
        &["-N", "id"],
        &["-P", "id"],
        &["-C", "9", "id"],
        &["-R", "/srv", "id"],
        &["-T", "5", "id"],
        &["-r", "role", "id"],
        &["-t", "type", "id"],
        &["-h", "web1", "id"],
        &["-n", "-h", "web1", "id"],
        &["--host=web1", "id"],
        &["-nB", "id"],
    ] {
        let (status, lines) = status(line);
        assert_eq!(status, 2, "{line:?}");
        assert!(lines.contains("this version"), "{line:?}: {lines}");
        assert!(lines.contains("; "), "a way out: {line:?}: {lines}");
        assert_eq!(lines.lines().count(), 1, "{line:?}");
    }
    let (_, lines) = status(&["-T", "5", "id"]);
    assert!(lines.contains("--for"), "{lines}");
}

#[test]
fn an_unknown_flag_comes_with_the_like_of_it_or_the_way_to_the_help() {
    let (_, said) = status(&["--preserve-enw=A", "id"]);
    assert!(said.contains("--preserve-env"), "{said}");
    let (_, said) = status(&["-x", "id"]);
    assert!(said.contains("--help"), "{said}");
}

#[test]
fn a_ticket_goes_with_what_is_run() {
    let options = run(&["--ticket", "OPS-1", "id", "--ticket", "of id"]);
    assert_eq!(options.ticket.as_deref(), Some("OPS-1"));
    assert_eq!(run(&["id"]).ticket, None);
}
