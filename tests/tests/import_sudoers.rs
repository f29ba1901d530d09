//! A sudoers and the policy that it is converted into, asked the same questions on one machine: the real
//! sudo by `sudo -l COMMAND`, Elevate by `elevate -l COMMAND`.
//!
//! Every answer is the same, or a no of ours that the conversion has marked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use elevate_tests::{Machine, Release, SharedMachine, Spec};

/// Beside what Debian's own `/etc/sudoers` has, which includes it. Its first line lets everybody ask about
/// themselves: what root asks about others, sudo answers as if root were the caller.
const SUDOERS: &str = r#"
Defaults    listpw = never

User_Alias  OPERATORS = ora, %operators, !oto
User_Alias  NIGHT = nia, OPERATORS
Runas_Alias SERVICES = www-data, postgres
Host_Alias  WEB = web1, web2
Host_Alias  FARM = WEB, db*, !db2
Cmnd_Alias  SHELLS = /bin/sh, /usr/bin/bash, /usr/bin/dash
Cmnd_Alias  LOOKS = /usr/bin/id, /usr/bin/ls, /usr/bin/cat ""
Cmnd_Alias  MIXED = LOOKS, !/usr/bin/ls -l, SHELLS

# Aliases, and what they except.
OPERATORS   ALL = (root) LOOKS
NIGHT       FARM = (SERVICES) MIXED, !SHELLS
%operators  db2 = (ALL : adm) NOPASSWD: /usr/bin/id -u

# The usual ones.
ada         ALL = (ALL : ALL) ALL
ben         ALL = ALL
cas         ALL = (ALL) NOPASSWD: ALL
dot         ALL = (ALL, !root) ALL
eda         ALL = (ALL : ALL) ALL, !SHELLS, !/usr/bin/passwd root

# What comes later counts.
fay         ALL = (ALL) ALL
fay         ALL = (root) !/usr/bin/id
fay         ALL = (root) /usr/bin/id -u
gil         ALL = (root) !/usr/bin/id, /usr/bin/id, /usr/bin/ls, !/usr/bin/ls -l
hal         ALL = (root) /usr/bin/id
hal         ALL = (root) !/usr/bin/id
%helpers    ALL = (root) /usr/bin/ls, /usr/bin/cat
ivy         ALL = (root) !/usr/bin/cat
jan         ALL = (root) !/usr/bin/cat, /usr/bin/id
jan         web1 = (root) /usr/bin/cat

