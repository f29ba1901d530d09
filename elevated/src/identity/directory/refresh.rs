//! What `elevate-directory` hands over, taken in.

use elevate_protocol::directory::Change;
use elevate_protocol::limits::{DIRECTORY_BATCH, DIRECTORY_CURSOR_BYTES, NAME_BYTES};

use super::key::Key;
use super::{Directory, stored};
use crate::store::IdentityChange;

/// With fewer people than this any number of them may go at once.
const FEW_PEOPLE: usize = 10;
/// The same for groups.
const FEW_GROUPS: usize = 5;

/// One `Apply`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Update {
    /// In their order.
    pub changes: Vec<Change>,
    /// Ids of entries that are there as before.
    pub unchanged: Vec<String>,
    /// What was named since [`Directory::begin`] is all there is.
    pub complete: bool,
    /// The cursor after all that was applied so far.
    pub cursor: Option<String>,
}

/// A refresh that would have taken so many at once that it is not believed: a server that was
/// emptied, or a search base that is mistyped, looks just like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withheld {
    /// People that it lacks, and people there are.
    pub people: (usize, usize),
    /// Groups that it lacks, and groups there are.
    pub groups: (usize, usize),
}

impl Withheld {
    /// Whether it takes no more than `other`.
    fn is_within(&self, other: &Withheld) -> bool {
        self.people.0 <= other.people.0 && self.groups.0 <= other.groups.0
    }
}

/// For status and journal.
impl std::fmt::Display for Withheld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ((people, of_people), (groups, of_groups)) = (self.people, self.groups);
        write!(
            f,
            "the directory lists {people} of {of_people} people and {groups} of {of_groups} groups \
             no more; they stay until it lists them again, or until root runs `elevatectl directory \
             sync`, which says that this is right"
        )
    }
}

impl Directory {
    /// A refresh begins; the reply is the cursor to go on from. One of another source is void, and
    /// while something is withheld everything has to be listed.
    pub fn begin(&mut self, source: &str) -> Option<String> {
        if self.mark.source.as_deref() != Some(source) || self.withheld.is_some() {
            self.mark.cursor = None;
            self.mark.source = Some(source.to_owned());
        }
        self.refresh = self.refresh.wrapping_add(1);
        self.left_over = 0;
        self.mark.cursor.clone()
    }

    /// Take in an update. What comes out is to be written, and [`Directory::written`] told how that
    /// went. The second says that the other side speaks of entries which are not here: only
    /// synchronising from nothing brings them.
    ///
    /// # Errors
    /// What of the update is no update; nothing of it is taken in.
    pub fn apply(&mut self, update: Update) -> Result<(IdentityChange, bool), String> {
        check(&update)?;
        for change in &update.changes {
            self.take_in(change);
        }
        let mut strange = false;
        for id in &update.unchanged {
            match self.records.get_mut(&Key::from(id.as_str())) {
                Some(slot) => slot.named = self.refresh,
                None => strange |= self.left_over == 0,
            }
        }
        if update.complete {
            self.complete();
        }
        if let Some(cursor) = update.cursor
            && self.withheld.is_none()
        {
            self.mark.cursor = Some(cursor);
        }
        Ok((stored(&self.unsaved, self.note()), strange))
    }

    /// What [`Directory::apply`] gave was written, or it was not. Then the records are in force all
    /// the same, since a full disk must not keep a leaver in; they are written with the next change,
    /// and the cursor stays where it is on disk.
    pub fn written(&mut self, done: bool) {
        if done {
            self.unsaved.clear();
            self.saved_cursor.clone_from(&self.mark.cursor);
        } else {
            self.mark.cursor.clone_from(&self.saved_cursor);
        }
    }

    /// The admin says that what is withheld is right, if something is. It is said of no refresh that
    /// takes more.
    pub fn confirm(&mut self) {
        self.confirmed = self.withheld;
    }

