//! What we ship and print as an example is a policy that loads.

use std::fs;
use std::path::{Path, PathBuf};

use elevate_policy::{Defaults, Expectations, HostFacts, Policy, Source, TimeZoneDatabase, load};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    let path = repository(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn loads(name: &str, text: String) -> Policy {
    let source = Source {
        name: name.to_owned(),
        text,
    };
    loads_together(name, &[source])
}

fn loads_together(name: &str, sources: &[Source]) -> Policy {
    let host = HostFacts {
        zones: TimeZoneDatabase::from_dir("/usr/share/zoneinfo").expect("tzdata is installed"),
        ..HostFacts::default()
    };
    let policy = load(sources, &host, &Defaults::default())
        .unwrap_or_else(|problems| panic!("{name}:\n{problems}"));
    let warnings = policy.suspicions();
    assert!(warnings.is_empty(), "{name}: {warnings:#?}");
    policy
}

/// The first block that is indented, or fenced as TOML.
fn example_in(text: &str) -> String {
    if let Some((_, fenced)) = text.split_once("```toml\n") {
        let (block, _) = fenced.split_once("```").expect("the fence is closed");
        return block.to_owned();
    }
    text.lines()
        .skip_while(|line| !line.starts_with("    ["))
        .take_while(|line| line.is_empty() || line.starts_with("    "))
        .map(|line| format!("{}\n", line.trim_start()))
        .collect()
}

#[test]
fn the_example_of_the_readme_is_a_policy() {
    let example = example_in(&read("README.md"));
    assert!(example.contains("[rule."), "no example found:\n{example}");
    loads("README.md", example);
}

#[test]
fn the_example_beside_the_policy_files_is_a_policy() {
    let example = example_in(&read("packaging/deb/policy.d.README"));
    assert!(example.contains("[rule."), "no example found:\n{example}");
    loads("policy.d/README", example);
}

#[test]
fn the_example_of_the_language_is_a_policy() {
    let policy = loads("docs/policy.md", example_in(&read("docs/policy.md")));
    assert_eq!(policy.rules().len(), 3);
}

#[test]
fn the_expectations_of_the_docs_are_met_by_the_example_of_the_language() {
    let policy = loads("docs/policy.md", example_in(&read("docs/policy.md")));
    let text = read("docs/policy-tools.md");
    let (_, fenced) = text.split_once("```text\n").expect("an example");
    let (text, _) = fenced.split_once("```").expect("the fence is closed");
    let source = Source {
        name: "docs/policy-tools.md".to_owned(),
        text: text.to_owned(),
    };
    let zones = TimeZoneDatabase::from_dir("/usr/share/zoneinfo").expect("tzdata is installed");
    let parsed = Expectations::parse(&source, &zones).unwrap_or_else(|wrong| panic!("{wrong}"));
    let checked = parsed.check(&policy);
    assert_eq!(checked.len(), 9);
    let failed: Vec<_> = checked.iter().filter(|one| one.wrong.is_some()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn nothing_in_the_shipped_examples_is_suspicious() {
    let files = fs::read_dir(repository("packaging/config/policy.d")).expect("the examples");
    let mut all = Vec::new();
    for file in files {
        let path = file.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a text");
        let name = path.display().to_string();
        let source = Source { name, text };
        loads_together(&source.name, std::slice::from_ref(&source));
        all.push(source);
    }
    assert!(all.len() > 3, "{all:?}");
    loads_together("all of them", &all);
}

#[test]
fn the_packages_are_of_one_version() {
    let wanted = concat!("elevate (= ", env!("CARGO_PKG_VERSION"), "-1)");
    for package in ["libpam-elevate", "elevate-directory"] {
        let manifest = read(&format!("packaging/{package}/Cargo.toml"));
        let depends = manifest.lines().find(|line| line.starts_with("depends = "));
        let depends = depends.expect("the package depends on something");
        assert!(depends.contains(wanted), "{package}: {depends}");
    }
    let changelog = read("packaging/deb/changelog");
    let first = concat!("elevate (", env!("CARGO_PKG_VERSION"), "-1)");
    assert!(changelog.starts_with(first), "{changelog}");
}
