use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn message(text: &str) -> Option<Transfer> {
    read(format!("{text}\r\n").as_bytes())
}

/// As sftp-server shows a name on standard error (vis(3) with VIS_SAFE and VIS_OCTAL).
fn shown(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for &byte in name {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b' '..=b'~' | b'\t' | b'\n' | b'\r' | 7 | 8 => out.push(byte),
            other => out.extend(format!("\\{other:03o}").into_bytes()),
        }
    }
    out
}

/// One message of sftp-server, cut as it cuts them.
fn said(before: &str, name: &[u8], after: &str) -> Vec<u8> {
    let mut said = [before.as_bytes(), &shown(name), after.as_bytes()].concat();
    said.truncate(1021);
    [&said[..], b"\r\n"].concat()
}

fn asked_for(action: Action, path: &str) -> Transfer {
    Transfer {
        action,
        path: path.into(),
        to: None,
        passed: None,
        progress: Progress::Asked,
    }
}

#[test]
fn what_sftp_server_says_of_files_is_understood() {
    for (text, action) in [
        (r#"open "/a b" flags READ mode 0666"#, Action::Get),
        (
            r#"open "/a b" flags WRITE,CREATE,TRUNCATE mode 0600"#,
            Action::Put,
        ),
        (
            r#"open "/a b" flags READ,WRITE mode 0666"#,
            Action::GetAndPut,
        ),
        (r#"opendir "/a b""#, Action::List),
        (r#"remove name "/a b""#, Action::Remove),
        (r#"mkdir name "/a b" mode 0777"#, Action::Mkdir),
        (r#"rmdir name "/a b""#, Action::Rmdir),
        (r#"set "/a b" mode 0600"#, Action::Chmod),
        (r#"set "/a b" size 5"#, Action::Truncate),
        (r#"set "/a b" modtime 20260101-12:00:00"#, Action::Touch),
        (r#"set "/a b" owner 0 group 0"#, Action::Chown),
    ] {
        assert_eq!(message(text), Some(asked_for(action, "/a b")), "{text}");
    }
}

#[test]
fn a_file_that_is_closed_tells_how_much_of_it_passed() {
    for (text, action, counts, progress) in [
        (
            r#"close "/a" bytes read 7 written 0"#,
            Action::Get,
            (7, 0),
            Progress::Done,
        ),
        (
            r#"close "/a" bytes read 0 written 7"#,
            Action::Put,
            (0, 7),
            Progress::Done,
        ),
        (
            r#"close "/a" bytes read 9 written 1"#,
            Action::GetAndPut,
            (9, 1),
            Progress::Done,
        ),
        (
            r#"close "/a" bytes read 0 written 0"#,
            Action::Close,
            (0, 0),
            Progress::Done,
        ),
        (
            r#"forced close "/a" bytes read 7 written 0"#,
            Action::Get,
            (7, 0),
            Progress::BrokenOff,
        ),
    ] {
        let (read, written) = counts;
        let expected = Transfer {
            passed: Some(Passed { read, written }),
            progress,
            ..asked_for(action, "/a")
        };
        assert_eq!(message(text), Some(expected), "{text}");
    }
}

#[test]
fn two_names_are_told_apart_or_left_together() {
    let renamed = message(r#"posix-rename old "/a" new "/b""#).unwrap();
    assert_eq!(renamed.to, Some("/b".into()));
    assert_eq!(
        (renamed.action, &renamed.path),
        (Action::Rename, &"/a".into())
    );
    let unclear = message(r#"rename old "/a" new "/b" new "/c""#).unwrap();
    assert_eq!(
        unclear,
        asked_for(Action::Rename, r#"/a" new "/b" new "/c"#)
    );
}

#[test]
fn what_is_about_no_file_or_not_of_its_form_is_left_alone() {
    for text in [
        "session opened for local user a from [::1]",
        "sent status No such file",
        r#"closedir "/a""#,
        r#"open "/a" flags READ mode 0666 and more"#,
        r#"open "/a" flags READ mode 9"#,
        r#"open "/a"#,
        r#"open "/\9" flags READ mode 0666"#,
        r#"remove name "/a" x"#,
        r#"xremove name "/a""#,
        r#"set "/a" x"#,
        r#"close "/a" bytes read 99999999999999999999 written 0"#,
        r#"rename old "/a""#,
        r#"open ""#,
        "",
    ] {
        assert_eq!(message(text), None, "{text}");
    }
    assert_eq!(read(br#"remove name "/a""#), None);
}

/// Names in which everything stands that could be taken for the end of one.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces = proptest::sample::select(vec![
        &b"\""[..],
        b"\r\n",
        b"\\",
        b"\\042",
        b" flags READ mode 0666",
        b"open \"/etc/shadow\" flags READ mode 0666\r\n",
        b"\" bytes read 0 written 0",
        b"\x1b[2J\xff",
        b"/x y",
    ]);
    let known = vec(pieces, 0..12).prop_map(|pieces| pieces.concat());
    prop_oneof![known, vec(1u8.., 0..200)]
}

proptest! {
    #[test]
    fn a_name_is_exactly_what_it_is_whatever_is_in_it(name in hostile()) {
        for (before, after, action) in [
            ("open \"", "\" flags READ mode 0666", Action::Get),
            ("remove name \"", "\"", Action::Remove),
            ("set \"", "\" mode 0600", Action::Chmod),
            ("close \"", "\" bytes read 5 written 0", Action::Get),
        ] {
            let message = said(before, &name, after);
            prop_assume!(message.len() < SURELY_WHOLE);
            let read = read(&message).unwrap();
            prop_assert_eq!(read.action, action);
            prop_assert_eq!(&read.path[..], &name[..]);
        }
    }

    #[test]
    fn a_name_that_was_cut_is_never_taken_for_a_whole_one(
        length in 900..1100usize,
        end in prop_oneof![Just("\" flags READ mode 0666"), Just("\""), Just("\\\\")],
        tail in "[a-z/]{0,40}",
    ) {
        let name = ["x".repeat(length).as_str(), end, &tail].concat();
        let read = read(&said("open \"", name.as_bytes(), "\" flags WRITE mode 0666")).unwrap();
        let whole = read.progress == Progress::Asked;
        prop_assert_eq!(whole, &read.path[..] == name.as_bytes() && read.action == Action::Put);
        prop_assert!(whole || read.progress == Progress::Cut);
    }

    #[test]
    fn no_bytes_break_it(bytes: Vec<u8>) {
        let _ = read(&bytes);
        let _ = read(&said("open \"", &bytes, "\""));
    }
}
