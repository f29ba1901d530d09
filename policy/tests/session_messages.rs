//! What a wrong `limit`, `session` or `edit` of a rule is told, and a wrong `may` of a role.

mod common;

use common::{PEOPLE, an_hour, one, source, told};
use elevate_policy::{HostFacts, load};

/// A good rule of a service's user, with this line more; it stands in line 2.
fn with(line: &str) -> String {
    as_user("www-data", line)
}

fn as_user(user: &str, line: &str) -> String {
    format!(
        "[rule.web]\n{line}\nroles = [\"operator\"]\nrun_as = \"{user}\"\n\
         commands = [\"/usr/bin/id\"]\nrequire = {{}}"
    )
}

/// The same rule, which lets files be edited instead.
fn edits(paths: &str, line: &str) -> String {
    with(line).replace("commands = [\"/usr/bin/id\"]", &format!("edit = {paths}"))
}

#[test]
fn everything_that_can_be_said_of_a_session_is_told_nothing() {
    for line in [
        "limit = { default = \"5m\", max = \"1h\", grace = \"10s\", idle = \"15m\", tasks = 200 }",
        "limit = { memory = \"512M\", cpu = \"50%\" }",
        "limit = { memory = \"1024T\", cpu = \"819200%\" }",
        "session = { record = \"full\", on_full = \"refuse\", watched = true, execs = \"deny\" }",
        "session = { record = \"none\", watched = false, execs = \"none\", keep_env = [\"*\"] }",
        "session = { contain = true, writable = [\"/srv/www\", \"/tmp\"], network = true }",
        "session = { contain = true, capabilities = [\"CAP_NET_ADMIN\", \"CAP_KILL\"] }",
        "session = { contain = false, capabilities = [] }",
        "edit = [\"/etc/nginx/**\"]",
    ] {
        assert!(
            told(&with(line)).is_empty(),
            "{line}: {:?}",
            told(&with(line))
        );
    }
    let line = "limit = { default = \"5m\", max = \"1h\" }";
    assert!(told(&edits("[\"/etc/{motd,issue}\", \"'/srv/a b'\"]", line)).is_empty());
}

#[test]
fn a_rule_lets_something_be_run_or_edited() {
    one(
        "[rule.web]\nroles = [\"operator\"]\nrun_as = \"root\"\nrequire = {}",
        "p:1:7: rule `web` has no `commands` and no `edit`; write `commands = [\"/usr/bin/id\"]`",
    );
    one(
        &edits("[]", ""),
        "p:5:8: `edit` is empty, so the rule could never match",
    );
}

#[test]
fn a_path_to_edit_that_could_never_match_is_told() {
    for (path, why) in [
        (
            "motd",
            "a file is named by its whole path, as in `/etc/nginx/nginx.conf`",
        ),
        (
            "@commands.web",
            "a file is named by its whole path, as in `/etc/nginx/nginx.conf`",
        ),
        ("", "it is empty; write the path of a file"),
        (
            "/etc/motd /etc/issue",
            "it is one path to an entry; quote a space that is part of it",
        ),
        (
            "/etc/",
            "a path has no empty part, no `.` and no `/` at its end; it could never match",
        ),
        (
            "/etc/../motd",
            "`..` never matches; write the path it leads to",
        ),
        ("/etc/{motd", "`{` without `}`; quote it to mean itself"),
        (
            "/etc/$X",
            "no shell reads this, so an unquoted `$` has no meaning here; quote it to mean itself",
        ),
    ] {
        one(
            &edits(&format!("[\"{path}\"]"), ""),
            &format!("p:5:9: in path `{path}`: {why}"),
        );
    }
    let long = format!("/{}", "x".repeat(4096));
    one(
        &edits(&format!("[\"{long}\"]"), ""),
        &format!("p:5:9: in path `{long}`: it is longer than 4096 bytes"),
    );
}

#[test]
fn what_binds_no_edit_is_told() {
    one(
        &edits("[\"/etc/motd\"]", "session = { record = \"full\" }"),
        "p:2:1: `session` is of commands, and this rule has none; remove it",
    );
    for limit in [
        "tasks = 9",
        "memory = \"1G\"",
        "cpu = \"1%\"",
        "grace = \"1s\"",
        "idle = \"1s\"",
    ] {
        let key = limit.split(' ').next().unwrap();
        one(
            &edits("[\"/etc/motd\"]", &format!("limit = {{ {limit} }}")),
            &format!("p:2:11: `{key}` is of commands, and this rule has none; remove it"),
        );
    }
    for session in ["contain = true", "capabilities = []", "watched = true"] {
        let key = session.split(' ').next().unwrap();
        let line = format!("session.{session}\nedit = [\"/etc/motd\"]");
        one(
            &with(&line),
            &format!("p:2:9: `{key}` binds no edit; give `edit` a rule of its own"),
        );
    }
}

