//! `elevatectl sessions VERB …`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use elevate_protocol::Id;

use super::ctl::span;
use super::{End, Output};
use crate::ctl::sessions::offset;

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsVerb {
    /// List the sessions that run
    #[command(after_help = LIST)]
    List(ListSessions),
    /// Show all that is on record of a session, with every command that it ran
    #[command(after_help = SHOW)]
    Show(ShowSession),
    /// Play the recording of a session
    #[command(after_help = PLAY)]
    Play(Play),
    /// Find text in all recordings, as it stood on the screen
    #[command(after_help = SEARCH)]
    Search(Search),
    /// Watch a session while it runs
    #[command(after_help = FOLLOW)]
    Follow(Follow),
    /// End a session and everything that runs in it, at once
    Kill(End),
    /// Write a recording as asciicast v3, for other players
    #[command(after_help = EXPORT)]
    Export {
        /// The session, or a file with a recording
        #[arg(value_name = "ID|FILE")]
        which: Which,
        /// Write asciicast v2, for asciinema before 3.0 (the one of PyPI); without the exit status
        #[arg(long)]
        v2: bool,
    },
}

const LIST: &str = "\
The daemon knows a session for an hour after its end. Whose an older recording is, it says itself:
with --user such recordings are opened, which is on record, as is every reading.

Examples:
  elevatectl sessions list
  elevatectl sessions list --all --user alice
  elevatectl sessions list --recordings --json";

const SHOW: &str = "\
What is shown comes from the daemon, which has it while the session runs and an hour longer; from
the journal, where you may read it; and from the recording, where you may read that.

Examples:
  elevatectl sessions show k7m2x9qd
  elevatectl sessions show k7m2x9qd --json";

const PLAY: &str = "\
Keys:
  space     pause, and go on
  .         one event on, and pause
  right >   5 seconds on
  left <    5 seconds back
  + -       faster, slower
  ] [       to the next command, to the last one
  q         end

What is played goes through a terminal that is emulated here: your own gets a picture of its
screen, of characters and colours alone. Whatever a recording holds, it sets no title, fills no
clipboard and asks your terminal nothing; that is safer than cat. Without a terminal the text is
written that stood on the screen, without colours.

Examples:
  elevatectl sessions play k7m2x9qd --idle-limit 2s
  elevatectl sessions play k7m2x9qd --from 12:03.5 --speed 2
  elevatectl sessions play k7m2x9qd --jump 17
  elevatectl sessions play backup/k7m2x9qd.cast.zst
  elevatectl sessions play k7m2x9qd | less";

const SEARCH: &str = "\
Text is found as it stood on the screen, whatever escape sequences drew it and wherever a line was
wrapped. A line is told once for each time that it appeared: not when it was drawn again within a
second, nor while it was still being written, but again when its words changed. Each line says
when, who as whom, the session, where in its recording, and the line. A line of more than 64 KiB is
searched in pieces.

Examples:
  elevatectl sessions search 'DROP TABLE'
  elevatectl sessions search --regex 'rm -[rf]+ /' --user alice --since 2h
  elevatectl sessions search --ignore-case password --since 2026-11-20
  elevatectl sessions play k7m2x9qd --from 1:02.345     what search says of a place";

const FOLLOW: &str = "\
A session under a rule with `watched = true` begins only when somebody follows it, and ends when
nobody does any more. Leave with q or Ctrl-C. That you watch is on record.

Examples:
  elevatectl sessions follow k7m2x9qd";

const EXPORT: &str = "\
A recording may hold anything that a terminal would obey, so it is not written to one.

Examples:
  elevatectl sessions export k7m2x9qd > k7m2x9qd.cast
  asciinema play k7m2x9qd.cast                              asciinema 3.0 or later
  elevatectl sessions export --v2 k7m2x9qd > k7m2x9qd.cast  the asciinema of PyPI";

/// Which sessions to list, and how.
#[derive(Debug, Args)]
pub struct ListSessions {
    /// List those of the last hour that are over, too
    #[arg(long, conflicts_with = "recordings")]
    pub all: bool,
    /// List every recording that there is, of whatever age (needs the right to audit)
    #[arg(long)]
    pub recordings: bool,
    /// Only those of this user
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Which session to show, and how.
#[derive(Debug, Args)]
pub struct ShowSession {
    /// The session
    pub id: Id,
    #[command(flatten)]
    pub output: Output,
}

/// How to play a recording.
#[derive(Debug, Args)]
pub struct Play {
    /// The session, or a file with a recording
    #[arg(value_name = "ID|FILE")]
    pub which: Which,
    /// How many times faster than it happened
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub speed: f64,
    /// Never pause longer than this, as in 2s
    #[arg(long, value_name = "DURATION", value_parser = idle)]
    pub idle_limit: Option<Duration>,
    /// Begin here, as in 1:02.5 or 90s
    #[arg(long, value_name = "TIME", value_parser = offset::read)]
    pub from: Option<Duration>,
    /// Begin where this command begins, as `sessions show` numbers them
    #[arg(long, value_name = "NUMBER", conflicts_with = "from")]
    pub jump: Option<std::num::NonZeroU64>,
    /// Write the text at once, as without a terminal
    #[arg(long, conflicts_with_all = ["from", "jump"])]
    pub dump: bool,
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Of this session, from the daemon.
    Session(Id),
    /// In this file.
    File(PathBuf),
}

impl std::str::FromStr for Which {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Which, Self::Err> {
        Ok(match text.parse() {
            Ok(id) => Which::Session(id),
            Err(_) => Which::File(text.into()),
        })
    }
}

/// What to look for in recordings.
#[derive(Debug, Args)]
pub struct Search {
    /// What to find: these words, exactly
    #[arg(required_unless_present = "regex")]
    pub text: Option<String>,
    /// Find what this regular expression matches (docs.rs/regex, Syntax) instead
    #[arg(long, value_name = "RE", conflicts_with = "text")]
    pub regex: Option<String>,
    /// Make no difference between capital and small letters
    #[arg(short, long)]
    pub ignore_case: bool,
    /// Only in sessions of this user
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Only in sessions that began since then: 2h ago, 2026-11-20, or "2026-11-20 14:30"
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Write a JSON object for each line that is found
    #[arg(long)]
    pub json: bool,
}

/// What to watch.
#[derive(Debug, Args)]
pub struct Follow {
    /// The session; it may still have to begin
    pub id: Id,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(speed),
        _ => Err("write a number above 0, such as 2 or 0.5".into()),
    }
}

fn idle(text: &str) -> Result<Duration, String> {
    span(text).ok_or_else(|| "write it as 2s or 500ms".into())
}
