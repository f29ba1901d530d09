//! Runs the real launcher, and with it real resolvers, leaders and commands. The test plays
//! systemd (sockets, store, scopes), `elevated` and the client.
#![allow(dead_code, unused_imports, unreachable_pub)] // Each test file uses its part.

mod host;
mod led;
mod orders;

use std::process::Command;

pub use host::Host;
pub use led::Led;
pub use led::processes;
pub use orders::{account, file, launch, now, unused_id};

const INSIDE: &str = "ELEVATE_TEST_INSIDE";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support");

/// Tests that run as root of a place of their own.
macro_rules! inside {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            support::inside(stringify!($name), || $body);
        }
    )*};
}

/// Run `body`, the body of test `name`, as root of a place of its own.
pub fn inside(name: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    assert!(
        rustix::process::geteuid().is_root(),
        "these tests need root"
    );
    let outcome = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh"])
        .arg(format!("{FOLDER}/enter.sh"))
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .env("ELEVATE_TEST_SUPPORT", FOLDER)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&outcome.stdout);
    let complained = String::from_utf8_lossy(&outcome.stderr);
    assert!(
        outcome.status.success() && said.contains("1 passed"),
        "{said}\n{complained}"
    );
}

/// Wait for something that has to come.
pub fn poll_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(std::time::Instant::now() < end, "{what} did not come");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// What the recording of session `id` holds, as far as it was written.
pub fn events(id: elevate_protocol::Id) -> Vec<elevate_protocol::recording::Event> {
    use elevate_protocol::recording::parse_event;
    let file = std::fs::File::open(elevate_protocol::paths::recording(id)).unwrap();
    let mut text = Vec::new();
    let mut decoder = zstd::stream::read::Decoder::new(file).unwrap();
    // A recording that is being written ends in the middle.
    let _ = std::io::Read::read_to_end(&mut decoder, &mut text);
    let text = String::from_utf8(text).unwrap();
    let events = text.lines().skip(1).filter_map(parse_event);
    events.map(|(_, event)| event).collect()
}

/// What it shows.
pub fn recorded(id: elevate_protocol::Id) -> String {
    use elevate_protocol::recording::Event;
    let shown = events(id).into_iter().filter_map(|event| match event {
        Event::Output(shown) => Some(shown),
        _ => None,
    });
    shown.collect()
}
