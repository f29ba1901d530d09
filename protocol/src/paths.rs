//! Where things are on a host.

/// The system bus. Never taken from the environment, which belongs to the caller.
pub const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";
/// Runtime files of the daemon.
pub const RUNTIME: &str = "/run/elevate";
/// The launcher's socket, a sequenced-packet socket that only root can open.
pub const LAUNCHER_SOCKET: &str = "/run/elevate/launcher.sock";
/// Where the PAM module asks; root's alone.
pub const LOGIN_SOCKET: &str = "/run/elevate/login.sock";
/// Logins under way and open, for a daemon that is restarted meanwhile; root's alone.
pub const LOGINS: &str = "/run/elevate/logins";
/// What the PAM module did while it could not ask, one file each; root's alone.
pub const LOGIN_SPOOL: &str = "/var/lib/elevate/login-spool";
/// Where `elevate-directory` hands over its records; its own user's alone.
pub const DIRECTORY_SOCKET: &str = "/run/elevate/directory.sock";
/// The user that `elevate-directory` runs as.
pub const DIRECTORY_USER: &str = "elevate-directory";
/// Settings of `elevate-directory`.
pub const DIRECTORY_SETTINGS: &str = "/etc/elevate/directory.toml";
/// Static user records, read by nss-systemd and userdbctl (nss-systemd(8)).
pub const USER_RECORDS: &str = "/run/userdb";
/// The key that secrets are encrypted with, where no credential of systemd's holds it.
pub const SECRETS_KEY: &str = "/var/lib/elevate/secrets.key";
/// The credential that holds the key, where there is one (systemd.exec(5), `LoadCredential=`).
pub const SECRETS_CREDENTIAL: &str = "elevate.secrets-key";
/// Settings of the daemon.
pub const SETTINGS: &str = "/etc/elevate/elevated.toml";
/// Roles and rules.
pub const POLICY: &str = "/etc/elevate/policy.d";
/// Vendor defaults of roles and rules; a file of the same name in [`POLICY`] takes its place.
pub const VENDOR_POLICY: &str = "/usr/lib/elevate/policy.d";
/// The time zones that policies may name (tzfile(5)); where `TZDIR` points to counts for nothing.
pub const ZONES: &str = "/usr/share/zoneinfo";
/// Requests, votes and grants.
pub const STORE: &str = "/var/lib/elevate/state.db";
/// The policy that was believed last, for a start that finds none to believe.
pub const LAST_GOOD_POLICY: &str = "/var/lib/elevate/policy.last-good";
/// The settings that were believed last.
pub const LAST_GOOD_SETTINGS: &str = "/var/lib/elevate/settings.last-good";
/// The login shell of people whose logins are recorded (`login.record`).
pub const RECORDED_SHELL: &str = "/usr/libexec/elevate/elevate-shell";
/// Recordings of sessions.
pub const RECORDINGS: &str = "/var/log/elevate/sessions";
/// The unified cgroup hierarchy.
pub const CGROUP: &str = "/sys/fs/cgroup";
/// The slice that every session's scope is in.
pub const SLICE: &str = "elevate.slice";
/// The service whose processes the launcher serves, as `/proc/PID/cgroup` names it.
pub const DAEMON_CGROUP: &str = "/system.slice/elevated.service";

/// The cgroup folder of the scope of session `id`.
pub fn scope_cgroup(id: crate::Id) -> String {
    format!("{CGROUP}/{SLICE}/{}", id.scope())
}

/// The recording of session `id`.
pub fn recording(id: crate::Id) -> String {
    format!("{RECORDINGS}/{id}.cast.zst")
}
