//! Everybody's second factors: each change is on disk before anybody hears of it, and of one
//! person's tries one is looked at at a time.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use elevate_protocol::Secret;
use elevate_protocol::account::Account;
use zeroize::Zeroizing;

use super::factor::{Factor, Outcome, Try, When};
use super::kept::Kept;
use super::recovery::{self, Hashed, Recovery, Salt};
use super::seal::Seal;
use super::totp::{self, Match};
use super::typed::Typed;
use crate::clock::Moment;
use crate::host::Host;
use crate::store::{self, Writer};

/// People share so many gates by their names; two at one gate wait for each other's disk, no more.
const GATES: usize = 64;

/// What was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// A code of the authenticator.
    Totp,
    /// A recovery code.
    Recovery,
}

impl Accepted {
    /// One word, for the record.
    pub fn word(self) -> &'static str {
        match self {
            Accepted::Totp => "totp",
            Accepted::Recovery => "recovery",
        }
    }
}

/// Why nothing was accepted, in words for the person whose factor it is. At a login nobody hears
/// them: they tell who is enrolled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// There is nothing to check it with.
    #[error("no second factor is enrolled")]
    NotEnrolled,
    /// There is a factor already.
    #[error("a second factor is enrolled already")]
    Enrolled,
    /// It is no code of theirs.
    #[error("the code is wrong")]
    Wrong,
    /// It was used before, or one of a later time was.
    #[error("this code was used already; wait for the next one")]
    Replayed,
    /// No code is looked at for so many milliseconds.
    #[error("too many codes were wrong; codes are looked at again in {} s", .0.div_ceil(1000))]
    Locked(u64),
    /// Secrets can't be opened, or the store can't be written.
    #[error("{0}")]
    Unavailable(String),
}

impl Rejected {
    /// One word, for the record.
    pub fn word(&self) -> &'static str {
        match self {
            Rejected::NotEnrolled => "not-enrolled",
            Rejected::Enrolled => "enrolled",
            Rejected::Wrong => "wrong",
            Rejected::Replayed => "replayed",
            Rejected::Locked(_) => "locked",
            Rejected::Unavailable(_) => "unavailable",
        }
    }
}

/// How somebody's factor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorStatus {
    /// Since when there is one, in milliseconds since 1970.
    pub since: u64,
    /// Recovery codes that are left.
    pub recovery_codes: usize,
    /// For how many more milliseconds no code is looked at.
    pub locked: Option<u64>,
}

/// A secret that somebody was shown; it counts for nothing until a code made with it came back.
pub struct Pending {
    secret: Zeroizing<[u8; totp::SECRET_BYTES]>,
    /// For an authenticator to scan.
    pub uri: Secret,
    /// For people to type.
    pub base32: Secret,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pending(…)")
    }
}

/// Everybody's factors.
#[derive(Debug)]
pub struct Factors {
    seal: Result<Seal, String>,
    boot_id: String,
    host: String,
    store: Writer,
    people: Mutex<BTreeMap<String, Option<Factor>>>,
    gates: [tokio::sync::Mutex<()>; GATES],
    /// Hashing takes memory and time: one at a time.
    hashing: tokio::sync::Mutex<()>,
}

impl Factors {
    /// The factors that are kept.
    pub fn new(kept: Kept, host: &Host, store: Writer) -> Self {
        Factors {
            seal: kept.seal,
            boot_id: host.boot_id.clone(),
            host: host.name.clone(),
            store,
            people: Mutex::new(kept.factors),
            gates: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            hashing: tokio::sync::Mutex::default(),
        }
    }

    /// Why no factor can be verified, where none can.
    pub fn problem(&self) -> Option<&str> {
        self.seal.as_ref().err().map(String::as_str)
    }

