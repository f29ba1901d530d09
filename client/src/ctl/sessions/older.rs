//! `elevatectl sessions export --v2`.

use std::time::Duration;

use elevate_protocol::recording::Older;

use super::source;
use super::tape::Tape;
use crate::cli::Which;
use crate::ctl::output;
use crate::failure::Failure;

/// The recording as asciicast v2, as far as its lines are whole.
pub(super) fn export(which: &Which) -> Result<(), Failure> {
    if output::is_terminal() {
        return Err(
            Failure::usage("a recording may hold anything that a terminal would obey")
                .hint("write it to a file: elevatectl sessions export --v2 ID > ID.cast"),
        );
    }
    let mut tape = Tape::open(source::open(which)?)?;
    output::write(Older::header(tape.header()).as_bytes())?;
    let (mut older, mut last) = (Older::default(), Duration::ZERO);
    while let Some(moment) = tape.next()? {
        let interval = moment.at.saturating_sub(last);
        last = moment.at;
        if let Some(line) = older.event(interval, &moment.event) {
            output::write(line.as_bytes())?;
        }
    }
    Ok(())
}
