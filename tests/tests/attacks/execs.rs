//! A command that may execute nothing else, and tries in every way that there is (CVE-2016-7032).
//! 32-bit programs and calls, which need machine code, are tried on the leader itself.

use super::{MACHINE, login};

/// Each way in a process of its own, which ends with 42 where it was not let. In perl alone: to ask
/// another program for anything would be an exec.
const WAYS: &str = r#"
use POSIX ();
my $intel = (POSIX::uname())[4] =~ /x86_64/;
my ($execve, $execveat, $memfd) = $intel ? (59, 322, 319) : (221, 281, 279);
my ($none, $empty) = (pack("J", 0), "");
sub words { my @kept = @_; our @alive; push @alive, \@kept; return pack("J*", (map { unpack("J", pack("p", $_)) } @kept), 0); }
my $path = "/usr/bin/touch";
my %ways = (
    path => sub { my $argv = words("touch", "/once-path"); syscall($execve, $path, $argv, $none) },
    descriptor => sub {
        my $argv = words("touch", "/once-descriptor");
        open(my $file, "<", $path); syscall($execveat, fileno($file), $empty, $argv, $none, 0x1000);
    },
    memory => sub {
        my $argv = words("touch", "/once-memory");
        my $called = "x"; my $memory = syscall($memfd, $called, 0);
        open(my $file, "<:raw", $path); local $/; my $program = <$file>;
        open(my $copy, ">&=", $memory); binmode $copy; syswrite($copy, $program);
        syscall($execveat, $memory, $empty, $argv, $none, 0x1000);
    },
    script => sub { my $script = "/usr/local/bin/once-script"; my $argv = words($script); syscall($execve, $script, $argv, $none) },
    loader => sub {
        my ($loader) = glob("/lib*/ld-linux*.so*"); my $argv = words($loader, $path, "/once-loader");
        syscall($execve, $loader, $argv, $none);
    },
    x32 => sub { my $argv = words("touch", "/once-x32"); syscall($execve == 59 ? 0x40000000 | 520 : $execve, $path, $argv, $none) },
    perl => sub { exec("/usr/bin/touch", "/once-perl") },
    shell => sub { system("touch /once-shell; true") == 0 and return; exec("/usr/bin/touch", "/once-shell") },
    proc => sub { my $self = "/proc/self/exe"; my $argv = words("perl", "-e", "open F, '>/once-proc'"); syscall($execve, $self, $argv, $none) },
);
$| = 1;
for my $way (sort keys %ways) {
    my $child = fork();
    if ($child == 0) { $ways{$way}->(); POSIX::_exit($!{EPERM} ? 42 : 43); }
    waitpid($child, 0);
    print "$way ", $? >> 8, "\n";
}
"#;

#[test]
fn nothing_is_executed_beside_the_one_command_that_may_be() {
    let machine = MACHINE.get();
    let free = login(&machine, "freya", "recorded");
    let bound = login(&machine, "onno", "once");
    machine.write("/usr/local/bin/ways", WAYS, 0o644);
    let script = "#!/usr/bin/touch /once-script\n";
    machine.write("/usr/local/bin/once-script", script, 0o755);
    let ran = || {
        let made = machine.run(&["sh", "-c", "ls -d /once-* 2>/dev/null; rm -f /once-*"]);
        made.text().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let tried = free.run("elevate perl /usr/local/bin/ways").success();
    let count = tried.text().lines().count();
    assert_eq!(count, 9, "{}", tried.describe());
    let made = ran();
    assert!(made.len() >= 8, "the attack works elsewhere: {made:?}");

    let tried = bound.run("elevate perl /usr/local/bin/ways").success();
    assert_eq!(tried.text().lines().count(), count, "{}", tried.describe());
    for way in tried.text().lines() {
        assert!(way.ends_with(" 42"), "not refused: {way}");
    }
    assert_eq!(ran(), Vec::<String>::new());
    let end = machine.event("end", &[("ELEVATE_USER", "onno")]);
    let id = end.request();
    let denied = [
        ("ELEVATE_REQUEST", id.as_str()),
        ("ELEVATE_EVENT", "exec"),
        ("ELEVATE_OUTCOME", "denied"),
    ];
    let denied = machine.events(&denied).len();
    assert!(denied >= count, "each attempt is on record: {denied}");
    assert_eq!(bound.run("elevate id -u").success().text(), "0");
}

/// CVE-2017-1000367: what the record says of a process is read past a name that feigns fields.
#[test]
fn a_process_whose_name_looks_like_facts_is_on_record_as_what_it_is() {
    let machine = MACHINE.get();
    let user = login(&machine, "nemo", "recorded");
    machine.user("tina");
    let uid = machine.run(&["id", "-u", "tina"]).success().text();
    let rename = "use POSIX (); \
        open my $comm, q(>), q(/proc/self/comm); \
        syswrite $comm, qq(a\\) S 1 1 1\\nPPid:\\t1\\nUid:\\t0); close $comm; \
        my $child = fork(); if ($child == 0) { exec q(/usr/bin/id), q(-u) } waitpid $child, 0; \
        print qq($$ $child\\n)";
    let said = user
        .run(&format!("elevate -u tina perl -e '{rename}'"))
        .success()
        .text();
    let pids: Vec<_> = said.split_whitespace().skip(1).collect();
    let exec = machine.event(
        "exec",
        &[("ELEVATE_USER", "nemo"), ("ELEVATE_ARGV", "/usr/bin/id -u")],
    );
    for (field, value) in [
        ("ELEVATE_PID", pids[1]),
        ("ELEVATE_PPID", pids[0]),
        ("ELEVATE_EXEC_UID", &uid),
    ] {
        assert!(exec.is(field, value), "{field}={value}: {exec:#?}");
    }
}
