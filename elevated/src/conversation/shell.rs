//! The conversation behind the login shell of people whose logins are recorded.

use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::account::Account;
use elevate_protocol::launch::{
    Confinement, Execs, File, OnFull, Purpose, Record, Resolution, Resolve,
};
use elevate_protocol::paths::RECORDED_SHELL;
use elevate_protocol::stream::ToClient;
use elevate_protocol::{Bytes, ErrorName, Id};

use super::ask::{Ask, Mode};
use super::elevate::stand;
use super::environment::name;
use super::judge;
use super::proof::{self, Proved};
use super::stream::{Refusal, Stop, Stream};
use super::{wait, words};
use crate::clock::Moment;
use crate::daemon::Daemon;
use crate::elevation::{Asked, Caller, Digest, Elevation, Given, Shown, Stage, Subject, Terms};

/// The longest that a recorded login may last; what else ends a login ends it earlier.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// What `sftp` and `scp` are served by; it says on standard error which files it opens.
const SFTP_SERVERS: [&str; 2] = [
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
];

/// The shell of `account`, where the one that records stands in for it.
pub fn real_shell(daemon: &Daemon, account: &Account) -> String {
    match account.shell == RECORDED_SHELL {
        true => daemon.settings.login_shell.clone(),
        false => account.shell.clone(),
    }
}

/// Begin the recorded shell of the login that the client is part of. Where that is not to be recorded
/// the client is told that it is done, and becomes the shell itself.
pub async fn shell(daemon: Arc<Daemon>, uid: u32, id: Id, ask: Ask, stream: Stream) {
    match file(&daemon, uid, id, &ask, &stream).await {
        Ok(true) => wait::until_granted(daemon, id, stream, false, None).await,
        Ok(false) => {
            // A client that is gone is no shell either.
            let _ = stream.send(&ToClient::Done).await;
        }
        Err(Stop::Refused(refusal)) => {
            daemon.record_refused_ask(id, uid, &ask, &refusal.message);
            stream.refuse(&refusal).await;
        }
        Err(Stop::Gone) => {}
    }
}

/// Whether there is a session now.
async fn file(
    daemon: &Arc<Daemon>,
    uid: u32,
    id: Id,
    ask: &Ask,
    stream: &Stream,
) -> Result<bool, Stop> {
    let proved = proof::prove(daemon, stream, uid).await?;
    let Some(role) = daemon.recorded_shell(uid, &proved.login) else {
        return Ok(false);
    };
    let account = judge::account(daemon, uid).await?;
    let elevation = build(daemon, id, ask, &proved, account, &role).await?;
    stand(daemon, elevation).await?;
    Ok(true)
}

async fn build(
    daemon: &Daemon,
    id: Id,
    ask: &Ask,
    proved: &Proved,
    account: Account,
    role: &str,
) -> Result<Elevation, Refusal> {
    let shell = real_shell(daemon, &account);
    let (path, argv, transfer) = command(&shell, ask);
    let file = resolve(daemon, id, &account, &path).await?;
    let subject = match transfer {
        true => Subject::Transfer(file),
        false => Subject::Login(file),
    };
    let now = Moment::now();
    let place = proved.login.place.as_ref();
    let age = place.and_then(|place| daemon.freshness.age(account.uid, place, now));
    let asked = Asked {
        caller: Caller {
            account: account.clone(),
            login_uid: proved.login.uid,
            pid: proved.pid,
        },
        target: account,
        target_group: None,
        argv,
        subject,
        cwd: ask.cwd.clone(),
        environment: environment(&ask.set, &shell),
        stdio: ask.stdio,
        umask: ask.umask,
        window: ask.window,
        reason: None,
        ticket: None,
        duration: LONGEST,
    };
    // No name of a rule has a colon.
    let rule = format!("login:{role}");
    let rule_content = Digest::of(rule.as_bytes());
    let machine = &daemon.host.machine_id;
    Ok(Elevation {
        id,
        digest: Shown::new(machine, &asked, (&rule, rule_content), None).digest(),
        rule_content,
        factor: age.map_or(Given::None, |age| Given::Fresh(age.as_millis() as u64)),
        needed: 0,
        each: false,
        approvers: Vec::new(),
        terms: terms(),
        requested: now,
        expires: now.boot,
        votes: Vec::new(),
        stage: Stage::Waiting,
        begun: None,
        deadline: None,
        processes: None,
        execs: 0,
        extends: None,
        rule,
        asked,
    })
}

