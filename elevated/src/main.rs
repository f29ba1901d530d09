//! `elevated`: wires the parts together and waits.

use std::collections::HashSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use elevate_policy::{Defaults, HostFacts};
use elevate_protocol::paths;
use elevated::audit::journal::Journal;
use elevated::daemon::{Daemon, restore};
use elevated::elevation::Elevations;
use elevated::host::Host;
use elevated::last_good::LastGood;
use elevated::policies::Policies;
use elevated::store::{Sqlite, Store, Writer};
use elevated::{audit, bus, fd_store, settings};
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
    let kept = fd_store::take()?;
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
    };
    let policies = Policies::new(
        Path::new(paths::VENDOR_POLICY),
        Path::new(paths::POLICY),
        facts,
        defaults,
        last_good(paths::LAST_GOOD_POLICY),
    );
    let elevations = Elevations::restore(records.into_iter().map(|(elevation, _)| elevation));
    let writer = Writer::start(store)?;
    let daemon = Daemon::new(
        host,
        (settings, settings_problem),
        Journal::start()?,
        writer,
        policies,
        elevations,
    );

    let connection = Builder::address(paths::SYSTEM_BUS).build().await?;
    daemon.connect(connection.clone());
    bus::follow_jobs(Arc::clone(&daemon), &connection).await?;
    if let Some(problem) = &daemon.settings_problem {
        daemon.record(audit::settings_refused(problem));
    }
    // A policy that can't be believed is on record, and the last good one is in force.
    let _ = daemon.facts().await;
    restore(&daemon, kept, &old).await;
    tokio::spawn(Arc::clone(&daemon).tick());
    bus::serve(daemon, &connection).await?;
    sd_notify::notify(&[NotifyState::Ready])?;
    wait(&connection).await
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
