//! The three packages together: installed, upgraded and removed in any order while people come from
//! a directory and a login asks for codes.

mod key;
mod removal;
mod upgrade;

use std::path::PathBuf;
use std::time::Duration;

use elevate_tests::{DEBS_VARIABLE, DirectoryServer, Machine, Output};

const PACKAGES: [&str; 3] = ["elevate", "libpam-elevate", "elevate-directory"];

const POLICY: &str = r#"
[role.dba]
members = ["attr:department=dba", "local"]

[role.robot]
members = ["robot"]
login.require = {}

[rule.anything]
roles = ["dba", "robot"]
run_as = "root"
commands = ["ALL"]
require = {}
"#;

const PATIENCE: Duration = Duration::from_secs(20);

/// Everything at work: alice from the directory, local and robot from `/etc/passwd`, codes at sshd.
fn at_work(machine: &Machine) {
    machine.directory_server().create();
    machine.user("local");
    machine.user("robot");
    machine.policy("packages", POLICY);
    let settings = format!(
        "uri = \"{}\"\nca_file = \"{}\"\nbind_dn = \"{}\"\nattributes = [\"department\"]\n\
         [people]\nbase = \"{base}\"\n[groups]\nbase = \"{base}\"\n",
        DirectoryServer::URI,
        DirectoryServer::CA_FILE,
        DirectoryServer::BIND_DN,
        base = DirectoryServer::BASE,
    );
    machine.write("/etc/elevate/directory.toml", settings, 0o644);
    let password = "/etc/elevate/directory.password";
    machine.write(password, DirectoryServer::PASSWORD, 0o600);
    let keys = "AuthorizedKeysCommand /usr/bin/userdbctl ssh-authorized-keys %u\n\
                AuthorizedKeysCommandUser root\n";
    machine.write("/etc/ssh/sshd_config.d/keys.conf", keys, 0o644);
    let follow = ["systemctl", "enable", "--now", "elevate-directory"];
    machine.run(&follow).success();
    until_known(machine, "alice");
    machine.guard_sshd();
}

fn until_known(machine: &Machine, user: &str) {
    machine.poll(&format!("{user} on the machine"), PATIENCE, || {
        let known = machine.run(&["getent", "passwd", user]);
        (known.status == 0).then_some(())
    });
}

fn until_at_ease(machine: &Machine) {
    machine.poll("a machine at ease", PATIENCE, || {
        let state = machine.run(&["systemctl", "is-system-running"]).text();
        (state == "running").then_some(())
    });
}

/// The packages under test, in the machine, in the order of [`PACKAGES`].
fn debs(machine: &Machine) -> Vec<String> {
    let debs = std::env::var_os(DEBS_VARIABLE).expect("the packages under test");
    let debs: Vec<PathBuf> = std::env::split_paths(&debs).collect();
    let deb = |package: &&str| {
        let of = |deb: &&PathBuf| {
            let name = deb.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&format!("{package}_"))
        };
        let deb = debs.iter().find(of);
        let deb = deb.unwrap_or_else(|| panic!("no {package} among {debs:?}"));
        let path = format!("/root/{package}.deb");
        machine.write(&path, std::fs::read(deb).unwrap(), 0o644);
        path
    };
    PACKAGES.iter().map(deb).collect()
}

fn dpkg(machine: &Machine, arguments: &[&str]) -> Output {
    let dpkg = ["env", "DEBIAN_FRONTEND=noninteractive", "dpkg"];
    machine.run(&[&dpkg, arguments].concat())
}

/// Every unit that should be up is.
fn everything_is_up(machine: &Machine) {
    for unit in [
        "elevated.service",
        "elevate-launcher.socket",
        "elevate-login.socket",
        "elevate-directory.socket",
        "elevate-directory.service",
    ] {
        machine.poll(unit, PATIENCE, || {
            let active = machine.run(&["systemctl", "is-active", unit]).text();
            (active == "active").then_some(())
        });
    }
    until_at_ease(machine);
}

#[test]
fn files_are_the_ones_that_were_packed() {
    let machine = Machine::boot(elevate_tests::Spec::new("sums")).unwrap();
    for (deb, package) in debs(&machine).iter().zip(PACKAGES) {
        let sums = machine.run(&["dpkg-deb", "--info", deb, "md5sums"]);
        assert!(sums.success().text().contains("usr/"), "{package}");
        assert_eq!(dpkg(&machine, &["--verify", package]).success().text(), "");
    }
    let module = machine.run(&["sh", "-c", "ls /usr/lib/*/security/pam_elevate.so"]);
    let module = module.success().text();
    let spoilt = format!("echo >>{module}");
    machine.run(&["sh", "-c", &spoilt]).success();
    let verified = dpkg(&machine, &["--verify", "libpam-elevate"]).text();
    assert!(verified.contains(&module), "{verified}");
}
