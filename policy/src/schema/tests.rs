use std::fs;
use std::path::Path;

use jiff::tz::TimeZoneDatabase;
use serde_json::{Value, json};

use super::schema;
use crate::diagnostic::{Diagnostics, Source};
use crate::load::language::{Keys, TOP, Takes};
use crate::load::{Defaults, HostFacts, load};

/// A policy in which every key of the language stands.
fn everything() -> Value {
    json!({
        "alias": {
            "users": { "a": ["%dba"] },
            "commands": { "a": ["/usr/bin/id"] },
            "run_as": { "a": ["root"] },
            "approvers": { "a": ["role:lead"] },
            "hosts": { "a": ["db-*"] },
        },
        "role": {
            "lead": { "members": ["bob"] },
            "dba": {
                "description": "Databases",
                "members": ["@users.a"],
                "removed": ["eve"],
                "includes": ["lead"],
                "conflicts": ["auditor"],
                "may": ["approve"],
                "login": {
                    "when": {
                        "hosts": ["@hosts.a"],
                        "services": ["sshd"],
                        "hours": "Mon..Fri 07:00-20:00 UTC",
                        "from": ["10.0.0.0/8"],
                    },
                    "require": { "mfa": "15m" },
                    "record": "output",
                },
            },
            "auditor": { "may": ["audit"] },
        },
        "rule": {
            "run": {
                "description": "Run it",
                "roles": ["dba"],
                "run_as": "@run_as.a",
                "commands": ["@commands.a"],
                "effect": "allow",
                "when": {
                    "hosts": ["db1"],
                    "services": ["sshd"],
                    "hours": ["daily 00:00-24:00 UTC"],
                    "from": ["10.0.0.0/8"],
                    "valid": "2026-03-14 18:00 .. 2026-03-15 06:00 UTC",
                    "terminal": true,
                },
                "require": {
                    "approvals": 1,
                    "approvers": ["@approvers.a"],
                    "mfa": "always",
                    "ticket": "OPS-[0-9]+",
                    "reason": true,
                },
                "limit": {
                    "default": "15m",
                    "max": "1h",
                    "tasks": 10,
                    "memory": "512M",
                    "cpu": "50%",
                    "grace": "10s",
                    "idle": "5m",
                },
                "session": {
                    "record": "full",
                    "on_full": "refuse",
                    "watched": true,
                    "execs": "deny",
                    "keep_env": ["LANG"],
                    "capabilities": ["CAP_NET_ADMIN"],
                    "contain": true,
                    "writable": ["/srv/www"],
                    "network": false,
                },
            },
            "edit": {
                "roles": ["dba"],
                "run_as": ["root"],
                "edit": ["/etc/a.conf"],
                "require": { "approvals": "each", "approvers": ["bob"] },
            },
            "never": {
                "roles": ["dba"],
                "run_as": "ALL",
                "commands": ["ALL", { "run": "/usr/bin/id", "sha256": "0".repeat(64) }],
                "effect": "deny",
            },
        },
    })
}

/// The same in TOML: strings are written alike, and tables can be written in one line.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| format!("{key:?} = {}", toml(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

fn loaded(policy: &Value) -> Result<(), Diagnostics> {
    let top = policy.as_object().unwrap().iter();
    let lines = top.map(|(key, value)| format!("{key} = {}\n", toml(value)));
    let source = Source {
        name: "p".into(),
        text: lines.collect(),
    };
    let host = HostFacts {
        zones: TimeZoneDatabase::from_dir("/usr/share/zoneinfo").expect("tzdata is installed"),
        ..HostFacts::default()
    };
    load(&[source], &host, &Defaults::default()).map(drop)
}

/// Whether a value is as the schema says, by what of JSON Schema it uses. A word that isn't known here
/// fails the test.
fn fits(schema: &Value, value: &Value) -> bool {
    let Value::Object(says) = schema else {
        return schema.as_bool().unwrap();
    };
    says.iter().all(|(word, what)| match word.as_str() {
        "$schema" | "$defs" | "title" | "description" | "examples" | "then" | "else" => true,
        "$ref" => {
            let path = what.as_str().unwrap().strip_prefix('#').unwrap();
            fits(super::schema().pointer(path).unwrap(), value)
        }
        "type" => match what.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_u64() || value.is_i64(),
            other => panic!("{other}"),
        },
        "enum" => what.as_array().unwrap().contains(value),
        "const" => what == value,
        "minimum" => value
            .as_i64()
            .is_none_or(|number| number >= what.as_i64().unwrap()),
        "maximum" => value
            .as_i64()
            .is_none_or(|number| number <= what.as_i64().unwrap()),
        "pattern" => {
            let pattern = regex::Regex::new(what.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "required" => {
            let keys = what.as_array().unwrap().iter();
            let mut keys = keys.map(|key| key.as_str().unwrap());
            value
                .as_object()
                .is_none_or(|fields| keys.all(|key| fields.contains_key(key)))
        }
        "properties" => {
            properties(value).all(|(key, inner)| what.get(key).is_none_or(|one| fits(one, inner)))
        }
        "additionalProperties" => {
            let known = says.get("properties");
            let mut more = properties(value)
                .filter(|(key, _)| known.is_none_or(|known| known.get(key).is_none()));
            more.all(|(_, inner)| fits(what, inner))
        }
        "propertyNames" => {
            properties(value).all(|(key, _)| fits(what, &Value::String(key.clone())))
        }
        "items" => value
            .as_array()
            .is_none_or(|items| items.iter().all(|item| fits(what, item))),
        "anyOf" => what.as_array().unwrap().iter().any(|one| fits(one, value)),
        "if" => {
            let branch = if fits(what, value) { "then" } else { "else" };
            says.get(branch).is_none_or(|branch| fits(branch, value))
        }
        other => panic!("{other}"),
    })
}

fn properties(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[test]
fn a_policy_with_every_key_loads_and_fits() {
    let policy = everything();
    loaded(&policy).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(fits(&schema(), &policy));
}

/// All tables under a key, which may each stand under a name of its own.
fn tables<'a>(takes: &Takes, value: &'a Value) -> Vec<&'a Value> {
    match takes {
        Takes::Tables(_) => properties(value).map(|(_, table)| table).collect(),
        _ => vec![value],
    }
}

