//! What has no safe wrapper elsewhere: the only unsafe code of this crate.
#![allow(unsafe_code)]

mod handle;
mod hooks;
pub(crate) mod socket;
