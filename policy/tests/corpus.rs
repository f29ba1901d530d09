//! The fuzzers' functions on what is kept in `fuzz/corpus/`, and on what is near it.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

/// How many changed copies of each seed are tried.
const COPIES: u64 = 60;

#[test]
fn files_of_a_policy_load_or_are_told_what_is_wrong() {
    through("load", targets::load);
}

#[test]
fn verdicts_hold_however_they_are_come_by() {
    through("judge", targets::judge);
}

fn through(name: &str, target: fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let seeds: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let mut good = 0;
    for seed in seeds {
        let bytes = fs::read(seed).unwrap();
        good += usize::from(target(&bytes));
        for number in 0..COPIES {
            target(&changed(&bytes, number));
        }
    }
    assert!(good >= 8, "only {good} of them are policies");
}

/// The `number`th change of `bytes`, the same in every run: a piece is gone, twice there, or another
/// byte.
fn changed(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = |below: usize| {
        // xorshift64 (Marsaglia, 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let begin = random(bytes.len());
    let end = (begin + 1 + random(12)).min(bytes.len());
    let middle = match random(3) {
        0 => Vec::new(),
        1 => bytes[begin..end].repeat(2),
        _ => vec![b"[]{}\"'=*.,\\/%#@\n -09aZ\0"[random(24)]],
    };
    [&bytes[..begin], &middle, &bytes[end..]].concat()
}
