//! Logins while `elevated` is stopped, hangs or is being restarted.

use std::time::Instant;

use elevate_tests::Release;

use super::*;

/// How long the module waits for an answer, and some time for PAM's own delay, sshd, ssh and a busy
/// machine. After a failure the older sshd waits as long again as it took, so that nobody can tell
/// by it how long that was.
fn in_time(machine: &Machine) -> Duration {
    let once = 10 + 2 + 2;
    Duration::from_secs(match machine.release() {
        Release::Trixie => once + 4,
        Release::Bookworm => 2 * once,
    })
}

/// The record of a login that was refused while nobody could be asked.
#[track_caller]
fn assert_spooled(machine: &Machine, user: &str, problem: &str) {
    let record = one_refusal(machine, user);
    assert!(reason(&record).contains(problem), "{record:#?}");
    assert_fields(
        &record,
        &[
            ("ELEVATE_SERVICE", "sshd"),
            ("ELEVATE_SOURCE", "127.0.0.1"),
            ("ELEVATE_PHASE", "auth"),
            ("ELEVATE_OUTCOME", "refused"),
        ],
    );
    assert!(!machine.has("/var/lib/elevate/login-spool/*.json"));
}

#[test]
fn with_elevated_and_its_socket_stopped_logins_are_refused_at_once_and_recorded_later() {
    let machine = machine("stopped");
    let mut factor = enrolled(&machine, "stan", &["staff"]);
    machine.member("r2d2", &["robot"]);
    stop(&machine);
    for user in ["stan", "r2d2"] {
        let begun = Instant::now();
        let refusal = machine.ssh(user).refused(&[]);
        println!("{user} was refused after {:?}", begun.elapsed());
        assert!(begun.elapsed() < in_time(&machine), "{:?}", begun.elapsed());
        let screen = refusal.screen;
        assert!(screen.contains("elevated does not answer"), "{screen}");
        assert!(!screen.contains("Verification code"), "{screen}");
    }
    let log = machine.journal(&[("_COMM", "sshd")]).len()
        + machine.journal(&[("_COMM", "sshd-session")]).len();
    assert!(log > 0, "sshd's own log has it meanwhile");
    assert_eq!(machine.events(&[("ELEVATE_EVENT", "login-refused")]), []);
    start(&machine);
    for user in ["stan", "r2d2"] {
        assert_spooled(&machine, user, "elevated cannot be reached");
    }
    machine.ssh("stan").login(&[&factor.code()]);
    machine.login("r2d2");
    for user in ["stan", "r2d2"] {
        one_refusal(&machine, user);
    }
}

#[test]
fn with_elevated_hanging_logins_are_refused_within_the_timeout_and_recorded_once() {
    let machine = machine("hanging");
    let mut factor = enrolled(&machine, "hal", &["staff"]);
    let pid = machine.main_pid("elevated").expect("elevated runs");
    machine.signal(pid, "STOP");
    let begun = Instant::now();
    machine.ssh("hal").refused(&[]);
    println!("hal was refused after {:?}", begun.elapsed());
    assert!(begun.elapsed() < in_time(&machine), "{:?}", begun.elapsed());
    machine.signal(pid, "CONT");
    assert_spooled(&machine, "hal", "elevated did not answer within 10 s");
    machine.ssh("hal").login(&[&factor.code()]);
    one_refusal(&machine, "hal");
}

/// The person sits at the prompt when the daemon stops: what they type counts for nothing.
#[test]
fn with_elevated_gone_between_question_and_answer_nobody_gets_in() {
    let machine = machine("between");
    let mut factor = enrolled(&machine, "betty", &["staff"]);
    let mut door = machine.ssh("betty").knock();
    door.prompt();
    stop(&machine);
    let code = factor.code();
    door.answer(&code);
    door.refused();
    start(&machine);
    one_refusal(&machine, "betty");
    machine.ssh("betty").login(&[&code]);
}

/// The socket holds the call until there is a daemon again.
#[test]
fn a_login_that_begins_while_elevated_is_down_waits_for_the_next_one() {
    let machine = machine("held");
    let mut factor = enrolled(&machine, "held", &["staff"]);
    machine.run(&["systemctl", "stop", "elevated"]).success();
    let before = machine.main_pid("elevated");
    assert_eq!(before, None);
    machine.ssh("held").login(&[&factor.code()]);
    assert_eq!(machine.events(&[("ELEVATE_EVENT", "login-refused")]), []);
}