    fn take_in(&mut self, change: &Change) {
        let (id, present) = match (&change.person, &change.group, &change.gone) {
            (Some(person), _, _) => (&person.id, true),
            (_, Some(group), _) => (&group.id, true),
            (_, _, Some(id)) => (id, false),
            _ => return,
        };
        let text = present
            .then(|| serde_json::to_string(change).ok())
            .flatten();
        let kept = match &text {
            Some(text) => self.put(id, change, text.len()),
            None => {
                self.drop_record(id);
                false
            }
        };
        self.unsaved.insert(id.clone(), text.filter(|_| kept));
    }

    /// The refresh named all there is: what it did not name is gone.
    fn complete(&mut self) {
        let unnamed = self
            .records
            .iter()
            .filter(|(_, slot)| slot.named != self.refresh);
        let unnamed: Vec<(String, bool)> = unnamed
            .map(|(id, slot)| (id.to_string(), slot.record.is_person()))
            .collect();
        let people = unnamed.iter().filter(|(_, is_person)| *is_person).count();
        let withheld = Withheld {
            people: (people, self.people),
            groups: (unnamed.len() - people, self.groups),
        };
        let too_many = |(gone, of): (usize, usize), few| of >= few && gone > of / 2;
        let unlikely =
            too_many(withheld.people, FEW_PEOPLE) || too_many(withheld.groups, FEW_GROUPS);
        if unlikely && !self.confirmed.is_some_and(|said| withheld.is_within(&said)) {
            self.withheld = Some(withheld);
            self.mark.cursor = None;
            return;
        }
        self.withheld = None;
        self.confirmed = None;
        for (id, _) in unnamed {
            self.drop_record(&id);
            self.unsaved.insert(id, None);
        }
    }
}

