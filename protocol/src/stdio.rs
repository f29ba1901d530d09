//! What a client's standard streams are, and how each reaches the command.

use serde::{Deserialize, Serialize};

/// What one of the client's standard descriptors is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The client's own controlling terminal.
    Terminal,
    /// A pipe or FIFO.
    Pipe,
    /// A regular file of an ordinary file system.
    File,
    /// Anything else that can be read or written: sockets, devices, another terminal, files of
    /// `/proc`, `/sys` and other file systems that look at who writes to them.
    Other,
    /// Not open.
    Closed,
}

/// How one standard stream of the command is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// The session's own terminal.
    Terminal,
    /// The client hands its descriptor over, for the command alone.
    Pass,
    /// The client makes a pipe, hands the command's end over, and copies between it and its own
    /// descriptor.
    Pump,
    /// Bytes travel over the stream, because they are recorded.
    Carry,
    /// `/dev/null`.
    Null,
    /// What is written there is for the leader: a message to a write, of the command's own process.
    Log,
}

/// The three standard streams, in the order of their descriptors.
pub type Three<T> = [T; 3];

/// The route of each stream. `recorded` says whether output is recorded.
pub fn routes(kinds: Three<Kind>, recorded: bool) -> Three<Route> {
    let [input, output, error] = kinds;
    [
        route(input, false),
        route(output, recorded),
        route(error, recorded),
    ]
}

fn route(kind: Kind, recorded: bool) -> Route {
    match kind {
        Kind::Closed => Route::Null,
        Kind::Terminal => Route::Terminal,
        _ if recorded => Route::Carry,
        Kind::Pipe | Kind::File => Route::Pass,
        Kind::Other => Route::Pump,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_output_never_bypasses_the_record() {
        for kind in [Kind::Pipe, Kind::File, Kind::Other, Kind::Terminal] {
            let [_, output, error] = routes([Kind::Closed, kind, kind], true);
            for route in [output, error] {
                assert!(
                    matches!(route, Route::Carry | Route::Terminal),
                    "{kind:?} {route:?}"
                );
            }
        }
    }

    #[test]
    fn only_pipes_and_ordinary_files_are_handed_over() {
        assert_eq!(route(Kind::Other, false), Route::Pump);
        assert_eq!(route(Kind::Pipe, false), Route::Pass);
        assert_eq!(route(Kind::File, false), Route::Pass);
    }
}
