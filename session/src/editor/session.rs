//! An edit from its first word to its last: copies out, waiting for the editor, new contents in.

use std::os::fd::OwnedFd;

use elevate_protocol::Id;
use elevate_protocol::launch::{Edit, FromLeader};
use elevate_protocol::message::{Channel, encode_data};
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{CopyOf, EndReason, Status, ToClient};

use super::incoming::Incoming;
use super::original::Original;
use super::start::{Started, in_time};
use super::{commit, warnings};
use crate::leader::client::Client;
use crate::leader::control::Control;
use crate::leader::failure::{Doing, Failure};
use crate::leader::timer::{self, Timer};

/// Bytes of a copy in one packet.
const PACKET: usize = 32 * 1024;

/// How far it is.
pub(super) enum Stage {
    /// This copy is next, from this byte on.
    Copying {
        copy: usize,
        from: usize,
        contents: Vec<u8>,
    },
    /// The editor runs.
    Waiting,
    /// It is done, and new contents arrive.
    Receiving(Incoming),
}

/// How an edit ended.
pub(super) struct End {
    status: Status,
    reason: EndReason,
}

impl End {
    /// It went as far as it could.
    pub(super) fn finished(well: bool) -> End {
        End {
            status: Status::Exited(u8::from(!well)),
            reason: EndReason::Finished,
        }
    }

    /// Nothing was written, because of this.
    pub(super) fn without_change(reason: EndReason) -> End {
        End {
            status: Status::Exited(1),
            reason,
        }
    }
}

pub(super) struct Session {
    pub(super) id: Id,
    pub(super) order: Edit,
    pub(super) originals: Vec<Original>,
    pub(super) control: Control,
    pub(super) client: Client,
    pub(super) signals: OwnedFd,
    pub(super) deadline: Timer,
    /// The timer of the next warning, and how long before the end that is.
    pub(super) warning: Option<(Timer, u64)>,
    pub(super) stage: Stage,
}

/// Lead the edit to its end; the exit status of this process.
pub(super) fn run(id: Id, started: Started, control: Control, client: Client) -> i32 {
    let mut session = Session {
        id,
        order: started.order,
        originals: started.originals,
        control,
        client,
        signals: started.signals,
        deadline: started.deadline,
        warning: None,
        stage: Stage::Waiting,
    };
    let end = session.begin().and_then(|()| {
        loop {
            if let Some(end) = session.turn()? {
                return Ok(end);
            }
        }
    });
    let end = end.unwrap_or_else(|failure| session.fail(&failure));
    session.tell(end)
}

impl Session {
    fn begin(&mut self) -> Result<(), Failure> {
        self.client.say(&ToClient::Attach {
            session: self.id,
            routes: [Route::Null; 3],
            terminal: false,
        });
        self.control.say(&FromLeader::Running);
        let copy = |original: &Original| CopyOf {
            path: original.place.file.path.clone(),
            size: original.size(),
            new: original.file.is_none(),
        };
        let files = self.originals.iter().map(copy).collect();
        self.client.say(&ToClient::Copies { files });
        self.open_copy(0)?;
        self.send_copies()?;
        self.set_warning()
    }

    /// The edit may last longer.
    pub(super) fn extend(&mut self, deadline: u64) -> Result<(), Failure> {
        if deadline <= self.order.deadline {
            return Ok(());
        }
        self.order.deadline = deadline;
        self.deadline = Timer::until(deadline).doing("set the deadline")?;
        let text = warnings::extended(deadline.saturating_sub(timer::now()));
        self.client.say(&ToClient::Notice { text });
        self.set_warning()
    }

    fn set_warning(&mut self) -> Result<(), Failure> {
        let next = warnings::next(timer::now(), self.order.deadline, &self.order.warnings);
        self.warning = match next {
            Some((at, before)) => Some((Timer::until(at).doing("set a timer")?, before)),
            None => None,
        };
        Ok(())
    }

    pub(super) fn warn(&mut self) -> Result<(), Failure> {
        if let Some((_, left)) = self.warning.take() {
            let text = warnings::text(left, self.id);
            self.client.say(&ToClient::Notice { text });
        }
        self.set_warning()
    }

    fn open_copy(&mut self, copy: usize) -> Result<(), Failure> {
        self.stage = match self.originals.get(copy) {
            None => Stage::Waiting,
            Some(original) => Stage::Copying {
                copy,
                from: 0,
                contents: in_time(|| original.contents())
                    .map_err(|error| original.changed(&error))?,
            },
        };
        Ok(())
    }

    /// Send what the client has room for.
    pub(super) fn send_copies(&mut self) -> Result<(), Failure> {
        while let Stage::Copying {
            copy,
            from,
            contents,
        } = &mut self.stage
        {
            if self.client.is_full() || self.client.is_gone() {
                return Ok(());
            }
            let rest = &contents[*from..];
            if rest.is_empty() {
                let next = *copy + 1;
                self.open_copy(next)?;
                continue;
            }
            let now = &rest[..rest.len().min(PACKET)];
            self.client.pass(&encode_data(Channel::File, now));
            *from += now.len();
        }
        Ok(())
    }

    pub(super) fn commit(&mut self) -> End {
        match std::mem::replace(&mut self.stage, Stage::Waiting) {
            Stage::Receiving(incoming) => commit::commit(self, incoming),
            _ => End::finished(true),
        }
    }

    /// It cannot go on. What it was about is told, and that nothing was written follows from the end.
    fn fail(&mut self, failure: &Failure) -> End {
        eprintln!("session {}: {failure}", self.id);
        let text = failure.message.clone();
        self.client.say(&ToClient::Notice { text });
        End::finished(false)
    }

    /// The last words: first to who keeps the books, and only then to the person.
    fn tell(mut self, end: End) -> i32 {
        let End { status, reason } = end;
        self.control.say(&FromLeader::Ended {
            status,
            reason: reason.clone(),
            recorded: 0,
            execs: 0,
        });
        self.control.flush_for_good();
        self.client.say(&ToClient::Ended { status, reason });
        self.client.flush_for_good();
        0
    }
}
