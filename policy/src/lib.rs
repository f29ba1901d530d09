//! Roles and rules in TOML to a verdict with its reasons.
#![warn(missing_docs)]
