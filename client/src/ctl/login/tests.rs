use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::file::Folders;
use super::state::{State, report, state};
use super::{check_rescue, disable, enable, stack};
use crate::cli::{Disable, Enable};

const SSHD: &str = include_str!("sshd.pam");
const LOGIN: &str = "\
auth       requisite  pam_nologin.so
@include common-auth
auth       optional   pam_group.so
@include common-account
@include common-session
session    required   pam_loginuid.so   # later than usual
@include common-password
";
const SU: &str = "\
auth       sufficient pam_rootok.so
@include common-auth
@include common-account
@include common-session
";
const SU_L: &str = "\
auth		include		su
account		include		su
session		include		su
";
const CRON: &str = "\
@include common-auth
@include common-account
@include common-session-noninteractive
";

/// A machine's PAM files in a folder of the test's own.
struct Machine {
    folder: tempfile::TempDir,
    folders: Folders,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders {
            pam: folder.path().join("pam.d"),
            kept: folder.path().join("lib/pam"),
        };
        fs::create_dir(&folders.pam).unwrap();
        let machine = Machine { folder, folders };
        for (name, text) in [
            ("sshd", SSHD),
            ("login", LOGIN),
            ("su", SU),
            ("su-l", SU_L),
            ("cron", CRON),
            ("common-auth", "auth required pam_unix.so\n"),
        ] {
            machine.write(name, text);
        }
        machine
    }

    fn path(&self, service: &str) -> PathBuf {
        self.folders.pam.join(service)
    }

    fn write(&self, service: &str, text: &str) {
        fs::write(self.path(service), text).unwrap();
        let mode = fs::Permissions::from_mode(0o644);
        fs::set_permissions(self.path(service), mode).unwrap();
    }

    fn text(&self, service: &str) -> String {
        fs::read_to_string(self.path(service)).unwrap()
    }

    /// What the file holds beside comments, one rule to a line.
    fn rules(&self, service: &str) -> Vec<String> {
        let text = self.text(service);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    }

    fn enable(&self, service: &str) -> Result<String, String> {
        self.enable_with(&Enable {
            service: service.into(),
            rescue: None,
            timeout: None,
            force: false,
        })
    }

    fn enable_with(&self, wanted: &Enable) -> Result<String, String> {
        enable(&self.folders, wanted).map_err(|failure| failure.message)
    }

    fn disable(&self, service: &str) -> Result<String, String> {
        let wanted = Disable {
            service: Some(service.into()),
            all: false,
        };
        disable(&self.folders, &wanted).map_err(|failure| failure.message)
    }

    fn state(&self, service: &str) -> State {
        let kept = self.folders.kept(service);
        state(&self.text(service), kept.as_ref())
    }
}

#[test]
fn sshd_asks_after_a_key_and_after_a_password_and_for_a_code_alone_never() {
    let machine = Machine::new();
    machine.enable("sshd").unwrap();
    let rules = machine.rules("sshd");
    let at = |rule: &str| rules.iter().position(|line| line == rule).unwrap();
    let key = "auth [success=done ignore=ignore default=die] pam_elevate.so services=sshd \
               after=publickey";
    assert_eq!(at(key) + 1, at("@include common-auth"));
    assert_eq!(
        at("@include common-auth") + 1,
        at("auth required pam_elevate.so services=sshd")
    );
    assert_eq!(
        at("@include common-account") + 1,
        at("account required pam_elevate.so services=sshd")
    );
    assert_eq!(
        at("@include common-session") + 1,
        at("session required pam_elevate.so services=sshd")
    );
    // Every line that can end the stack with a yes asks only where a key was accepted.
    for rule in rules.iter().filter(|rule| rule.contains("pam_elevate.so")) {
        assert!(
            rule.contains(" required ") || rule.ends_with(" after=publickey"),
            "{rule}"
        );
    }
}

