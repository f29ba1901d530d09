//! The log of execs.

#[macro_use]
mod support;

use elevate_protocol::launch::{Execs, Launch, ToLeader};
use elevate_protocol::stream::{EndReason, Status};
use support::{Host, Led, launch};

fn logged(argv: &[&str]) -> Launch {
    Launch {
        execs: Execs::Log,
        ..launch(argv)
    }
}

fn words(led: &Led) -> Vec<String> {
    let line = |exec: &elevate_protocol::launch::Exec| {
        elevate_protocol::escape::command(exec.argv.iter().map(|word| &word[..]))
    };
    led.execs.iter().map(line).collect()
}

inside! {
    fn every_exec_is_reported_before_it_happens() {
        let mut host = Host::start();
        let script = "cd /usr; /bin/echo one; (/bin/echo two; setsid -w /bin/echo three)";
        let mut led = host.lead(&logged(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        assert_eq!(led.ended(), (Status::Exited(0), EndReason::Finished));
        assert_eq!(led.output(), "one\ntwo\nthree\n");
        let words = words(&led);
        let expected = ["/bin/echo one", "/bin/echo two", "setsid -w /bin/echo three"];
        for expected in expected {
            assert!(words.iter().any(|word| word == expected), "{expected} in {words:?}");
        }
        assert_eq!(&led.execs[0].path[..], b"/bin/sh");
        assert_eq!(&led.execs[0].cwd[..], b"/");
        assert_eq!(led.execs[0].pid, led.pid);
        assert_eq!(&led.execs[1].cwd[..], b"/usr");
    }

    fn nothing_is_executed_that_cannot_be_reported() {
        let mut host = Host::start();
        let script = "i=0; while [ $i -lt 5000 ]; do /bin/true; i=$((i+1)); echo $i > /mnt/count; done";
        let mut led = host.lead(&logged(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        // Nothing is read from the control socket until no exec goes through any more.
        let count = || std::fs::read_to_string("/mnt/count").unwrap_or_default();
        let (mut before, mut same) = (String::new(), 0);
        support::poll_until("a full control socket", || {
            let now = count();
            same = if now == before && !now.is_empty() { same + 1 } else { 0 };
            before = now;
            (same == 100).then_some(())
        });
        assert!(before.trim().parse::<u32>().unwrap() < 5000);
        assert_eq!(led.ended_for_elevated().0, Status::Exited(0));
        assert_eq!(led.execs.len(), 5001);
    }

    fn a_session_that_waits_for_its_records_still_ends() {
        let mut host = Host::start();
        let script = "while :; do /bin/true; echo x >> /mnt/count; done";
        let mut order = logged(&["/bin/sh", "-c", script]);
        order.deadline = support::now() + 1500;
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().1, EndReason::Deadline);
        assert!(!led.execs.is_empty());
    }

    fn a_deaf_elevated_cannot_keep_a_session_from_being_revoked() {
        let mut host = Host::start();
        let mut led = host.lead(&logged(&["/bin/sh", "-c", "while :; do /bin/true; done"]));
        led.begin(&[]);
        led.tell(&ToLeader::End {
            reason: EndReason::Revoked { by: "bob".into() },
        });
        assert_eq!(led.ended().1, EndReason::Revoked { by: "bob".into() });
    }

    fn execs_by_descriptor_and_from_memory_are_reported() {
        let mut host = Host::start();
        let script = "import os\n\
            fd = os.memfd_create('x')\n\
            os.write(fd, open('/bin/true', 'rb').read())\n\
            pid = os.fork()\n\
            if pid == 0: os.execve(fd, ['from memory'], {})\n\
            os.waitpid(pid, 0)";
        let mut led = host.lead(&logged(&["/usr/bin/python3", "-c", script]));
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0), "{:?}", led.error);
        let last = led.execs.last().unwrap();
        assert_eq!(&last.argv[0][..], b"from memory");
        assert!(last.path.starts_with(b"fd:") || last.path.starts_with(b"/proc/self/fd/"));
    }

    fn a_target_that_is_not_root_is_logged_too() {
        let mut host = Host::start();
        let mut order = logged(&["/bin/sh", "-c", "/bin/echo as alice"]);
        order.target = support::account("alice");
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.ended();
        assert!(words(&led).contains(&"/bin/echo as alice".to_owned()));
    }

    fn a_process_whose_memory_never_answers_ends_its_session() {
        let mut host = Host::start();
        // The words of the exec are in memory whose pages somebody has to provide (userfaultfd(2)),
        // and nobody does: whoever reads them hangs.
        let script = "import ctypes, mmap, struct, sys\n\
            libc = ctypes.CDLL(None)\n\
            fd = libc.syscall(323, 0o2000000)\n\
            assert fd >= 0\n\
            ioctl = lambda request, *words: libc.ioctl(fd, ctypes.c_ulong(request), struct.pack('QQQQ', *words))\n\
            assert ioctl(0xc018aa3f, 0xaa, 0, 0, 0) == 0\n\
            memory = mmap.mmap(-1, 4096)\n\
            address = ctypes.addressof(ctypes.c_char.from_buffer(memory))\n\
            assert ioctl(0xc020aa00, address, 4096, 1, 0) == 0\n\
            print('ready', flush=True)\n\
            libc.execve(b'/bin/true', ctypes.c_void_p(address), None)";
        let mut led = host.lead(&logged(&["/usr/bin/python3", "-c", script]));
        led.begin(&[]);
        host.expect_over(led.id);
        led.hear_the_end_of_the_stream();
        assert_eq!(led.output(), "ready\n", "{}", String::from_utf8_lossy(&led.error));
    }
}
