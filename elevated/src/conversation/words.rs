//! The words of an ask, and what they lead to.

use elevate_protocol::account::Account;
use elevate_protocol::launch::{Purpose, Resolution, Resolve};
use elevate_protocol::{Bytes, ErrorName, Id};

use super::ask::{Ask, Mode};
use super::judge::Found;
use super::shell::real_shell;
use super::stream::Refusal;
use crate::daemon::Daemon;
use crate::launch;

/// What is looked up: words, and where they are looked up from.
pub(super) struct Words {
    /// As they will be the command's own.
    pub argv: Vec<Bytes>,
    /// What is looked up for each word that names a file.
    files: Vec<Bytes>,
    /// The working directory.
    pub cwd: Bytes,
    /// Whether this is a shell, and not a command.
    pub is_shell: bool,
    mode: Mode,
    /// The target's shell.
    login_shell: Bytes,
}

impl Words {
    /// As `-s` and `-i` make them (sudo(8)): a shell where there are no words.
    pub(super) fn of(daemon: &Daemon, ask: &Ask, caller: &Account, target: &Account) -> Self {
        let cwd = match ask.mode {
            Mode::Login => Bytes::from(target.home.as_str()),
            _ => ask.cwd.clone(),
        };
        let is_shell = ask.argv.is_empty();
        let login_shell = real_shell(daemon, target);
        let shell = match ask.mode {
            Mode::Login => login_shell.clone(),
            _ => real_shell(daemon, caller),
        };
        let (argv, files) = match (is_shell, ask.mode) {
            (true, Mode::Login) => {
                let name = shell.rsplit('/').next().unwrap_or_default();
                (vec![format!("-{name}").into()], vec![shell.as_str().into()])
            }
            (true, _) => {
                let shell = Bytes::from(shell.as_str());
                (vec![shell.clone()], vec![shell])
            }
            (false, Mode::Edit) => {
                let command = ["elevate".into(), "-e".into()];
                let argv = command.into_iter().chain(ask.argv.iter().cloned());
                (argv.collect(), ask.argv.clone())
            }
            (false, _) => (ask.argv.clone(), vec![ask.argv[0].clone()]),
        };
        Words {
            argv,
            files,
            cwd,
            is_shell,
            mode: ask.mode,
            login_shell: login_shell.as_str().into(),
        }
    }

    /// Look each of them up.
    pub(super) async fn look_up(
        &self,
        daemon: &Daemon,
        id: Id,
        caller: &Account,
        target: &Account,
    ) -> Result<Found, Refusal> {
        let execute = |word: &Bytes| self.question(word, target, false, Purpose::Execute, daemon);
        if self.mode == Mode::Edit {
            let mut all = Vec::new();
            for file in &self.files {
                let caller = caller.clone();
                let question = self.question(file, target, false, Purpose::Edit { caller }, daemon);
                all.push(resolve(daemon, id, &question).await?);
            }
            return Ok(Found::Edit(all));
        }
        let file = resolve(daemon, id, &execute(&self.files[0])).await?;
        match self.mode {
            Mode::Login if !self.is_shell => {
                let shell = resolve(daemon, id, &execute(&self.login_shell)).await?;
                Ok(Found::ByLoginShell(file, shell))
            }
            _ => Ok(Found::Command(file)),
        }
    }

    /// Look the command up again, with a hash of what is found.
    pub(super) async fn hashed(
        &self,
        daemon: &Daemon,
        id: Id,
        target: &Account,
    ) -> Result<Resolution, Refusal> {
        let question = self.question(&self.files[0], target, true, Purpose::Execute, daemon);
        resolve(daemon, id, &question).await
    }

    fn question(
        &self,
        word: &Bytes,
        target: &Account,
        hash: bool,
        purpose: Purpose,
        daemon: &Daemon,
    ) -> Resolve {
        Resolve {
            command: word.clone(),
            cwd: self.cwd.clone(),
            search_path: daemon.settings.secure_path.clone(),
            target: target.clone(),
            hash,
            purpose,
        }
    }

    /// The command's path as it is invoked, and with every link resolved. Whoever may not run a path
    /// hears the same of it whether there is a file or not.
    pub(super) fn command_paths(&self, file: &Resolution) -> Option<(Vec<u8>, Vec<u8>)> {
        match file {
            Resolution::Found(file) => Some((file.path.0.clone(), file.real.0.clone())),
            _ => self.named(0).map(|path| (path.clone(), path)),
        }
    }

    /// The paths of files that are to be edited, their folders resolved where they were found.
    pub(super) fn edit_paths(&self, files: &[Resolution]) -> Vec<Vec<u8>> {
        let path = |(place, file): (usize, &Resolution)| match file {
            Resolution::Editable(file) => Some(file.path.0.clone()),
            _ => self.named(place),
        };
        files.iter().enumerate().filter_map(path).collect()
    }

    fn named(&self, place: usize) -> Option<Vec<u8>> {
        named(&self.files[place], &self.cwd)
    }
}

pub(super) async fn resolve(
    daemon: &Daemon,
    id: Id,
    question: &Resolve,
) -> Result<Resolution, Refusal> {
    launch::resolve(&daemon.launcher, id, question)
        .await
        .map_err(|error| {
            Refusal::new(
                ErrorName::Unavailable,
                format!("the launcher can't be reached: {error}"),
            )
            .hint("an administrator starts it with: systemctl start elevate-launcher.socket")
        })
}

/// The path that was asked for, as far as its words alone tell; none for a bare name, which is
/// looked for in folders that everybody may list.
fn named(word: &Bytes, cwd: &[u8]) -> Option<Vec<u8>> {
    if !word.contains(&b'/') {
        return None;
    }
    let whole = match word.first() {
        Some(b'/') => word.0.clone(),
        _ => [cwd, b"/", word].concat(),
    };
    let mut folders: Vec<&[u8]> = Vec::new();
    for part in whole.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(folders.pop()),
            part => folders.push(part),
        }
    }
    Some([b"/", &folders.join(&b'/')[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_by_its_words_alone() {
        let named = |word: &str| {
            named(&word.into(), b"/srv/x").map(|path| String::from_utf8(path).unwrap())
        };
        assert_eq!(named("id"), None);
        assert_eq!(named("/usr/./bin//id").as_deref(), Some("/usr/bin/id"));
        assert_eq!(named("./run").as_deref(), Some("/srv/x/run"));
        assert_eq!(named("../../../../etc/x").as_deref(), Some("/etc/x"));
    }
}
