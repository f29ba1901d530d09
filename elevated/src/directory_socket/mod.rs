//! The socket on which `elevate-directory` hands over records. systemd listens on it.

mod serve;
#[cfg(test)]
mod tests;

pub use serve::serve;
