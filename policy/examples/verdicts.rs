//! How long a policy of so many rules takes to load, and a verdict over it. `cargo xtask bench` runs
//! it beside sudo; it prints, for each number of rules, that number and three times in nanoseconds:
//! loading, a verdict in the middle, and one that 99 of 100 do not exceed.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use elevate_policy::{
    Defaults, HostFacts, Membership, People, Policy, Question, Scene, Source, load,
};

/// Questions to each policy.
const QUESTIONS: usize = 20_000;
/// Roles, each with the rules of some programs.
const ROLES: usize = 500;

fn main() {
    let sizes = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok());
    for rules in sizes {
        let text = text(rules);
        let begun = Instant::now();
        let policy = loaded(text);
        let loading = begun.elapsed().as_nanos();
        let mut times: Vec<u128> = (0..QUESTIONS)
            .map(|one| verdict(&policy, rules, one))
            .collect();
        times.sort_unstable();
        let (median, p99) = (times[QUESTIONS / 2], times[QUESTIONS * 99 / 100]);
        println!("{rules} {loading} {median} {p99}");
    }
}

/// As an admin's files are: programs by their paths, and one in ten by a pattern.
fn text(rules: usize) -> String {
    let mut text = String::new();
    for role in 0..ROLES.min(rules) {
        let _ = writeln!(
            text,
            "[role.r{role}]\nmembers = [\"user{role}\", \"%group{role}\"]"
        );
    }
    for rule in 0..rules {
        let path = match rule % 10 {
            9 => format!("/opt/tools{rule}/*/run {{start,stop}} ..."),
            _ => format!("/opt/bench/tool{rule} restart service{rule}"),
        };
        let _ = writeln!(
            text,
            "[rule.n{rule}]\nroles = [\"r{}\"]\nrun_as = \"root\"\ncommands = [\"{path}\"]\nrequire = {{ mfa = \"15m\" }}",
            rule % ROLES
        );
    }
    text
}

fn loaded(text: String) -> Policy {
    let source = Source {
        name: "bench.toml".into(),
        text,
    };
    let loaded = load(&[source], &HostFacts::default(), &Defaults::default());
    loaded.unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// How long one takes, in nanoseconds: mostly of somebody's own rule, at times of another's.
fn verdict(policy: &Policy, rules: usize, number: usize) -> u128 {
    let rule = number.wrapping_mul(7919) % rules;
    let user = format!("user{}", (rule + number % 7 / 6) % ROLES);
    let (path, args) = match rule % 10 {
        9 => (
            format!("/opt/tools{rule}/a/run"),
            vec![b"start".to_vec(), b"x".to_vec()],
        ),
        _ => {
            let args = vec![b"restart".to_vec(), format!("service{rule}").into_bytes()];
            (format!("/opt/bench/tool{rule}"), args)
        }
    };
    let question = Question {
        user: &user,
        uid: 1000,
        target_user: "root",
        target_uid: 0,
        target_group: None,
        target_gid: None,
        file: path.as_bytes(),
        real: path.as_bytes(),
        sha256: None,
        args: &args,
        shell: false,
        edit: &[],
        rule: None,
        wanted: None,
        scene: Scene {
            host: &["db1"],
            door: None,
            terminal: true,
            at: "2026-01-09T12:00:00Z".parse().expect("a Friday"),
        },
    };
    let begun = Instant::now();
    black_box(policy.judge(black_box(&question), &Nobody));
    begun.elapsed().as_nanos()
}

/// Whom no group has.
struct Nobody;

impl People for Nobody {
    fn member(&self, _: &str, _: &str) -> Membership {
        Membership::No
    }

    fn attribute(&self, _: &str, _: &str, _: &str) -> Membership {
        Membership::No
    }
}
