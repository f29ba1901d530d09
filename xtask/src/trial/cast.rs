//! Who is on the machine, the policy they live under, and the directory that most of them come from.

use elevate_tests::{DirectoryServer, Machine};

/// The password of root and of the shared account.
pub(super) const PASSWORD: &str = "correct horse";

pub(super) const POLICY: &str = include_str!("policy.toml");

pub(super) const DIRECTORY: &str = include_str!("directory.toml");

/// The shortest that there is, so that one can wait for its end.
const SETTINGS: &str = "[directory]\ncache_max_age = \"30s\"\n";

const KEYS: &str = "AuthorizedKeysCommand /usr/bin/userdbctl ssh-authorized-keys %u
AuthorizedKeysCommandUser root
";

/// As root, the directory's administrator.
const LDAPRC: &str = "URI ldapi://%2Frun%2Fdirectory-server%2Fldapi\nSASL_MECH EXTERNAL\n";

/// Somebody at a virtual console of the kernel's.
const ON_CONSOLE: &str = include_str!("../../../tests/tests/door/on_console.py");

/// The login shell of people whose logins are recorded.
const RECORDED_SHELL: &str = "/usr/libexec/elevate/elevate-shell";

/// A change of a person's entry, in a file that root gives to ldapmodify(1).
const CHANGES: &[(&str, &str, &str)] = &[
    ("alice-leaves", "alice", "shadowExpire: 1"),
    ("carol-joins", "carol", "department: dba"),
];

/// Makes the directory, its people, and the few accounts that the machine has of its own.
pub(super) fn enter(machine: &Machine) {
    machine.directory_server().create();
    machine.write("/etc/elevate/directory.toml", DIRECTORY, 0o644);
    let password = DirectoryServer::PASSWORD;
    machine.write("/etc/elevate/directory.password", password, 0o600);
    machine.write("/root/.ldaprc", LDAPRC, 0o600);
    for (name, person, line) in CHANGES {
        let dn = machine.directory_server().person_dn(person);
        let attribute = line.split(':').next().unwrap_or_default();
        let change = format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{line}\n");
        machine.write(&format!("/root/{name}.ldif"), change, 0o644);
    }

    for local in ["eve", "victor", "deploy", "postgres"] {
        machine.user(local);
    }
    let recorded = ["usermod", "--shell", RECORDED_SHELL, "victor"];
    machine.run(&recorded).success();
    machine.run(&["mkdir", "/srv/reports"]).success();
    // The directory has an eve, too, whose uid is another.
    let home = ["chown", "--recursive", "eve:eve", "/home/eve"];
    machine.run(&home).success();
    let passwords = format!("root:{PASSWORD}\ndeploy:{PASSWORD}\n");
    let changing = machine.command(&["chpasswd"]).stdin(passwords);
    changing.run().success();
    machine.write("/etc/ssh/sshd_config.d/50-elevate-keys.conf", KEYS, 0o644);
    machine.write("/usr/local/bin/on-console", ON_CONSOLE, 0o755);
    machine.write("/etc/elevate/elevated.toml", SETTINGS, 0o644);
    machine.write("/etc/elevate/policy.d/try.toml", POLICY, 0o644);
    machine.run(&["systemctl", "reload", "ssh"]).success();
    machine.run(&["systemctl", "restart", "elevated"]).success();
}
