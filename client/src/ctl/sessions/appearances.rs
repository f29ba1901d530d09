//! When a line that somebody looks for appeared on a screen: once for each appearance, however often
//! it was drawn.
//!
//! A line appears when it was not on the screen a second before. As long as it stands there, is drawn
//! again, moves up or is still being written, it is the same. A line whose words changed is another.

use std::time::Duration;

/// Who draws a screen anew clears it first; what is back by then was never away.
const REDRAW: Duration = Duration::from_secs(1);
/// Lines that went and may be back, at most.
const GONE: usize = 4096;

/// A line in which something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// All of it.
    pub(super) text: String,
    /// How often something was found in it.
    pub(super) matches: usize,
    /// Where it is.
    pub(super) whereabouts: Whereabouts,
}

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// On the screen.
    Standing,
    /// On the screen, with the cursor in it: it may become longer.
    Written,
    /// Gone to make room for others.
    Scrolled,
    /// Cleared away.
    Cleared,
}

/// A line that appeared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Appearance {
    /// When, since the recording's beginning.
    pub(super) at: Duration,
    /// The line, as it was when it was whole.
    pub(super) text: String,
}

/// What is known of a line.
#[derive(Debug)]
struct Known {
    text: String,
    matches: usize,
    since: Duration,
    /// Whether it may become longer.
    written: bool,
    told: bool,
    /// When it was last seen, once it is gone.
    gone: Option<Duration>,
}

/// The lines of one recording that appeared.
#[derive(Debug, Default)]
pub(super) struct Appearances {
    known: Vec<Known>,
}

impl Appearances {
    /// `lines` are all those with a match that left the screen since the last time, in their order,
    /// and then all that stand on it. Those that appeared are told, once they are whole.
    pub(super) fn look(&mut self, at: Duration, lines: Vec<Line>) -> Vec<Appearance> {
        let mut before = std::mem::take(&mut self.known);
        before.retain(|known| known.gone.is_none_or(|gone| gone + REDRAW >= at));
        let mut told = Vec::new();
        for line in lines {
            let mut known = take(&mut before, &line).unwrap_or(Known {
                text: String::new(),
                matches: 0,
                since: at,
                written: false,
                told: false,
                gone: None,
            });
            // Words that were added to a line which was told already are news.
            known.told &= line.matches <= known.matches;
            (known.text, known.matches) = (line.text, line.matches);
            known.written = line.whereabouts == Whereabouts::Written;
            known.gone = (line.whereabouts == Whereabouts::Cleared).then_some(at);
            if !known.written {
                known.tell(&mut told);
            }
            match line.whereabouts {
                Whereabouts::Standing | Whereabouts::Written => self.known.push(known),
                // It may be drawn again by what comes next.
                Whereabouts::Cleared => before.push(known),
                Whereabouts::Scrolled => {}
            }
        }
        for mut known in before {
            known.tell(&mut told);
            known.gone.get_or_insert(at);
            self.known.push(known);
        }
        self.forget();
        told.sort_by_key(|appearance| appearance.at);
        told
    }

    /// The recording is over: those that were still being written.
    pub(super) fn finish(mut self) -> Vec<Appearance> {
        let mut told = Vec::new();
        self.known
            .iter_mut()
            .for_each(|known| known.tell(&mut told));
        told
    }

    /// Keep no more of what is gone than there is room for.
    fn forget(&mut self) {
        let gone = self.known.iter().filter(|known| known.gone.is_some());
        let mut surplus = gone.count().saturating_sub(GONE);
        self.known.retain(|known| {
            let forgotten = surplus > 0 && known.gone.is_some();
            surplus -= usize::from(forgotten);
            !forgotten
        });
    }
}

impl Known {
    fn tell(&mut self, told: &mut Vec<Appearance>) {
        if !std::mem::replace(&mut self.told, true) {
            told.push(Appearance {
                at: self.since,
                text: self.text.clone(),
            });
        }
    }
}

/// What was known of `line`: itself, or its beginning while it was being written.
fn take(before: &mut Vec<Known>, line: &Line) -> Option<Known> {
    let same = |known: &Known| known.text == line.text;
    let begun = |known: &Known| known.written && line.text.starts_with(&known.text);
    let place = before.iter().position(same);
    let place = place.or_else(|| before.iter().position(begun))?;
    // Their order is that of the screen.
    Some(before.remove(place))
}

#[cfg(test)]
mod tests {
    use super::Whereabouts::*;
    use super::*;

    fn look(
        appearances: &mut Appearances,
        seconds: f64,
        lines: &[(&str, Whereabouts)],
    ) -> Vec<String> {
        let line = |&(text, whereabouts): &(&str, Whereabouts)| Line {
            text: text.into(),
            matches: text.matches("foo").count(),
            whereabouts,
        };
        let at = Duration::from_secs_f64(seconds);
        let told = appearances.look(at, lines.iter().map(line).collect());
        told.into_iter().map(|told| told.text).collect()
    }