# Arguments, wildcards, folders.
kai         ALL = (root) /usr/bin/id -u, /usr/bin/cat /etc/*, /usr/bin/ls *, /usr/bin/env ""
lea         ALL = (root) /usr/bin/, !/usr/bin/c*
mia         ALL = (root) /usr/bin/l*, /usr/bin/i?, /usr/bin/systemctl restart *
ned         ALL = (root) ALL, !/usr/bin/cat /etc/*, !/usr/bin/systemctl stop ssh

# Hosts, targets, groups.
oda         web1, !web2 = (root) /usr/bin/id : db1 = (postgres) /usr/bin/ls
pam         ALL, !WEB = (SERVICES, !postgres) /usr/bin/id
quy         ALL = (#33 : adm, !disk) /usr/bin/id, (:disk) /usr/bin/ls
ron         ALL = () /usr/bin/id, (%helpers) /usr/bin/ls

# Tags, times, and what has no words.
sam         ALL = (root) NOEXEC: LOG_INPUT: /usr/bin/id, EXEC: NOPASSWD: /usr/bin/ls
tea         ALL = (root) NOTAFTER=20200101000000Z /usr/bin/id
ula         ALL = (root) NOTBEFORE=20200101000000Z NOTAFTER=20990101000000Z /usr/bin/id
val         ALL = (root) /usr/bin/id, NOTAFTER=20200101000000Z /usr/bin/ls
wyn         ALL = (root) ^/usr/bin/.*$, /usr/bin/ls
+net        ALL = ALL
ALL         ALL = (root) NOPASSWD: /usr/bin/whoami
#64999      ALL = (root) /usr/bin/id
xia         ALL = (root) CWD=/srv /usr/bin/id, /usr/bin/ls
"#;

/// Who there is, with their groups.
const PEOPLE: &[(&str, &[&str])] = &[
    ("ora", &[]),
    ("oto", &["operators"]),
    ("opi", &["operators"]),
    ("nia", &[]),
    ("ada", &[]),
    ("ben", &[]),
    ("cas", &[]),
    ("dot", &[]),
    ("eda", &[]),
    ("fay", &[]),
    ("gil", &[]),
    ("hal", &[]),
    ("ivy", &["helpers"]),
    ("jan", &["helpers"]),
    ("kai", &[]),
    ("lea", &[]),
    ("mia", &[]),
    ("ned", &[]),
    ("oda", &[]),
    ("pam", &[]),
    ("quy", &[]),
    ("ron", &[]),
    ("sam", &["sudo"]),
    ("tea", &[]),
    ("ula", &[]),
    ("val", &[]),
    ("wyn", &[]),
    ("xia", &[]),
    ("zoe", &[]),
];

const HOSTS: &[&str] = &["web1", "web2", "db1", "db2"];

/// As whom, as flags.
const TARGETS: &[&str] = &["-u root", "-u www-data", "-u postgres", "-u root -g adm"];

const COMMANDS: &[&str] = &[
    "/usr/bin/id",
    "/usr/bin/id -u",
    "/usr/bin/ls",
    "/usr/bin/ls -l",
    "/usr/bin/ls -l /",
    "/usr/bin/cat",
    "/usr/bin/cat /etc/hosts",
    "/usr/bin/cat /etc/hosts /etc/group",
    "/usr/bin/env",
    "/usr/bin/env true",
    "/bin/sh",
    "/usr/bin/bash -c true",
    "/usr/bin/passwd root",
    "/usr/bin/systemctl restart ssh",
    "/usr/bin/systemctl stop ssh",
    "/usr/bin/whoami",
];

/// Groups, and oneself; asked on one host.
const OTHERS: &[(&str, &str, &str)] = &[
    ("quy", "-g adm", "/usr/bin/id"),
    ("quy", "-g disk", "/usr/bin/id"),
    ("quy", "-g disk", "/usr/bin/ls"),
    ("quy", "-u www-data -g adm", "/usr/bin/id"),
    ("quy", "-u quy", "/usr/bin/ls"),
    ("ron", "-u ron", "/usr/bin/id"),
    ("ron", "-u root", "/usr/bin/id"),
    ("ron", "-u ivy", "/usr/bin/ls"),
    ("ada", "-g adm", "/usr/bin/id"),
    ("cas", "-g adm", "/usr/bin/id"),
    ("cas", "-u nobody", "/usr/bin/id"),
    ("dot", "-u #0", "/usr/bin/id"),
    ("ada", "-u #0", "/usr/bin/id"),
    ("opi", "-u root -g adm", "/usr/bin/id -u"),
    ("opi", "-u root -g disk", "/usr/bin/id -u"),
    ("root", "-u www-data", "/usr/bin/id"),
    ("root", "-u root", "/bin/sh"),
];

/// What sudo allows and we don't: whose, the beginning of the command, and the mark that tells.
const MARKED: &[(&str, &str, &str)] = &[
    ("", "/usr/bin/whoami", "put in a group that everybody is in"),
    ("fay", "/usr/bin/id -u", "takes from it what sudo allows"),
    ("jan", "/usr/bin/cat", "takes from it what sudo allows"),
    (
        "kai",
        "/usr/bin/cat /etc/hosts /etc/group",
        "stands within one argument",
    ),
    ("mia", "/usr/bin/id", "`?` and `[…]` have no word"),
    ("ned", "/usr/bin/cat", "denied with more arguments"),
    ("ron", "/usr/bin/ls", "targets are users"),
    ("wyn", "/", "regular expressions"),
    ("xia", "/usr/bin/", "runcwd = /srv"),
    ("val", "/usr/bin/", "times that differ between its commands"),
];

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("import").prepared(prepare));

const CONVERTED: &str = "/etc/elevate/policy.d/sudoers.toml";

fn prepare(machine: &Machine) {
    for group in ["operators", "helpers"] {
        machine.run(&["groupadd", "--force", group]).success();
    }
    for (name, groups) in PEOPLE {
        machine.member(name, groups);
    }
    machine.user("postgres");
    machine.write("/etc/sudoers.d/corpus", SUDOERS, 0o440);
    machine.run(&["visudo", "-c"]).success();
    // Debian's sudo takes the first name of the line for the host's.
    let hosts: String = HOSTS
        .iter()
        .map(|host| format!("127.0.1.1 {host}\n"))
        .collect();
    machine.write("/etc/hosts", hosts + "127.0.0.1 localhost\n", 0o644);
}

struct Question {
    host: &'static str,
    user: &'static str,
    target: &'static str,
    command: &'static str,
}

fn questions() -> Vec<Question> {
    let mut questions = Vec::new();
    for &host in HOSTS {
        for (user, _) in PEOPLE {
            // Not every command with every host and target: what a line names, and some beside.
            for (at, &command) in COMMANDS.iter().enumerate() {
                for (turn, &target) in TARGETS.iter().enumerate() {
                    let often = turn == 0 && host == "web1";
                    if often || (at + turn + user.len() + host.len()) % 7 == 0 {
                        questions.push(Question {
                            host,
                            user,
                            target,
                            command,
                        });
                    }
                }
            }
        }
    }
    let others = OTHERS.iter().map(|(user, target, command)| Question {
        host: "web1",
        user,
        target,
        command,
    });
    questions.extend(others);
    questions.sort_by_key(|question| question.host);
    questions
}

/// Asks both, one line to a question: the two statuses.
const ASK: &str = r#"
set -f
while IFS='	' read -r user target command; do
    setpriv --reuid "$user" --regid "$user" --init-groups \
        sudo -n -l $target -- $command >/dev/null 2>&1; sudo=$?
    elevate -l -U "$user" $target -- $command >/dev/null 2>&1; elevate=$?
    echo "$sudo $elevate"
done
"#;

fn ask(machine: &Machine, host: &str, questions: &[&Question]) -> Vec<(bool, bool)> {
    machine.run(&["hostname", host]).success();
    // It has a host name of its own from when it began.
    machine.run(&["systemctl", "restart", "elevated"]).success();
    let mut lines = String::new();
    for Question {
        user,
        target,
        command,
        ..
    } in questions
    {
        let _ = writeln!(lines, "{user}\t{target}\t{command}");
    }
    let asked = machine
        .command(&["bash", "-c", ASK])
        .stdin(lines)
        .timeout(Duration::from_secs(600))
        .run()
        .success();
    let answers: Vec<_> = asked.text().lines().map(answer).collect();
    assert_eq!(answers.len(), questions.len(), "{asked:?}");
    answers
}

fn answer(line: &str) -> (bool, bool) {
    let yes = |status: &str| match status {
        "0" => true,
        "1" => false,
        other => panic!("status {other}"),
    };
    let (sudo, elevate) = line.split_once(' ').unwrap();
    (yes(sudo), yes(elevate))
}

#[test]
fn every_answer_is_sudos_or_a_no_that_is_marked() {
    let machine = MACHINE.get();
    let import = [
        "elevatectl",
        "policy",
        "import-sudoers",
        "--output",
        CONVERTED,
    ];
    let told = machine.run(&import).status(3).errors();
    assert!(told.contains("marked"), "{told}");
    let check = machine
        .run(&["elevatectl", "policy", "check", CONVERTED])
        .success();
    assert!(check.text().contains("ok"), "{check:?}");
    let status = machine.run(&["elevatectl", "status"]).success().text();
    assert!(!status.contains("problem"), "{status}");
    let converted = String::from_utf8(machine.read(CONVERTED)).unwrap();

    let questions = questions();
    assert!(questions.len() >= 200, "{}", questions.len());
    let mut by_host: BTreeMap<&str, Vec<&Question>> = BTreeMap::new();
    for question in &questions {
        by_host.entry(question.host).or_default().push(question);
    }
    let old = machine.release() == Release::Bookworm;
    let (mut both, mut neither, mut narrower) = (0, 0, 0);
    let mut wrong = String::new();
    for (host, questions) in by_host {
        for (question, answers) in questions.iter().zip(ask(&machine, host, &questions)) {
            let Question {
                user,
                target,
                command,
                ..
            } = question;
            let what = format!("{user} on {host}, {target}: {command}");
            match answers {
                (true, true) => both += 1,
                (false, false) => neither += 1,
                (false, true) => drop(writeln!(wrong, "wider than sudo: {what}")),
                (true, false) if is_marked(&converted, user, command) => narrower += 1,
                // The header says that what older ones add to their manual is not taken over.
                (true, false) if old && target.contains("-g") => narrower += 1,
                (true, false) => drop(writeln!(wrong, "narrower, unmarked: {what}")),
            }
        }
    }
    println!("{both} yes, {neither} no, {narrower} marked");
    assert!(wrong.is_empty(), "{wrong}\n{converted}");
    // Neither side says the same to everything.
    assert!(
        both > 200 && neither > 200 && narrower < both / 2,
        "{both} {neither} {narrower}"
    );
}

fn is_marked(converted: &str, user: &str, command: &str) -> bool {
    let told = |mark: &str| {
        let about = |line: &str| line.starts_with("# LEFT OUT") || line.starts_with("# NARROWER");
        converted
            .lines()
            .any(|line| about(line) && line.contains(mark))
    };
    MARKED.iter().any(|(whose, begin, mark)| {
        (whose.is_empty() || *whose == user) && command.starts_with(begin) && told(mark)
    })
}

#[test]
fn a_file_is_never_overwritten_and_what_is_wrong_is_told() {
    let machine = MACHINE.get();
    let import = |words: &[&str]| {
        let words = [&["elevatectl", "policy", "import-sudoers"], words].concat();
        machine.run(&words)
    };
    machine.write(
        "/root/plain",
        "ada ALL = (root) NOPASSWD: /usr/bin/id\n",
        0o440,
    );
    let plain = import(&["/root/plain"]).success().text();
    assert!(
        plain.contains("commands = [\"/usr/bin/id ...\"]\nrequire = {}"),
        "{plain}"
    );
    import(&["--output", "/root/plain.toml", "/root/plain"]).success();
    assert_eq!(
        machine.read("/root/plain.toml"),
        (plain + "\n").into_bytes()
    );
    let again = import(&["--output", "/root/plain.toml", "/root/plain"]).status(1);
    assert!(
        again.errors().contains("/root/plain.toml: File exists"),
        "{again:?}"
    );

    machine.write("/root/coded", "ada ALL = (root) /usr/bin/id\n", 0o440);
    let coded = import(&["--password-as", "1h", "/root/coded"])
        .success()
        .text();
    assert!(coded.contains("require = { mfa = \"1h\" }"), "{coded}");
    let json = machine
        .run(&["cvtsudoers", "-f", "json", "/root/coded"])
        .success()
        .text();
    let command = [
        "elevatectl",
        "policy",
        "import-sudoers",
        "--json-input",
        "-",
    ];
    let from_json = machine.command(&command).stdin(json).run().status(3).text();
    assert!(
        from_json.contains("require = { mfa = \"15m\" }"),
        "{from_json}"
    );

    machine.write("/root/broken", "ada ALL = nothing\n", 0o440);
    let broken = import(&["/root/broken"]).status(1);
    assert!(broken.errors().contains("cvtsudoers failed"), "{broken:?}");
    assert_eq!(broken.text(), "");
    import(&["/root/none"]).status(1);
}
