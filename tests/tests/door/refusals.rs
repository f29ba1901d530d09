//! Who does not get in: all hear the same, and each leaves one record with its own reason.

use elevate_tests::{Machine, Refusal};

use super::*;

/// What a refused person saw, without what they are called, and without what the machine's very
/// first client says of a new host.
fn words(refusal: &Refusal, user: &str) -> String {
    assert_eq!(refusal.status, 255);
    let screen = refusal.screen.replace(user, "USER");
    let lines = screen.lines();
    let said = lines.filter(|line| !line.starts_with("Warning: Permanently added"));
    said.collect::<Vec<_>>().join("\n")
}

/// Nothing in the journal tells a code, a recovery code or a secret.
#[track_caller]
fn assert_untold(machine: &Machine, factor: &Factor<'_>, codes: &[&str]) {
    let all = machine.run(&["journalctl", "--output=json", "--all", "--no-pager"]);
    let journal = all.success().text();
    for secret in factor.recovery_codes().chain([factor.secret()]) {
        assert!(!journal.contains(secret), "{secret}");
    }
    for code in codes {
        // Six digits are part of many a number; alone they stand nowhere.
        let alone = format!(r#"(^|[ "'=:(]){code}([ "'.,)]|$)"#);
        let found = machine.command(&["grep", "-E", &alone]).stdin(&*journal);
        let found = found.run().text();
        assert_eq!(found, "", "{code}");
    }
}

#[test]
fn all_hear_the_same_words_whatever_the_reason() {
    let machine = MACHINE.get();
    let mut heard = Vec::new();
    let mut refused = |user: &str, code: &str, why: &str| {
        let refusal = machine.ssh(user).refused(&[code]);
        assert!(!refusal.screen.contains(code), "echoed: {refusal:?}");
        let record = one_refusal(&machine, user);
        assert!(reason(&record).contains(why), "{user}: {record:#?}");
        assert_fields(
            &record,
            &[
                ("ELEVATE_SERVICE", "sshd"),
                ("ELEVATE_SOURCE", "127.0.0.1"),
                ("ELEVATE_OUTCOME", "refused"),
            ],
        );
        heard.push((user.to_owned(), words(&refusal, user)));
    };

    let mut wrong = enrolled(&machine, "wilma", &["staff"]);
    let wrong_code = wrong.wrong();
    refused("wilma", &wrong_code, "the code is wrong");

    let mut used = enrolled(&machine, "uwe", &["staff"]);
    let used_code = used.totp();
    machine.ssh("uwe").login(&[&used_code]);
    refused("uwe", &used_code, "used already");

    let mut nobodys = enrolled(&machine, "nora", &["nobodies"]);
    let good_code = nobodys.code();
    refused("nora", &good_code, "no role includes nora");

    machine.member("ulla", &["staff"]);
    refused("ulla", "123456", "no second factor is enrolled");

    machine.member("nemo", &["nobodies"]);
    refused("nemo", "123456", "no role includes nemo");

    for (user, words) in &heard {
        assert_eq!(words, &heard[0].1, "{user} hears something of their own");
    }
    // The honest way is open all the while.
    machine.ssh("wilma").login(&[&wrong.code()]);
    machine.ssh("uwe").login(&[&used.code()]);
    assert_untold(&machine, &wrong, &[&wrong_code]);
    assert_untold(&machine, &used, &[&used_code]);
    assert_untold(&machine, &nobodys, &[&good_code]);
    for user in ["wilma", "uwe", "nora", "ulla", "nemo"] {
        one_refusal(&machine, user);
    }
}

#[test]
fn a_slip_can_be_made_good_at_the_same_door() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "slip", &["staff"]);
    let patient = machine.ssh("slip").option("NumberOfPasswordPrompts=3");
    let (wrong, code) = (factor.wrong(), factor.code());
    let slip = patient.login(&[&wrong, "", &code]);
    assert_eq!(slip.run("elevate -n id -u").success().text(), "0");
    let of_hers = |kind| {
        let fields = [("ELEVATE_USER", "slip"), ("ELEVATE_EVENT", kind)];
        machine.events(&fields).len()
    };
    machine.event("login-open", &[("ELEVATE_USER", "slip")]);
    assert_eq!((of_hers("login-refused"), of_hers("login")), (2, 1));
}