#[test]
fn disabling_restores_every_byte_owner_and_mode() {
    for (service, text) in [("sshd", SSHD), ("login", LOGIN), ("su", SU)] {
        let machine = Machine::new();
        let mode = fs::Permissions::from_mode(0o640);
        fs::set_permissions(machine.path(service), mode).unwrap();
        machine.enable(service).unwrap();
        assert_ne!(machine.text(service), text);
        assert_eq!(machine.state(service), State::Enabled);
        let said = machine.disable(service).unwrap();
        assert!(said.contains("is what it was"), "{said}");
        assert_eq!(machine.text(service), text);
        let mode = fs::metadata(machine.path(service)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o7777, 0o640);
        assert_eq!(machine.state(service), State::Disabled);
        assert_eq!(fs::read_dir(&machine.folders.kept).unwrap().count(), 0);
        let drafts = fs::read_dir(&machine.folders.pam).unwrap();
        assert_eq!(drafts.count(), 6);
    }
}

#[test]
fn the_session_line_comes_after_the_loginuid_is_set() {
    let machine = Machine::new();
    machine.enable("login").unwrap();
    let rules = machine.rules("login");
    let at = |part: &str| rules.iter().rposition(|line| line.contains(part)).unwrap();
    assert!(at("pam_loginuid.so") < at("session required pam_elevate.so"));
    assert!(rules[at("session required")].ends_with("services=login rescue=root@tty1,ttyS0,hvc0"));
}

#[test]
fn su_leaves_root_alone_and_covers_su_with_a_login_shell() {
    let machine = Machine::new();
    let said = machine.enable("su").unwrap();
    assert!(said.contains("su-l"), "{said}");
    let rules = machine.rules("su");
    let at = |rule: &str| rules.iter().position(|line| line == rule).unwrap();
    for kind in ["account", "session"] {
        assert_eq!(
            at(&format!(
                "{kind} [success=1 default=ignore] pam_succeed_if.so quiet use_uid uid eq 0"
            )) + 1,
            at(&format!("{kind} required pam_elevate.so services=su,su-l"))
        );
    }
    assert!(machine.text("su-l") == SU_L);
}

#[test]
fn enabling_twice_changes_nothing_and_with_other_words_changes_them() {
    let machine = Machine::new();
    machine.enable("login").unwrap();
    let first = machine.text("login");
    assert_eq!(
        machine.enable("login").unwrap(),
        "login is enabled already.\n"
    );
    let wanted = Enable {
        service: "login".into(),
        rescue: Some("none".into()),
        timeout: Some(5),
        force: false,
    };
    machine.enable_with(&wanted).unwrap();
    assert_ne!(machine.text("login"), first);
    let rules = machine.rules("login").join("\n");
    assert!(rules.contains("services=login timeout=5") && !rules.contains("rescue="));
    machine.disable("login").unwrap();
    assert_eq!(machine.text("login"), LOGIN);
}

#[test]
fn what_an_administrator_changed_meanwhile_stays() {
    let machine = Machine::new();
    machine.enable("sshd").unwrap();
    let changed = machine.text("sshd") + "session optional pam_exec.so /bin/true\n";
    machine.write("sshd", &changed);
    assert_eq!(machine.state("sshd"), State::Changed);
    let said = machine.disable("sshd").unwrap();
    assert!(said.contains("only our lines were taken out"), "{said}");
    let wanted = format!("{SSHD}session optional pam_exec.so /bin/true\n");
    assert_eq!(machine.text("sshd"), wanted);
}

#[test]
fn a_file_that_an_upgrade_replaced_is_told_of() {
    let machine = Machine::new();
    machine.enable("sshd").unwrap();
    machine.write("sshd", SSHD);
    let report = report(&machine.folders, "sshd").unwrap();
    assert_eq!(report.state, State::Replaced);
    assert!(report.problems[0].contains("elevatectl login enable sshd"));
}

