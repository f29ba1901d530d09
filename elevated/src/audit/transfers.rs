//! How what `sftp` and `scp` do to files reads.

use elevate_protocol::launch::Exec;
use elevate_protocol::transfer::{Action, Progress, Transfer};
use elevate_protocol::{Bytes, escape};

use super::entries::about;
use super::{Entry, Kind};
use crate::elevation::Elevation;

/// Options of scp(1) that take an argument.
const WITH_ARGUMENT: &[u8] = b"cDFiJloPSX";

/// A file passes in or out of a recorded login, or becomes another there.
pub fn transfer(elevation: &Elevation, transfer: &Transfer) -> Entry {
    let word = transfer.action.word();
    let to = transfer.to.as_deref().map(escape::word);
    let to = to.map_or(String::new(), |to| format!(" to {to}"));
    let message = format!(
        "session {}: {word} {}{to} ({})",
        elevation.id,
        escape::word(&transfer.path),
        transfer.progress.word(),
    );
    let entry = about(elevation, Kind::Transfer, message)
        .with("ELEVATE_ACTION", word)
        .with("ELEVATE_PATH", &transfer.path)
        .with(
            "ELEVATE_PATH_TO",
            transfer.to.as_deref().unwrap_or_default(),
        )
        .with("ELEVATE_OUTCOME", transfer.progress.word());
    match transfer.passed {
        Some(passed) => entry
            .with("ELEVATE_BYTES_READ", passed.read.to_string())
            .with("ELEVATE_BYTES_WRITTEN", passed.written.to_string()),
        None => entry,
    }
}

/// What the far side of `scp -O` is about to pass: its end here is `scp -t` or `-f`, which scp(1) does
/// not tell of. What else is executed passes nothing that is known.
pub fn scp(exec: &Exec) -> Vec<Transfer> {
    let file = exec.real.as_ref().unwrap_or(&exec.path);
    let name = file.rsplit(|byte| *byte == b'/').next();
    if name != Some(b"scp") || exec.denied {
        return Vec::new();
    }
    let words = exec.argv.get(1..).unwrap_or_default();
    let (letters, paths) = options(words);
    let action = match (letters.contains(&b't'), letters.contains(&b'f')) {
        (true, _) => Action::Put,
        (false, true) => Action::Get,
        (false, false) => return Vec::new(),
    };
    let progress = if exec.cut {
        Progress::Cut
    } else {
        Progress::Asked
    };
    let transfer = |path: &Bytes| Transfer {
        action,
        path: path.clone(),
        to: None,
        passed: None,
        progress,
    };
    paths.iter().map(transfer).collect()
}

/// The letters of the options, and what follows them (getopt(3)).
fn options(words: &[Bytes]) -> (Vec<u8>, &[Bytes]) {
    let mut letters = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let Some(cluster) = word.strip_prefix(b"-").filter(|left| !left.is_empty()) else {
            break;
        };
        rest = after;
        if cluster == b"-" {
            break;
        }
        let argument = cluster
            .iter()
            .position(|letter| WITH_ARGUMENT.contains(letter));
        letters.extend(&cluster[..argument.unwrap_or(cluster.len())]);
        if argument == Some(cluster.len() - 1) {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    (letters, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executed(file: &str, words: &[&str]) -> Vec<(Action, Bytes)> {
        let exec = Exec {
            number: 1,
            pid: 2,
            ppid: 1,
            uid: 1000,
            compat: false,
            path: file.into(),
            real: Some(file.into()),
            argv: words.iter().map(|word| (*word).into()).collect(),
            cut: false,
            cwd: "/".into(),
            denied: false,
        };
        let transfers = scp(&exec).into_iter();
        transfers.map(|one| (one.action, one.path)).collect()
    }

    #[test]
    fn the_far_end_of_scp_names_what_it_passes() {
        for (words, action, paths) in [
            (&["scp", "-t", "/a b"][..], Action::Put, &["/a b"][..]),
            (&["scp", "-rpt", "--", "-t"], Action::Put, &["-t"]),
            (
                &["scp", "-v", "-f", "/a", "/b\n"],
                Action::Get,
                &["/a", "/b\n"],
            ),
            (&["scp", "-lt", "-f", "/a"], Action::Get, &["/a"]),
            (&["scp", "-l", "-t", "-f", "/a"], Action::Get, &["/a"]),
        ] {
            let expected: Vec<_> = paths.iter().map(|path| (action, (*path).into())).collect();
            assert_eq!(executed("/usr/bin/scp", words), expected, "{words:?}");
        }
    }

    #[test]
    fn what_else_is_executed_passes_nothing() {
        for (file, words) in [
            ("/usr/bin/scp", &["scp", "/a", "host:/t"][..]),
            ("/usr/bin/scp", &["scp", "--", "-t", "/a"]),
            ("/usr/bin/scp", &["scp"]),
            ("/usr/bin/scp", &[]),
            ("/usr/bin/tar", &["scp", "-t", "/a"]),
        ] {
            assert_eq!(executed(file, words), [], "{words:?}");
        }
    }
}
