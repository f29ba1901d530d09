//! What must be there before a service's logins depend on it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use elevate_protocol::limits::LOGIN_BYTES;
use elevate_protocol::login::INTERFACE;
use elevate_protocol::varlink::{self, Call, Messages, Reply};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use crate::failure::Failure;

/// How long elevated may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether elevated answers on its login socket.
pub(super) fn daemon_answers(socket: &Path) -> Result<(), Failure> {
    ask(socket).map_err(|why| {
        Failure::new(format!(
            "elevated does not answer on {}: {why}; nobody could log in",
            socket.display()
        ))
        .hint("an admin starts it with: systemctl start elevate-login.socket elevated")
    })
}

fn ask(socket: &Path) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = open(socket).map_err(text)?;
    let question = Call {
        method: "org.varlink.service.GetInfo".into(),
        parameters: Default::default(),
        more: false,
        oneway: false,
    };
    stream
        .write_all(&varlink::encode(&question))
        .map_err(text)?;
    let begun = Instant::now();
    let mut messages = Messages::new(LOGIN_BYTES);
    let mut buffer = [0; 4096];
    loop {
        let reply = messages.read::<Reply>();
        if let Some(reply) = reply.map_err(|error| error.to_string())? {
            return match serves_logins(&reply) {
                true => Ok(()),
                false => Err("something else answers".into()),
            };
        }
        let got = stream.read(&mut buffer).map_err(text)?;
        if got == 0 || begun.elapsed() > PATIENCE {
            return Err("it hung up".into());
        }
        messages.push(&buffer[..got]);
    }
}

fn open(socket: &Path) -> std::io::Result<UnixStream> {
    // Connecting would otherwise wait for ever where a stopped daemon's backlog is full.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket_end = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket_end, &SocketAddrUnix::new(socket)?)?;
    let stream = UnixStream::from(socket_end);
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn serves_logins(reply: &Reply) -> bool {
    let interfaces = reply.parameters.get("interfaces");
    let interfaces = interfaces.and_then(|list| list.as_array());
    reply.error.is_none()
        && interfaces.is_some_and(|list| list.iter().any(|name| name == INTERFACE))
}

/// Whether libpam will find the module: it is where pam_unix.so is.
pub(super) fn module_is_there(libraries: &[PathBuf]) -> Result<(), Failure> {
    let with = |name: &str| libraries.iter().find(|folder| folder.join(name).is_file());
    let Some(folder) = with("pam_unix.so") else {
        return Err(
            Failure::new("this machine's PAM modules are not where they are expected")
                .hint("see pam_elevate(8) for how to write the lines by hand"),
        );
    };
    match folder.join("pam_elevate.so").is_file() {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "there is no pam_elevate.so in {}; nobody could log in",
            folder.display()
        ))
        .hint("install the package libpam-elevate")),
    }
}

/// Where distributions keep PAM modules.
pub(super) fn libraries() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = ["/usr/lib64/security", "/usr/lib/security", "/lib/security"]
        .map(PathBuf::from)
        .into();
    if let Ok(entries) = std::fs::read_dir("/usr/lib") {
        let entries = entries.flatten().map(|entry| entry.path());
        folders.extend(entries.map(|entry| entry.join("security")));
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn only_a_service_of_logins_is_elevated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("login.sock");
        let missing = daemon_answers(&path).unwrap_err();
        assert!(missing.message.contains("nobody could log in"));
        let listener = UnixListener::bind(&path).unwrap();
        let daemon = std::thread::spawn(move || {
            for name in ["org.example.Other", INTERFACE] {
                let mut stream = listener.accept().unwrap().0;
                let got = stream.read(&mut [0; 4096]).unwrap();
                assert!(got > 0);
                let info = serde_json::json!({ "interfaces": ["org.varlink.service", name] });
                let reply = varlink::encode(&Reply::new(&info));
                stream.write_all(&reply).unwrap();
            }
        });
        assert!(daemon_answers(&path).is_err());
        daemon_answers(&path).unwrap();
        daemon.join().unwrap();
    }

    #[test]
    fn a_module_is_looked_for_beside_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let libraries = [folder.path().join("none"), folder.path().to_owned()];
        assert!(module_is_there(&libraries).is_err());
        std::fs::write(folder.path().join("pam_unix.so"), "").unwrap();
        let missing = module_is_there(&libraries).unwrap_err();
        assert_eq!(
            missing.hint.as_deref(),
            Some("install the package libpam-elevate")
        );
        std::fs::write(folder.path().join("pam_elevate.so"), "").unwrap();
        module_is_there(&libraries).unwrap();
    }
}
