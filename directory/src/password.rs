//! The password that we log in with.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use elevate_protocol::Secret;
use zeroize::{Zeroize, Zeroizing};

use crate::settings::Settings;

/// The name of the credential that holds it (systemd.exec(5), `LoadCredential=`).
pub const CREDENTIAL: &str = "bind-password";
/// Where our unit takes it from.
const CREDENTIAL_FILE: &str = "/etc/elevate/directory.password";

/// Bytes of a password.
const LONGEST: u64 = 1024;

/// The password of the settings' `bind_dn`, if there is one. `credentials` is the folder that
/// systemd made for us.
///
/// # Errors
/// There is none, or none that could be used; never with the password in it.
pub fn read(settings: &Settings, credentials: Option<&Path>) -> Result<Option<Secret>, String> {
    if settings.bind_dn.is_none() {
        return Ok(None);
    }
    let (path, whence) = match (&settings.bind_password_file, credentials) {
        (Some(path), _) => (path.clone(), String::new()),
        (None, Some(folder)) => {
            let whence = format!(" (the credential of the service, as a rule {CREDENTIAL_FILE})");
            (folder.join(CREDENTIAL), whence)
        }
        (None, None) => {
            return Err(format!(
                "`bind_dn` has no password: start this by systemd, which hands over the credential \
                 \"{CREDENTIAL}\", or set `bind_password_file`"
            ));
        }
    };
    let shown = format!("{}{whence}", path.display());
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    let file = File::open(&path).map_err(|error| format!("{shown}: {error}"))?;
    let metadata = file
        .metadata()
        .map_err(|error| format!("{shown}: {error}"))?;
    if metadata.mode() & 0o007 != 0 {
        return Err(format!(
            "{shown} is open to everybody (mode {:04o}); chmod it o= to use it",
            metadata.mode() & 0o7777
        ));
    }
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{shown}: {error}"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{shown} is no UTF-8 text"))?;
    // What an editor or echo adds.
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut password = text.strip_suffix('\r').unwrap_or(text).to_owned();
    // RFC 4513 section 5.1.2: a name without a password logs nobody in, and succeeds.
    let why = match password.len() as u64 {
        0 => "is empty",
        1..=LONGEST if !password.contains(['\n', '\0']) => return Ok(Some(password.into())),
        1..=LONGEST => "holds more than one line",
        _ => "is longer than 1024 bytes",
    };
    password.zeroize();
    Err(format!("{shown} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::parse;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    fn from(bytes: &[u8]) -> Result<Option<Secret>, String> {
        with_mode(bytes, 0o400)
    }

    fn with_mode(bytes: &[u8], mode: u32) -> Result<Option<Secret>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CREDENTIAL);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let settings = parse(
            "f",
            "uri = \"ldap://a\"\nbind_dn = \"cn=a\"\npeople.base = \"o=x\"\ngroups.base = \"o=x\"",
        );
        read(&settings.unwrap(), Some(folder.path()))
    }

    #[test]
    fn one_newline_at_the_end_does_not_count() {
        for text in ["secret", "secret\n", "secret\r\n"] {
            let password = from(text.as_bytes()).unwrap().unwrap();
            assert_eq!(password.reveal(), "secret");
        }
        let spaces = from(b" a b \n").unwrap().unwrap();
        assert_eq!(spaces.reveal(), " a b ");
    }

    #[test]
    fn a_password_that_everybody_can_read_is_refused() {
        assert!(with_mode(b"secret", 0o440).is_ok());
        for mode in [0o444, 0o602] {
            assert!(
                with_mode(b"secret", mode)
                    .unwrap_err()
                    .contains("everybody")
            );
        }
    }

    #[test]
    fn what_would_log_nobody_in_is_refused_without_being_shown() {
        for wrong in [
            &b""[..],
            b"\n",
            b"top\nsecret\n",
            b"top\0secret",
            b"\xff",
            &[b'x'; 2000],
        ] {
            let error = from(wrong).unwrap_err();
            assert!(
                !error.contains("secret") && !error.contains("xxx"),
                "{error}"
            );
        }
    }
}