#[test]
fn a_torn_block_is_left_alone_and_named() {
    let machine = Machine::new();
    machine.enable("login").unwrap();
    let torn = machine.text("login").replacen("# END elevate\n", "", 1);
    machine.write("login", &torn);
    let said = machine.disable("login").unwrap_err();
    assert!(said.contains("begin at line 3"), "{said}");
    assert_eq!(machine.text("login"), torn);
}

#[test]
fn what_is_no_login_service_is_refused_and_untouched() {
    let machine = Machine::new();
    machine.write("odd", "auth required pam_unix.so\n");
    machine.write("open", LOGIN);
    let mode = fs::Permissions::from_mode(0o666);
    fs::set_permissions(machine.path("open"), mode).unwrap();
    machine.write(
        "handmade",
        &format!("{LOGIN}auth required pam_elevate.so\n"),
    );
    machine.write(
        "goes-on",
        &LOGIN.replace("pam_nologin.so", "pam_nologin.so \\"),
    );
    machine.write("endless", LOGIN.trim_end());
    std::os::unix::fs::symlink("sshd", machine.path("link")).unwrap();
    fs::create_dir(machine.path("folder")).unwrap();
    for service in [
        "common-auth",
        "other",
        "elevate",
        "cron",
        "odd",
        "open",
        "handmade",
        "goes-on",
        "endless",
        "link",
        "folder",
        "nothing",
        "../sshd",
        "a/b",
        "..",
        ".",
        "",
        "-x",
        ".hidden",
        "a b",
        "sshd\n",
    ] {
        assert!(machine.enable(service).is_err(), "{service:?}");
    }
    assert_eq!(machine.text("cron"), CRON);
    assert_eq!(machine.text("sshd"), SSHD);
    drop(machine.folder);
}

#[test]
fn a_rescue_that_the_module_would_not_understand_is_never_written() {
    for rescue in ["root@tty1", "root@tty1,ttyS0,hvc0", "j.doe@ttyAMA0"] {
        assert!(check_rescue(rescue).is_ok(), "{rescue}");
    }
    for rescue in [
        "",
        "root",
        "root@",
        "@tty1",
        "root@pts/0",
        "root@tty1,",
        "root@tty1 debug",
        "a#b@tty1",
        "root@tty1\nauth sufficient pam_permit.so",
        "root@[tty1]",
    ] {
        assert!(check_rescue(rescue).is_err(), "{rescue}");
    }
}

#[test]
fn the_lines_of_others_are_never_taken_for_ours() {
    let text = "# BEGINNING elevate\n# END elevate\n";
    assert!(stack::remove(text).is_err());
    assert_eq!(stack::handwritten("# auth required pam_elevate.so\n"), None);
    let path = "auth required /usr/lib/security/pam_elevate.so\n";
    assert_eq!(stack::handwritten(path), Some(1));
}

#[test]
fn a_line_that_lets_people_in_before_ours_is_told_of() {
    for text in [
        "auth required x.so\nauth sufficient pam_ldap.so\n",
        "# sufficient\n-auth\t[success=done default=ignore] pam_sss.so\n",
    ] {
        assert_eq!(stack::ends_early(text), Some(2), "{text}");
    }
    let machine = Machine::new();
    for service in ["sshd", "login", "su"] {
        machine.enable(service).unwrap();
        assert_eq!(stack::ends_early(&machine.text(service)), None, "{service}");
        let early = |report: super::state::Report| -> usize {
            let mut problems = report.problems.iter();
            problems
                .by_ref()
                .filter(|problem| problem.contains("common-auth"))
                .count()
        };
        assert_eq!(early(report(&machine.folders, service).unwrap()), 0);
        machine.write("common-auth", "auth sufficient pam_unix.so\n");
        assert_eq!(early(report(&machine.folders, service).unwrap()), 1);
        machine.write(
            "common-auth",
            "auth [success=1 default=ignore] pam_unix.so\n",
        );
    }
}
