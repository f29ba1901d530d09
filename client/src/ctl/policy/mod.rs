//! `elevatectl policy`: what an admin does with policy files, without the daemon.

mod check;
mod diff;
mod files;
mod here;
mod schema;
mod test;

pub(in crate::ctl) use check::check;
pub(in crate::ctl) use diff::diff;
pub(in crate::ctl) use schema::schema;
pub(in crate::ctl) use test::test;

/// A number of things, in words.
fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
