//! The key of second factors, from a credential of systemd's.

use elevate_tests::{Machine, Spec};

use crate::{at_work, everything_is_up};

const KEY: &str = "/var/lib/elevate/secrets.key";
const CREDENTIAL: &str = "/etc/credstore.encrypted/elevate.secrets-key";

fn restart(machine: &Machine) -> i32 {
    machine.run(&["systemctl", "restart", "elevated"]).status
}

#[test]
fn a_credential_takes_the_place_of_the_key_and_a_broken_one_is_not_passed_over() {
    let machine = Machine::boot(Spec::new("key").prepared(at_work)).unwrap();
    let mut factor = machine.enrol("local");
    let seal = format!(
        "mkdir -m 700 -p /etc/credstore.encrypted
         cut -d' ' -f1 {KEY} | systemd-creds encrypt --name=elevate.secrets-key - {CREDENTIAL}
         rm {KEY}"
    );
    machine.run(&["sh", "-euc", &seal]).success();
    assert_eq!(restart(&machine), 0);
    assert!(!machine.has(KEY), "no other key is made");
    machine.ssh("local").login(&[&factor.code()]);

    let sealed = machine.read(CREDENTIAL);
    machine.write(CREDENTIAL, "nonsense", 0o600);
    assert_ne!(restart(&machine), 0);
    assert!(!machine.has(KEY));
    let asked = ["systemctl", "show", "-P", "ExecMainStatus", "elevated"];
    assert_eq!(machine.run(&asked).text(), "243", "CREDENTIALS");

    machine.write(CREDENTIAL, sealed, 0o600);
    assert_eq!(restart(&machine), 0);
    everything_is_up(&machine);
    machine.ssh("local").login(&[&factor.code()]);
}
