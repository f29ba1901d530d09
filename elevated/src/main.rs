//! `elevated`: wires the parts together and waits.

use std::collections::HashSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use elevate_policy::{Defaults, HostFacts, TimeZoneDatabase};
use elevate_protocol::paths;
use elevated::audit::journal::Journal;
use elevated::daemon::{Daemon, Parts, restore};
use elevated::elevation::Elevations;
use elevated::factors::{Factors, Kept, Places};
use elevated::host::Host;
use elevated::identity::{self, Identities, LocalFiles, Place, Publisher};
use elevated::last_good::LastGood;
use elevated::policies::Policies;
use elevated::store::{Sqlite, Store, Writer};
use elevated::{audit, bus, directory_socket, fd_store, login_socket, settings, watch};
use sd_notify::NotifyState;
use zbus::connection::Builder;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("elevated: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), Box<dyn Error>> {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        // A second daemon beside the service would take its sessions for lost.
        return Err("to be started by systemd, not by hand: systemctl start elevated".into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let host = Host::read()?;
    let last_good = |path| LastGood::new(Path::new(path), &host.machine_id);
    let (settings, settings_problem) = settings::load(
        Path::new(paths::SETTINGS),
        &last_good(paths::LAST_GOOD_SETTINGS),
    )?;
    let passed = fd_store::take()?;
    let mut store = Sqlite::open(Path::new(paths::STORE), &host.machine_id, &host.boot_id)?;
    let records = store.load()?;
    let old: HashSet<_> = records
        .iter()
        .filter(|(_, fresh)| !fresh)
        .map(|(e, _)| e.id)
        .collect();
    let defaults = Defaults {
        limit_default: settings.limit_default,
        limit_max: settings.limit_max,
    };
    let facts = HostFacts {
        controllers: Some(host.controllers.clone()),
        zones: TimeZoneDatabase::from_dir(paths::ZONES)
            .unwrap_or_else(|_| TimeZoneDatabase::none()),
    };
    let policies = Policies::new(
        Path::new(paths::VENDOR_POLICY),
        Path::new(paths::POLICY),
        facts,
        defaults,
        last_good(paths::LAST_GOOD_POLICY),
    );
    let elevations = Elevations::restore(records.into_iter().map(|(elevation, _)| elevation));
    let places = Places {
        credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        file: paths::SECRETS_KEY.into(),
    };
    let kept_factors = Kept::load(&mut store, &places, &host.machine_id)?;
    let kept_identities = identity::Kept::load(&mut store, settings.directory.rules.clone())?;
    let writer = Writer::start(store)?;
    let factors = Factors::new(kept_factors, &host, writer.clone());
    let identities = Identities::new(
        LocalFiles::new(Path::new("/etc")),
        kept_identities,
        Place {
            names: host.names(),
            boot_id: host.boot_id.clone(),
            cache_max_age: settings.directory.cache_max_age,
        },
        Publisher::new(Path::new(paths::USER_RECORDS)),
        writer.clone(),
    );
    let daemon = Daemon::new(Parts {
        host,
        settings: (settings, settings_problem),
        journal: Journal::start()?,
        store: writer,
        factors,
        identities,
        policies,
        elevations,
    });

    daemon.keep_logins_in(Path::new(paths::LOGINS));

    let connection = Builder::address(paths::SYSTEM_BUS).build().await?;
    daemon.connect(connection.clone());
    bus::follow_jobs(Arc::clone(&daemon), &connection).await?;
    if let Some(problem) = &daemon.settings_problem {
        daemon.record(audit::settings_refused(problem));
    }
    if let Some(problem) = daemon.factors.problem() {
        daemon.record(audit::factors_unavailable(problem));
    }
    // A policy that can't be believed is on record, and the last good one is in force.
    let _ = daemon.facts().await;
    restore(&daemon, passed.kept, &old).await;
    tokio::spawn(Arc::clone(&daemon).tick());
    // Before anybody is told that we are there: what can't be done now is tried again.
    let _ = daemon.directory_changed().await;
    tokio::spawn(Arc::clone(&daemon).follow_directory());
    if let Some(listener) = passed.directory {
        directory_socket::serve(Arc::clone(&daemon), listener)?;
    }
    tokio::spawn(login_socket::watch_spool(Arc::clone(&daemon)));
    tokio::spawn(watch::watch(Arc::clone(&daemon)));
    if let Some(listener) = passed.login {
        login_socket::serve(Arc::clone(&daemon), listener)?;
    }
    bus::serve(Arc::clone(&daemon), &connection).await?;
    sd_notify::notify(&[NotifyState::Ready])?;
    let ended = wait(&connection).await;
    daemon.keep_logins();
    ended
}

/// Until systemd ends us, or the bus is gone: systemd then starts us again, and nothing is lost.
async fn wait(connection: &zbus::Connection) -> Result<(), Box<dyn Error>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        () = connection.closed() => Err("the system bus is gone".into()),
    }
}
