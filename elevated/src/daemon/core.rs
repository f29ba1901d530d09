//! What is behind the lock.

use std::collections::HashMap;

use elevate_protocol::Id;
use elevate_protocol::launch::ToLeader;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::audience::Audience;
use crate::elevation::{Elevations, News};
use crate::login::{OpenLogins, PassedLogins};
use crate::policies::Policies;

/// Both ends of what is told about a request, until somebody takes the second.
pub(super) type Mailbox = (UnboundedSender<News>, Option<UnboundedReceiver<News>>);

/// The state, and the ways to those who wait for it.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) elevations: Elevations,
    pub(super) policies: Policies,
    pub(super) news: HashMap<Id, Mailbox>,
    pub(super) leaders: HashMap<Id, UnboundedSender<ToLeader>>,
    pub(super) conversations: HashMap<u32, usize>,
    pub(super) passed: PassedLogins,
    pub(super) open_logins: OpenLogins,
    pub(super) audience: Audience,
}
