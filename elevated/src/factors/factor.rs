//! One person's second factor: what counts, what is used up, and for how long no code is looked at.

use serde::{Deserialize, Serialize};

use super::recovery::{Hashed, Recovery};
use super::seal::{Item, Sealed};
use super::totp::{self, Match};
use crate::clock::Moment;

/// So many wrong codes in a row are looked at before the first lock.
pub(super) const FREE_TRIES: u32 = 5;
/// The first lock, in milliseconds; each wrong code after it doubles the next.
pub(super) const FIRST_LOCK: u64 = 30_000;
/// The longest lock.
pub(super) const LONGEST_LOCK: u64 = 15 * 60_000;

/// The factor of one person. It belongs to a name and a uid: neither alone has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// Account name.
    pub user: String,
    /// Uid.
    pub uid: u32,
    /// When it was enrolled, in milliseconds since 1970.
    pub since: u64,
    secret: Sealed,
    /// The last step whose code counted; it never goes back.
    last_step: u64,
    recovery: Recovery,
    /// Wrong codes in a row.
    failures: u32,
    lock: Option<Lock>,
}

/// No code is looked at for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Lock {
    /// The boot that it began in.
    boot_id: String,
    /// When it ends, on that boot's clock.
    until: u64,
    /// Its length. After a reboot, of which nobody knows how long it took, it begins anew.
    length: u64,
}

/// When somebody tries, and in which boot.
#[derive(Debug, Clone, Copy)]
pub struct When<'a> {
    /// The moment.
    pub at: Moment,
    /// Which boot's clock that is.
    pub boot_id: &'a str,
}

/// What is tried.
pub enum Try<'a> {
    /// A code of the authenticator, and the secret to check it with.
    Totp {
        /// The opened secret.
        secret: &'a [u8],
        /// Six digits.
        code: &'a str,
    },
    /// A recovery code, hashed with the set's salt.
    Recovery(Hashed),
}

impl std::fmt::Debug for Try<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Try::Totp { .. } => "Totp(…)",
            Try::Recovery(_) => "Recovery(…)",
        })
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A code of the authenticator counted; it never will again.
    Totp,
    /// A recovery code counted; it is gone.
    Recovery,
    /// It was no code of theirs.
    Wrong,
    /// It was used before, or one of a later time was.
    Replayed,
    /// It was not looked at; no code is, for so many milliseconds.
    Locked(u64),
}

impl Factor {
    /// A factor that was confirmed by the code of step `confirmed`, which is used up.
    pub fn new(
        (user, uid): (&str, u32),
        secret: Sealed,
        confirmed: u64,
        recovery: Recovery,
        now: Moment,
    ) -> Self {
        Factor {
            user: user.to_owned(),
            uid,
            since: now.wall,
            secret,
            last_step: confirmed,
            recovery,
            failures: 0,
            lock: None,
        }
    }

