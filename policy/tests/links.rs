//! Commands whose paths a host's links make wrong.

mod common;

use common::policy;
use elevate_policy::Resolved;

/// `/usr/bin/vi` is a link to a file, `/opt/tool` one to a folder.
fn host(path: &[u8]) -> Option<Resolved> {
    let (file, real) = match path {
        b"/usr/bin/vi" => ("/usr/bin/vi", "/usr/bin/vim.basic"),
        b"/opt/tool/run" => ("/opt/tool-2/run", "/opt/tool-2/run"),
        b"/usr/bin/sh" => ("/bin/sh", "/bin/sh"),
        b"/usr/bin/id" => ("/usr/bin/id", "/usr/bin/id"),
        _ => return None,
    };
    Some(Resolved {
        file: file.into(),
        real: real.into(),
    })
}

fn told(terms: &str) -> Vec<String> {
    let rule = format!(
        "[rule.x]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/{{vi,id}}\", \
         \"/bin/sh\", \"/usr/bin/gone\", \"/opt/tool/run\"]\n{terms}\n"
    );
    policy(&rule)
        .check_links(host)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn an_allow_may_name_a_link_and_not_a_path_through_one() {
    assert_eq!(
        told("require = {}"),
        [
            "1.toml:4:61: `/opt/tool/run` lies in a linked folder and could never match; write \
         `/opt/tool-2/run`",
        ]
    );
}

#[test]
fn a_path_to_edit_is_no_link_and_leads_through_none() {
    let rule = "[rule.x]\nroles = [\"operator\"]\nrun_as = \"root\"\nrequire = {}\nedit = [\n\
                \"/usr/bin/{vi,id}\",\n\"/usr/bin/gone\",\n\"/opt/tool/run\",\n\"/bin/sh\",\n\"/opt/*\"]\n";
    for rule in [
        rule.to_owned(),
        rule.replace("require = {}", "effect = \"deny\""),
    ] {
        let told: Vec<_> = policy(&rule)
            .check_links(host)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "1.toml:6:1: `/usr/bin/vi` is or lies behind a link, and no link is edited; write \
                 `/usr/bin/vim.basic`",
                "1.toml:8:1: `/opt/tool/run` is or lies behind a link, and no link is edited; write \
                 `/opt/tool-2/run`",
            ]
        );
    }
}

#[test]
fn a_deny_names_the_file_itself() {
    let told = told("effect = \"deny\"");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("1.toml:4:13: `/usr/bin/vi` is a link to"),
        "{}",
        told[0]
    );
    assert!(told[1].contains("write `/opt/tool-2/run`"), "{}", told[1]);
}
