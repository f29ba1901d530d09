//! Where secrets are kept: sealed, under a key of this machine's, and read by nobody.

use super::*;

/// The bytes that a secret in base32 stands for, in hexadecimal digits.
fn bytes(machine: &Machine, base32: &str) -> String {
    let decode = "import base64, sys; print(base64.b32decode(sys.argv[1] + '=' * (-len(sys.argv[1]) % 8)).hex())";
    let decoded = machine.run(&["python3", "-c", decode, base32]);
    decoded.success().text()
}

/// Looks for these texts, in any case, and for these bytes in files below these folders and in the
/// journal.
const SEARCH: &str = r#"
import os, subprocess, sys
texts, raw = sys.argv[1].lower().split(), bytes.fromhex(sys.argv[2])
needles = [text.encode() for text in texts] + [raw, raw.hex().encode()]
places = {"the journal": subprocess.run(["journalctl", "-o", "export", "--all"], capture_output=True).stdout}
for top in "/var/lib/elevate", "/var/log", "/run", "/etc/elevate", "/tmp", "/var/tmp":
    for folder, _, files in os.walk(top):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                places[path] = open(path, "rb").read()
found = {path for path, text in places.items() for needle in needles
         if needle in text or needle in text.lower()}
print(len(places), *sorted(found))
"#;

#[test]
fn no_file_and_no_record_holds_a_secret_or_a_code() {
    let machine = MACHINE.get();
    let (ria, mut factor) = operator(&machine, "ria");
    let mut desk = ria.shell();
    let recovery = factor.recovery_code();
    with_code(&mut desk, "elevate id -u", &recovery);
    machine.event("factor-given", &[("ELEVATE_USER", "ria")]);
    let raw = bytes(&machine, factor.secret());
    let mut texts: Vec<_> = factor.recovery_codes().map(str::to_owned).collect();
    let bare: Vec<_> = texts.iter().map(|code| code.replace('-', "")).collect();
    texts.extend(bare);
    texts.extend([recovery, factor.secret().to_owned()]);
    let found = machine.run(&["python3", "-c", SEARCH, &texts.join(" "), &raw]);
    let found = found.success().text();
    let (count, files) = found.split_once(' ').unwrap_or((&found, ""));
    assert_eq!(files, "");
    assert!(count.parse::<u32>().unwrap() > 5, "{found}");
    // The search finds what is there.
    machine.write("/tmp/plain", format!("x{}x", factor.secret()), 0o600);
    let found = machine.run(&["python3", "-c", SEARCH, factor.secret(), &raw]);
    assert!(found.success().text().ends_with(" /tmp/plain"));
    machine.run(&["rm", "/tmp/plain"]).success();

    let modes = "stat -c '%n %U %a' /var/lib/elevate /var/lib/elevate/*";
    let modes = machine.run(&["sh", "-c", modes]).success().text();
    for line in modes.lines() {
        let private = line.ends_with(" root 600") || line.ends_with(" root 700");
        assert!(private, "{modes}");
    }
}

#[test]
fn a_lost_key_is_never_replaced_in_silence() {
    static LOST: SharedMachine = SharedMachine::new(|| Spec::new("key-lost").prepared(prepare));
    let machine = LOST.get();
    let (kim, mut factor) = operator(&machine, "kim");
    let key = "/var/lib/elevate/secrets.key";
    let move_key = |from: &str, to: &str| {
        let script = format!("mv {from} {to} && systemctl restart elevated");
        machine.run(&["sh", "-euc", &script]).success();
    };
    move_key(key, "/root/key");
    let status = machine.run(&["elevatectl", "status"]).success().text();
    assert!(
        status.contains("no second factor can be verified"),
        "{status}"
    );
    assert!(
        !machine.has(key),
        "a new key would make every factor worthless"
    );
    let mut desk = kim.shell();
    desk.send("elevate id -u; echo status $?\n");
    let shown = desk.expect(r"(?s)(Verification code: $|status \d)");
    if shown.starts_with("Verification") {
        desk.send(format!("{}\n", factor.code()));
        desk.expect("status 1");
    }
    desk.expect("ready> $");
    assert!(
        desk.screen().contains("no second factor can be verified"),
        "{}",
        desk.screen()
    );
    machine.event("factor-refused", &[("ELEVATE_OUTCOME", "unavailable")]);

    move_key("/root/key", key);
    let shown = with_code(&mut desk, "elevate id -u", &factor.totp());
    assert!(shown.contains("\n0\r"), "{shown}");
}

