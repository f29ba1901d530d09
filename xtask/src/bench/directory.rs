//! A machine with a directory server of the tests', whose people `elevate-directory` follows.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::{DirectoryServer, Machine};
use serde_json::Value;

const SETTINGS: &str = include_str!("../trial/directory.toml");

/// ldapsearch(1) of everything, as the account that `elevate-directory` binds as.
pub(super) const LDAPSEARCH: &[&str] = &[
    "env",
    "LDAPTLS_CACERT=/srv/directory/ca.pem",
    "ldapsearch",
    "-LLL",
    "-x",
    "-ZZ",
    "-H",
    DirectoryServer::URI,
    "-D",
    DirectoryServer::BIND_DN,
    "-y",
    DirectoryServer::PASSWORD_FILE,
    "-b",
    DirectoryServer::BASE,
];

/// ldapmodify(1) as the directory's administrator.
pub(super) const LDAPMODIFY: &[&str] = &[
    "ldapmodify",
    "-Q",
    "-Y",
    "EXTERNAL",
    "-H",
    "ldapi://%2Frun%2Fdirectory-server%2Fldapi",
];

/// What `elevate-directory` asks for with these settings.
pub(super) const ATTRIBUTES: &[&str] = &[
    "uid",
    "uidNumber",
    "gidNumber",
    "homeDirectory",
    "loginShell",
    "sshPublicKey",
    "shadowExpire",
    "gecos",
    "cn",
    "department",
    "pwdAccountLockedTime",
    "nsAccountLock",
    "memberUid",
    "member",
    "uniqueMember",
];

/// Whom the role takes in: one of the people of the tests' directory, and none of a crowd.
const POLICY: &str = "[role.bench]\nmembers = [\"attr:department=dba\"]\n";

/// Makes it.
pub(super) fn prepare(machine: &Machine) {
    machine.directory_server().create();
    machine.write("/etc/elevate/directory.toml", SETTINGS, 0o644);
    let password = DirectoryServer::PASSWORD;
    machine.write("/etc/elevate/directory.password", password, 0o600);
    machine.policy("bench", POLICY);
}

/// Runs a measuring program inside it, and reads what that found out.
pub(super) fn measure(machine: &Machine, program: &str, plan: &Value) -> Result<Value> {
    let path = "/usr/local/lib/bench/measure.py";
    machine.write(path, program, 0o644);
    let limit = Duration::from_secs(540);
    let python = machine.command(&["python3", path]).timeout(limit);
    let output = python.stdin(plan.to_string()).run();
    ensure!(output.status == 0, "{}", output.describe());
    serde_json::from_slice(&output.stdout).context("what was measured")
}
