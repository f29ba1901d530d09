//! What sshd's settings make of our lines.

use std::process::{Command, Stdio};

/// Debian's and everybody's.
const SSHD: &str = "/usr/sbin/sshd";

/// What in sshd's settings in force would keep people out, or let them pass PAM by. Empty where
/// there is no sshd.
pub(super) fn problems() -> Vec<String> {
    let test = Command::new(SSHD)
        .arg("-T")
        .env_clear()
        .stdin(Stdio::null())
        .output();
    match test {
        Ok(output) if output.status.success() => judge(&String::from_utf8_lossy(&output.stdout)),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let first = said.lines().next().unwrap_or("it says nothing");
            vec![format!(
                "`sshd -T` fails, so that its settings are unknown: {first}"
            )]
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => vec![format!("`{SSHD} -T` cannot be run: {error}")],
    }
}

/// `settings` as `sshd -T` prints them: a keyword in small letters and its value to a line.
fn judge(settings: &str) -> Vec<String> {
    let value = |keyword: &str| {
        let mut lines = settings.lines().filter_map(|line| line.split_once(' '));
        lines.find_map(|(name, value)| (name == keyword).then(|| value.trim()))
    };
    let mut problems = Vec::new();
    if value("usepam") != Some("yes") {
        problems.push(
            "UsePAM is no: sshd asks PAM for nothing, and no role is checked; set UsePAM yes"
                .into(),
        );
    }
    if value("kbdinteractiveauthentication") == Some("no") {
        problems.push(
            "KbdInteractiveAuthentication is no: nobody can be asked for a code; set \
             KbdInteractiveAuthentication yes"
                .into(),
        );
    }
    let methods = value("authenticationmethods").unwrap_or("any");
    // A code after a key would fit where ssh asks for a password, too, but the sshd of Debian 12 does
    // not tell PAM of the key then.
    let asks = |list: &str| {
        let mut methods = list.split(',');
        methods.any(|method| method.starts_with("keyboard-interactive"))
    };
    let silent: Vec<&str> = methods.split(' ').filter(|list| !asks(list)).collect();
    if methods == "any" {
        problems.push(
            "AuthenticationMethods is not set: logins with a key alone are refused where a code is \
             owed; set AuthenticationMethods publickey,keyboard-interactive"
                .into(),
        );
    } else if !silent.is_empty() {
        let silent = silent.join(" and ");
        problems.push(format!(
            "AuthenticationMethods allows {silent}: nobody is asked for a code then, and refused \
             where one is owed; end each list with keyboard-interactive"
        ));
    }
    if let Some("without-password" | "prohibit-password") = value("permitrootlogin") {
        problems.push(
            "PermitRootLogin is prohibit-password: with it sshd refuses root every login that asks \
             for anything after the key"
                .into(),
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pam: &str, interactive: &str, methods: &str) -> Vec<String> {
        judge(&format!(
            "port 22\nusepam {pam}\nkbdinteractiveauthentication {interactive}\n\
             permitrootlogin no\nauthenticationmethods {methods}\n"
        ))
    }

    #[test]
    fn key_and_code_is_fine() {
        for methods in [
            "publickey,keyboard-interactive",
            "publickey,keyboard-interactive:pam",
            "publickey,keyboard-interactive password,keyboard-interactive",
        ] {
            assert_eq!(settings("yes", "yes", methods), [""; 0], "{methods}");
        }
    }

    #[test]
    fn what_keeps_people_out_is_named() {
        assert!(settings("yes", "yes", "publickey,password")[0].contains("keyboard-interactive"));
        let first = |pam, interactive, methods| settings(pam, interactive, methods)[0].clone();
        let fine = "publickey,keyboard-interactive";
        assert!(first("no", "yes", fine).contains("set UsePAM yes"));
        assert!(first("yes", "no", fine).contains("set KbdInteractiveAuthentication yes"));
        assert!(first("yes", "yes", "any").contains("set AuthenticationMethods"));
        let key = first("yes", "yes", "publickey publickey,keyboard-interactive");
        assert!(
            key.starts_with("AuthenticationMethods allows publickey: "),
            "{key}"
        );
        assert!(judge("")[0].contains("UsePAM"));
        let root = judge(
            "usepam yes\nauthenticationmethods publickey,keyboard-interactive\npermitrootlogin without-password\n",
        );
        assert!(root[0].starts_with("PermitRootLogin"));
    }
}
