//! A real directory server for people to come from: OpenLDAP's slapd on the machine's loopback.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Machine, Output};

const SETUP: &str = include_str!("directory_server.sh");
const CONFIGURATION: &str = include_str!("../fixtures/slapd.ldif");
const PEOPLE: &str = include_str!("../fixtures/people.ldif");

const UNIT: &str = "directory-server.service";
/// Where root of the machine may do everything.
const SOCKET: &str = "ldapi://%2Frun%2Fdirectory-server%2Fldapi";

/// `people`, everybody's primary group.
const PRIMARY_GID: u32 = 6000;
/// The uids of people that a test adds count up from here.
const FIRST_UID: u32 = 7000;

/// The day, counted from 1970, on which a disabled account ended (`shadowExpire`, RFC 2307): long
/// ago, whatever the machine's clock says.
const LONG_AGO: &str = "1";

/// The machine's directory server; see [`Machine::directory_server`].
///
/// It is reached at [`URI`](Self::URI) with StartTLS. The account [`BIND_DN`](Self::BIND_DN) reads
/// everything, without limits on the size of an answer; it must be bound over TLS. Anonymous
/// clients see nothing. RFC 4533 synchronisation is on, with a session log.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryServer<'m> {
    machine: &'m Machine,
}

impl Machine {
    /// The machine's directory server. There is none before [`DirectoryServer::create`], best
    /// called by [`Spec::prepared`](crate::Spec::prepared); after that every test may ask for it.
    pub fn directory_server(&self) -> DirectoryServer<'_> {
        DirectoryServer { machine: self }
    }
}

