//! `elevate-directory`: reads its settings, and follows the directory that they name.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use elevate_directory::ldap::tls;
use elevate_directory::server::Server;
use elevate_directory::{password, run, settings};
use elevate_protocol::paths;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

/// The settings are wrong (sysexits(3)): systemd does not start us again until somebody does.
const EX_CONFIG: u8 = 78;

fn main() -> ExitCode {
    // By hand is fine, for a look at what it says; as root never, since it reads the network.
    if rustix::process::geteuid().is_root() {
        eprintln!(
            "not to be run as root: systemctl start elevate-directory, or by hand \
             setpriv --reuid={user} --regid={user} --clear-groups \
             /usr/libexec/elevate/elevate-directory",
            user = paths::DIRECTORY_USER,
        );
        return ExitCode::FAILURE;
    }
    let server = match prepare() {
        Ok(server) => server,
        Err(problem) => {
            eprintln!("{problem}");
            let _ = sd_notify::notify(&[NotifyState::Status(&problem)]);
            return ExitCode::from(EX_CONFIG);
        }
    };
    match follow(server) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What makes a source, from the settings.
fn prepare() -> Result<impl Fn() -> Server, String> {
    let settings = Rc::new(settings::load(Path::new(paths::DIRECTORY_SETTINGS))?);
    let tls = tls::config(settings.ca_file.as_deref())?;
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let password = password::read(&settings, credentials.as_deref())?;
    Ok(move || Server::new(Rc::clone(&settings), tls.clone(), password.clone()))
}

fn follow(server: impl Fn() -> Server) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Names are looked up in threads; those that hang must not become many.
        .max_blocking_threads(4)
        .build()?;
    let ended = tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        sd_notify::notify(&[NotifyState::Ready])?;
        tokio::select! {
            () = run::run(PathBuf::from(paths::DIRECTORY_SOCKET), server) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    });
    // A name that is being looked up is not waited for.
    runtime.shutdown_background();
    ended
}
