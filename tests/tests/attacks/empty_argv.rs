//! Programs started without argv[0] (CVE-2021-4034). Since Linux 5.18 the kernel puts one empty
//! word there; what our programs make of no words at all is tested beside their command lines.

use super::{MACHINE, login};

/// execve(2) of a path, or execveat(2) of a descriptor, with `argv` NULL or without words.
const EXECUTE: &str = r#"
my ($path, $how, $words) = @ARGV;
my ($execve, $execveat) = `uname -m` =~ /x86_64/ ? (59, 322) : (221, 281);
my ($none, $nothing, $empty) = (0, pack("J", 0), "");
my $argv = $words eq "null" ? $none : $nothing;
if ($how eq "path") { syscall($execve, $path, $argv, $nothing); }
else { open(my $file, "<", $path); syscall($execveat, fileno($file), $empty, $argv, $nothing, 0x1000); }
die "not executed: $!";
"#;

#[test]
fn every_program_of_ours_ends_cleanly() {
    let machine = MACHINE.get();
    let user = login(&machine, "argless", "recorded");
    machine.write("/usr/local/bin/without-argv", EXECUTE, 0o644);
    for program in [
        "/usr/bin/elevate",
        "/usr/bin/elevatectl",
        "/usr/libexec/elevate/elevated",
        "/usr/libexec/elevate/elevate-launcher",
    ] {
        for how in ["path", "descriptor"] {
            for words in ["null", "empty"] {
                let line = format!("perl /usr/local/bin/without-argv {program} {how} {words}");
                for ended in [
                    user.run(&line),
                    machine.run(&line.split(' ').collect::<Vec<_>>()),
                ] {
                    let said = ended.describe();
                    assert!([1, 2].contains(&ended.status), "{said}");
                    assert!(!said.contains("not executed"), "{said}");
                    assert!(!said.contains("panicked"), "{said}");
                }
            }
        }
    }
    user.run("elevate true").success();
}

#[test]
fn the_way_used_here_does_execute_programs() {
    let machine = MACHINE.get();
    machine.write("/usr/local/bin/without-argv-too", EXECUTE, 0o644);
    let argv = [
        "perl",
        "/usr/local/bin/without-argv-too",
        "/usr/bin/hostname",
        "path",
        "null",
    ];
    assert_eq!(machine.run(&argv).success().text(), "attacks");
}