    /// Whether `code` is one of `account`'s that was never used. If so it never will be again, also
    /// after a crash at any moment.
    pub async fn verify(
        &self,
        account: &Account,
        code: &Secret,
        now: Moment,
    ) -> Result<Accepted, Rejected> {
        let seal = self.seal()?;
        let _gate = self.gate(&account.name).await;
        let mut factor = self.factor(account)?;
        let when = self.when(now);
        if let Some(left) = factor.locked(when) {
            return Err(Rejected::Locked(left));
        }
        let outcome = match Typed::read(code) {
            Typed::Totp(code) => {
                let secret = seal
                    .open(&Factor::item(&account.name, account.uid), factor.secret())
                    .map_err(|error| Rejected::Unavailable(error.to_string()))?;
                let code = code.reveal();
                let secret = &secret;
                factor.check(&Try::Totp { secret, code }, when)
            }
            Typed::Recovery(code) => {
                let hashed = self.hash(factor.recovery().salt(), code).await?;
                factor.check(&Try::Recovery(hashed), when)
            }
            // It guesses nothing, and so counts nothing: a terminal that hangs up answers like this.
            Typed::Nonsense => return Err(Rejected::Wrong),
        };
        // In memory at once, so that even a disk that fails revives no code.
        self.people()
            .insert(account.name.clone(), Some(factor.clone()));
        self.save(&factor).await?;
        match outcome {
            Outcome::Totp => Ok(Accepted::Totp),
            Outcome::Recovery => Ok(Accepted::Recovery),
            Outcome::Wrong => Err(Rejected::Wrong),
            Outcome::Replayed => Err(Rejected::Replayed),
            Outcome::Locked(left) => Err(Rejected::Locked(left)),
        }
    }

