//! Attack row 24: a directory that claims what isn't its to give.

use elevate_tests::Machine;
use serde_json::Value;

use crate::{AT_ONCE, MACHINE, is_known, status, until_known};

/// What root is told of records under this name that are not believed.
fn refusal(machine: &Machine, name: &str) -> Option<String> {
    let status = status(machine);
    let refused = status["refused"].as_array().cloned().unwrap_or_default();
    let reason = |one: &Value| {
        let (who, why) = match one {
            Value::Array(pair) => (pair[0].as_str()?, pair[1].as_str()?),
            other => (other["name"].as_str()?, other["why"].as_str()?),
        };
        (who == name).then(|| why.to_owned())
    };
    refused.iter().find_map(reason)
}

fn until_refused(machine: &Machine, name: &str) -> String {
    let refused = || refusal(machine, name);
    machine.poll(&format!("{name} is refused"), AT_ONCE, refused)
}

fn person(name: &str, uid: i64, gid: i64) -> String {
    format!(
        "dn: uid={name},ou=people,dc=example,dc=org\n\
         objectClass: inetOrgPerson\nobjectClass: posixAccount\nobjectClass: shadowAccount\n\
         objectClass: ldapPublicKey\nobjectClass: employee\n\
         uid: {name}\ncn: {name}\nsn: {name}\nuidNumber: {uid}\ngidNumber: {gid}\n\
         homeDirectory: /home/{name}\nloginShell: /bin/bash\ndepartment: dba\n"
    )
}

fn group(name: &str, gid: i64, member: &str) -> String {
    format!(
        "dn: cn={name},ou=groups,dc=example,dc=org\nobjectClass: posixGroup\n\
         cn: {name}\ngidNumber: {gid}\nmemberUid: {member}\n"
    )
}

#[test]
fn nobody_becomes_root_a_system_account_or_a_local_user_through_the_directory() {
    let machine = MACHINE.get();
    machine.user("resident");
    let resident: i64 = machine
        .run(&["id", "-u", "resident"])
        .success()
        .text()
        .parse()
        .unwrap();
    let server = machine.directory_server();
    let passwd = machine.read("/etc/passwd");
    for (name, uid) in [
        ("root", 5901),
        ("zero", 0),
        ("system", 33),
        ("nobody2", 65534),
        ("minusone", 4_294_967_295),
        ("resident", 5902),
        ("cuckoo", resident),
    ] {
        server.add(&person(name, uid, 6000));
        let why = until_refused(&machine, name);
        assert!(!why.is_empty());
        let file = format!("/run/userdb/{name}.user");
        assert!(!machine.has(&file), "{file}");
        assert!(!machine.has(&format!("/run/userdb/{uid}.user")), "{uid}");
        let record = machine.event("identity-refused", &[("ELEVATE_USER", name)]);
        assert_eq!(record.get("ELEVATE_REASON").as_deref(), Some(why.as_str()));
        let all = machine.events(&[
            ("ELEVATE_EVENT", "identity-refused"),
            ("ELEVATE_USER", name),
        ]);
        assert_eq!(all.len(), 1, "{all:#?}");
    }
    assert_eq!(machine.read("/etc/passwd"), passwd);
    let root = machine.run(&["getent", "passwd", "root"]).success().text();
    assert!(root.starts_with("root:x:0:0:"), "{root}");
    assert_eq!(
        machine.run(&["id", "-u", "resident"]).text(),
        resident.to_string()
    );
    // The rest is applied, before and after.
    assert!(is_known(&machine, "alice"));
    server.person("honest", "dba", &[]);
    until_known(&machine, "honest");
}

#[test]
fn nobody_joins_a_local_group_through_the_directory() {
    let machine = MACHINE.get();
    let server = machine.directory_server();
    let before = machine.run(&["id", "carol"]).success().text();
    for (name, gid) in [
        ("sudo", 27),
        ("disk", 5911),
        ("adm", 4),
        ("wheels", 27),
        ("zeros", 0),
    ] {
        server.add(&group(name, gid, "carol"));
        until_refused(&machine, name);
    }
    assert_eq!(machine.run(&["id", "carol"]).success().text(), before);
    let files = machine.run(&["ls", "/run/userdb"]).success().text();
    for name in ["sudo", "disk", "adm", "wheels", "zeros"] {
        assert!(!files.contains(&format!(":{name}.membership")), "{files}");
        assert!(!files.contains(&format!("{name}.group")), "{files}");
    }
    server.person("member", "dba", &["oncall"]);
    until_known(&machine, "member");
    let id = machine.run(&["id", "member"]).success().text();
    assert!(id.contains("(oncall)"), "{id}");
}

#[test]
fn a_primary_group_of_the_system_is_refused() {
    let machine = MACHINE.get();
    machine.directory_server().add(&person("diskuser", 5921, 6));
    until_refused(&machine, "diskuser");
    assert!(!is_known(&machine, "diskuser"));
}

#[test]
fn of_two_people_with_one_uid_neither_is_believed_until_one_is_gone() {
    let machine = MACHINE.get();
    let server = machine.directory_server();
    server.add(&person("castor", 5931, 6000));
    until_known(&machine, "castor");
    server.add(&person("pollux", 5931, 6000));
    until_refused(&machine, "castor");
    until_refused(&machine, "pollux");
    assert!(!is_known(&machine, "castor") && !is_known(&machine, "pollux"));
    server.delete(&server.person_dn("pollux"));
    until_known(&machine, "castor");
}

#[test]
fn a_record_that_holds_lines_paths_or_escapes_changes_no_file_and_no_terminal() {
    let machine = MACHINE.get();
    let server = machine.directory_server();
    server.person("sly", "dba", &[]);
    until_known(&machine, "sly");
    for (attribute, value) in [("homeDirectory", "/home/../etc"), ("loginShell", "bin/sh")] {
        server.replace("sly", attribute, &[value]);
        let why = until_refused(&machine, "sly");
        assert!(!is_known(&machine, "sly"), "{attribute}: {why}");
        let good = match attribute {
            "homeDirectory" => "/home/sly",
            _ => "/bin/bash",
        };
        server.replace("sly", attribute, &[good]);
        until_known(&machine, "sly");
    }
}

#[test]
fn a_key_with_options_is_left_out_and_the_person_stays() {
    let machine = MACHINE.get();
    let server = machine.directory_server();
    server.person("keyed", "dba", &[]);
    until_known(&machine, "keyed");
    let forced = "command=\"/bin/sh\" ssh-ed25519 AAAA";
    server.replace("keyed", "sshPublicKey", &[forced]);
    until_refused(&machine, "keyed");
    assert!(is_known(&machine, "keyed"));
    let keys = machine.run(&["userdbctl", "ssh-authorized-keys", "keyed"]);
    assert_eq!(keys.text(), "");
    assert_eq!(
        machine
            .ssh("keyed")
            .option("PasswordAuthentication=no")
            .refused(&[])
            .status,
        255
    );
}
