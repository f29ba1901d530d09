//! The client dies at a random moment of the call (CVE-2021-3560): nobody is authorised by it and
//! nothing is left behind.

use std::time::Duration;

use super::{MACHINE, login};

/// Starts `elevate COMMAND` and kills it after a random part of 20 ms, again and again.
const KILL: &str = r#"
import random
count, *command = sys.argv[1:]
random.seed(1)
for _ in range(int(count)):
    child = subprocess.Popen(command, stdin=-3, stdout=-3, stderr=-3)
    time.sleep(random.uniform(0, 0.02))
    child.kill()
    child.wait()
"#;

#[test]
fn a_thousand_clients_killed_at_random_leave_nothing_behind() {
    let machine = MACHINE.get();
    let mighty = login(&machine, "hydra", "recorded");
    let waiting = login(&machine, "lerna", "asking");
    let powerless = login(&machine, "eris", "nobodies");
    machine.write(
        "/usr/local/bin/kill-at-random",
        format!("import subprocess, sys, time\n{KILL}"),
        0o644,
    );
    let kill = |count: u32, command: &str| {
        format!("python3 /usr/local/bin/kill-at-random {count} elevate {command}")
    };
    let all = [
        powerless.command(&kill(400, "touch /eris-was-here")),
        mighty.command(&kill(300, "sleep 302")),
        waiting.command(&kill(300, "touch /lerna-was-here")),
    ];
    let patient = Duration::from_secs(300);
    let running = all.map(|command| command.timeout(patient).start());
    for one in running {
        one.wait().success();
    }
    for gone in ["/eris-was-here", "/lerna-was-here"] {
        assert!(!machine.has(gone), "{gone}");
    }
    machine.poll("every session to be gone", Duration::from_secs(60), || {
        let scopes = machine.run(&[
            "systemctl",
            "list-units",
            "--plain",
            "--no-legend",
            "elevate-*.scope",
        ]);
        let left = scopes
            .text()
            .lines()
            .filter(|line| line.contains("hydra"))
            .count();
        (left == 0 && machine.processes("sleep 302") == 0).then_some(())
    });
    machine.poll(
        "every request to be withdrawn",
        Duration::from_secs(60),
        || {
            let requests = waiting.run("elevatectl requests --json").success().text();
            (!requests.contains("\"waiting\"")).then_some(())
        },
    );
    for user in ["eris", "lerna"] {
        assert!(
            machine
                .events(&[("ELEVATE_USER", user), ("ELEVATE_EVENT", "grant")])
                .is_empty()
        );
    }
    machine.poll(
        "every grant to have its end on record",
        Duration::from_secs(60),
        || {
            let count = |kind| {
                machine
                    .events(&[("ELEVATE_USER", "hydra"), ("ELEVATE_EVENT", kind)])
                    .len()
            };
            (count("grant") > 0 && count("grant") == count("end")).then_some(())
        },
    );
    assert_eq!(mighty.run("elevate id -un").success().text(), "root");
}
