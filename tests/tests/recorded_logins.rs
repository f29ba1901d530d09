//! Logins that a role wants on record, from the first program to the last, and the ways around it.

use std::time::Duration;

use elevate_tests::{Entry, Machine, Output, SharedMachine, Spec, Terminal};

const POLICY: &str = r#"
[role.vendor]
members = ["%vendor"]
login.record = "output"

[role.robot]
members = ["%robot"]
login.require = {}

[rule.id]
roles = ["vendor"]
run_as = "root"
commands = ["/usr/bin/id ..."]
require = { mfa = "15m" }
"#;

const SHELL: &str = "/usr/libexec/elevate/elevate-shell";

const PATIENCE: Duration = Duration::from_secs(30);

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("recorded").prepared(prepare));

fn prepare(machine: &Machine) {
    for group in ["vendor", "robot"] {
        machine.run(&["groupadd", "--force", group]).success();
    }
    machine.policy("test", POLICY);
    machine.guard_sshd();
}

/// A user of this group whose shell is the one that records.
#[track_caller]
fn user(machine: &Machine, name: &str, group: &str) {
    machine.member(name, &[group]);
    machine.run(&["usermod", "--shell", SHELL, name]).success();
}

/// The sessions that were recorded of `user`, as their first events.
fn recorded(machine: &Machine, user: &str) -> Vec<Entry> {
    let fields = [
        ("ELEVATE_EVENT", "start"),
        ("ELEVATE_USER", user),
        ("ELEVATE_RULE", "login:vendor"),
    ];
    machine.events(&fields)
}

/// What was shown in the session of `user` whose command holds `part`, once it is over.
#[track_caller]
fn shown(machine: &Machine, user: &str, part: &str) -> String {
    let of_it = |entry: &Entry| {
        entry
            .get("ELEVATE_COMMAND")
            .is_some_and(|c| c.contains(part))
    };
    let id = machine.poll("the recorded session", PATIENCE, || {
        let found = recorded(machine, user).into_iter().find(of_it)?;
        found.get("ELEVATE_REQUEST")
    });
    machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    machine
        .run(&["elevatectl", "sessions", "play", &id])
        .success()
        .text()
}

#[test]
fn what_is_run_is_on_record_with_what_it_shows_and_its_status() {
    let machine = &*MACHINE.get();
    user(machine, "vic", "vendor");
    let mut factor = machine.enrol("vic");
    let login = machine.ssh("vic").login(&[&factor.code()]);
    let output = login
        .run("echo out; echo err >&2; id -un; exit 7")
        .status(7);
    assert_eq!(output.text(), "out\nvic");
    assert_eq!(output.errors().trim(), "err");
    let shown = shown(machine, "vic", "exit 7");
    assert!(shown.contains("out") && shown.contains("err"), "{shown}");
    machine.event(
        "exec",
        &[("ELEVATE_USER", "vic"), ("ELEVATE_ARGV", "id -un")],
    );
}

#[test]
fn a_login_shell_is_one_and_the_code_of_the_door_counts_in_it() {
    let machine = &*MACHINE.get();
    user(machine, "vera", "vendor");
    let mut factor = machine.enrol("vera");
    let mut shell = machine.terminal(&["sh", "-c", "ssh -t -oUser=vera 127.0.0.1"]);
    shell.expect("Verification code: $");
    shell.send(format!("{}\n", factor.code()));
    shell.expect(r"[$] $");
    shell.send("echo \"<$0> <$SHELL> $(shopt -q login_shell && echo login)\"\n");
    shell.expect("<-bash> </bin/bash> login");
    shell.send("elevate -n id -u; echo \"<$?>\"\n");
    shell.expect("[\r\n]0\r\n<0>");
    shell.send("stty size; exit 3\n");
    assert_eq!(shell.wait(), 3, "{}", shell.screen());
    let shown = shown(machine, "vera", "-bash");
    assert!(shown.contains("</bin/bash> login"), "{shown}");
}

#[test]
fn start_up_files_and_command_lines_run_on_record_or_not_at_all() {
    let machine = &*MACHINE.get();
    user(machine, "vlad", "vendor");
    let script = "echo evaded-by-bashrc\n";
    for file in [".bashrc", ".profile", ".zshenv"] {
        machine.write(&format!("/home/vlad/{file}"), script, 0o644);
    }
    let mut factor = machine.enrol("vlad");
    let login = machine.ssh("vlad").login(&[&factor.code()]);
    login.run("scp -t x; echo after-scp");
    assert!(shown(machine, "vlad", "after-scp").contains("after-scp"));
    // Whatever else ran as vlad ran in a recorded session.
    let outside = r#"
        for pid in $(pgrep -u vlad); do
            grep -q elevate.slice /proc/$pid/cgroup || readlink /proc/$pid/exe
        done
    "#;
    let mut shell = login.shell();
    shell.send("echo begun\n");
    shell.expect("\nbegun");
    let outside = machine.run(&["sh", "-c", outside]).text();
    let ours = |line: &str| line == SHELL || line.contains("sshd") || line.contains("systemd");
    assert!(outside.lines().all(ours), "{outside}");
}

