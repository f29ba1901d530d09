//! What a recording holds, and what happens where it can't be written.

#[macro_use]
mod support;

use elevate_protocol::launch::{Execs, Launch, OnFull, Record, ToLeader};
use elevate_protocol::paths;
use elevate_protocol::recording::{Event, Mark};
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{EndReason, Status, ToServer, Window};
use rustix::process::{Pid, Signal, kill_process};
use support::{Host, Led, events, launch, poll_until, processes};

/// On a terminal, with what is typed.
fn full(argv: &[&str]) -> Launch {
    Launch {
        window: Some(Window {
            rows: 24,
            columns: 80,
        }),
        routes: [Route::Terminal; 3],
        record: Record::Full,
        ..launch(argv)
    }
}

/// What was kept of what was typed.
fn typed(led: &Led) -> String {
    let events = events(led.id).into_iter();
    let input = events.filter_map(|event| match event {
        Event::Input(text) => Some(text),
        _ => None,
    });
    input.collect()
}

fn marks(led: &Led) -> Vec<Mark> {
    let events = events(led.id).into_iter();
    let marks = events.filter_map(|event| match event {
        Event::Marker(mark) => Some(mark),
        _ => None,
    });
    marks.collect()
}

/// The folder of recordings on a disk of its own, of so many bytes.
fn disk(size: &str) {
    let options = format!("size={size},mode=0700");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", &options, "none", paths::RECORDINGS])
        .status();
    assert!(mounted.unwrap().success());
}

/// Nothing of `secret` is anywhere in the recording.
fn assert_unknown(led: &Led, secret: &str) {
    let file = std::fs::File::open(paths::recording(led.id)).unwrap();
    let text = zstd::decode_all(file).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains(secret), "{text}");
}

