//! What `sftp-server -e -l INFO` says (sftp-server(8)): one message to a write, which begins with a
//! word of its own and ends with CR LF. Names are in double quotes; what can't be shown of them is
//! `\ooo`, and a backslash is `\\`. Quotes and line ends are left as they are, and so a message is
//! only what came as one, and a name ends at the last quote that it can end at.

use elevate_protocol::Bytes;
use elevate_protocol::transfer::{Action, Passed, Progress, Transfer};

/// It says no more than 1021 bytes at once. What comes near that could be cut, and what looks like
/// its end be part of a name.
const SURELY_WHOLE: usize = 1016;

/// What one message says of a file; none where it is about something else.
pub(super) fn read(message: &[u8]) -> Option<Transfer> {
    let said = message.strip_suffix(b"\r\n")?;
    match said.len() <= SURELY_WHOLE {
        true => whole(said),
        false => cut(said),
    }
}

fn whole(said: &[u8]) -> Option<Transfer> {
    let (verb, name, rest) = split(said)?;
    let asked = |action| asked(action, name);
    match verb {
        b"open " => opened(name, rest),
        b"close " => closed(name, rest, Progress::Done),
        b"forced close " => closed(name, rest, Progress::BrokenOff),
        b"mkdir name " => mode(rest.strip_prefix(b" mode ")?).then(|| asked(Action::Mkdir))?,
        b"set " => asked(change(rest)?),
        _ if !rest.is_empty() => None,
        b"opendir " => asked(Action::List),
        b"remove name " => asked(Action::Remove),
        b"rmdir name " => asked(Action::Rmdir),
        b"rename old " | b"posix-rename old " => two(Action::Rename, name),
        b"symlink old " => two(Action::Symlink, name),
        b"hardlink old " => two(Action::Link, name),
        _ => None,
    }
}

/// The words before the first quote, what is between it and the last one, and what follows: none of
/// the words that may follow a name has a quote.
fn split(said: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let quote = |byte: &u8| *byte == b'"';
    let (first, last) = (said.iter().position(quote)?, said.iter().rposition(quote)?);
    (first < last).then(|| (&said[..first], &said[first + 1..last], &said[last + 1..]))
}

fn asked(action: Action, name: &[u8]) -> Option<Transfer> {
    Some(Transfer {
        action,
        path: plain(name)?,
        to: None,
        passed: None,
        progress: Progress::Asked,
    })
}

/// ` flags READ,WRITE mode 0666`
fn opened(name: &[u8], rest: &[u8]) -> Option<Transfer> {
    let (flags, bits) = words(rest)?.strip_prefix("flags ")?.split_once(" mode ")?;
    let known = flags.bytes().all(|b| b.is_ascii_uppercase() || b == b',');
    let has = |flag| flags.split(',').any(|one| one == flag);
    let action = match (has("READ"), has("WRITE") || has("APPEND")) {
        (true, false) => Action::Get,
        (false, true) => Action::Put,
        (true, true) => Action::GetAndPut,
        (false, false) => Action::Open,
    };
    (known && mode(bits.as_bytes())).then(|| asked(action, name))?
}

/// ` bytes read 0 written 12`
fn closed(name: &[u8], rest: &[u8], progress: Progress) -> Option<Transfer> {
    let counts = words(rest)?.strip_prefix("bytes read ")?;
    let (read, written) = counts.split_once(" written ")?;
    let (read, written) = (number(read)?, number(written)?);
    let action = match (read > 0, written > 0) {
        (true, false) => Action::Get,
        (false, true) => Action::Put,
        (true, true) => Action::GetAndPut,
        (false, false) => Action::Close,
    };
    Some(Transfer {
        passed: Some(Passed { read, written }),
        progress,
        ..asked(action, name)?
    })
}

/// What is set: ` mode 0644`, ` size 12`, ` modtime 20260101-12:00:00`, ` owner 0 group 0`.
fn change(rest: &[u8]) -> Option<Action> {
    let (what, value) = words(rest)?.split_once(' ')?;
    match what {
        "mode" => mode(value.as_bytes()).then_some(Action::Chmod),
        "size" => number(value).map(|_| Action::Truncate),
        "modtime" => value
            .bytes()
            .all(|b| b.is_ascii_digit() || b":-".contains(&b))
            .then_some(Action::Touch),
        "owner" => {
            let (owner, group) = value.split_once(" group ")?;
            number(owner).and(number(group)).map(|_| Action::Chown)
        }
        _ => None,
    }
}

/// Two names with `" new "` between. Where that is there more than once, a name has it in it, and
/// which is which can't be told.
fn two(action: Action, names: &[u8]) -> Option<Transfer> {
    const BETWEEN: &[u8] = b"\" new \"";
    let places = names.windows(BETWEEN.len()).enumerate();
    let mut places = places.filter(|(_, part)| *part == BETWEEN);
    let (place, _) = places.next()?;
    if places.next().is_some() {
        return asked(action, names);
    }
    Some(Transfer {
        to: Some(plain(&names[place + BETWEEN.len()..])?),
        ..asked(action, &names[..place])?
    })
}

/// What is left of a message without its end.
fn cut(said: &[u8]) -> Option<Transfer> {
    const VERBS: [(&[u8], Action); 12] = [
        (b"open ", Action::Open),
        (b"close ", Action::Close),
        (b"forced close ", Action::Close),
        (b"mkdir name ", Action::Mkdir),
        (b"opendir ", Action::List),
        (b"remove name ", Action::Remove),
        (b"rmdir name ", Action::Rmdir),
        (b"rename old ", Action::Rename),
        (b"posix-rename old ", Action::Rename),
        (b"symlink old ", Action::Symlink),
        (b"hardlink old ", Action::Link),
        (b"set ", Action::Set),
    ];
    let quote = said.iter().position(|byte| *byte == b'"')?;
    let (verb, name) = (&said[..quote], &said[quote + 1..]);
    let (_, action) = VERBS.into_iter().find(|(known, _)| *known == verb)?;
    Some(Transfer {
        action,
        // Its last escape may be half of one.
        path: plain(name).unwrap_or_else(|| Bytes(name.to_vec())),
        to: None,
        passed: None,
        progress: Progress::Cut,
    })
}

/// What follows a name and a space.
fn words(rest: &[u8]) -> Option<&str> {
    std::str::from_utf8(rest.strip_prefix(b" ")?).ok()
}

fn mode(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(|digit| (b'0'..=b'7').contains(digit))
}

fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

/// A name without its escapes (vis(3) with VIS_OCTAL).
fn plain(mut shown: &[u8]) -> Option<Bytes> {
    let mut name = Vec::with_capacity(shown.len());
    loop {
        let (byte, rest) = match shown {
            [] => return Some(Bytes(name)),
            [b'\\', b'\\', rest @ ..] => (b'\\', rest),
            [
                b'\\',
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                rest @ ..,
            ] => ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), rest),
            [b'\\', ..] => return None,
            [byte, rest @ ..] => (*byte, rest),
        };
        name.push(byte);
        shown = rest;
    }
}

#[cfg(test)]
#[path = "sftp_log_tests.rs"]
mod tests;