#[test]
fn a_key_that_belongs_into_a_table_is_told_which() {
    for (key, table) in [
        ("contain", "session"),
        ("capabilities", "session"),
        ("idle", "limit"),
        ("mfa", "require"),
        ("ticket", "require"),
    ] {
        one(
            &with(&format!("{key} = 1")),
            &format!("p:2:1: unknown key `{key}` here; it stands in `{table}`"),
        );
    }
    one(
        &with("session = { idle = \"1m\" }"),
        "p:2:13: unknown key `idle`",
    );
}

#[test]
fn words_that_are_none_of_the_known_are_told_with_the_likely_one() {
    for (line, told) in [
        (
            "session.execs = \"denny\"",
            "p:2:17: unknown execs `denny`; it is \"none\", \"log\" or \"deny\", did you mean `deny`?",
        ),
        (
            "session.on_full = \"ends\"",
            "p:2:19: unknown on_full `ends`; it is \"end\" or \"refuse\", did you mean `end`?",
        ),
        (
            "session.record = true",
            "p:2:18: `record` takes a string in quotes, and this is of type boolean",
        ),
        (
            "session.watched = \"yes\"",
            "p:2:19: `watched` takes true or false, and this is of type string",
        ),
        (
            "session.contain = 1",
            "p:2:19: `contain` takes true or false, and this is of type integer",
        ),
        (
            "session.capabilities = \"CAP_KILL\"",
            "p:2:24: `capabilities` takes a list, as in `capabilities = [\"CAP_NET_ADMIN\"]`, and this \
             is of type string",
        ),
    ] {
        one(&with(line), told);
    }
}

#[test]
fn sizes_and_shares_that_are_none_are_told_with_the_likely_one() {
    let size = "is no size; write it as in \"512M\" or \"2G\"";
    for (text, likely) in [
        ("512MB", Some("512M")),
        ("512 MiB", Some("512M")),
        ("2g", Some("2G")),
        ("512", None),
        ("0.5G", None),
        ("-1G", None),
        ("007M", None),
        ("", None),
        ("M", None),
        ("18446744073709551616T", None),
        ("50%", None),
    ] {
        let likely = likely.map_or(String::new(), |likely| {
            format!(", did you mean `{likely}`?")
        });
        one(
            &with(&format!("limit.memory = \"{text}\"")),
            &format!("p:2:16: `{text}` {size}{likely}"),
        );
    }
    for text in ["1023K", "1025T", "18446744073709551615T"] {
        one(
            &with(&format!("limit.memory = \"{text}\"")),
            "p:2:16: `memory` is from \"1M\" to \"1024T\"",
        );
    }
    let share = "is no share of processors; write it in percent of one, as in \"50%\" or \"200%\"";
    for (text, likely) in [
        ("50", ", did you mean `50%`?"),
        ("0%", ""),
        ("050%", ""),
        ("0.5%", ""),
        ("819201%", ""),
        ("4294967297%", ""),
        ("%", ""),
        ("half", ""),
    ] {
        one(
            &with(&format!("limit.cpu = \"{text}\"")),
            &format!("p:2:13: `{text}` {share}{likely}"),
        );
    }
    one(
        &with("limit.memory = 512"),
        "p:2:16: `memory` takes a string in quotes, and this is of type integer",
    );
}

#[test]
fn a_bound_that_the_host_cannot_enforce_is_refused_there_and_only_there() {
    for (line, key, controller) in [
        ("limit.tasks = 20", "tasks", "pids"),
        ("limit.memory = \"1G\"", "memory", "memory"),
        ("limit.cpu = \"50%\"", "cpu", "cpu"),
    ] {
        let sources = [source("people", PEOPLE), source("p", &with(line))];
        let on = |controllers: Option<&[&str]>| {
            let controllers = controllers.map(|all| all.iter().map(ToString::to_string).collect());
            let facts = HostFacts {
                controllers,
                ..HostFacts::default()
            };
            load(&sources, &facts, &an_hour())
        };
        let all = ["cpu", "memory", "pids"];
        assert!(on(None).is_ok() && on(Some(&all)).is_ok(), "{line}");
        let others: Vec<_> = all.into_iter().filter(|one| *one != controller).collect();
        let told = on(Some(&others)).unwrap_err().to_string();
        let what = format!(
            "this host cannot enforce `{key}`: its cgroups have no `{controller}` controller"
        );
        assert!(told.ends_with(&what), "{told}");
    }
}

