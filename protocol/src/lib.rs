//! What crosses a process boundary of Elevate.
#![warn(missing_docs)]
