//! `keep_env`, as written.

use super::reader::{Reader, Value};
use crate::environment::objection;
use crate::session::ANY;

/// The variables of a `keep_env` list that may be kept, sorted; beside `*` no other says anything.
pub(super) fn read(file: &Reader<'_>, value: &Value<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for word in file.strings(value, "keep_env", r#""LANG""#) {
        match objection(&word.text) {
            _ if word.text == ANY => names.push(word.text),
            None => names.push(word.text),
            Some(why) => {
                file.problems
                    .add(&word, format!("{} cannot be kept: {why}", word.quoted()));
            }
        }
    }
    names.sort();
    names.dedup();
    match names.iter().any(|name| name == ANY) {
        true => vec![ANY.to_owned()],
        false => names,
    }
}
