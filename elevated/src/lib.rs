//! The daemon of Elevate.
