//! Second factors: codes of an authenticator and recovery codes, sealed at rest, each counted
//! once; and how long ago somebody gave one, and where that counts.

mod factor;
mod freshness;
mod hex;
mod kept;
mod key;
mod recovery;
mod registry;
mod seal;
mod totp;
mod typed;

#[cfg(test)]
mod scenarios;

pub use factor::{Factor, Outcome, Try, When};
pub use freshness::{Freshness, Place, Terminal};
pub use kept::Kept;
pub use key::{Error as KeyError, Places};
pub use recovery::{Hashed, Recovery, Salt};
pub use registry::{Accepted, FactorStatus, Factors, Pending, Rejected};
pub use seal::{DoesNotOpen, Item, MasterKey, Seal, Sealed};
pub use typed::Typed;

/// Bytes that nobody can guess.
fn random<const N: usize>() -> [u8; N] {
    use rustix::rand::{GetRandomFlags, getrandom};
    let mut bytes = [0; N];
    // Without GRND_NONBLOCK this waits until the kernel has randomness; up to 256 bytes then come
    // at once, and never fail (getrandom(2)).
    while getrandom(&mut bytes[..], GetRandomFlags::empty()) != Ok(N) {}
    bytes
}