    /// What its secret is sealed as.
    pub fn item<'a>(user: &'a str, uid: u32) -> Item<'a> {
        Item {
            kind: "totp",
            user,
            uid,
        }
    }

    /// Its secret.
    pub fn secret(&self) -> &Sealed {
        &self.secret
    }

    /// Its recovery codes.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Put other recovery codes in the place of those that are left.
    pub fn renew(&mut self, recovery: Recovery) {
        self.recovery = recovery;
    }

    /// For how many more milliseconds no code is looked at; none if codes are.
    pub fn locked(&self, when: When<'_>) -> Option<u64> {
        let lock = self.lock.as_ref()?;
        let until = match lock.boot_id == when.boot_id {
            true => lock.until,
            false => lock.length,
        };
        until.checked_sub(when.at.boot).filter(|left| *left > 0)
    }

    /// Try a code. Whatever comes of it, this state must be kept before anybody hears of it.
    pub fn check(&mut self, tried: &Try<'_>, when: When<'_>) -> Outcome {
        if let Some(left) = self.locked(when) {
            return Outcome::Locked(left);
        }
        match tried {
            Try::Totp { secret, code } => {
                match totp::check(secret, code, when.at.wall / 1000, self.last_step) {
                    Match::Step(step) => {
                        self.last_step = step;
                        self.accepted(Outcome::Totp)
                    }
                    // Whoever has it had a right one: this guesses nothing, and so counts nothing.
                    Match::Used => Outcome::Replayed,
                    Match::None => self.wrong(when),
                }
            }
            Try::Recovery(code) if self.recovery.take(code) => self.accepted(Outcome::Recovery),
            Try::Recovery(_) => self.wrong(when),
        }
    }

    fn accepted(&mut self, outcome: Outcome) -> Outcome {
        self.failures = 0;
        self.lock = None;
        outcome
    }

    fn wrong(&mut self, when: When<'_>) -> Outcome {
        self.failures = self.failures.saturating_add(1);
        if let Some(doublings) = self.failures.checked_sub(FREE_TRIES) {
            let length = (FIRST_LOCK << doublings.min(16)).min(LONGEST_LOCK);
            self.lock = Some(Lock {
                boot_id: when.boot_id.to_owned(),
                until: when.at.boot + length,
                length,
            });
        }
        Outcome::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::super::recovery::Salt;
    use super::super::seal::{KEY_BYTES, MasterKey, Seal};
    use super::*;
    use proptest::prelude::*;
    use totp_rs::Builder;
    use zeroize::Zeroizing;

    const SECRET: &[u8] = b"12345678901234567890";
    const START: Moment = Moment {
        boot: 1_000_000,
        wall: 1_700_000_000_000,
    };

    fn hashed(byte: u8) -> Hashed {
        format!("{byte:02x}").repeat(32).try_into().unwrap()
    }

    fn factor(codes: u8) -> Factor {
        let seal = Seal::new(&MasterKey::new(Zeroizing::new([1; KEY_BYTES])), "machine");
        let sealed = seal.seal(&Factor::item("alice", 1000), SECRET, [0; 24]);
        let salt: Salt = [0; 16].into();
        let recovery = Recovery::new(salt, (0..codes).map(hashed).collect());
        Factor::new(("alice", 1000), sealed, 0, recovery, START)
    }

    fn when(boot: u64, wall: u64) -> When<'static> {
        When {
            at: Moment { boot, wall },
            boot_id: "boot",
        }
    }

    fn code(step: u64) -> String {
        let totp = Builder::new().with_secret(SECRET).build().unwrap();
        totp.generate(step * totp::STEP).to_string()
    }

    fn totp(code: &str) -> Try<'_> {
        Try::Totp {
            secret: SECRET,
            code,
        }
    }

    /// A code that nobody has.
    fn wrong() -> Try<'static> {
        Try::Recovery(hashed(u8::MAX))
    }

    /// Read from the store, as after a restart.
    fn restarted(factor: &Factor) -> Factor {
        serde_json::from_str(&serde_json::to_string(factor).unwrap()).unwrap()
    }

    #[test]
    fn a_code_counts_once_also_after_a_restart() {
        let mut factor = factor(0);
        let now = when(START.boot, START.wall);
        let code = code(START.wall / 1000 / totp::STEP);
        assert_eq!(factor.check(&totp(&code), now), Outcome::Totp);
        assert_eq!(factor.check(&totp(&code), now), Outcome::Replayed);
        assert_eq!(
            restarted(&factor).check(&totp(&code), now),
            Outcome::Replayed
        );
    }

    #[test]
    fn a_clock_set_back_revives_no_code() {
        let mut factor = factor(0);
        let step = START.wall / 1000 / totp::STEP;
        let earlier = code(step - 100);
        assert_eq!(
            factor.check(&totp(&code(step)), when(START.boot, START.wall)),
            Outcome::Totp
        );
        let back = when(START.boot + 1, START.wall - 100 * 1000 * totp::STEP);
        assert_eq!(factor.check(&totp(&earlier), back), Outcome::Replayed);
    }

    #[test]
    fn five_wrong_codes_lock_and_each_further_one_doubles_the_lock() {
        let mut factor = factor(1);
        let mut boot = START.boot;
        for _ in 0..FREE_TRIES {
            let now = when(boot, START.wall);
            assert_eq!(factor.locked(now), None);
            assert_eq!(factor.check(&wrong(), now), Outcome::Wrong);
        }
        for length in [30, 60, 120, 240, 480, 900, 900, 900].map(|seconds| seconds * 1000) {
            let now = when(boot, START.wall);
            // Not even a right code is looked at, and none is used up.
            let right = Try::Recovery(hashed(0));
            assert_eq!(factor.check(&right, now), Outcome::Locked(length));
            assert_eq!(
                factor.check(&right, when(boot + length - 1, 0)),
                Outcome::Locked(1)
            );
            boot += length;
            let now = when(boot, START.wall);
            assert_eq!(factor.check(&wrong(), now), Outcome::Wrong);
        }
        let after = when(boot + LONGEST_LOCK, START.wall);
        assert_eq!(
            factor.check(&Try::Recovery(hashed(0)), after),
            Outcome::Recovery
        );
        assert_eq!(factor.check(&wrong(), after), Outcome::Wrong);
        assert_eq!(factor.locked(after), None);
    }

    #[test]
    fn a_lock_ends_by_the_boot_clock_and_begins_anew_after_a_reboot() {
        let mut factor = factor(0);
        for _ in 0..FREE_TRIES {
            factor.check(&wrong(), when(START.boot, START.wall));
        }
        // The wall clock, which can be set, makes no difference.
        let later = when(START.boot, START.wall + 10 * LONGEST_LOCK);
        assert_eq!(factor.locked(later), Some(FIRST_LOCK));
        let rebooted = |boot| When {
            boot_id: "another",
            ..when(boot, START.wall)
        };
        assert_eq!(factor.locked(rebooted(0)), Some(FIRST_LOCK));
        assert_eq!(factor.locked(rebooted(FIRST_LOCK)), None);
    }

    #[test]
    fn a_used_code_is_no_wrong_one() {
        let mut factor = factor(0);
        let now = when(START.boot, START.wall);
        let code = code(START.wall / 1000 / totp::STEP);
        factor.check(&totp(&code), now);
        for _ in 0..2 * FREE_TRIES {
            assert_eq!(factor.check(&totp(&code), now), Outcome::Replayed);
        }
    }

    #[test]
    fn no_debug_print_shows_a_secret() {
        let tried = [totp("654321"), Try::Recovery(hashed(1))];
        let printed = format!("{:?} {tried:?}", factor(2));
        for secret in ["1234567890", "3132333435", "654321", "49, 50", "0101"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    #[derive(Debug, Clone)]
    enum Action {
        /// The clocks go on, the wall clock also back.
        Time {
            boot: u64,
            wall: i64,
        },
        /// The code of a step near that of now.
        Totp(i64),
        Recovery(u8),
        Wrong,
        Restart,
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![
            (0..1_000_000u64, -1_000_000..1_000_000i64)
                .prop_map(|(boot, wall)| Action::Time { boot, wall }),
            (-3..=3i64).prop_map(Action::Totp),
            (0..4u8).prop_map(Action::Recovery),
            Just(Action::Wrong),
            Just(Action::Restart),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_a_code_is_accepted_once_and_none_in_a_lock(
            actions in proptest::collection::vec(action(), 1..80)
        ) {
            let mut factor = factor(3);
            let (mut now, mut accepted, mut last) = (START, Vec::new(), 0);
            let (mut failures, mut locked_until) = (0, 0);
            for action in actions {
                let step = now.wall / 1000 / totp::STEP;
                let text;
                let (name, tried) = match action {
                    Action::Time { boot, wall } => {
                        now.boot += boot;
                        now.wall = now.wall.saturating_add_signed(wall);
                        continue;
                    }
                    Action::Restart => {
                        factor = restarted(&factor);
                        continue;
                    }
                    Action::Totp(shift) => {
                        let step = step.saturating_add_signed(shift);
                        text = code(step);
                        (format!("totp {step}"), totp(&text))
                    }
                    Action::Recovery(code) => {
                        (format!("recovery {code}"), Try::Recovery(hashed(code)))
                    }
                    Action::Wrong => ("wrong".to_owned(), wrong()),
                };
                let outcome = factor.check(&tried, when(now.boot, now.wall));
                prop_assert_eq!(
                    matches!(outcome, Outcome::Locked(_)),
                    now.boot < locked_until
                );
                match outcome {
                    Outcome::Totp | Outcome::Recovery => {
                        prop_assert!(!accepted.contains(&name), "{name} twice");
                        accepted.push(name);
                        failures = 0;
                    }
                    Outcome::Wrong => {
                        failures += 1;
                        if failures >= FREE_TRIES {
                            let length = FIRST_LOCK << (failures - FREE_TRIES).min(16);
                            locked_until = now.boot + length.min(LONGEST_LOCK);
                        }
                    }
                    Outcome::Replayed | Outcome::Locked(_) => {}
                }
                prop_assert!(factor.last_step >= last);
                last = factor.last_step;
            }
            prop_assert!(factor.recovery.left() <= 3);
        }
    }
}
