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
        "/usr/libexec/elevate/elevate-directory",
    ] {
        for how in ["path", "descriptor"] {
            for words in ["null", "empty"] {
                let line = format!("perl /usr/local/bin/without-argv {program} {how} {words}");
                for ended in [
                    user.run(&line),
                    machine.run(&line.split(' ').collect::<Vec<_>>()),
                ] {
                    let said = ended.describe();
                    // 78: that its settings name no server.
                    assert!([1, 2, 78].contains(&ended.status), "{said}");
                    assert!(!said.contains("not executed"), "{said}");
                    assert!(!said.contains("panicked"), "{said}");
                }
            }
        }
    }
    user.run("elevate true").success();
}

/// What becomes a shell does so without words, too: as one that is not a login's, which reads its
/// input and ends with it.
#[test]
fn the_shell_that_records_is_a_shell_without_words_and_with_too_many_variables() {
    let machine = MACHINE.get();
    let user = login(&machine, "wordless", "recorded");
    machine.write("/usr/local/bin/without-words", EXECUTE, 0o644);
    let shell = "/usr/libexec/elevate/elevate-shell";
    for how in ["path", "descriptor"] {
        for words in ["null", "empty"] {
            let line = format!("perl /usr/local/bin/without-words {shell} {how} {words}");
            let ended = user.command(&line).stdin("echo \"<$0>\"; id -un\n").run();
            assert_eq!(ended.success().text(), "<bash>\nwordless", "{line}");
        }
    }
    let crowded = format!(
        "exec python3 -c \"import os; \
         os.environ.update((f'V{{n}}', 'x' * 100000) for n in range(15)); \
         os.environ.update((f'W{{n}}', 'x') for n in range(5000)); \
         os.environ['LC_BAD'] = '%n' * 1000; \
         os.execv('{shell}', ['-' * 4096, '-c', 'id -un'])\""
    );
    assert_eq!(user.run(&crowded).success().text(), "wordless");
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
