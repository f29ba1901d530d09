//! `writable`: what a contained session may never write, and why.

use crate::wrong::Wrong;

const ROOTS: &str = "root, or what runs as root, reads what to do there";
const KERNEL: &str = "the kernel's own switches are there";
const HOMES: &str = "it holds homes, whose owners' shells run what is there";
const OURS: &str = "Elevate keeps its records there";

/// Folders that nothing writable may lie in or hold.
const FORBIDDEN: &[(&str, &str)] = &[
    ("/etc", ROOTS),
    ("/usr", ROOTS),
    ("/bin", ROOTS),
    ("/sbin", ROOTS),
    ("/lib", ROOTS),
    ("/lib32", ROOTS),
    ("/lib64", ROOTS),
    ("/libx32", ROOTS),
    ("/boot", ROOTS),
    ("/efi", ROOTS),
    ("/root", ROOTS),
    // Sockets of services, and systemd's, udev's and sysctl's second folders of configuration.
    ("/run", ROOTS),
    ("/var/run", ROOTS),
    // cron's tables and at's jobs.
    ("/var/spool", ROOTS),
    // Who lingers, when timers ran.
    ("/var/lib/systemd", ROOTS),
    // Scripts of packages.
    ("/var/lib/dpkg", ROOTS),
    ("/var/lib/apt", ROOTS),
    ("/var/lib/polkit-1", ROOTS),
    ("/var/lib/extrausers", ROOTS),
    ("/var/lib/elevate", OURS),
    ("/var/log/elevate", OURS),
    ("/var/log/journal", "the records of this host are there"),
    ("/proc", KERNEL),
    ("/sys", KERNEL),
    ("/dev", "devices are there"),
];

/// Checks one entry. `owner` is the one user that the session can be of, where there is one.
pub(super) fn check(path: &str, owner: Option<&str>) -> Result<(), Wrong> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err("a writable path is absolute, as in `/srv/www`".into());
    };
    if rest.is_empty() {
        return Err("with all of it writable nothing would be contained".into());
    }
    if path.contains('*') {
        return Err("there are no wildcards here; name the folder".into());
    }
    let bad = |part: &str| part.is_empty() || part == "." || part == "..";
    if rest.split('/').any(bad) || path.contains(char::is_control) {
        let what = "a path has no empty part, no `.`, no `..` and no `/` at its end";
        let parts: Vec<_> = rest.split('/').filter(|part| !part.is_empty()).collect();
        let plain = !parts.is_empty() && !parts.into_iter().any(bad);
        let tidy = || {
            format!(
                "/{}",
                rest.split('/')
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join("/")
            )
        };
        return Err(Wrong::suggesting(what, plain.then(tidy)));
    }
    let met = FORBIDDEN
        .iter()
        .find(|(folder, _)| is_in(path, folder) || is_in(folder, path));
    if let Some((folder, why)) = met {
        let what = match is_in(path, folder) {
            true => format!("nothing in `{folder}` can be writable: {why}"),
            false => format!("it holds `{folder}`, of which nothing can be writable: {why}"),
        };
        return Err(what.into());
    }
    let own = owner.is_some_and(|owner| is_in(path, &format!("/home/{owner}")));
    match is_in(path, "/home") && !own {
        true => Err(format!(
            "in `/home` nothing but the home of the one user in `run_as` can be writable: {HOMES}"
        )
        .into()),
        false => Ok(()),
    }
}

fn is_in(path: &str, folder: &str) -> bool {
    std::path::Path::new(path).starts_with(folder)
}