fn check(update: &Update) -> Result<(), String> {
    let Update {
        changes, unchanged, ..
    } = update;
    if changes.len() + unchanged.len() > DIRECTORY_BATCH {
        return Err(format!("more than {DIRECTORY_BATCH} changes and ids"));
    }
    let mut ids = unchanged.iter().collect::<Vec<_>>();
    for change in changes {
        let named = [
            change.person.as_ref().map(|person| &person.id),
            change.group.as_ref().map(|group| &group.id),
            change.gone.as_ref(),
        ];
        let named: Vec<_> = named.into_iter().flatten().collect();
        let [id] = named[..] else {
            return Err("a change is of one person, one group or one id".into());
        };
        ids.push(id);
    }
    let is_id = |id: &&String| {
        !id.is_empty() && id.len() <= NAME_BYTES && !id.chars().any(char::is_control)
    };
    if !ids.iter().all(is_id) {
        return Err(format!(
            "an id is empty, longer than {NAME_BYTES} bytes or no text"
        ));
    }
    match &update.cursor {
        Some(cursor) if cursor.len() > DIRECTORY_CURSOR_BYTES => Err(format!(
            "the cursor is longer than {DIRECTORY_CURSOR_BYTES} bytes"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{gone, group, of_group, of_person, person};
    use super::*;
    use elevate_protocol::limits::{DIRECTORY_RECORD_BYTES, GROUPS};

    const SOURCE: &str = "ldap://localhost";

    fn update(changes: Vec<Change>) -> Update {
        Update {
            changes,
            ..Update::default()
        }
    }

    fn all(changes: Vec<Change>, cursor: &str) -> Update {
        Update {
            complete: true,
            cursor: Some(cursor.into()),
            ..update(changes)
        }
    }

    fn people(numbers: std::ops::Range<i64>) -> Vec<Change> {
        let people = numbers.map(|number| person(&format!("p{number}"), 5000 + number));
        people.map(of_person).collect()
    }

    fn with(count: i64) -> Directory {
        let mut directory = Directory::default();
        assert_eq!(directory.begin(SOURCE), None);
        directory.apply(all(people(0..count), "1")).unwrap();
        directory.written(true);
        directory
    }

    #[test]
    fn what_a_complete_refresh_does_not_name_is_gone() {
        let mut directory = with(4);
        assert_eq!(directory.begin(SOURCE).as_deref(), Some("1"));
        let mut refresh = all(people(0..1), "2");
        refresh.unchanged = vec!["id-p1-5001".into()];
        let (change, strange) = directory.apply(refresh).unwrap();
        assert_eq!(change.put.len(), 1);
        assert_eq!(change.drop, ["id-p2-5002", "id-p3-5003"]);
        assert!(!strange);
        directory.written(true);
        assert_eq!(directory.counts(), (2, 0));
        assert_eq!(directory.begin(SOURCE).as_deref(), Some("2"));
    }

    #[test]
    fn a_refresh_over_several_updates_counts_as_one() {
        let mut directory = with(4);
        directory.begin(SOURCE);
        directory.apply(update(people(0..2))).unwrap();
        directory.apply(all(people(2..4), "2")).unwrap();
        assert_eq!(directory.counts(), (4, 0));
    }

    #[test]
    fn a_cursor_of_another_source_is_void() {
        let mut directory = with(1);
        assert_eq!(directory.begin("ldap://other"), None);
        assert_eq!(directory.begin(SOURCE), None);
    }

    #[test]
    fn a_directory_that_lost_most_of_its_people_is_not_believed_before_root_says_so() {
        let mut directory = with(20);
        directory.begin(SOURCE);
        directory.apply(all(people(0..9), "2")).unwrap();
        directory.written(true);
        assert_eq!(directory.counts(), (20, 0));
        assert_eq!(directory.withheld().unwrap().people, (11, 20));
        // What is said one by one still holds.
        directory.apply(update(vec![gone("id-p0-5000")])).unwrap();
        assert_eq!(directory.counts(), (19, 0));
        // Every further refresh starts from nothing, and is as unlikely.
        directory
            .apply(Update {
                cursor: Some("3".into()),
                ..Update::default()
            })
            .unwrap();
        assert_eq!(directory.begin(SOURCE), None);
        directory.apply(all(people(1..9), "4")).unwrap();
        assert_eq!(directory.counts(), (19, 0));
        directory.confirm();
        directory.begin(SOURCE);
        directory.apply(all(people(1..9), "5")).unwrap();
        assert_eq!((directory.counts(), directory.withheld()), ((8, 0), None));
        assert_eq!(directory.begin(SOURCE).as_deref(), Some("5"));
    }

    #[test]
    fn roots_word_is_for_what_root_was_told_and_for_no_greater_loss() {
        let mut directory = with(20);
        directory.begin(SOURCE);
        directory.apply(all(people(0..9), "2")).unwrap();
        directory.confirm();
        directory.begin(SOURCE);
        directory.apply(all(people(0..1), "3")).unwrap();
        assert_eq!(directory.counts(), (20, 0));
        assert_eq!(directory.withheld().unwrap().people, (19, 20));
        directory.begin(SOURCE);
        directory.apply(all(people(0..9), "4")).unwrap();
        assert_eq!((directory.counts(), directory.withheld()), ((9, 0), None));
    }

    #[test]
    fn a_directory_that_lists_its_people_again_needs_nobodys_word() {
        let mut directory = with(20);
        directory.begin(SOURCE);
        directory.apply(all(Vec::new(), "2")).unwrap();
        directory.begin(SOURCE);
        directory.apply(all(people(0..20), "3")).unwrap();
        assert_eq!((directory.counts(), directory.withheld()), ((20, 0), None));
    }

    #[test]
    fn a_word_that_was_not_asked_for_confirms_nothing() {
        let mut directory = with(20);
        directory.confirm();
        directory.begin(SOURCE);
        directory.apply(all(Vec::new(), "2")).unwrap();
        assert_eq!(directory.counts(), (20, 0));
    }

    #[test]
    fn lost_groups_are_as_unlikely_as_lost_people() {
        let mut directory = with(20);
        let groups = (0..6).map(|n| of_group(group(&format!("g{n}"), 6000 + n, &[])));
        directory.apply(update(groups.collect())).unwrap();
        directory.begin(SOURCE);
        directory.apply(all(people(0..20), "2")).unwrap();
        assert_eq!(directory.withheld().unwrap().groups, (6, 6));
    }

    #[test]
    fn what_could_not_be_written_is_in_force_and_written_with_the_next() {
        let mut directory = with(2);
        directory.begin(SOURCE);
        let mut lost = update(vec![gone("id-p0-5000")]);
        lost.cursor = Some("2".into());
        directory.apply(lost).unwrap();
        directory.written(false);
        assert_eq!(directory.counts(), (1, 0));
        assert_eq!(directory.begin(SOURCE).as_deref(), Some("1"));
        let (change, _) = directory.apply(update(people(1..2))).unwrap();
        assert_eq!(change.drop, ["id-p0-5000"]);
        assert_eq!(change.put.len(), 1);
    }

    #[test]
    fn an_entry_that_is_unchanged_and_unknown_asks_for_all_again() {
        let mut directory = with(1);
        let mut refresh = update(Vec::new());
        refresh.unchanged = vec!["never-seen".into()];
        assert!(directory.apply(refresh).unwrap().1);
    }

    #[test]
    fn what_is_no_update_changes_nothing() {
        let mut directory = with(1);
        let mut two = of_person(person("a", 5001));
        two.gone = Some("b".into());
        let wrong = [
            update(vec![two]),
            update(vec![Change::default()]),
            update(vec![gone("")]),
            update(vec![gone("a\n")]),
            update(vec![gone(&"x".repeat(NAME_BYTES + 1))]),
            update(people(0..501)),
            Update {
                cursor: Some("x".repeat(DIRECTORY_CURSOR_BYTES + 1)),
                ..Update::default()
            },
        ];
        let version = directory.version();
        for wrong in wrong {
            assert!(directory.apply(wrong).is_err());
        }
        assert_eq!(directory.version(), version);
    }

    #[test]
    fn a_directory_makes_us_hold_no_more_than_the_limits_say() {
        let mut directory = Directory::default();
        directory.begin(SOURCE);
        for first in (0..GROUPS + 500).step_by(500) {
            let groups = (first..first + 500).map(|n| of_group(group(&format!("g{n}"), 1, &[])));
            directory.apply(update(groups.collect())).unwrap();
            directory.written(true);
        }
        assert_eq!(directory.counts(), (0, GROUPS));
        assert_eq!(directory.left_over(), 500);
        let mut long = person("alice", 5001);
        long.ssh_keys = vec!["x".repeat(DIRECTORY_RECORD_BYTES)];
        let (change, _) = directory.apply(update(vec![of_person(long)])).unwrap();
        assert_eq!((change.put.len(), change.drop.len()), (0, 1));
        let refused = directory.believed(&Default::default()).refused;
        let why = &refused
            .iter()
            .find(|refused| refused.name == "alice")
            .unwrap()
            .why;
        assert!(why.contains("longer than"), "{why}");
    }

    #[test]
    fn nothing_changes_where_a_record_says_what_it_said() {
        let mut directory = with(3);
        let version = directory.version();
        directory.begin(SOURCE);
        directory.apply(all(people(0..3), "2")).unwrap();
        assert_eq!(directory.version(), version);
    }

    #[test]
    fn a_restart_finds_what_was_stored() {
        let mut directory = Directory::default();
        directory.begin(SOURCE);
        let (change, _) = directory.apply(all(people(0..3), "1")).unwrap();
        let mut again = Directory::default();
        again.restore_mark(change.notes[0].1.as_deref());
        for (id, record) in &change.put {
            again.restore(id, record);
        }
        assert_eq!(
            (again.counts(), again.begin(SOURCE)),
            ((3, 0), Some("1".into()))
        );
        again.restore("broken", "{");
        assert_eq!(again.begin(SOURCE), None);
    }
}
