//! The directory server that people come from.

use std::time::{Duration, Instant};

use elevate_tests::{DirectoryServer, Machine, SharedMachine, Spec};

static MACHINE: SharedMachine = SharedMachine::new(|| {
    let spec = Spec::new("directory-server").plain();
    spec.prepared(|machine| machine.directory_server().create())
});

/// What the bind account has to say besides its name.
const BIND: [&str; 6] = [
    "-LLL",
    "-x",
    "-D",
    DirectoryServer::BIND_DN,
    "-y",
    DirectoryServer::PASSWORD_FILE,
];

#[test]
fn it_has_twenty_people_and_their_groups() {
    let machine = MACHINE.get();
    let directory = machine.directory_server();
    let people = directory.search("(&(objectClass=posixAccount)(mail=*))", &["uid"]);
    assert_eq!(people.matches("dn: ").count(), 20, "{people}");
    let groups = directory.search("(objectClass=posixGroup)", &["cn"]);
    assert_eq!(groups.matches("dn: ").count(), 7, "{groups}");

    let alice = directory.search("(uid=alice)", &["department", "sshPublicKey", "entryUUID"]);
    assert!(alice.contains("department: dba"), "{alice}");
    assert!(alice.contains("entryUUID: "), "{alice}");
    let key = machine.read("/root/.ssh/id_ed25519.pub");
    let key = String::from_utf8(key).unwrap();
    let line = format!("sshPublicKey: {}", key.trim());
    assert!(alice.contains(&line), "{alice}");
    let owner = machine.run(&["stat", "--format=%u:%g %a", "/home/alice"]);
    assert_eq!(owner.success().text(), "5001:6000 700");
    assert_eq!(
        machine.run(&["id", "alice"]).status,
        1,
        "NSS knows no alice"
    );
}

#[test]
fn anonymous_sees_nothing() {
    let machine = MACHINE.get();
    let directory = machine.directory_server();
    let answer = directory.ldapsearch(&["-LLL", "-ZZ", "-x"]).status(32);
    assert_eq!(answer.text(), "", "{answer:?}");
    assert!(answer.errors().contains("No such object"), "{answer:?}");
    let wrong = ["-ZZ", "-x", "-D", DirectoryServer::BIND_DN, "-w", "wrong"];
    let refused = directory.ldapsearch(&wrong).status(49);
    assert!(refused.errors().contains("Invalid cred"), "{refused:?}");
}

#[test]
fn a_password_in_clear_is_refused() {
    let machine = MACHINE.get();
    let refused = machine.directory_server().ldapsearch(&BIND).status(13);
    assert!(refused.errors().contains("Confidentiality"), "{refused:?}");
}

#[test]
fn its_certificate_is_good_for_one_name_and_one_authority() {
    let machine = MACHINE.get();
    let tls = |authority: &str, uri: &str| {
        let authority = format!("LDAPTLS_CACERT={authority}");
        let whoami = ["env", &authority, "ldapwhoami", "-ZZ", "-x", "-H", uri];
        machine.run(&whoami)
    };
    tls(DirectoryServer::CA_FILE, DirectoryServer::URI).success();
    let stranger = tls(DirectoryServer::OTHER_CA_FILE, DirectoryServer::URI);
    let other_name = tls(DirectoryServer::CA_FILE, "ldap://127.0.0.1");
    for refused in [stranger, other_name] {
        assert_ne!(refused.status, 0, "{refused:?}");
        let errors = refused.errors();
        assert!(errors.contains("ldap_start_tls: Connect error"), "{errors}");
    }
}

#[test]
fn a_cookie_leads_to_what_changed_since() {
    let machine = MACHINE.get();
    let directory = machine.directory_server();
    let sync = |cookie: &str, filter: &str| {
        let control = format!("sync=ro{cookie}");
        let argv = [
            &BIND[1..],
            &["-ZZ", "-E", &control, "-o", "ldif-wrap=no", filter, "uid"],
        ];
        directory.ldapsearch(&argv.concat()).success().text()
    };
    directory.person("sina", "sales", &[]);
    directory.person("silas", "sales", &[]);
    let filter = "(|(uid=sina)(uid=silas))";
    let all = sync("", filter);
    assert_eq!(all.matches("dn: ").count(), 2, "{all}");
    let cookie = all.lines().find_map(|line| {
        let (_, cookie) = line.split_once("cookie: ")?;
        Some(format!("/{cookie}"))
    });
    let cookie = cookie.unwrap_or_else(|| panic!("no cookie: {all}"));

    directory.replace("silas", "department", &["web"]);
    let changed = sync(&cookie, filter);
    assert_eq!(changed.matches("dn: ").count(), 1, "{changed}");
    assert!(changed.contains("uid: silas"), "{changed}");

    directory.delete(&directory.person_dn("sina"));
    let gone = sync(&cookie, filter);
    assert!(!gone.contains("uid: sina"), "{gone}");
}

#[test]
fn accounts_are_disabled_and_enabled() {
    let machine = MACHINE.get();
    let directory = machine.directory_server();
    let uid = directory.person("dora", "sales", &[]);
    let expiry = || directory.search("(uid=dora)", &["shadowExpire"]);
    assert!(!expiry().contains("shadowExpire"));
    directory.disable("dora");
    assert!(expiry().contains("shadowExpire: 1"));
    directory.enable("dora");
    assert!(!expiry().contains("shadowExpire"));
    assert_ne!(uid, directory.person("dirk", "sales", &[]));
}

#[test]
fn people_join_and_leave_groups() {
    let machine = MACHINE.get();
    let directory = machine.directory_server();
    directory.person("jo", "sales", &["web", "oncall"]);
    let groups = || directory.search("(memberUid=jo)", &["cn"]);
    assert_eq!(groups().matches("cn: ").count(), 2);
    directory.leave("jo", "web");
    directory.join("jo", "leads");
    let groups = groups();
    assert!(groups.contains("cn: oncall") && groups.contains("cn: leads"));
    assert!(!groups.contains("cn: web"), "{groups}");
}

#[test]
fn it_goes_and_comes_back_with_its_data() {
    let machine = Machine::boot(Spec::new("directory-gone").plain()).unwrap();
    let directory = machine.directory_server();
    directory.create();
    directory.person("gus", "sales", &[]);
    let ask = || {
        let search = ["timeout", "0.5", "ldapwhoami", "-x", "-H"];
        let argv = [search.as_slice(), &[DirectoryServer::URI]].concat();
        machine.run(&argv).status
    };
    assert_eq!(ask(), 0);
    directory.stop();
    assert_eq!(ask(), 255, "cannot be contacted");
    directory.start();
    assert!(directory.search("(uid=gus)", &["uid"]).contains("uid: gus"));
    directory.freeze();
    assert_eq!(ask(), 124, "no answer in time");
    directory.thaw();
    assert_eq!(ask(), 0);
}

#[test]
fn a_crowd_is_loaded_and_found_whole() {
    let machine = Machine::boot(Spec::new("directory-crowd").plain()).unwrap();
    let directory = machine.directory_server();
    let start = Instant::now();
    directory.create();
    let created = start.elapsed();
    assert!(created < Duration::from_secs(5), "{created:?}");
    directory.crowd(20_000..22_000);
    let crowd = directory.search("(department=crowd)", &["uidNumber"]);
    assert_eq!(crowd.matches("dn: ").count(), 2000);
    assert!(crowd.contains("uidNumber: 21999"));
}
