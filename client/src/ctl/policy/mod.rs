//! `elevatectl policy`: what an admin does with policy files, without the daemon.

mod check;
mod files;
mod here;

pub(in crate::ctl) use check::check;

/// A number of things, in words.
fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
