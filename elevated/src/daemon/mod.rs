//! The daemon: the state, and the hands that carry out what it decides.

mod audience;
mod changes;
mod conflicts;
mod core;
mod directory;
mod edits;
mod effects;
mod held;
mod kept_logins;
mod leavers;
mod logins;
mod restore;
mod session;
mod shells;
mod ticker;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use elevate_policy::{May, Membership, Policy, RuleName};
use elevate_protocol::account::Account;
use elevate_protocol::launch::ToLeader;
use elevate_protocol::limits::CONVERSATIONS_PER_USER;
use elevate_protocol::{ErrorName, Id};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::Connection;

use self::audience::Audience;
use self::core::Core;
use self::kept_logins::KeptLogins;
use crate::audit::journal::Journal;
use crate::audit::{self, Entry};
use crate::bus::Watchers;
use crate::clock::Moment;
use crate::conversation::{Ask, Refusal};
use crate::elevation::{Elevation, Elevations, News};
use crate::factors::{Factors, Freshness};
use crate::host::Host;
use crate::identity::{Accounts, Identities};
use crate::launch::{Launcher, Scopes};
use crate::login::{OpenLogins, PassedLogins};
use crate::policies::{Look, Policies};
use crate::settings::Settings;
use crate::store::Writer;

pub use leavers::Leaver;
pub use restore::restore;

/// Everything that the parts share.
#[derive(Debug)]
pub struct Daemon {
    /// This host.
    pub host: Host,
    /// The settings it was started with.
    pub settings: Settings,
    /// Why these are not those of the file, where they are the last good ones.
    pub settings_problem: Option<String>,
    /// The way to the launcher.
    pub launcher: Launcher,
    /// The way to systemd's scopes.
    pub scopes: Scopes,
    /// Who watches.
    pub watchers: Watchers,
    /// Everybody's second factors.
    pub factors: Factors,
    /// Everybody.
    pub identities: Identities,
    /// Who gave a code lately, and where.
    pub freshness: Freshness,
    /// Whether systemd passed the socket of logins.
    pub serves_logins: AtomicBool,
    this: Weak<Daemon>,
    journal: Journal,
    store: Writer,
    bus: OnceLock<Connection>,
    kept_logins: OnceLock<KeptLogins>,
    logins_changed: Notify,
    audience_changed: Notify,
    due: Notify,
    core: Mutex<Core>,
}

/// What a daemon is made of.
#[derive(Debug)]
pub struct Parts {
    /// This host.
    pub host: Host,
    /// The settings, and why they are not those of the file where they are the last good ones.
    pub settings: (Settings, Option<String>),
    /// The way into the journal.
    pub journal: Journal,
    /// The way to the disk.
    pub store: Writer,
    /// Everybody's second factors.
    pub factors: Factors,
    /// Everybody.
    pub identities: Identities,
    /// Roles and rules.
    pub policies: Policies,
    /// What was asked before, and stands.
    pub elevations: Elevations,
}