inside! {
    fn what_is_typed_is_kept_and_what_was_not_shown_is_not() {
        let mut host = Host::start();
        let script = "read name; until [ -e /mnt/go ]; do sleep 0.01; done; stty -echo; \
                      echo password:; read secret; stty echo; echo got $name and ${#secret}; read last";
        let mut led = host.lead(&full(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.type_in("carla\r");
        poll_until("the line", || (typed(&led) == "carla\r").then_some(()));
        std::fs::write("/mnt/go", "").unwrap();
        led.shows("password:");
        led.type_in("hunter2\r");
        led.shows("got carla and 7");
        led.type_in("bye\r");
        assert_eq!(led.ended().0, Status::Exited(0));
        assert_eq!(typed(&led), "carla\rbye\r");
        assert_eq!(marks(&led), [Mark::Hidden]);
        assert_unknown(&led, "hunter2");
    }

    fn a_secret_typed_while_only_new_lines_are_echoed_is_not_kept() {
        let mut host = Host::start();
        let script = "stty -echo echonl; echo password:; read secret; stty echo";
        let mut led = host.lead(&full(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.shows("password:");
        led.type_in("hunter2\r");
        led.ended();
        assert_eq!(typed(&led), "");
        assert_unknown(&led, "hunter2");
    }

    fn keys_that_a_program_takes_one_by_one_are_kept_where_they_are_echoed() {
        let mut host = Host::start();
        let script = "stty -icanon min 1; echo ready; head -c 3 >/dev/null; \
                      until [ -e /mnt/go ]; do sleep 0.01; done; stty -echo; echo hidden:; \
                      head -c 3 >/dev/null";
        let mut led = host.lead(&full(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.shows("ready");
        led.type_in("a");
        led.type_in("bc");
        led.tell(&ToLeader::Watched { yes: true });
        poll_until("the keys", || (typed(&led) == "abc").then_some(()));
        std::fs::write("/mnt/go", "").unwrap();
        led.shows("hidden:");
        led.type_in("xyz");
        led.ended();
        assert_unknown(&led, "xyz");
    }

    fn what_is_typed_ahead_is_kept_only_if_echo_stays_on() {
        let mut host = Host::start();
        // A line that nobody reads yet: of the one after it nobody knows when it is taken in.
        let script = "echo ready; until [ -e /mnt/go ]; do sleep 0.01; done; read one; stty -echo; \
                      echo off; until [ -e /mnt/end ]; do sleep 0.01; done";
        let mut led = host.lead(&full(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.shows("ready");
        led.type_in("one\r");
        poll_until("the line", || (typed(&led) == "one\r").then_some(()));
        led.type_in("two\r");
        poll_until("the next", || (typed(&led) == "one\rtwo\r").then_some(()));
        led.type_in("three\r");
        std::fs::write("/mnt/go", "").unwrap();
        led.shows("off");
        poll_until("a mark", || (!marks(&led).is_empty()).then_some(()));
        std::fs::write("/mnt/end", "").unwrap();
        led.ended();
        let kept = typed(&led);
        assert!(["one\rtwo\r", "one\rtwo\rthree\r"].contains(&&*kept), "{kept}");
        assert_eq!(marks(&led).is_empty(), kept.contains("three"));
    }

    fn without_full_nothing_of_what_is_typed_is_kept() {
        let mut host = Host::start();
        let mut order = full(&["/bin/sh", "-c", "stty -echo; echo ready; read line"]);
        order.record = Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.shows("ready");
        led.type_in("hunter2\r");
        led.ended();
        assert_unknown(&led, "hunter2");
        assert_eq!(marks(&led), []);
    }

    fn sizes_signals_execs_and_the_end_are_marked() {
        let mut host = Host::start();
        let script = "trap 'echo term' TERM; echo ready; cd /usr; /bin/echo shown; while :; do sleep 0.05; done";
        let mut order = full(&["/bin/sh", "-c", script]);
        order.record = Record::Output;
        order.execs = Execs::Log;
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.shows("shown");
        let window = Window { rows: 40, columns: 120 };
        led.say(&ToServer::Resize { window });
        led.say(&ToServer::Signal { number: 15 });
        led.shows("term");
        led.tell(&ToLeader::End { reason: EndReason::Revoked { by: "bob".into() } });
        led.ended();
        assert!(events(led.id).contains(&Event::Resize(window)));
        let marks = marks(&led);
        assert!(marks.contains(&Mark::Signal(15)));
        assert!(marks.contains(&Mark::End(EndReason::Revoked { by: "bob".into() })));
        let told = marks.iter().find_map(|mark| match mark {
            Mark::Exec(exec) if exec.command == "/bin/echo shown" => Some(exec),
            _ => None,
        });
        let told = told.unwrap_or_else(|| panic!("{marks:?}"));
        assert_eq!((told.number, &*told.cwd, told.uid), (2, "/usr", 0));
        assert_eq!(told.ppid, led.pid);
        assert!(told.file.ends_with("bin/echo"), "{told:?}");
    }

    fn who_watches_sees_at_once_what_is_shown() {
        let mut host = Host::start();
        let script = "echo ready; read line; echo seen; sleep 60";
        let mut led = host.lead(&full(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.shows("ready");
        led.tell(&ToLeader::Watched { yes: true });
        // Once it is flushed the buffer of a second has begun anew, or not at all.
        poll_until("the flush", || support::recorded(led.id).contains("ready").then_some(()));
        led.type_in("\r");
        led.shows("seen");
        let begun = std::time::Instant::now();
        poll_until("the flush", || support::recorded(led.id).contains("seen").then_some(()));
        assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
    }

    fn a_killed_leader_leaves_all_but_the_last_second() {
        let mut host = Host::start();
        let script = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done";
        let mut order = full(&["/bin/sh", "-c", script]);
        order.record = Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.shows("line 20\r\n");
        let before = std::time::Instant::now();
        // What was shown by now must be there though the leader dies a second later.
        poll_until("a second", || (before.elapsed().as_millis() > 1100).then_some(()));
        kill_process(Pid::from_raw(led.leader).unwrap(), Signal::KILL).unwrap();
        host.expect_over(led.id);
        let recorded = support::recorded(led.id);
        assert!(recorded.contains("line 20\r\n"), "{recorded}");
        assert!(events(led.id).iter().all(|event| !matches!(event, Event::Exit(_))));
    }

    fn a_session_whose_recording_is_removed_ends() {
        let mut host = Host::start();
        let script = "while :; do echo on; sleep 0.05; done";
        let mut led = host.lead(&full(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.shows("on");
        std::fs::remove_file(paths::recording(led.id)).unwrap();
        assert_eq!(led.ended().1, EndReason::RecordingFailed);
        assert!(led.notices.iter().any(|notice| notice.contains("took")), "{:?}", led.notices);
        assert!(processes(led.id).is_empty());
    }

    fn a_session_whose_recording_is_cut_ends() {
        let mut host = Host::start();
        let mut led = host.lead(&full(&["/bin/sh", "-c", "while :; do echo on; sleep 0.05; done"]));
        led.begin(&[]);
        led.shows("on");
        let file = std::fs::File::options().write(true).open(paths::recording(led.id)).unwrap();
        file.set_len(1).unwrap();
        assert_eq!(led.ended().1, EndReason::RecordingFailed);
        assert!(led.notices.iter().any(|notice| notice.contains("changed")), "{:?}", led.notices);
    }

    fn a_disk_that_fills_ends_the_session_and_says_so_under_both_rules() {
        let mut host = Host::start();
        for (size, on_full) in [("64k", OnFull::End), ("65m", OnFull::Refuse)] {
            disk(size);
            let script = "head -c 100000000 /dev/urandom; sleep 300";
            let mut order = launch(&["/bin/sh", "-c", script]);
            order.record = Record::Output;
            order.on_full = on_full;
            let mut led = host.lead(&order);
            led.begin(&[]);
            assert_eq!(led.ended().1, EndReason::RecordingFailed);
            assert!(processes(led.id).is_empty());
            let said = led.notices.iter().any(|notice| notice.contains("No space left on device"));
            assert!(said, "{:?}", led.notices);
        }
    }

    fn a_session_that_may_not_find_the_disk_full_does_not_begin_with_little_room() {
        let mut host = Host::start();
        disk("63m");
        let mut order = full(&["/bin/touch", "/mnt/touched"]);
        order.on_full = OnFull::Refuse;
        let mut led = host.lead(&order);
        led.attach();
        let (_, why) = led.refused();
        assert!(why.contains("63 MiB are left") && why.contains("on_full"), "{why}");
        assert!(!std::path::Path::new("/mnt/touched").exists());
        assert!(!std::path::Path::new(&paths::recording(led.id)).exists());

        disk("65m");
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0));
        assert!(std::path::Path::new("/mnt/touched").exists());
    }

    fn nothing_runs_where_the_disk_is_full_already() {
        let mut host = Host::start();
        disk("4k");
        let filled = std::fs::write(format!("{}/other", paths::RECORDINGS), [0; 8192]);
        assert!(filled.is_err());
        let mut led = host.lead(&full(&["/bin/touch", "/mnt/touched"]));
        led.attach();
        let (_, why) = led.refused();
        assert!(why.contains("No space left on device"), "{why}");
        assert!(!std::path::Path::new("/mnt/touched").exists());
    }
}
