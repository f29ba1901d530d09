//! System calls that have no safe wrapper elsewhere: the only unsafe code of this crate.
#![allow(unsafe_code)]

pub(crate) mod contain_filter;
pub(crate) mod credentials;
pub(crate) mod descriptors;
pub(crate) mod exec;
pub(crate) mod exec_filter;
pub(crate) mod fork;
pub(crate) mod keyring;
pub(crate) mod landlock;
pub(crate) mod listener;
pub(crate) mod memory;
pub(crate) mod mounts;
pub(crate) mod network;
pub(crate) mod pam;
pub(crate) mod peer;
pub(crate) mod signals;
