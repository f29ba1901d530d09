//! Every exec below a command in the journal.

use super::*;

/// Executes in every way that there is, in processes of every kind.
const EXECS: &str = r#"#!/bin/sh
cd /var/tmp
/bin/true child
(setsid /bin/true detached &)
env -i /usr/bin/true by-env
/usr/sbin/ldconfig --version >/dev/null
python3 -c '
import os
if os.fork() == 0:
    file = os.open("/bin/true", os.O_RDONLY)
    os.execve(file, ["true", "by descriptor"], {})
os.wait()
memory = os.memfd_create("x")
os.write(memory, open("/bin/true", "rb").read())
if os.fork() == 0:
    os.execve(memory, ["true", "by memory"], {})
os.wait()
os.posix_spawn("/bin/true", ["true", "spawned"], {})
os.wait()
'
exec /bin/true last
"#;

#[test]
fn every_exec_below_is_on_record_however_it_is_made() {
    let machine = MACHINE.get();
    let rex = member(&machine, "rex", "operator");
    machine.write("/usr/local/bin/execs", EXECS, 0o755);
    let id = session(&rex, "elevate -u nobody execs");
    let execs = machine.events(&[("ELEVATE_REQUEST", &id), ("ELEVATE_EVENT", "exec")]);
    let seen: Vec<_> = execs
        .iter()
        .map(|e| {
            [
                e.get("ELEVATE_PATH"),
                e.get("ELEVATE_ARGV"),
                e.get("ELEVATE_CWD"),
            ]
            .map(Option::unwrap)
        })
        .collect();
    for (path, argv) in [
        ("/bin/true", "/bin/true child"),
        ("/bin/true", "/bin/true detached"),
        ("/usr/bin/true", "/usr/bin/true by-env"),
        ("/usr/sbin/ldconfig", "/usr/sbin/ldconfig --version"),
        ("/bin/true", "true spawned"),
        ("/bin/true", "/bin/true last"),
    ] {
        let wanted = [path, argv, "/var/tmp"].map(str::to_owned);
        assert!(seen.contains(&wanted), "{wanted:?} in {seen:#?}");
    }
    for argv in ["true 'by descriptor'", "true 'by memory'"] {
        let found = seen.iter().find(|[_, shown, _]| shown == argv);
        let [path, ..] = found.unwrap_or_else(|| panic!("{argv} in {seen:#?}"));
        assert!(path.starts_with("fd:"), "{path}");
    }
    let end = machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    assert_fields(&end, &[("ELEVATE_EXECS", &execs.len().to_string())]);
}

#[test]
fn of_many_execs_none_is_missing() {
    let machine = MACHINE.get();
    let mia = member(&machine, "mia", "operator");
    let script = "for i in $(seq 1000); do /bin/true $i; done";
    let id = session(&mia, &format!("elevate sh -c '{script}'"));
    let fields = [
        ("ELEVATE_REQUEST", id.as_str()),
        ("ELEVATE_PATH", "/bin/true"),
    ];
    let execs = machine.poll("all of them", Duration::from_secs(20), || {
        let execs = machine.events(&fields);
        (execs.len() >= 1000).then_some(execs)
    });
    for (place, exec) in execs.iter().enumerate() {
        assert_fields(
            exec,
            &[("ELEVATE_ARGV", &format!("/bin/true {}", place + 1))],
        );
    }
}