    /// How the factor of `account` is; none without one.
    ///
    /// # Errors
    /// Where there is one that can't be read.
    pub fn status(&self, account: &Account, now: Moment) -> Result<Option<FactorStatus>, Rejected> {
        match self.factor(account) {
            Ok(factor) => Ok(Some(FactorStatus {
                since: factor.since,
                recovery_codes: factor.recovery().left(),
                locked: factor.locked(self.when(now)),
            })),
            Err(Rejected::NotEnrolled) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The uid that the factor of somebody of this name belongs to, be they here or not.
    pub fn owner(&self, user: &str) -> Option<u32> {
        self.people().get(user)?.as_ref().map(|factor| factor.uid)
    }

    /// Whether something is kept under this name, be it readable or not.
    pub fn is_kept(&self, user: &str) -> bool {
        self.people().contains_key(user)
    }

    /// Whether the factor of `account` is there and can't be verified: its key is gone, or its
    /// record can't be read.
    pub fn is_lost(&self, account: &Account) -> bool {
        match self.factor(account) {
            Ok(_) => self.seal.is_err(),
            Err(rejected) => rejected != Rejected::NotEnrolled,
        }
    }

    /// A new secret for `account`. Nothing is kept of it until [`Factors::confirm`].
    ///
    /// # Errors
    /// Where there is a factor already, or none could be kept.
    pub fn enrol(&self, account: &Account) -> Result<Pending, Rejected> {
        self.seal()?;
        self.unenrolled(account)?;
        let secret = Zeroizing::new(super::random());
        Ok(Pending {
            uri: totp::uri(&*secret, &account.name, &self.host),
            base32: totp::base32(&*secret),
            secret,
        })
    }

    /// Put `pending` in force if `code` was made with it, and use that code up. The recovery codes
    /// are told this once.
    pub async fn confirm(
        &self,
        account: &Account,
        pending: &Pending,
        code: &Secret,
        now: Moment,
    ) -> Result<Vec<Secret>, Rejected> {
        let seal = self.seal()?;
        let _gate = self.gate(&account.name).await;
        self.unenrolled(account)?;
        let Typed::Totp(code) = Typed::read(code) else {
            return Err(Rejected::Wrong);
        };
        let found = totp::check(&*pending.secret, code.reveal(), now.wall / 1000, 0);
        let Match::Step(step) = found else {
            return Err(Rejected::Wrong);
        };
        let (codes, recovery) = self.recovery_codes().await?;
        let whose = (account.name.as_str(), account.uid);
        let item = Factor::item(&account.name, account.uid);
        let sealed = seal.seal(&item, &*pending.secret, super::random());
        let factor = Factor::new(whose, sealed, step, recovery, now);
        self.save(&factor).await?;
        self.people().insert(account.name.clone(), Some(factor));
        Ok(codes)
    }

    /// Forget the factor of `user`.
    ///
    /// # Errors
    /// Where there is none, or the store can't be written.
    pub async fn remove(&self, user: &str) -> Result<(), Rejected> {
        let _gate = self.gate(user).await;
        if !self.people().contains_key(user) {
            return Err(Rejected::NotEnrolled);
        }
        let name = user.to_owned();
        let forgotten = self.store.order(move |store| store.forget_factor(&name));
        forgotten.await.map_err(unavailable)?;
        self.people().remove(user);
        Ok(())
    }

    /// New recovery codes for `account`, in the place of those that are left.
    pub async fn renew(&self, account: &Account) -> Result<Vec<Secret>, Rejected> {
        let _gate = self.gate(&account.name).await;
        let mut factor = self.factor(account)?;
        let (codes, recovery) = self.recovery_codes().await?;
        factor.renew(recovery);
        self.save(&factor).await?;
        self.people().insert(account.name.clone(), Some(factor));
        Ok(codes)
    }

    /// A factor belongs to a name and a uid. A name that went to somebody else brings none along.
    fn factor(&self, account: &Account) -> Result<Factor, Rejected> {
        match self.people().get(&account.name) {
            Some(Some(factor)) if factor.uid == account.uid => Ok(factor.clone()),
            Some(None) => Err(Rejected::Unavailable(
                "the record of this second factor can't be read; root can remove it".into(),
            )),
            _ => Err(Rejected::NotEnrolled),
        }
    }

    fn unenrolled(&self, account: &Account) -> Result<(), Rejected> {
        match self.factor(account) {
            Err(Rejected::NotEnrolled) => Ok(()),
            Err(other) => Err(other),
            Ok(_) => Err(Rejected::Enrolled),
        }
    }

    fn seal(&self) -> Result<&Seal, Rejected> {
        self.seal
            .as_ref()
            .map_err(|why| Rejected::Unavailable(why.clone()))
    }

    fn when(&self, at: Moment) -> When<'_> {
        let boot_id = &self.boot_id;
        When { at, boot_id }
    }

    async fn gate(&self, user: &str) -> tokio::sync::MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        user.hash(&mut hasher);
        self.gates[hasher.finish() as usize % GATES].lock().await
    }

    async fn hash(&self, salt: Salt, code: Secret) -> Result<Hashed, Rejected> {
        let _one = self.hashing.lock().await;
        let hashed = tokio::task::spawn_blocking(move || recovery::hash(&salt, &code)).await;
        hashed.map_err(|error| Rejected::Unavailable(error.to_string()))
    }

    async fn recovery_codes(&self) -> Result<(Vec<Secret>, Recovery), Rejected> {
        let _one = self.hashing.lock().await;
        let (salt, randoms) = (super::random().into(), recovery::randoms(super::random));
        let set = tokio::task::spawn_blocking(move || recovery::set(salt, &randoms)).await;
        set.map_err(|error| Rejected::Unavailable(error.to_string()))
    }

    async fn save(&self, factor: &Factor) -> Result<(), Rejected> {
        let record = serde_json::to_string(factor)
            .map_err(|error| Rejected::Unavailable(error.to_string()))?;
        let user = factor.user.clone();
        let saved = self
            .store
            .order(move |store| store.save_factor(&user, &record));
        saved.await.map_err(unavailable)
    }

    fn people(&self) -> MutexGuard<'_, BTreeMap<String, Option<Factor>>> {
        // Every change replaces a whole factor: a panic leaves none half changed.
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(error: store::Error) -> Rejected {
    Rejected::Unavailable(format!("codes can't be counted as used: {error}"))
}