impl DirectoryServer<'_> {
    /// Where it answers. The certificate is for this name alone: `ldap://127.0.0.1` is the same
    /// server under a name that the certificate doesn't hold.
    pub const URI: &'static str = "ldap://localhost";
    /// Below this everything lies: people in `ou=people`, groups in `ou=groups`.
    pub const BASE: &'static str = "dc=example,dc=org";
    /// Who elevate-directory binds as.
    pub const BIND_DN: &'static str = "cn=elevate,ou=services,dc=example,dc=org";
    /// Its password, unlike any other text, so that it can be looked for where it must not be.
    pub const PASSWORD: &'static str = "walnut-gravel-3141";
    /// A file of the machine with the password and nothing else, not even a line's end; root's, 0600.
    pub const PASSWORD_FILE: &'static str = "/srv/directory/password";
    /// A file of the machine with the certificate of the authority that signed the server's.
    pub const CA_FILE: &'static str = "/srv/directory/ca.pem";
    /// A file of the machine with the certificate of an authority that did not sign it.
    pub const OTHER_CA_FILE: &'static str = "/srv/directory/other-ca.pem";

    /// Makes the server with the people and groups of `fixtures/people.ldif`, and starts it. Everybody
    /// in it has the harness's ssh key, and a home in the machine. It takes some 200 ms.
    ///
    /// # Panics
    /// If it does not start, or was made before.
    #[track_caller]
    pub fn create(&self) {
        let argv = ["sh", "-euc", SETUP, "setup", CONFIGURATION, Self::PASSWORD];
        self.machine.command(&argv).stdin(PEOPLE).run().success();
    }

    /// Starts it again, with the data that it had, and waits until it answers.
    ///
    /// # Panics
    /// If it does not start.
    #[track_caller]
    pub fn start(&self) {
        self.systemctl("start");
    }

    /// Ends it: connections break, and new ones are refused.
    ///
    /// # Panics
    /// If it cannot be ended.
    #[track_caller]
    pub fn stop(&self) {
        self.systemctl("stop");
    }

    /// Stops its process where it stands: connections stay open and are made, and nothing ever
    /// answers, as when the network swallows everything.
    ///
    /// # Panics
    /// If it is not running.
    #[track_caller]
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    ///
    /// # Panics
    /// If it is not running.
    #[track_caller]
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Applies changes (RFC 2849, with `changetype`), of people and groups as of its own
    /// configuration below `cn=config`.
    ///
    /// # Panics
    /// If it refuses one.
    #[track_caller]
    pub fn modify(&self, ldif: &str) {
        self.as_root(&["ldapmodify"], ldif);
    }

    /// Adds entries (RFC 2849).
    ///
    /// # Panics
    /// If it refuses one.
    #[track_caller]
    pub fn add(&self, ldif: &str) {
        self.as_root(&["ldapadd"], ldif);
    }

    /// Deletes an entry.
    ///
    /// # Panics
    /// If it refuses.
    #[track_caller]
    pub fn delete(&self, dn: &str) {
        self.as_root(&["ldapdelete", dn], "");
    }

    /// Disables a person's account.
    ///
    /// # Panics
    /// If there is no such person.
    #[track_caller]
    pub fn disable(&self, name: &str) {
        self.replace(name, "shadowExpire", &[LONG_AGO]);
    }

    /// Enables a person's account again.
    ///
    /// # Panics
    /// If there is no such person.
    #[track_caller]
    pub fn enable(&self, name: &str) {
        self.replace(name, "shadowExpire", &[]);
    }

    /// Gives a person's attribute these values instead of those that it has; none removes it.
    ///
    /// # Panics
    /// If there is no such person, or the server refuses.
    #[track_caller]
    pub fn replace(&self, name: &str, attribute: &str, values: &[&str]) {
        let dn = self.person_dn(name);
        let mut ldif = format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n");
        for value in values {
            let _ = writeln!(ldif, "{attribute}: {value}");
        }
        self.modify(&ldif);
    }

    /// Puts a person into a group.
    ///
    /// # Panics
    /// If there is no such group, or they are in it.
    #[track_caller]
    pub fn join(&self, name: &str, group: &str) {
        self.change_member("add", name, group);
    }

    /// Takes a person out of a group.
    ///
    /// # Panics
    /// If they are not in it.
    #[track_caller]
    pub fn leave(&self, name: &str, group: &str) {
        self.change_member("delete", name, group);
    }

    /// Adds a person with a home and the harness's ssh key, puts them into these groups, and returns
    /// their uid, which nobody had before.
    ///
    /// # Panics
    /// If there is such a person already, or no such group.
    #[track_caller]
    pub fn person(&self, name: &str, department: &str, groups: &[&str]) -> u32 {
        static NEXT: AtomicU32 = AtomicU32::new(FIRST_UID);
        let uid = NEXT.fetch_add(1, Ordering::Relaxed);
        let key = self.machine.read("/root/.ssh/id_ed25519.pub");
        let key = String::from_utf8_lossy(&key);
        self.add(&person_ldif(name, uid, department, key.trim()));
        let owner = uid.to_string();
        let group = PRIMARY_GID.to_string();
        let home = format!("/home/{name}");
        self.machine
            .run(&[
                "install", "-d", "-m", "700", "-o", &owner, "-g", &group, &home,
            ])
            .success();
        for group in groups {
            self.join(name, group);
        }
        uid
    }

    /// Loads a crowd of people, `p` and their uid by name, without a home. The server stops for it
    /// and starts again. 10,000 take some seconds.
    ///
    /// # Panics
    /// If the server refuses one, or does not start again.
    #[track_caller]
    pub fn crowd(&self, uids: std::ops::Range<u32>) {
        let key = self.machine.read("/root/.ssh/id_ed25519.pub");
        let key = String::from_utf8_lossy(&key);
        let people = uids.map(|uid| person_ldif(&format!("p{uid}"), uid, "crowd", key.trim()));
        let ldif: String = people.map(|person| person + "\n").collect();
        self.stop();
        let load = "
            slapadd -q -w -F /srv/directory/config -n 1
            chown -R openldap:openldap /srv/directory/data
        ";
        self.machine
            .command(&["sh", "-euc", load])
            .stdin(ldif)
            .run()
            .success();
        self.start();
    }

    /// What the bind account sees over StartTLS of entries that match a filter (RFC 4515), as LDIF.
    ///
    /// # Panics
    /// If the server refuses.
    #[track_caller]
    pub fn search(&self, filter: &str, attributes: &[&str]) -> String {
        let bind = ["-x", "-D", Self::BIND_DN, "-y", Self::PASSWORD_FILE];
        let what = [&["-LLL", "-ZZ", "-o", "ldif-wrap=no", filter], attributes].concat();
        self.ldapsearch(&[&bind, what.as_slice()].concat())
            .success()
            .text()
    }

    /// ldapsearch(1) of everything below [`BASE`](Self::BASE) with these further arguments, for what
    /// [`search`](Self::search) is too honest for.
    ///
    /// # Panics
    /// If it takes longer than a minute.
    #[track_caller]
    pub fn ldapsearch(&self, arguments: &[&str]) -> Output {
        let authority = format!("LDAPTLS_CACERT={}", Self::CA_FILE);
        let fixed = ["ldapsearch", "-H", Self::URI, "-b", Self::BASE];
        self.machine
            .run(&[["env", &authority].as_slice(), &fixed, arguments].concat())
    }

    /// The entry of a person.
    pub fn person_dn(&self, name: &str) -> String {
        format!("uid={name},ou=people,{}", Self::BASE)
    }

    /// The entry of a group.
    pub fn group_dn(&self, name: &str) -> String {
        format!("cn={name},ou=groups,{}", Self::BASE)
    }

    #[track_caller]
    fn change_member(&self, change: &str, name: &str, group: &str) {
        let dn = self.group_dn(group);
        self.modify(&format!(
            "dn: {dn}\nchangetype: modify\n{change}: memberUid\nmemberUid: {name}\n"
        ));
    }

    #[track_caller]
    fn as_root(&self, argv: &[&str], ldif: &str) {
        let (program, arguments) = argv.split_first().expect("a program");
        let connect = ["-Q", "-Y", "EXTERNAL", "-H", SOCKET];
        let argv = [&[*program], connect.as_slice(), arguments].concat();
        self.machine.command(&argv).stdin(ldif).run().success();
    }

    #[track_caller]
    fn systemctl(&self, verb: &str) {
        self.machine.run(&["systemctl", verb, UNIT]).success();
    }

    #[track_caller]
    fn signal(&self, signal: &str) {
        let pid = self.machine.main_pid(UNIT).expect("the server runs");
        self.machine.signal(pid, signal);
    }
}

/// One person as an LDIF record.
fn person_ldif(name: &str, uid: u32, department: &str, key: &str) -> String {
    format!(
        "dn: uid={name},ou=people,{base}
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: shadowAccount
objectClass: ldapPublicKey
objectClass: employee
uid: {name}
cn: {name}
sn: {name}
uidNumber: {uid}
gidNumber: {PRIMARY_GID}
homeDirectory: /home/{name}
loginShell: /bin/bash
department: {department}
sshPublicKey: {key}
",
        base = DirectoryServer::BASE
    )
}