impl Daemon {
    /// A daemon of these parts.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            host,
            settings: (settings, settings_problem),
            journal,
            store,
            factors,
            identities,
            policies,
            elevations,
        } = parts;
        Arc::new_cyclic(|this| Daemon {
            this: this.clone(),
            host,
            settings,
            settings_problem,
            journal,
            store,
            launcher: Launcher::default(),
            scopes: Scopes::default(),
            watchers: Watchers::default(),
            factors,
            identities,
            freshness: Freshness::default(),
            serves_logins: AtomicBool::new(false),
            bus: OnceLock::new(),
            kept_logins: OnceLock::new(),
            logins_changed: Notify::new(),
            audience_changed: Notify::new(),
            due: Notify::new(),
            core: Mutex::new(Core {
                elevations,
                policies,
                news: HashMap::new(),
                leaders: HashMap::new(),
                conversations: HashMap::new(),
                passed: PassedLogins::default(),
                open_logins: OpenLogins::default(),
                audience: Audience::default(),
            }),
        })
    }

    /// Use this connection to the system bus, once.
    pub fn connect(&self, bus: Connection) {
        // The first one stays.
        let _ = self.bus.set(bus);
    }

    /// The system bus.
    pub fn bus(&self) -> Result<&Connection, Refusal> {
        let missing = || Refusal::new(ErrorName::Unavailable, "the system bus is not there yet");
        self.bus.get().ok_or_else(missing)
    }

    /// The policy and the accounts as their files have them now.
    pub async fn facts(&self) -> Result<(Arc<Policy>, Arc<Accounts>), Refusal> {
        let look = self.core().policies.look();
        match look {
            Look::Same => {}
            Look::Loaded => self.policy_loaded().await,
            Look::Refused => self.policy_refused(),
        }
        let policy = self.core().policies.policy();
        let accounts = self.identities.accounts(&policy).map_err(|error| {
            Refusal::new(
                ErrorName::Unavailable,
                format!("accounts can't be read: {error}"),
            )
        })?;
        Ok((policy, accounts))
    }

    /// One elevation, as it stands.
    pub fn elevation(&self, id: Id) -> Option<Elevation> {
        self.core().elevations.get(id).cloned()
    }

    /// Every elevation, as it stands.
    pub fn elevations(&self) -> Vec<Elevation> {
        self.core().elevations.all().cloned().collect()
    }

    /// Every elevation that `uid` may see.
    pub async fn visible(&self, uid: u32) -> Result<Vec<Elevation>, Refusal> {
        let (policy, accounts) = self.facts().await?;
        Ok(self
            .elevations()
            .into_iter()
            .filter(|e| sees(e, uid, &policy, &accounts))
            .collect())
    }

    /// One elevation, if `uid` may see it.
    pub async fn visible_one(&self, uid: u32, id: Id) -> Result<Elevation, Refusal> {
        let (policy, accounts) = self.facts().await?;
        let found = self
            .elevation(id)
            .filter(|e| sees(e, uid, &policy, &accounts));
        found.ok_or_else(|| crate::elevation::Problem::not_found().into())
    }

    /// Whether `uid` may read and watch what others do.
    pub async fn audits(&self, uid: u32) -> Result<bool, Refusal> {
        let (policy, accounts) = self.facts().await?;
        Ok(audits(uid, &policy, &accounts))
    }

    /// Put an entry on record.
    pub fn record(&self, entry: Entry) {
        self.journal.record(entry);
    }

    /// Put it on record that `uid` asked in vain.
    pub fn record_refused_ask(&self, id: Id, uid: u32, ask: &Ask, why: &str) {
        let target = ask.user.as_deref().unwrap_or("root");
        self.record(audit::refused_ask(
            id,
            (&self.name_of(uid), uid),
            target,
            &ask.argv,
            why,
        ));
    }

    /// The name of an account, or its number.
    pub fn name_of(&self, uid: u32) -> String {
        let policy = self.core().policies.policy();
        let accounts = self.identities.accounts(&policy).ok();
        let name = accounts.and_then(|accounts| accounts.name_of(uid));
        name.unwrap_or_else(|| format!("#{uid}"))
    }

    /// A new id.
    pub fn new_id(&self) -> Id {
        Id::from_random(random())
    }

    /// Something that nobody can guess.
    pub fn nonce(&self) -> String {
        format!("{:016x}{:016x}", random(), random())
    }

    /// Whether `uid` may begin another conversation; it counts until the ticket is dropped.
    pub fn admit(self: &Arc<Self>, uid: u32) -> Result<Ticket, Refusal> {
        let mut core = self.core();
        let count = core.conversations.entry(uid).or_default();
        if *count >= CONVERSATIONS_PER_USER {
            let message = format!(
                "you have {CONVERSATIONS_PER_USER} conversations open (CONVERSATIONS_PER_USER)"
            );
            return Err(Refusal::new(ErrorName::LimitExceeded, message));
        }
        *count += 1;
        Ok(Ticket {
            daemon: Arc::clone(self),
            uid,
        })
    }

    /// From now on news of `id` is kept for the one who takes it.
    pub fn expect_news(&self, id: Id) {
        let (sender, receiver) = unbounded_channel();
        self.core().news.insert(id, (sender, Some(receiver)));
    }

    /// Take what is told about `id`.
    pub fn take_news(&self, id: Id) -> Option<UnboundedReceiver<News>> {
        self.core().news.get_mut(&id)?.1.take()
    }

    /// Nobody waits for news of `id` any more.
    pub fn forget_news(&self, id: Id) {
        self.core().news.remove(&id);
    }

    /// Numbers for `elevatectl status`: rules, waiting requests, live sessions.
    pub fn counts(&self) -> (u32, u32, u32) {
        let core = self.core();
        let waiting = core
            .elevations
            .all()
            .filter(|e| !e.is_over() && !e.is_live())
            .count();
        let live = core.elevations.all().filter(|e| e.is_live()).count();
        (
            core.policies.policy().rules().len() as u32,
            waiting as u32,
            live as u32,
        )
    }

    /// The policy's files, and why they are not in force where they are not.
    pub fn policy_state(&self) -> (Vec<String>, Option<String>) {
        let core = self.core();
        (
            core.policies.files().to_vec(),
            core.policies.problem().map(str::to_owned),
        )
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        // A panic under the lock leaves whole values: every step replaces a record at once.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begin to listen to the leader at the other end of `control`.
    pub fn lead(self: &Arc<Self>, elevation: &Elevation, control: OwnedFd) -> std::io::Result<()> {
        session::begin(self, elevation.id, control, true)
    }

    fn leader(&self, id: Id) -> Option<UnboundedSender<ToLeader>> {
        self.core().leaders.get(&id).cloned()
    }
}