#[test]
fn times_that_do_not_fit_the_others_are_told() {
    for (line, told) in [
        (
            "limit = { default = \"1m\", grace = \"1m\" }",
            "p:2:35: `grace` is time before the end, and so shorter than the default (1m)",
        ),
        (
            "limit = { grace = \"15m\" }",
            "p:2:19: `grace` is time before the end, and so shorter than the default (15m)",
        ),
        (
            "limit = { max = \"5m\", grace = \"5m\" }",
            "p:2:31: `grace` is time before the end, and so shorter than the default (5m)",
        ),
        (
            "limit = { max = \"30m\", idle = \"30m\" }",
            "p:2:31: no session is idle for so long: `idle` is shorter than the longest time (30m)",
        ),
        (
            "limit = { idle = \"1h\" }",
            "p:2:18: no session is idle for so long: `idle` is shorter than the longest time (1h)",
        ),
        (
            "limit = { idle = \"0s\" }",
            "p:2:18: `idle` is whole seconds, from 1s to 168h (seven days)",
        ),
    ] {
        one(&with(line), told);
    }
    assert!(
        told(&with(
            "limit = { default = \"1m\", grace = \"59s\", idle = \"59m\" }"
        ))
        .is_empty()
    );
}

#[test]
fn what_means_nothing_without_another_key_is_told() {
    for key in ["writable = [\"/srv\"]", "network = true", "network = false"] {
        let name = key.split(' ').next().unwrap();
        for more in ["", ", contain = false"] {
            one(
                &with(&format!("session = {{ {key}{more} }}")),
                &format!(
                    "p:2:13: `{name}` means nothing without `contain`; write `contain = true` beside it"
                ),
            );
        }
    }
    one(
        &with("session = { record = \"none\", on_full = \"end\" }"),
        "p:2:30: `on_full` means nothing where nothing is recorded; remove it, or `record = \"none\"`",
    );
    one(
        &with("session = { record = \"none\", watched = true }"),
        "p:2:30: `watched` needs a recording, which is what is watched; remove `record = \"none\"`",
    );
}

#[test]
fn a_writable_path_that_would_lead_out_is_told() {
    let roots = "root, or what runs as root, reads what to do there";
    let tidy = "a path has no empty part, no `.`, no `..` and no `/` at its end";
    let homes = "in `/home` nothing but the home of the one user in `run_as` can be writable: it holds \
                 homes, whose owners' shells run what is there";
    let within = |folder: &str, why: &str| format!("nothing in `{folder}` can be writable: {why}");
    let holds = |folder: &str, why: &str| {
        format!("it holds `{folder}`, of which nothing can be writable: {why}")
    };
    let kernel = "the kernel's own switches are there";
    for (path, why) in [
        (
            "srv",
            "a writable path is absolute, as in `/srv/www`".into(),
        ),
        ("", "a writable path is absolute, as in `/srv/www`".into()),
        (
            "/",
            "with all of it writable nothing would be contained".into(),
        ),
        (
            "/srv/*",
            "there are no wildcards here; name the folder".into(),
        ),
        ("/srv/", format!("{tidy}, did you mean `/srv`?")),
        ("//srv", format!("{tidy}, did you mean `/srv`?")),
        ("//", tidy.into()),
        ("/srv/../etc", tidy.into()),
        ("/srv/.", tidy.into()),
        ("/etc", within("/etc", roots)),
        ("/etc/cron.d", within("/etc", roots)),
        ("/usr/local", within("/usr", roots)),
        ("/lib/systemd/system", within("/lib", roots)),
        ("/bin", within("/bin", roots)),
        ("/boot/x", within("/boot", roots)),
        ("/root", within("/root", roots)),
        ("/run/systemd/system", within("/run", roots)),
        ("/var/run/x", within("/var/run", roots)),
        ("/var/spool/cron", within("/var/spool", roots)),
        ("/var/lib/systemd/linger", within("/var/lib/systemd", roots)),
        ("/var", holds("/var/run", roots)),
        ("/var/lib", holds("/var/lib/systemd", roots)),
        (
            "/var/log",
            holds("/var/log/elevate", "Elevate keeps its records there"),
        ),
        ("/proc/sys", within("/proc", kernel)),
        ("/sys", within("/sys", kernel)),
        ("/dev/shm", within("/dev", "devices are there")),
        ("/home", homes.into()),
        ("/home/alice", homes.into()),
        ("/home/www-data-2", homes.into()),
    ] {
        one(
            &with(&format!(
                "session = {{ contain = true, writable = [\"{path}\"] }}"
            )),
            &format!("p:2:41: `{path}`: {why}"),
        );
    }
    for path in [
        "/srv",
        "/etcetera",
        "/var/lib/www",
        "/var/tmp",
        "/home/www-data/x",
        "/rootfs",
    ] {
        let line = format!("session = {{ contain = true, writable = [\"{path}\"] }}");
        assert!(told(&with(&line)).is_empty(), "{path}");
    }
    let several = as_user(
        "www-data\", \"alice",
        "session = { contain = true, writable = [\"/home/alice\"] }",
    );
    let several = several.replace(
        "run_as = \"www-data\", \"alice\"",
        "run_as = [\"www-data\", \"alice\"]",
    );
    one(&several, &format!("p:2:41: `/home/alice`: {homes}"));
    let many: Vec<_> = (0..65).map(|i| format!("\"/srv/{i}\"")).collect();
    let line = format!(
        "session = {{ contain = true, writable = [{}] }}",
        many.join(",")
    );
    assert_eq!(told(&with(&line)).len(), 1);
    assert!(told(&with(&line))[0].ends_with("`writable` has at most 64 paths"));
}

