//! The language as a JSON Schema, for editors: what they underline and what they complete.
//!
//! It is made of the tables that files are read by, and says less than reading them does: what
//! `policy check` refuses for its meaning may well have the right form.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::limits::MAX_NAME;
use crate::load::language::{APPROVALS, Key, Keys, PINNED, TOP, Takes};

/// The schema of one file of a policy (JSON Schema, draft 2020-12).
#[must_use]
pub fn schema() -> Value {
    let mut schema = table(&TOP);
    let says = [
        (
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title", json!("Roles and rules of Elevate")),
        ("$defs", json!({ "name": name() })),
    ];
    schema.extend(says.map(|(key, value)| (key.to_owned(), value)));
    Value::Object(schema)
}

/// A table with these keys and no others.
fn table(keys: &Keys) -> Map<String, Value> {
    let property = |key: &Key| {
        let mut value = takes(key);
        if let Value::Object(fields) = &mut value {
            fields.insert("description".to_owned(), key.tells.into());
        }
        (key.name.to_owned(), value)
    };
    let properties: Map<_, _> = keys.enforced.iter().map(property).collect();
    object([
        ("type", json!("object")),
        ("properties", Value::Object(properties)),
        ("additionalProperties", json!(false)),
    ])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

fn takes(key: &Key) -> Value {
    match key.takes {
        Takes::Text => word(None),
        Takes::As(example) => word(Some(example)),
        Takes::List(example) => list(word(Some(example))),
        Takes::OneOrMore(example) => {
            let one = word(Some(example));
            json!({ "anyOf": [one, list(one.clone())] })
        }
        Takes::Commands => {
            let mut pinned = table(&PINNED);
            let all = PINNED.enforced.iter().map(|key| key.name);
            pinned.insert("required".to_owned(), all.collect());
            let plain = word(Some("/usr/bin/systemctl restart nginx"));
            list(json!({ "anyOf": [plain, pinned] }))
        }
        Takes::Choice(words) => json!({ "enum": words }),
        Takes::Known(words) => {
            let words: Vec<_> = words.enforced.iter().map(|word| word.name).collect();
            list(json!({ "enum": words }))
        }
        Takes::Boolean => json!({ "type": "boolean" }),
        Takes::Number(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Takes::Approvals => {
            let (least, most) = APPROVALS;
            let number = json!({ "type": "integer", "minimum": least, "maximum": most });
            json!({ "anyOf": [number, { "const": "each" }] })
        }
        Takes::Table(keys) => Value::Object(table(keys)),
        Takes::Tables(keys) => {
            let mut inner = table(keys);
            if key.name == "rule" {
                inner.extend(rule());
            }
            named(Value::Object(inner))
        }
        Takes::Lists(example) => named(list(word(Some(example)))),
    }
}

/// What a rule says at least, and what one that denies does not say.
fn rule() -> Map<String, Value> {
    let terms = ["require", "limit", "session"];
    let denies = json!({ "properties": { "effect": { "const": "deny" } }, "required": ["effect"] });
    let none = terms.map(|key| (key.to_owned(), json!(false)));
    let none: Map<_, _> = none.into_iter().collect();
    object([
        ("required", json!(["roles", "run_as"])),
        (
            "anyOf",
            json!([{ "required": ["commands"] }, { "required": ["edit"] }]),
        ),
        ("if", denies),
        ("then", json!({ "properties": none })),
        ("else", json!({ "required": ["require"] })),
    ])
}

/// A table of things that the admin gives names.
fn named(each: Value) -> Value {
    json!({
        "type": "object",
        "propertyNames": { "$ref": "#/$defs/name" },
        "additionalProperties": each,
    })
}

fn name() -> Value {
    let rest = MAX_NAME - 1;
    json!({ "type": "string", "pattern": format!("^[A-Za-z0-9][A-Za-z0-9_-]{{0,{rest}}}$") })
}

fn word(example: Option<&str>) -> Value {
    match example {
        Some(example) => json!({ "type": "string", "examples": [example] }),
        None => json!({ "type": "string" }),
    }
}

fn list(each: Value) -> Value {
    json!({ "type": "array", "items": each })
}