const CREDENTIAL: &str = "/etc/credstore.encrypted/elevate.secrets-key";

#[test]
fn the_key_can_be_a_credential_of_systemds_and_without_it_nothing_is_verified() {
    static SEALED: SharedMachine = SharedMachine::new(|| Spec::new("credential"));
    let machine = SEALED.get();
    let script = format!(
        "mkdir -p -m 700 /etc/credstore.encrypted
         head -c 32 /dev/urandom | od -An -tx1 -v | tr -d ' \\n' >/run/key
         systemd-creds encrypt --with-key=host --name=elevate.secrets-key /run/key {CREDENTIAL}
         rm -f /var/lib/elevate/secrets.key
         systemctl restart elevated"
    );
    machine.run(&["sh", "-euc", &script]).success();
    prepare(&machine);
    let (kai, mut factor) = operator(&machine, "kai");
    assert!(
        !machine.has("/var/lib/elevate/secrets.key"),
        "no second key"
    );
    let plain = String::from_utf8(machine.read("/run/key")).unwrap();
    machine.run(&["rm", "/run/key"]).success();
    let raw = bytes(&machine, factor.secret());
    let found = machine
        .run(&["python3", "-c", SEARCH, &plain, &raw])
        .success();
    let found = found.text();
    let paths: Vec<_> = found.split(' ').skip(1).collect();
    assert!(
        paths
            .iter()
            .all(|path| path.starts_with("/run/credentials/")),
        "systemd alone holds it: {found}"
    );
    let mut desk = kai.shell();
    with_code(&mut desk, "elevate id -u", &factor.code());

    // Gone, as when a disk is put into another machine.
    let gone = format!("mv {CREDENTIAL} /root/key && systemctl restart elevated");
    machine.run(&["sh", "-euc", &gone]).success();
    let status = machine.run(&["elevatectl", "status"]).success().text();
    assert!(
        status.contains("no second factor can be verified"),
        "{status}"
    );
    assert!(
        !machine.has("/var/lib/elevate/secrets.key"),
        "no new key in its place"
    );
    // Broken: systemd itself does not start the daemon, and logins and commands are refused.
    let broken = format!("echo nonsense >{CREDENTIAL}; systemctl restart elevated");
    let started = machine.run(&["sh", "-c", &broken]);
    assert_ne!(started.status, 0, "{started:?}");
    kai.run("elevate -n id -u");

    let back = format!(
        "mv /root/key {CREDENTIAL} && systemctl reset-failed elevated; systemctl restart elevated"
    );
    machine.run(&["sh", "-euc", &back]).success();
    let shown = with_code(&mut desk, "elevate id -u", &factor.totp());
    assert!(shown.contains("\n0\r"), "{shown}");
}

#[test]
fn a_cloned_machine_starts_without_factors_and_says_so_once() {
    static CLONED: SharedMachine = SharedMachine::new(|| Spec::new("clone").prepared(prepare));
    let machine = CLONED.get();
    let (kit, factor) = operator(&machine, "kit");
    let clone = "
        systemctl stop elevated
        tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
        systemctl start elevated
    ";
    machine.run(&["sh", "-euc", clone]).success();
    let status = kit.run("elevatectl mfa status --json").success().text();
    assert!(status.contains("\"enrolled\": false"), "{status}");
    let mut desk = kit.shell();
    let refused = without(&mut desk, "elevate id -u");
    assert!(refused.contains("elevatectl mfa enrol"), "{refused}");
    let mut anew = kit.enrol();
    with_code(&mut desk, "elevate id -u", &anew.code());
    assert_ne!(anew.secret(), factor.secret());
    // The other machine's are kept for whoever has to look, and nothing here reads them.
    let aside = machine.run(&["sh", "-c", "ls /var/lib/elevate/*.of-*"]);
    let aside = aside.success().text();
    assert!(
        aside.contains("/state.of-") && aside.contains("/secrets.of-"),
        "{aside}"
    );
    // journald itself goes on under the old id.
    let argv = ["journalctl", "--merge", "--no-pager", "--unit=elevated"];
    let said = machine.run(&argv).success().text();
    let count = said
        .matches("the key of another machine is set aside")
        .count();
    assert_eq!(count, 1, "{said}");
}