/// Somebody at the prompt who goes away, or types for ever, is nobody who got in.
#[test]
fn who_leaves_the_question_unanswered_is_not_in_and_holds_nobody_up() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "lea", &["staff"]);
    let mut doors: Vec<_> = (0..12).map(|_| machine.ssh("lea").knock()).collect();
    for door in &mut doors {
        door.prompt();
    }
    machine.ssh("lea").login(&[&factor.code()]);
    drop(doors);
    machine.poll("every client to be gone", PATIENCE, || {
        let asking = machine.run(&["pgrep", "--full", "sshd.*lea .*(pam|priv)"]);
        asking.text().is_empty().then_some(())
    });
    let login = [("ELEVATE_USER", "lea"), ("ELEVATE_EVENT", "login")];
    assert_eq!(machine.events(&login).len(), 1);
    machine.ssh("lea").login(&[&factor.code()]);
}

#[test]
fn a_recovery_code_works_once() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "rae", &["staff"]);
    let code = factor.recovery_code();
    machine.ssh("rae").login(&[&code]);
    let login = machine.event("login", &[("ELEVATE_USER", "rae")]);
    assert_fields(&login, &[("ELEVATE_FACTOR", "recovery")]);
    machine.ssh("rae").refused(&[&code]);
    assert!(reason(&one_refusal(&machine, "rae")).contains("the code is wrong"));
    let other = factor.recovery_code();
    machine.ssh("rae").login(&[&other]);
    assert_untold(&machine, &factor, &[&code, &other]);
}

/// What PAM asks, and no question of sshd's own for a password.
const INTERACTIVE: &str = "PreferredAuthentications=keyboard-interactive";

/// A second sshd that asks for a key or for what PAM asks, whichever the client offers.
fn lax(machine: &Machine) -> &'static str {
    let script = r"
        systemctl is-active --quiet lax-sshd && exit
        mkdir -p /run/sshd
        systemd-run --quiet --unit=lax-sshd /usr/sbin/sshd -D -o Port=2222 \
            -o AuthenticationMethods=any -o PidFile=none -o LogLevel=VERBOSE
    ";
    machine.run(&["sh", "-euc", script]).success();
    machine.poll("another sshd", PATIENCE, || {
        let listening = machine.run(&["ss", "-Hltn", "sport = :2222"]);
        (!listening.text().is_empty()).then_some(())
    });
    "Port=2222"
}

#[test]
fn a_key_alone_is_refused_by_the_account_phase() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "kay", &["staff"]);
    let port = lax(&machine);
    let key_alone = machine
        .ssh("kay")
        .option(port)
        .option("PreferredAuthentications=publickey");
    let refusal = key_alone.refused(&[]);
    assert!(!refusal.screen.contains("Verification code"), "{refusal:?}");
    let record = one_refusal(&machine, "kay");
    let why = "a code is owed and this login was never asked for one";
    assert_eq!(reason(&record), why);
    machine.ssh("kay").login(&[&factor.code()]);
}

#[test]
fn a_code_without_a_key_is_no_way_in() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "cody", &["staff"]);
    let no_key = || {
        let without = machine.ssh("cody").option("PubkeyAuthentication=no");
        without.option(INTERACTIVE)
    };
    // This sshd wants the key first, and asks for nothing without it.
    let refusal = no_key().refused(&[]);
    assert!(!refusal.screen.contains("Verification code"), "{refusal:?}");

    // That one asks for the password of who has no key, and the code is none.
    let port = lax(&machine);
    let code = factor.code();
    let mut door = no_key().option(port).knock();
    assert_eq!(door.prompt(), "Password: ");
    door.answer(&code);
    let refusal = door.refused();
    assert!(!refusal.screen.contains("Verification code"), "{refusal:?}");
    assert_eq!(
        machine.events(&[("ELEVATE_EVENT", "login"), ("ELEVATE_USER", "cody")]),
        []
    );
    // Nobody asked for the code, and so it is not used up.
    machine.ssh("cody").login(&[&code]);
}

