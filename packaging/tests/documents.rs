//! What our documents name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file of ours below `folder`.
fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry of it").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push_str(&fs::read_to_string(&path).expect("a text of ours"));
        }
    }
}

/// Text between single backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_covers_an_old_fault_is_there() {
    let text = fs::read_to_string(repository().join("docs/past-cves.md")).unwrap();
    let mut code = String::new();
    sources(&repository(), &mut code);
    let named: BTreeSet<&str> = quoted(&text).filter(|name| name.contains("::")).collect();
    assert!(named.len() > 50, "{named:?}");
    let missing: Vec<_> = named
        .into_iter()
        .filter(|name| {
            let test = name.rsplit("::").next().unwrap_or_default();
            !code.contains(&format!("fn {test}("))
        })
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}
