//! What the client sends back: which files changed, then their contents.

use elevate_protocol::limits::{EDIT_BYTES, EDIT_TOTAL_BYTES};
use elevate_protocol::stream::ChangedFile;

/// The client broke the rules of the conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong;

/// Contents that arrive.
#[derive(Debug)]
pub(super) struct Incoming {
    expected: Vec<ChangedFile>,
    contents: Vec<Vec<u8>>,
}

impl Incoming {
    /// Of `changed` among so many `copies`, each named once and in order.
    pub(super) fn new(changed: Vec<ChangedFile>, copies: usize) -> Result<Incoming, Wrong> {
        let indices = || changed.iter().map(|file| file.index as usize);
        let in_order = indices().zip(indices().skip(1)).all(|(a, b)| a < b);
        let all = changed
            .iter()
            .try_fold(0u64, |all, file| all.checked_add(file.size));
        let fits = changed.iter().all(|file| file.size <= EDIT_BYTES)
            && all.is_some_and(|all| all <= EDIT_TOTAL_BYTES);
        if !in_order || !fits || indices().any(|index| index >= copies) {
            return Err(Wrong);
        }
        Ok(Incoming {
            contents: Vec::with_capacity(changed.len()),
            expected: changed,
        })
    }

    /// The next bytes.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<(), Wrong> {
        while !bytes.is_empty() {
            if self.missing_of_last() == 0 {
                if self.contents.len() == self.expected.len() {
                    return Err(Wrong);
                }
                self.contents.push(Vec::new());
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(self.missing_of_last()));
            self.contents
                .last_mut()
                .ok_or(Wrong)?
                .extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    fn missing_of_last(&self) -> usize {
        match self.contents.last() {
            Some(last) => self.expected[self.contents.len() - 1].size as usize - last.len(),
            None => 0,
        }
    }

    /// Whether all of it is there.
    pub(super) fn is_whole(&self) -> bool {
        let rest = &self.expected[self.contents.len()..];
        self.missing_of_last() == 0 && rest.iter().all(|file| file.size == 0)
    }

    /// The contents, each with the index of its copy.
    pub(super) fn into_contents(self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let contents = self
            .contents
            .into_iter()
            .chain(std::iter::repeat(Vec::new()));
        let indices = self.expected.into_iter().map(|file| file.index as usize);
        indices.zip(contents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn files(sizes: &[(u32, u64)]) -> Vec<ChangedFile> {
        let file = |&(index, size)| ChangedFile { index, size };
        sizes.iter().map(file).collect()
    }

    #[test]
    fn files_that_were_not_sent_twice_or_out_of_order_are_refused() {
        assert!(Incoming::new(files(&[(0, 1), (2, 1)]), 3).is_ok());
        for wrong in [&[(3, 1)][..], &[(1, 1), (1, 1)], &[(2, 1), (0, 1)]] {
            assert_eq!(Incoming::new(files(wrong), 3).err(), Some(Wrong));
        }
    }

    #[test]
    fn sizes_beyond_the_limits_are_refused_before_anything_is_kept() {
        assert!(Incoming::new(files(&[(0, EDIT_BYTES)]), 1).is_ok());
        assert!(Incoming::new(files(&[(0, EDIT_BYTES + 1)]), 1).is_err());
        assert!(Incoming::new(files(&[(0, u64::MAX), (1, u64::MAX)]), 2).is_err());
        let many: Vec<_> = (0..5).map(|index| (index, EDIT_BYTES)).collect();
        assert!(Incoming::new(files(&many), 5).is_err());
    }

    #[test]
    fn nothing_at_all_is_whole_at_once() {
        assert!(Incoming::new(Vec::new(), 1).unwrap().is_whole());
        let mut emptied = Incoming::new(files(&[(0, 0)]), 1).unwrap();
        assert!(emptied.is_whole());
        assert_eq!(emptied.take(b"x"), Err(Wrong));
        let contents: Vec<_> = emptied.into_contents().collect();
        assert_eq!(contents, [(0, Vec::new())]);
    }

    proptest! {
        #[test]
        fn however_it_is_cut_into_packets_the_same_arrives(
            contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..5),
            packet in 1usize..7,
        ) {
            let sizes: Vec<_> = (0..).zip(&contents).map(|(n, c)| (n, c.len() as u64)).collect();
            let mut incoming = Incoming::new(files(&sizes), contents.len()).unwrap();
            for bytes in contents.concat().chunks(packet) {
                prop_assert!(!incoming.is_whole());
                incoming.take(bytes).unwrap();
            }
            prop_assert!(incoming.is_whole());
            let arrived: Vec<_> = incoming.into_contents().map(|(_, bytes)| bytes).collect();
            prop_assert_eq!(arrived, contents);
        }
    }
}