fn check_keys(keys: &Keys, at: &str, values: &[&Value], schema: &Value) {
    let known = &schema["properties"];
    for key in keys.enforced {
        let at = format!("{at}.{}", key.name);
        let inner: Vec<_> = values
            .iter()
            .filter_map(|value| value.get(key.name))
            .collect();
        assert!(!inner.is_empty(), "{at} isn't in this test's policy");
        let schema = &known[key.name];
        assert!(
            schema["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{at}"
        );
        let (Takes::Table(more) | Takes::Tables(more)) = key.takes else {
            continue;
        };
        let inner: Vec<_> = inner
            .iter()
            .flat_map(|value| tables(&key.takes, value))
            .collect();
        let schema = match key.takes {
            Takes::Tables(_) => &schema["additionalProperties"],
            _ => schema,
        };
        check_keys(more, &at, &inner, schema);
    }
    assert_eq!(
        known.as_object().unwrap().len(),
        keys.enforced.len(),
        "{at}"
    );
    assert_eq!(schema["additionalProperties"], false, "{at}");
}

#[test]
fn every_key_of_the_language_is_in_the_schema_and_no_other() {
    check_keys(&TOP, "", &[&everything()], &schema());
}

/// The places of all values in a policy, as in `/rule/run/limit/max`.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    for (key, inner) in properties(value) {
        let at = format!("{at}/{key}");
        places(inner, &at, all);
        all.push(at);
    }
}

#[test]
fn what_the_loader_takes_the_schema_takes_and_wrong_types_neither() {
    let policy = everything();
    let mut all = Vec::new();
    places(&policy, "", &mut all);
    let schema = schema();
    let others = [
        json!("x"),
        json!(""),
        json!(7),
        json!(-1),
        json!(true),
        json!([]),
        json!(["x"]),
        json!([7]),
        json!({}),
        json!({ "x": {} }),
    ];
    for place in &all {
        let mut refused = 0;
        for other in &others {
            let mut wrong = policy.clone();
            *wrong.pointer_mut(place).unwrap() = other.clone();
            let (loads, fits) = (loaded(&wrong).is_ok(), fits(&schema, &wrong));
            assert!(
                fits || !loads,
                "{place} = {other} loads, and the schema refuses it"
            );
            refused += usize::from(!fits);
        }
        assert!(refused > 3, "the schema takes nearly anything for {place}");
    }
}

#[test]
fn what_is_unknown_not_enforced_missing_or_out_of_place_does_not_fit() {
    let rejects = |place: &str, change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut policy = everything();
        change(policy.pointer_mut(place).unwrap().as_object_mut().unwrap());
        assert!(loaded(&policy).is_err(), "{policy}");
        assert!(!fits(&schema(), &policy), "{policy}");
    };
    let put = |key: &'static str| {
        move |table: &mut serde_json::Map<String, Value>| drop(table.insert(key.into(), json!("x")))
    };
    let take = |key: &'static str| {
        move |table: &mut serde_json::Map<String, Value>| drop(table.remove(key))
    };
    rejects("/rule/run", &put("limits"));
    rejects("/rule/run", &put("break_glass"));
    rejects("/role/dba", &put("eligible"));
    rejects("/rule/run", &take("roles"));
    rejects("/rule/run", &take("run_as"));
    rejects("/rule/run", &take("commands"));
    rejects("/rule/run", &take("require"));
    rejects("/rule", &|rules| {
        drop(rules.insert("a b".into(), rules["never"].clone()))
    });
    rejects("/rule/never", &|rule| {
        drop(rule.insert("require".into(), json!({})))
    });
    rejects("/rule/run/session", &put("record"));
    rejects("/rule/never/commands/1", &put("sha1"));
    rejects("/rule/never/commands/1", &take("run"));
    rejects("/rule/never/commands/1", &take("sha256"));
    rejects("/rule/run/limit", &|limit| {
        drop(limit.insert("tasks".into(), json!(0)))
    });
    rejects("/role/dba", &|role| {
        drop(role.insert("may".into(), json!(["administer"])))
    });
}

#[test]
fn every_shipped_example_fits() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/config/policy.d");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        let text = fs::read_to_string(&path).unwrap();
        let policy: Value = ::toml::from_str(&text).unwrap();
        assert!(fits(&schema(), &policy), "{}", path.display());
        count += 1;
    }
    assert!(count > 3, "{count}");
}