#[test]
fn whoever_has_another_shell_is_refused_at_the_door() {
    let machine = &*MACHINE.get();
    machine.member("vito", &["vendor"]);
    let mut factor = machine.enrol("vito");
    machine.ssh("vito").refused(&[&factor.code()]);
    let refusal = machine.event("login-refused", &[("ELEVATE_USER", "vito")]);
    let why = refusal.get("ELEVATE_REASON").unwrap_or_default();
    assert!(why.contains(SHELL), "{why}");
}

#[test]
fn a_login_that_need_not_be_recorded_becomes_the_shell_itself() {
    let machine = &*MACHINE.get();
    user(machine, "robo", "robot");
    let login = machine.login("robo");
    let shell = login
        .run("readlink /proc/$$/exe; echo $SHELL; exit 5")
        .status(5);
    let text = shell.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("/bash"), "{lines:?}");
    assert_eq!(lines[1], "/bin/bash");
    let sessions = machine.events(&[("ELEVATE_EVENT", "start"), ("ELEVATE_USER", "robo")]);
    assert!(sessions.is_empty(), "{sessions:?}");
}

#[test]
fn files_that_sftp_passes_are_on_record_by_name_and_not_by_content() {
    let machine = &*MACHINE.get();
    user(machine, "sven", "vendor");
    let mut factor = machine.enrol("sven");
    machine.write("/srv/passed", "the-content\n", 0o644);
    let line = "sftp -oUser=sven 127.0.0.1";
    let mut sftp = machine.terminal(&["sh", "-c", line]);
    sftp.expect(r"Verification code: $");
    sftp.send(format!("{}\n", factor.code()));
    sftp.expect("sftp> $");
    sftp.send("get /srv/passed /tmp/taken\n");
    sftp.expect("sftp> $");
    sftp.send("bye\n");
    sftp.wait();
    assert_eq!(machine.read("/tmp/taken"), b"the-content\n");
    let shown = shown(machine, "sven", "sftp-server");
    assert!(shown.contains("/srv/passed"), "{shown}");
    assert!(!shown.contains("the-content"), "{shown}");
}

/// A login of `user` through which others pass files; it lasts as long as its terminal.
struct Passage<'m> {
    machine: &'m Machine,
    user: &'static str,
    _ssh: Terminal,
}

impl<'m> Passage<'m> {
    #[track_caller]
    fn open(machine: &'m Machine, user: &'static str) -> Self {
        let mut factor = machine.enrol(user);
        let control = Self::control(user);
        let mut ssh = machine.terminal(&["ssh", "-MNS", &control, "-l", user, "127.0.0.1"]);
        ssh.expect("Verification code: $");
        ssh.send(format!("{}\n", factor.code()));
        machine.wait_for_file(&control);
        let _ssh = ssh;
        Passage {
            machine,
            user,
            _ssh,
        }
    }

    fn control(user: &str) -> String {
        format!("/run/passage-{user}")
    }

    fn scp(&self, words: &[&str]) -> Output {
        let through = format!("ControlPath={}", Self::control(self.user));
        let scp = ["scp", "-q", "-o", &through];
        self.machine.run(&[&scp, words].concat())
    }

    fn remote(&self, path: &str) -> String {
        format!("{}@127.0.0.1:{path}", self.user)
    }

    /// The event of this action on this file, when it got so far.
    #[track_caller]
    fn event(&self, action: &str, path: &str, outcome: &str) -> Entry {
        let fields = [
            ("ELEVATE_USER", self.user),
            ("ELEVATE_ACTION", action),
            ("ELEVATE_PATH", path),
            ("ELEVATE_OUTCOME", outcome),
        ];
        self.machine.event("file-transfer", &fields)
    }
}

