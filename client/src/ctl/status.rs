//! `elevatectl status`

use serde::Serialize;
use zbus::wire::{DeserializeDict, Type};

use super::directory;
use super::output;
use super::text::escaped;
use crate::bus::{block_on, call, connect};
use crate::failure::Failure;

/// How the daemon is.
#[derive(Debug, Clone, Default, DeserializeDict, Type, Serialize)]
#[zbus(signature = "dict", rename_all = "PascalCase")]
struct Status {
    version: String,
    policy_loaded: bool,
    policy_files: Vec<String>,
    policy_error: String,
    /// Why the settings in force are the last good ones and not the file's.
    settings_error: String,
    /// Why no second factor can be verified.
    factors_error: String,
    rules: u32,
    launcher: bool,
    /// Whether the PAM module can ask.
    login_socket: bool,
    /// The state of the directory, as `elevatectl directory status` has it.
    directory: String,
    sessions: u32,
    waiting: u32,
}

/// Tell how the daemon is; a failure where it cannot do its work.
pub(super) fn status(json: bool) -> Result<(), Failure> {
    let status: Status = block_on(async {
        let reply = call(&connect().await?, "Status", &()).await?;
        Ok(reply.body().deserialize()?)
    })?;
    if json {
        output::json(&status)?;
    } else {
        output::write(lines(&status).as_bytes())?;
    }
    Ok(())
}

fn lines(status: &Status) -> String {
    let launcher = match status.launcher {
        true => "ready",
        false => "not running; an admin starts it with: systemctl start elevate-launcher.socket",
    };
    let logins = match status.login_socket {
        true => "served",
        false => {
            "not served; an admin changes that with: systemctl start elevate-login.socket && \
             systemctl restart elevated"
        }
    };
    let policy = match status.policy_loaded {
        true => format!("{} rules", status.rules),
        false => format!(
            "refused; {} rules of the last good policy are in force",
            status.rules
        ),
    };
    let files: Vec<String> = status
        .policy_files
        .iter()
        .map(|file| escaped(file))
        .collect();
    let mut lines = format!(
        "elevated  running, version {}\nlauncher  {launcher}\nlogins    {logins}\n\
         directory {}\npolicy    {policy}\nfiles     {}\n\
         waiting   {}\nsessions  {}\n",
        escaped(&status.version),
        directory::state(&status.directory),
        if files.is_empty() {
            "none".to_owned()
        } else {
            files.join(" ")
        },
        status.waiting,
        status.sessions,
    );
    if !status.settings_error.is_empty() {
        lines += "settings  refused; the last good ones are in force until it is mended and \
                  elevated restarted\n";
    }
    if !status.factors_error.is_empty() {
        lines += "factors   cannot be verified; whatever owes a code is refused\n";
    }
    let problems = [
        &status.policy_error,
        &status.settings_error,
        &status.factors_error,
    ];
    for problem in problems.into_iter().flat_map(|all| all.lines()) {
        lines += &format!("problem   {}\n", escaped(problem));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_was_refused_says_what_is_in_force() {
        let status = Status {
            version: "1".into(),
            rules: 3,
            policy_error: "a.toml:1:2: unknown key\nb\x1b.toml: other".into(),
            ..Status::default()
        };
        let shown = lines(&status);
        assert!(!shown.contains("settings"), "{shown}");
        let lines = lines(&Status {
            settings_error: "elevated.toml:1:1: unknown field".into(),
            directory: "expired".into(),
            factors_error: "no second factor can be verified: its key is missing".into(),
            ..status
        });
        assert!(lines.contains("settings  refused; the last good ones are in force"));
        assert!(lines.contains("problem   elevated.toml:1:1: unknown field\n"));
        assert!(lines.contains("factors   cannot be verified"));
        assert!(lines.contains("directory expired: what was heard last is too old"));
        assert!(lines.contains("logins    not served; "));
        assert!(lines.contains("problem   no second factor can be verified: its key is missing\n"));
        assert!(lines.contains("3 rules of the last good policy are in force"));
        assert!(lines.contains("problem   a.toml:1:2: unknown key\n"));
        assert!(lines.contains("problem   b\\x1b.toml: other\n"));
        assert!(lines.contains("systemctl start elevate-launcher.socket"));
    }
}