#[test]
fn a_password_without_a_code_is_no_way_in_either() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "paz", &["staff"]);
    let passwords = machine.command(&["chpasswd"]).stdin("paz:open-sesame\n");
    passwords.run().success();
    let port = lax(&machine);
    let by_password = || {
        let mut door = machine.ssh("paz").option(INTERACTIVE).option(port).knock();
        assert_eq!(door.prompt(), "Password: ");
        door.answer("open-sesame");
        assert_eq!(door.prompt(), "Verification code: ");
        door
    };
    let mut door = by_password();
    door.answer(&factor.wrong());
    door.refused();
    assert_eq!(reason(&one_refusal(&machine, "paz")), "the code is wrong");
    let mut door = by_password();
    door.answer(&factor.code());
    door.enter();
}

/// sshd itself asks a name that it doesn't know for nothing after the key, as one whose key is not
/// there; the module, where it is asked, asks them like anybody.
#[test]
fn a_name_that_nobody_has_is_asked_and_refused_like_any_other() {
    let machine = MACHINE.get();
    let stack = "auth required pam_elevate.so services=probe debug\n\
                 account required pam_elevate.so services=probe debug\n";
    machine.write("/etc/pam.d/probe", stack, 0o644);
    machine.member("idle", &["staff"]);
    let asked = |user: &str| {
        let mut terminal = machine.terminal(&["pamtester", "probe", user, "authenticate"]);
        terminal.expect("Verification code: $");
        terminal.send("typed-nonsense\n");
        let status = terminal.wait();
        let record = one_refusal(&machine, user);
        (
            status,
            terminal.screen().replace(user, "USER"),
            reason(&record),
        )
    };
    let (known, unknown) = (asked("idle"), asked("ghost"));
    assert_ne!(known.0, 0);
    assert_eq!((known.0, &known.1), (unknown.0, &unknown.1));
    assert_eq!(known.2, "no second factor is enrolled");
    assert!(unknown.2.contains("no such account"), "{}", unknown.2);

    let all = machine.run(&["journalctl", "--output=json", "--all", "--no-pager"]);
    let journal = all.success().text();
    assert!(journal.contains("pam_elevate(probe:auth): auth: asking"));
    assert!(
        !journal.contains("typed-nonsense"),
        "debugging tells what is typed"
    );

    let ghost = machine.ssh("ghost").refused(&[]);
    let without_key = machine.ssh("idle").option("PubkeyAuthentication=no");
    let idle = without_key.refused(&[]);
    assert_eq!(words(&ghost, "ghost"), words(&idle, "idle"));
}

#[test]
fn too_many_wrong_codes_lock_and_nobody_hears_of_it() {
    let machine = MACHINE.get();
    let mut factor = enrolled(&machine, "lou", &["staff"]);
    let wrong = factor.wrong();
    let mut heard = Vec::new();
    let locked = [("ELEVATE_USER", "lou"), ("ELEVATE_EVENT", "login-refused")];
    for _ in 0..20 {
        let refusal = machine.ssh("lou").refused(&[&wrong]);
        heard.push(words(&refusal, "lou"));
        let records = machine.events(&locked);
        if records
            .last()
            .is_some_and(|last| reason(last).contains("too many"))
        {
            break;
        }
    }
    let records = machine.events(&locked);
    assert_eq!(records.len(), heard.len(), "one record each");
    assert!(
        records
            .last()
            .is_some_and(|last| reason(last).contains("too many")),
        "{records:#?}"
    );
    // Not even the right code, and nobody hears why.
    let refusal = machine.ssh("lou").refused(&[&factor.code()]);
    heard.push(words(&refusal, "lou"));
    assert!(heard.iter().all(|words| *words == heard[0]), "{heard:#?}");
}
