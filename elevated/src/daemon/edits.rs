//! What an edit was about to change when its leader went.

use elevate_protocol::launch::{Edited, FromLeader};

/// A change that was announced, until it is known what became of it.
#[derive(Debug, Default)]
pub(super) struct Pending(Option<Edited>);

impl Pending {
    pub(super) fn hear(&mut self, message: &FromLeader) {
        match message {
            FromLeader::Editing(edited) => self.0 = Some(edited.clone()),
            FromLeader::Edited(_) | FromLeader::NotEdited => self.0 = None,
            _ => {}
        }
    }

    /// The leader will say no more.
    pub(super) fn left(self) -> Option<Edited> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(said: impl IntoIterator<Item = FromLeader>) -> Option<Edited> {
        let mut pending = Pending::default();
        said.into_iter().for_each(|message| pending.hear(&message));
        pending.left()
    }

    #[test]
    fn only_a_change_of_which_nothing_more_was_said_is_left() {
        let edited = |path: &str| Edited {
            path: path.into(),
            before: None,
            after: String::new(),
            diff: String::new(),
            cut: false,
        };
        let (first, second) = (edited("/first"), edited("/second"));
        let editing = FromLeader::Editing;
        assert_eq!(left([FromLeader::Running]), None);
        assert_eq!(left([editing(first.clone()), FromLeader::NotEdited]), None);
        let done = [editing(first.clone()), FromLeader::Edited(first)];
        assert_eq!(left(done.clone()), None);
        let more = done.into_iter().chain([editing(second.clone())]);
        assert_eq!(left(more), Some(second));
    }
}
