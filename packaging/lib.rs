//! Carries the metadata of the packages in its `Cargo.toml`, and no code: cargo-deb wants a crate.