#[test]
fn logins_succeed_while_elevated_is_restarted_again_and_again() {
    let machine = machine("restarted");
    machine.member("r2d2", &["robot"]);
    let script = "for _ in $(seq 12); do systemctl restart elevated; sleep 0.4; done";
    let restarting = machine.command(&["sh", "-euc", script]).start();
    let mut logins = 0;
    while !restarting.ended() {
        let robot = machine.login("r2d2");
        assert_eq!(robot.run("id -un").success().text(), "r2d2");
        logins += 1;
    }
    restarting.wait().success();
    println!("{logins} logins during 12 restarts");
    assert!(logins >= 5, "{logins}");
    assert_eq!(machine.events(&[("ELEVATE_EVENT", "login-refused")]), []);
    // Each left its records, whichever daemon it met. A session that ended while there was none is
    // found to be over when the next one opens.
    machine.login("r2d2");
    logins += 1;
    for kind in ["login", "login-open", "login-close"] {
        let fields = [("ELEVATE_EVENT", kind), ("ELEVATE_USER", "r2d2")];
        machine.poll(kind, PATIENCE, || {
            let count = machine.events(&fields).len();
            assert!(count <= logins, "{count} {kind} of {logins}");
            (count == logins).then_some(())
        });
    }
}

/// Whoever types a code just when the daemon goes is asked once more, since nobody knows whether it
/// counted.
#[test]
fn everybody_with_a_code_gets_in_while_elevated_is_restarted_again_and_again() {
    let machine = machine("restarted-codes");
    let mut factor = enrolled(&machine, "cora", &["staff"]);
    let script = "for _ in $(seq 40); do systemctl restart elevated; sleep 0.3; done";
    let restarting = machine.command(&["sh", "-euc", script]).start();
    let (logins, mut codes) = (5, 0);
    for _ in 0..logins {
        let mut door = machine.ssh("cora").knock();
        door.prompt();
        let mut asked = 1;
        loop {
            door.answer(&factor.code());
            codes += 1;
            let again = machine.poll("an answer", PATIENCE, || {
                let screen = door.terminal().screen();
                let more = screen.matches("Verification code: ").count() > asked;
                let over = screen.contains("is let in") || door.terminal().ended();
                (more || over).then_some(more)
            });
            if !again {
                break;
            }
            asked += 1;
        }
        door.enter();
    }
    println!("{codes} codes for {logins} logins during restarts");
    restarting.wait().success();
    assert_eq!(machine.events(&[("ELEVATE_EVENT", "login-refused")]), []);
    for kind in ["login", "login-open"] {
        let fields = [("ELEVATE_EVENT", kind), ("ELEVATE_USER", "cora")];
        assert_eq!(machine.events(&fields).len(), logins, "{kind}");
    }
}

#[test]
fn somebody_who_types_through_a_restart_is_asked_once_more_and_comes_in() {
    let machine = machine("typing");
    let mut factor = enrolled(&machine, "ty", &["staff"]);
    let mut door = machine.ssh("ty").knock();
    door.prompt();
    machine.run(&["systemctl", "restart", "elevated"]).success();
    let code = factor.code();
    door.answer(&code);
    let again = door.prompt();
    assert!(again.contains("elevated was restarted"), "{again}");
    // Nobody was there to count it.
    door.answer(&code);
    let ty = door.enter();
    assert_eq!(ty.run("id -un").success().text(), "ty");
    assert_eq!(machine.events(&[("ELEVATE_EVENT", "login-refused")]), []);
}

/// A code that was accepted before a restart still opens its login after it.
#[test]
fn a_restart_between_code_and_session_costs_nobody_their_login() {
    let machine = machine("midway");
    let mut factor = enrolled(&machine, "midge", &["staff"]);
    // The account phase comes a second after the code.
    let slow = "account optional pam_exec.so quiet /usr/bin/sleep 2";
    let edit = [
        "sed",
        "--in-place",
        &format!("1i {slow}"),
        "/etc/pam.d/sshd",
    ];
    machine.run(&edit).success();
    let mut door = machine.ssh("midge").knock();
    door.prompt();
    door.answer(&factor.code());
    machine.poll("the code to be counted", PATIENCE, || {
        machine
            .run(&["pgrep", "--exact", "--full", "/usr/bin/sleep 2"])
            .text()
            .parse::<u32>()
            .ok()
    });
    machine.run(&["systemctl", "restart", "elevated"]).success();
    let midge = door.enter();
    assert_eq!(midge.run("id -un").success().text(), "midge");
    assert_eq!(machine.events(&[("ELEVATE_EVENT", "login-refused")]), []);
}
