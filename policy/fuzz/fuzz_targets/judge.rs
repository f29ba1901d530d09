#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code, reason = "each target is a function of it")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    targets::judge(data);
});