#[test]
fn a_capability_that_is_none_is_told_with_the_likely_one() {
    for (name, why) in [
        (
            "cap_net_admin",
            "a capability is written in full and in capitals, did you mean `CAP_NET_ADMIN`?",
        ),
        (
            "NET_ADMIN",
            "a capability is written in full and in capitals, did you mean `CAP_NET_ADMIN`?",
        ),
        (
            "CAP_NET_ADMN",
            "unknown capability (see capabilities(7)), did you mean `CAP_NET_ADMIN`?",
        ),
        ("CAP_WEATHER", "unknown capability (see capabilities(7))"),
        ("ALL", "unknown capability (see capabilities(7))"),
    ] {
        one(
            &with(&format!("session = {{ capabilities = [\"{name}\"] }}")),
            &format!("p:2:29: `{name}`: {why}"),
        );
    }
}

#[test]
fn capabilities_taken_from_root_alone_are_told_to_be_nothing() {
    let told_root = "p:2:13: root without capabilities is root still, because it owns the files that \
                     root's programs read; write `run_as = \"SELF\"` or a service's user, or \
                     `contain = true` beside it";
    let line = "session = { capabilities = [\"CAP_NET_ADMIN\"] }";
    for root in ["root", "0", "#0", "ALL", "root:adm", "ALL:adm"] {
        one(&as_user(root, line), told_root);
    }
    let list = as_user("X", line).replace("\"X\"", "[\"www-data\", \"root\"]");
    one(&list, told_root);
    for other in ["SELF", "www-data", "33", "SELF:adm"] {
        assert!(told(&as_user(other, line)).is_empty(), "{other}");
    }
    let contained = "session = { capabilities = [\"CAP_NET_ADMIN\"], contain = true }";
    assert!(told(&as_user("root", contained)).is_empty());
}

#[test]
fn capabilities_that_no_contained_session_has_are_told() {
    one(
        &with(
            "session = { capabilities = [\"CAP_KILL\", \"CAP_SYS_ADMIN\", \"CAP_BPF\"], contain = true }",
        ),
        "p:2:13: a contained session never has CAP_SYS_ADMIN, CAP_BPF; remove it, or `contain`",
    );
}

#[test]
fn a_privilege_that_is_none_is_told_with_the_likely_one() {
    assert!(told("[role.x]\nmay = [\"audit\"]").is_empty());
    one(
        "[role.x]\nmay = [\"adit\"]",
        "p:2:8: unknown privilege `adit`, did you mean `audit`?",
    );
    one(
        "[role.x]\nmay = \"audit\"",
        "p:2:7: `may` takes a list, as in `may = [\"audit\"]`, and this is of type string",
    );
}