    #[test]
    fn a_line_that_stands_and_scrolls_away_appeared_once() {
        let mut all = Appearances::default();
        assert_eq!(look(&mut all, 1.0, &[("a foo", Standing)]), ["a foo"]);
        assert_eq!(look(&mut all, 9.0, &[("a foo", Standing)]), [""; 0]);
        assert_eq!(look(&mut all, 20.0, &[("a foo", Scrolled)]), [""; 0]);
    }

    #[test]
    fn equal_lines_that_stream_past_are_counted_each() {
        let mut all = Appearances::default();
        assert_eq!(look(&mut all, 1.0, &[("foo", Standing); 3]).len(), 3);
        // Two scroll away, two come, and three stand as before.
        let lines = [[("foo", Scrolled); 2].as_slice(), &[("foo", Standing); 3]].concat();
        assert_eq!(look(&mut all, 1.1, &lines).len(), 2);
        // More than a screen at once.
        let lines = [[("foo", Scrolled); 10].as_slice(), &[("foo", Standing); 3]].concat();
        assert_eq!(look(&mut all, 1.2, &lines).len(), 10);
    }

    #[test]
    fn what_is_cleared_and_drawn_again_did_not_appear_anew() {
        let mut all = Appearances::default();
        assert_eq!(look(&mut all, 1.0, &[("foo", Standing)]).len(), 1);
        assert_eq!(look(&mut all, 2.0, &[]).len(), 0);
        assert_eq!(look(&mut all, 2.1, &[("foo", Standing)]).len(), 0);
        let redrawn = [("foo", Cleared), ("foo", Standing)];
        assert_eq!(look(&mut all, 9.0, &redrawn).len(), 0);
        assert_eq!(look(&mut all, 9.5, &[("foo", Cleared)]).len(), 0);
        assert_eq!(look(&mut all, 10.0, &[("foo", Standing)]).len(), 0);
    }

    #[test]
    fn what_comes_back_later_appeared_again() {
        let mut all = Appearances::default();
        assert_eq!(look(&mut all, 1.0, &[("foo", Standing)]).len(), 1);
        assert_eq!(look(&mut all, 2.0, &[]).len(), 0);
        assert_eq!(look(&mut all, 60.0, &[("foo", Standing)]).len(), 1);
    }

    #[test]
    fn a_line_is_told_when_it_is_whole() {
        let mut all = Appearances::default();
        for (seconds, text) in [(1.0, "$ foo"), (1.5, "$ foo b"), (3.0, "$ foo bar")] {
            assert_eq!(look(&mut all, seconds, &[(text, Written)]), [""; 0]);
        }
        let at = Duration::from_secs(4);
        let line = Line {
            text: "$ foo bar".into(),
            matches: 1,
            whereabouts: Standing,
        };
        let told = all.look(at, vec![line]);
        assert_eq!(
            told,
            [Appearance {
                at: Duration::from_secs(1),
                text: "$ foo bar".into()
            }]
        );
    }

    #[test]
    fn what_is_written_over_was_there_all_the_same() {
        let mut all = Appearances::default();
        assert_eq!(look(&mut all, 1.0, &[("foo 1", Written)]), [""; 0]);
        assert_eq!(look(&mut all, 1.1, &[("foo 2", Written)]), ["foo 1"]);
        assert_eq!(look(&mut all, 1.2, &[]), ["foo 2"]);
        assert_eq!(look(&mut all, 5.0, &[("at foo", Cleared)]), ["at foo"]);
        assert_eq!(look(&mut all, 6.0, &[("a foo", Written)]), [""; 0]);
        assert_eq!(all.finish()[0].text, "a foo");
    }

    #[test]
    fn a_second_match_in_a_line_that_was_told_is_news() {
        let mut all = Appearances::default();
        look(&mut all, 1.0, &[("foo", Standing)]);
        look(&mut all, 2.0, &[("foo", Written)]);
        assert_eq!(look(&mut all, 3.0, &[("foo bar", Standing)]), [""; 0]);
        look(&mut all, 4.0, &[("foo bar", Written)]);
        let longer = look(&mut all, 5.0, &[("foo bar foo", Standing)]);
        assert_eq!(longer, ["foo bar foo"]);
    }

    #[test]
    fn a_page_that_takes_the_place_of_another_is_told_line_by_line() {
        let mut all = Appearances::default();
        look(&mut all, 1.0, &[("foo 1", Standing), ("foo 2", Standing)]);
        let page = look(&mut all, 1.5, &[("foo 3", Standing), ("foo 4", Standing)]);
        assert_eq!(page, ["foo 3", "foo 4"]);
    }

    #[test]
    fn no_flood_makes_it_keep_everything() {
        let mut all = Appearances::default();
        for number in 0..3 * GONE {
            look(&mut all, 1.0, &[(&format!("foo {number}"), Standing)]);
        }
        assert!(all.known.len() <= GONE + 1);
    }
}