#[test]
fn files_that_pass_are_events_by_their_names_and_no_name_makes_another() {
    let machine = &*MACHINE.get();
    user(machine, "tess", "vendor");
    machine.write("/srv/sent", "sent\n", 0o644);
    let passage = Passage::open(machine, "tess");
    // With what the journal has in place of line ends and backslashes.
    for (name, shown) in [
        ("plain", "plain"),
        ("two words", "two words"),
        (r#"it's "quoted" \ é"#, r#"it's "quoted" \\ é"#),
        (
            "x\" flags READ mode 0666\r\nopen \"/etc/shadow\" flags READ mode 0666",
            r#"x" flags READ mode 0666\r\nopen "/etc/shadow" flags READ mode 0666"#,
        ),
        (
            "x\r\nremove name \"/etc/passwd\"\r\n",
            r#"x\r\nremove name "/etc/passwd"\r\n"#,
        ),
    ] {
        let shown = format!("/home/tess/{shown}");
        let path = format!("/home/tess/{name}");
        let (folder, _) = path.rsplit_once('/').unwrap();
        machine
            .run(&["install", "--directory", "--owner=tess", folder])
            .success();
        let remote = passage.remote(&path);
        passage.scp(&["/srv/sent", &remote]).success();
        // What is fetched is a pattern, in which a backslash means something.
        let wanted = remote.replace('\\', r"\\");
        passage.scp(&[&wanted, "/tmp/tess-taken"]).success();
        assert_eq!(machine.read("/tmp/tess-taken"), b"sent\n");
        for (action, bytes) in [
            ("put", "ELEVATE_BYTES_WRITTEN"),
            ("get", "ELEVATE_BYTES_READ"),
        ] {
            passage.event(action, &shown, "asked");
            let done = passage.event(action, &shown, "done");
            assert!(done.is(bytes, "5"), "{done:#?}");
            assert!(done.is("ELEVATE_RULE", "login:vendor"), "{done:#?}");
        }
    }
    for forged in ["/etc/shadow", "/etc/passwd"] {
        let events =
            machine.events(&[("ELEVATE_EVENT", "file-transfer"), ("ELEVATE_PATH", forged)]);
        assert!(events.is_empty(), "{events:#?}");
    }
}

#[test]
fn what_else_sftp_does_to_files_is_on_record() {
    let machine = &*MACHINE.get();
    user(machine, "tara", "vendor");
    let passage = Passage::open(machine, "tara");
    let through = format!("ControlPath={}", Passage::control("tara"));
    let batch = "mkdir /home/tara/folder
put /etc/hostname \"/home/tara/folder/a b\"
rename \"/home/tara/folder/a b\" /home/tara/folder/c
chmod 600 /home/tara/folder/c
ls /home/tara/folder
rm /home/tara/folder/c
rmdir /home/tara/folder
";
    let words = ["sftp", "-b", "-", "-o", &through, "tara@127.0.0.1"];
    machine.command(&words).stdin(batch).run().success();
    for (action, name) in [
        ("mkdir", ""),
        ("put", "/a b"),
        ("rename", "/a b"),
        ("chmod", "/c"),
        ("list", "/"),
        ("remove", "/c"),
        ("rmdir", ""),
    ] {
        passage.event(action, &format!("/home/tara/folder{name}"), "asked");
    }
    let renamed = passage.event("rename", "/home/tara/folder/a b", "asked");
    assert!(
        renamed.is("ELEVATE_PATH_TO", "/home/tara/folder/c"),
        "{renamed:#?}"
    );
}

#[test]
fn files_that_the_old_protocol_of_scp_passes_are_events_too() {
    let machine = &*MACHINE.get();
    user(machine, "olga", "vendor");
    machine.write("/srv/sent-by-olga", "sent\n", 0o644);
    let passage = Passage::open(machine, "olga");
    let remote = passage.remote("/home/olga/old");
    passage.scp(&["-O", "/srv/sent-by-olga", &remote]).success();
    passage.scp(&["-O", &remote, "/tmp/olga-taken"]).success();
    assert_eq!(machine.read("/tmp/olga-taken"), b"sent\n");
    passage.event("put", "/home/olga/old", "asked");
    passage.event("get", "/home/olga/old", "asked");
}

#[test]
fn a_login_without_a_shell_such_as_one_that_forwards_ports_is_ended() {
    let machine = &*MACHINE.get();
    user(machine, "pete", "vendor");
    let mut factor = machine.enrol("pete");
    let line = "ssh -N -L 127.0.0.1:2345:127.0.0.1:22 -oUser=pete 127.0.0.1";
    let mut forwarding = machine.terminal(&["sh", "-c", line]);
    forwarding.expect(r"Verification code: $");
    forwarding.send(format!("{}\n", factor.code()));
    machine.event("login-open", &[("ELEVATE_USER", "pete")]);
    forwarding.wait_within(PATIENCE);
    let refusal = machine.event("login-refused", &[("ELEVATE_USER", "pete")]);
    let why = refusal.get("ELEVATE_REASON").unwrap_or_default();
    assert!(why.contains("no recorded shell"), "{why}");
}

#[test]
fn with_its_leader_gone_the_login_is_over_and_the_record_stays() {
    let machine = &*MACHINE.get();
    user(machine, "lars", "vendor");
    let mut factor = machine.enrol("lars");
    let login = machine.ssh("lars").login(&[&factor.code()]);
    let mut shell = login.shell();
    shell.send("echo before-the-end\n");
    shell.expect("\nbefore-the-end");
    let leaders = machine.run(&["pgrep", "-x", "elevate-leader"]).text();
    for pid in leaders.lines() {
        // Only the one of this session: others of this file have one each.
        let children = machine.run(&["pgrep", "-P", pid, "-u", "lars"]).text();
        if !children.is_empty() {
            machine.signal(pid.parse().unwrap(), "KILL");
        }
    }
    assert_ne!(shell.wait_within(PATIENCE), 0);
    let id = recorded(machine, "lars")
        .last()
        .and_then(|entry| entry.get("ELEVATE_REQUEST"))
        .unwrap();
    machine.event(
        "end",
        &[("ELEVATE_REQUEST", &id), ("ELEVATE_OUTCOME", "leader-gone")],
    );
    machine
        .run(&["elevatectl", "sessions", "play", &id])
        .success();
}