fn terms() -> Terms {
    Terms {
        longest: LONGEST,
        until: None,
        default: LONGEST,
        grace: Duration::ZERO,
        idle: None,
        tasks: None,
        memory: None,
        cpu: None,
        record: Record::Output,
        on_full: OnFull::End,
        execs: Execs::Log,
        watched: false,
        confinement: Confinement::default(),
    }
}

/// The program, its words, and whether it passes files. As login(1) and sshd(8) start a shell: by its
/// name, with a hyphen before it at a login, and the words that the recording shell was given.
fn command(shell: &str, ask: &Ask) -> (String, Vec<Bytes>, bool) {
    if let Some((server, words)) = sftp(&ask.argv) {
        return (server, words, true);
    }
    let name = shell.rsplit('/').next().unwrap_or(shell);
    let name = match ask.mode {
        Mode::Login => format!("-{name}"),
        _ => name.to_owned(),
    };
    let argv = std::iter::once(name.into()).chain(ask.argv.iter().cloned());
    (shell.to_owned(), argv.collect(), false)
}

/// sshd has the shell execute a subsystem by one line. Only a line without anything that a shell would
/// read is taken for one; whatever else it is, the shell that executes it is recorded.
fn sftp(words: &[Bytes]) -> Option<(String, Vec<Bytes>)> {
    let [flag, line] = words else {
        return None;
    };
    let line = std::str::from_utf8(line)
        .ok()
        .filter(|_| **flag == *b"-c")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_. ".contains(c);
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let server = words.next().filter(|first| SFTP_SERVERS.contains(first))?;
    let options: Vec<&str> = words.collect();
    if !line.chars().all(plain) || !leave_the_log_alone(&options) {
        return None;
    }
    let argv = [server, "-e", "-l", "INFO"].into_iter().chain(options);
    Some((server.to_owned(), argv.map(Bytes::from).collect()))
}

/// Whether none of an sftp-server's options says what it logs, and where (sftp-server(8)).
fn leave_the_log_alone(options: &[&str]) -> bool {
    match options {
        [] => true,
        ["-R", rest @ ..] => leave_the_log_alone(rest),
        ["-d" | "-u" | "-P" | "-p", _, rest @ ..] => leave_the_log_alone(rest),
        _ => false,
    }
}

/// What the login has, with the shell that it really is.
fn environment(set: &[Bytes], shell: &str) -> Vec<Bytes> {
    let others = set.iter().filter(|variable| name(variable) != b"SHELL");
    let shell = Bytes::from(format!("SHELL={shell}"));
    others.cloned().chain([shell]).collect()
}

async fn resolve(daemon: &Daemon, id: Id, account: &Account, path: &str) -> Result<File, Refusal> {
    let question = Resolve {
        command: path.into(),
        cwd: "/".into(),
        search_path: String::new(),
        target: account.clone(),
        hash: false,
        purpose: Purpose::Execute,
    };
    match words::resolve(daemon, id, &question).await? {
        Resolution::Found(file) => Ok(file),
        _ => Err(Refusal::new(
            ErrorName::CommandNotFound,
            format!("{path} can't be executed"),
        )
        .hint("an administrator sets login_shell in elevated.toml")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(line: &str) -> Option<Vec<Bytes>> {
        sftp(&["-c".into(), line.into()]).map(|(_, argv)| argv)
    }

    #[test]
    fn only_a_plain_line_is_taken_for_the_subsystem() {
        let server = "/usr/lib/openssh/sftp-server";
        let argv = served(&format!("{server} -u 0022")).unwrap();
        let expected = [server, "-e", "-l", "INFO", "-u", "0022"];
        assert_eq!(argv, expected.map(Bytes::from));
        for other in [
            "/tmp/sftp-server",
            "sftp-server",
            "/usr/lib/openssh/sftp-server;bash",
            "/usr/lib/openssh/sftp-server $(id)",
            "/usr/lib/openssh/sftp-server -l QUIET",
            "/usr/lib/openssh/sftp-server -R -lQUIET",
            "/usr/lib/openssh/sftp-server -Rl QUIET",
            "/usr/lib/openssh/sftp-server -u 022 -f AUTH",
            "/usr/lib/openssh/sftp-server --",
            "/usr/lib/openssh/sftp-server -u",
            "scp -t x; bash",
            "",
        ] {
            assert_eq!(served(other), None, "{other}");
        }
        assert_eq!(sftp(&["/usr/lib/openssh/sftp-server".into()]), None);
    }

    #[test]
    fn a_login_knows_the_shell_that_it_really_is() {
        let set = ["SHELL=/x".into(), "LANG=C".into()];
        let expected = ["LANG=C".into(), "SHELL=/bin/bash".into()];
        assert_eq!(environment(&set, "/bin/bash"), expected);
    }
}