/// One open conversation of a user.
#[derive(Debug)]
pub struct Ticket {
    daemon: Arc<Daemon>,
    uid: u32,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut core = self.daemon.core();
        if let Some(count) = core.conversations.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                core.conversations.remove(&self.uid);
            }
        }
    }
}

/// Root, the requester, those who may approve and auditors see an elevation; nobody else learns of
/// it.
pub fn sees(elevation: &Elevation, uid: u32, policy: &Policy, accounts: &Accounts) -> bool {
    uid == elevation.asked.caller.account.uid
        || audits(uid, policy, accounts)
        || approves(elevation, uid, policy, accounts)
}

/// Whether `uid` may read and watch what others do.
fn audits(uid: u32, policy: &Policy, accounts: &Accounts) -> bool {
    let may = |account: Account| policy.may(&account.name, uid, May::Audit, accounts);
    uid == 0
        || accounts
            .by_uid(uid)
            .is_ok_and(|account| may(account) == Membership::Yes)
}

fn approves(elevation: &Elevation, uid: u32, policy: &Policy, accounts: &Accounts) -> bool {
    let Ok(account) = accounts.by_uid(uid) else {
        return false;
    };
    let Ok(rule) = RuleName::new(&elevation.rule) else {
        return false;
    };
    policy.may_approve(&rule, &account.name, accounts) == Membership::Yes
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without GRND_NONBLOCK this waits until the kernel has randomness, and then never fails.
    while rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty()) != Ok(8) {}
    u64::from_ne_bytes(bytes)
}

impl Daemon {
    async fn policy_loaded(&self) {
        let (files, _) = self.policy_state();
        let (rules, contents) = {
            let core = self.core();
            let policy = core.policies.policy();
            let content = |e: &Elevation| {
                let rule = RuleName::new(&e.rule).ok()?;
                policy.content_digest(&rule).map(Into::into)
            };
            let all = core.elevations.all();
            let contents = all
                .map(|elevation| (elevation.id, content(elevation)))
                .collect();
            (policy.rules().len(), contents)
        };
        self.record(audit::policy_loaded(&files, rules));
        // A step that closes requests refuses nothing.
        let _ = self
            .apply(crate::elevation::Event::PolicyChanged(contents))
            .await;
    }

    fn policy_refused(&self) {
        if let (_, Some(problem)) = self.policy_state() {
            self.record(audit::policy_refused(&problem));
        }
    }

    fn now(&self) -> Moment {
        Moment::now()
    }
}
