//! What the module did while nobody could be asked: put on record when somebody can.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::limits::{LOGIN_BYTES, LOGIN_SPOOL_FILES};
use elevate_protocol::login::{Outcome, Spooled};
use elevate_protocol::paths;

use crate::audit::{self, Entry};
use crate::daemon::Daemon;

/// A daemon that only hung has spooled logins too, and hears of them from nobody.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Nobody writes at a draft for longer.
const DRAFT: Duration = Duration::from_secs(60);

/// Put on record what lies in the spool now, and what comes to lie there; never ends.
pub async fn watch_spool(daemon: Arc<Daemon>) {
    loop {
        record_spooled(Path::new(paths::LOGIN_SPOOL), |entry| daemon.record(entry));
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Take what lies in the spool, oldest first, as entries for the record.
fn record_spooled(folder: &Path, mut record: impl FnMut(Entry)) {
    let mut names = match names(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return eprintln!("{}: {error}", folder.display()),
    };
    remove_drafts(folder);
    names.sort();
    names.truncate(LOGIN_SPOOL_FILES);
    for left in gather(folder, &names) {
        record(match left {
            Left::Spooled { spooled, .. } => audit::spooled(&spooled),
            Left::Unreadable { name, why } => audit::unreadable_spool(name, &why),
        });
    }
    for name in names {
        let path = folder.join(name);
        if let Err(error) = fs::remove_file(&path) {
            // It would be recorded again and again.
            eprintln!("{}: {error}", path.display());
        }
    }
}

/// What the module left behind.
enum Left<'a> {
    Spooled { process: &'a str, spooled: Spooled },
    Unreadable { name: &'a str, why: String },
}

/// Everything in these files, in their order. A rescue is up to three calls of the module by one
/// process: it comes once, with all of its phases.
fn gather<'a>(folder: &Path, names: &'a [String]) -> Vec<Left<'a>> {
    let mut all: Vec<Left<'a>> = Vec::with_capacity(names.len());
    for name in names {
        let process = process(name);
        let spooled = match read(&folder.join(name)) {
            Ok(spooled) => spooled,
            Err(error) => {
                let why = error.to_string();
                all.push(Left::Unreadable { name, why });
                continue;
            }
        };
        let begun = all.iter_mut().rev().find_map(|left| match left {
            Left::Spooled {
                process: of,
                spooled: earlier,
            } if *of == process => Some(earlier),
            _ => None,
        });
        match begun {
            Some(rescue) if goes_on(rescue, &spooled) => {
                rescue.phase.push(' ');
                rescue.phase.push_str(&spooled.phase);
            }
            _ => all.push(Left::Spooled { process, spooled }),
        }
    }
    all
}

/// The process that wrote a file: `MILLISECONDS-PID.json`.
fn process(name: &str) -> &str {
    let stem = name.strip_suffix(".json").unwrap_or(name);
    stem.rsplit_once('-').map_or(stem, |(_, pid)| pid)
}

fn goes_on(rescue: &Spooled, next: &Spooled) -> bool {
    let place = |phase: &str| {
        let last = phase.rsplit(' ').next();
        let order = ["auth", "account", "session"];
        order.iter().position(|known| Some(*known) == last)
    };
    let rescued = [rescue, next].map(|one| one.outcome == Outcome::Rescued);
    rescued == [true; 2] && rescue.login == next.login && place(&rescue.phase) < place(&next.phase)
}

/// Files that the module finished; what it still writes begins with a dot.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Remove what a module began to write and was killed in: su's users may do that, and drafts count
/// as files.
fn remove_drafts(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let is_draft = entry.file_name().as_encoded_bytes().starts_with(b".");
        let age = entry.metadata().and_then(|data| data.modified());
        let age = age.map(|at| at.elapsed().unwrap_or_default());
        if is_draft && age.is_ok_and(|age| age > DRAFT) {
            // Tried again with the next look.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn read(path: &Path) -> io::Result<Spooled> {
    let mut text = String::new();
    let file = fs::File::open(path)?;
    file.take(LOGIN_BYTES as u64).read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Kind;
    use elevate_protocol::login::Login;

    #[test]
    fn what_was_spooled_is_recorded_once_and_what_is_unfinished_waits() {
        let folder = tempfile::tempdir().unwrap();
        let spooled = Spooled {
            login: Login {
                service: "login".into(),
                user: "root".into(),
                source: None,
                terminal: Some("tty1".into()),
            },
            outcome: Outcome::Rescued,
            phase: "auth".into(),
            problem: "no answer".into(),
            real_terminal: Some("tty1".into()),
            at: 1_000,
        };
        let text = serde_json::to_string(&spooled).unwrap();
        fs::write(folder.path().join("1000-7.json"), text).unwrap();
        fs::write(folder.path().join("1001-7.json"), "{").unwrap();
        fs::write(folder.path().join(".tmp-1002-7"), "{").unwrap();
        let mut kinds = Vec::new();
        record_spooled(folder.path(), |entry| kinds.push(entry.kind));
        record_spooled(folder.path(), |entry| kinds.push(entry.kind));
        assert_eq!(kinds, [Kind::Rescue, Kind::LoginRefused]);
        record_spooled(&folder.path().join("none"), |_| panic!("there is nothing"));
    }

    #[test]
    fn a_draft_that_nobody_finished_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (
            folder.path().join(".tmp-1-7"),
            folder.path().join(".tmp-2-8"),
        );
        fs::write(&new, "{").unwrap();
        let file = fs::File::create(&old).unwrap();
        file.set_modified(std::time::SystemTime::now() - 2 * DRAFT)
            .unwrap();
        record_spooled(folder.path(), |_| panic!("there is nothing"));
        assert!(!old.exists() && new.exists());
    }

    #[test]
    fn a_rescue_is_one_record_however_many_calls_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, user: &str, phase: &str| {
            let spooled = Spooled {
                login: Login {
                    service: "login".into(),
                    user: user.into(),
                    source: None,
                    terminal: Some("tty1".into()),
                },
                outcome: Outcome::Rescued,
                phase: phase.into(),
                problem: "no answer".into(),
                real_terminal: Some("tty1".into()),
                at: 1_000,
            };
            let text = serde_json::to_string(&spooled).unwrap();
            fs::write(folder.path().join(name), text).unwrap();
        };
        // A wrong password first, and somebody else at the same time.
        write("1000-7.json", "root", "auth");
        write("1001-7.json", "root", "auth");
        write("1002-8.json", "root", "auth");
        write("1003-7.json", "root", "account");
        write("1004-7.json", "root", "session");
        write("1005-7.json", "admin", "session");
        let mut told = Vec::new();
        record_spooled(folder.path(), |entry| {
            let mut fields = entry.fields.into_iter();
            let phase = fields.find(|(name, _)| *name == "ELEVATE_PHASE");
            told.push(phase.unwrap().1);
        });
        assert_eq!(told, ["auth", "auth account session", "auth", "session"]);
    }
}
