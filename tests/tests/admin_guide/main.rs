//! docs/admin-guide.md, from its first line to its last, on an empty server with a directory.

mod blocks;
mod people;

use std::path::PathBuf;
use std::time::Duration;

use blocks::{Kind, blocks, pattern};
use elevate_tests::{DEBS_VARIABLE, Machine, Spec};
use people::People;
use regex::Regex;

/// How long what a block shows may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

const GUIDE: &str = include_str!("../../../docs/admin-guide.md");

/// What the guide's readers have already: a directory server, the packages, and ssh.
fn prepare(machine: &Machine) {
    machine.directory_server().create();
    let administrators = "URI ldapi://%2Frun%2Fdirectory-server%2Fldapi\nSASL_MECH EXTERNAL\n";
    machine.write("/root/ldaprc", administrators, 0o600);
    let ssh = "Host server\n    StrictHostKeyChecking accept-new\n    LogLevel ERROR\n";
    machine.write("/root/.ssh/config", ssh, 0o600);
    let debs = std::env::var_os(DEBS_VARIABLE).expect("the packages under test");
    for deb in std::env::split_paths(&debs).collect::<Vec<PathBuf>>() {
        let name = deb.file_name().unwrap_or_default().to_string_lossy();
        machine.write(
            &format!("/root/{name}"),
            std::fs::read(&deb).unwrap(),
            0o644,
        );
    }
}

#[test]
fn the_guide_holds_from_its_first_line_to_its_last() {
    let machine = Machine::boot(Spec::new("server").plain().prepared(prepare)).unwrap();
    let mut people = People::new(&machine);
    let (mut script, mut printed) = (String::new(), String::new());
    for block in blocks(GUIDE) {
        println!("the block at line {} of the guide", block.line);
        match block.kind {
            Kind::Script(text) => {
                script = people.with_ids(&text);
                printed = run(&machine, &script);
            }
            Kind::Printed(lines) => {
                let lines: Vec<_> = lines.iter().map(|line| people.with_ids(line)).collect();
                // What it shows may take a moment to come true: readers would look again, too.
                machine.poll(&lines.join("\n"), PATIENCE, || {
                    let found = prints(&printed, &lines);
                    if !found {
                        printed = run(&machine, &script);
                    }
                    found.then_some(())
                });
            }
            Kind::File { path, text } => machine.write(&path, text, 0o644),
            Kind::Terminal(lines) => people.at_their_terminals(&lines),
        }
    }
}

/// What a script prints on both streams.
#[track_caller]
fn run(machine: &Machine, script: &str) -> String {
    let shell = [
        "bash",
        "-euo",
        "pipefail",
        "-c",
        &format!("cd /root; exec 2>&1\n{script}"),
    ];
    let shell = machine.command(&shell).timeout(Duration::from_secs(120));
    let output = shell.run();
    let text = output.text();
    assert_eq!(output.status, 0, "{script}\n{text}");
    println!("{script}\n--\n{text}");
    text
}

/// Whether these lines are printed in this order, with others between them only where `…` stands.
fn prints(text: &str, lines: &[String]) -> bool {
    let lines = lines.iter().map(|line| match line.trim() {
        "…" => r"(?:.*\n)*?".to_owned(),
        line => format!(r"\s*{}[ \t]*\n", pattern(line)),
    });
    let pattern = format!(r"\A{}\z", lines.collect::<String>());
    let pattern = Regex::new(&pattern).expect("lines of the guide make a pattern");
    pattern.is_match(&format!("{text}\n"))
}

#[test]
fn output_is_compared_line_by_line() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(prints("a\nb\nc", &lines("a\n…\nc")));
    assert!(prints("a  1\nb", &lines("a 1\nb")));
    assert!(!prints("a\nb", &lines("a")));
    assert!(!prints("b\na", &lines("a\nb")));
}
