//! The log of execs.

#[macro_use]
mod support;

use elevate_protocol::launch::{Exec, Execs, Launch, Record, ToLeader};
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

/// The exec of this command line.
fn exec<'l>(led: &'l Led, line: &str) -> &'l Exec {
    let place = words(led).iter().position(|word| word == line);
    &led.execs[place.unwrap_or_else(|| panic!("{line} in {:?}", words(led)))]
}

/// A 32-bit program that executes `/bin/true narrow`, and ends with 3 where it can't.
fn narrow_program() -> Vec<u8> {
    const BASE: u32 = 0x0804_8000;
    const CODE: u32 = BASE + 52 + 32;
    const DATA: u32 = CODE + 31;
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_le_bytes()).collect() };
    let (path, name, argv) = (DATA, DATA + 10, DATA + 17);
    let move_to = |opcode: u8, value: u32| [&[opcode][..], &value.to_le_bytes()].concat();
    let code = [
        move_to(0xb8, 11), // mov eax, execve
        move_to(0xbb, path),
        move_to(0xb9, argv),
        vec![0x31, 0xd2, 0xcd, 0x80], // xor edx, edx; int 0x80
        move_to(0xb8, 1),             // mov eax, exit
        move_to(0xbb, 3),
        vec![0xcd, 0x80],
    ]
    .concat();
    assert_eq!(CODE + code.len() as u32, DATA);
    let data = [b"/bin/true\0narrow\0".to_vec(), words(&[path, name, 0])].concat();
    let size = 52 + 32 + (code.len() + data.len()) as u32;
    // elf(5): an executable for i386 with one segment.
    let header = [
        b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
        words(&[2 | 3 << 16, 1, CODE, 52, 0, 0, 52 | 32 << 16, 1, 0]),
    ]
    .concat();
    let segment = words(&[1, 0, BASE, BASE, size, size, 5, 4096]);
    [header, segment, code, data].concat()
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

    fn an_exec_is_reported_with_its_file_its_parent_and_its_user() {
        let mut host = Host::start();
        std::os::unix::fs::symlink("/bin/echo", "/mnt/link").unwrap();
        let mut order = logged(&["/bin/sh", "-c", "cd /mnt; (./link one); cd secret 2>/dev/null; :"]);
        order.target = support::account("alice");
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.ended();
        let real = |path: &str| std::fs::canonicalize(path).unwrap().into_os_string().into();
        let shell = &led.execs[0];
        assert_eq!((shell.number, shell.pid, shell.ppid), (1, led.pid, led.leader));
        assert_eq!(shell.real, Some(real("/bin/sh")));
        let echo = exec(&led, "./link one");
        assert_eq!((echo.number, echo.ppid, echo.uid), (2, led.pid, 4001));
        assert_eq!((&echo.path[..], &echo.cwd[..]), (&b"./link"[..], &b"/mnt"[..]));
        assert_eq!(echo.real, Some(real("/bin/echo")));
        assert!(!echo.compat && !echo.denied && !echo.cut);
    }

    fn what_a_changed_root_shows_is_what_is_reported() {
        let mut host = Host::start();
        let script = "mkdir -p /mnt/jail/bin && cp /bin/true /mnt/jail/bin/other \
                      && ln -s /bin/other /mnt/jail/bin/tool && exec /usr/sbin/chroot /mnt/jail /bin/tool";
        let mut led = host.lead(&logged(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.ended();
        // Whether it could run there or not: the link's own root counts, and not ours.
        let tool = led.execs.iter().find(|exec| exec.path.ends_with(b"/bin/tool")).unwrap();
        assert_eq!(tool.real, Some("/mnt/jail/bin/other".into()));
    }

    fn execs_of_32_bits_and_of_x32_are_reported_as_such() {
        let mut host = Host::start();
        std::fs::write("/mnt/narrow", narrow_program()).unwrap();
        // Where the kernel knows no x32 the call fails, after it was reported.
        let script = "import ctypes, os\n\
            os.chmod('/mnt/narrow', 0o755)\n\
            if os.fork() == 0: os.execv('/mnt/narrow', ['narrow'])\n\
            print(os.waitstatus_to_exitcode(os.wait()[1]))\n\
            if os.fork() == 0:\n \
            ctypes.CDLL(None).syscall(0x40000000 | 520, b'/bin/x32', 0, 0)\n \
            os._exit(0)\n\
            os.wait()";
        let mut led = host.lead(&logged(&["/usr/bin/python3", "-c", script]));
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0), "{}", String::from_utf8_lossy(&led.error));
        assert_eq!(led.output(), "0\n");
        assert!(!exec(&led, "narrow").compat);
        let narrow = exec(&led, "/bin/true narrow");
        assert!(narrow.compat);
        assert_eq!(&narrow.path[..], b"/bin/true");
        let x32 = led.execs.iter().find(|exec| &exec.path[..] == b"/bin/x32");
        assert!(x32.is_some_and(|exec| exec.compat), "{:?}", led.execs);
    }

    fn execs_that_fail_are_told_from_those_that_go_on() {
        let mut host = Host::start();
        let script = "import os, time\n\
            if os.fork() == 0: os.execve('/usr/bin/env', ['env', 'true'], {'PATH': '/none:/nil:/usr/bin'})\n\
            os.wait()\n\
            try: os.execv('/none/lasting', ['lasting'])\n\
            except OSError: print('failed', flush=True)\n\
            if os.fork() == 0: os.execv('/bin/sleep', ['sleep', '60'])\n\
            input()\n";
        let mut order = logged(&["/usr/bin/python3", "-c", script]);
        let (input, keyboard) = rustix::pipe::pipe().unwrap();
        order.routes[0] = elevate_protocol::stdio::Route::Pass;
        order.record = Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[std::os::fd::AsFd::as_fd(&input)]);
        let failed = |led: &Led| {
            let paths = led.failed.iter().map(|number| {
                let exec = led.execs.iter().find(|exec| exec.number == *number).unwrap();
                String::from_utf8_lossy(&exec.path).into_owned()
            });
            paths.collect::<Vec<_>>()
        };
        while !failed(&led).iter().any(|path| path == "/none/lasting") {
            led.hear_one_of_execs();
        }
        drop(keyboard);
        led.ended();
        assert_eq!(failed(&led), ["/none/true", "/nil/true", "/none/lasting"]);
        use elevate_protocol::recording::{Event, Mark};
        let marked = support::events(led.id).into_iter().filter_map(|event| match event {
            Event::Marker(Mark::ExecFailed { number }) => Some(number),
            _ => None,
        });
        assert_eq!(marked.collect::<Vec<_>>(), led.failed);
    }

    fn only_the_first_exec_passes_where_others_are_denied() {
        let mut host = Host::start();
        let mut order = logged(&["/bin/sh", "-c", "/bin/echo one; /bin/echo two || echo $?; :"]);
        order.execs = Execs::Deny;
        order.record = Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0));
        assert_eq!(led.output(), "126\n");
        let denied: Vec<bool> = led.execs.iter().map(|exec| exec.denied).collect();
        assert_eq!(denied, [false, true, true]);
        assert_eq!(words(&led)[1..], ["/bin/echo one", "/bin/echo two"]);
        assert!(String::from_utf8_lossy(&led.error).contains("not permitted"));
        let marks = format!("{:?}", support::events(led.id));
        assert_eq!(marks.matches("denied: true").count(), 2, "{marks}");
    }

    fn a_command_line_of_64_kib_is_reported_and_a_longer_one_says_that_it_is_cut() {
        let mut host = Host::start();
        // Each byte has six in JSON.
        let script = "import os\n\
            for count in 63, 65:\n \
            if os.fork() == 0: os.execv('/bin/true', ['x'] + [b'\\x01' * 1023] * count)\n \
            os.wait()";
        let mut order = logged(&["/usr/bin/python3", "-c", script]);
        order.record = Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0), "{}", String::from_utf8_lossy(&led.error));
        let [.., whole, cut] = &led.execs[..] else { panic!("{:?}", led.execs) };
        assert_eq!((whole.argv.len(), whole.cut), (64, false));
        assert!(whole.argv[1..].iter().all(|word| word[..] == [1; 1023]));
        let bytes: usize = cut.argv.iter().map(|word| word.len() + 1).sum();
        assert_eq!((bytes, cut.cut), (64 * 1024, true));
    }

    fn a_signal_a_thousand_times_a_second_does_not_multiply_an_exec() {
        let mut host = Host::start();
        let script = "import os, signal\n\
            signal.signal(signal.SIGALRM, lambda *_: None)\n\
            signal.siginterrupt(signal.SIGALRM, False)\n\
            for i in range(200):\n \
            pid = os.fork()\n \
            if pid == 0:\n  \
            signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)\n  \
            os.execv('/bin/true', ['true', str(i)])\n \
            os.waitpid(pid, 0)";
        let mut led = host.lead(&logged(&["/usr/bin/python3", "-c", script]));
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0), "{}", String::from_utf8_lossy(&led.error));
        let expected: Vec<String> = (0..200).map(|i| format!("true {i}")).collect();
        assert_eq!(words(&led)[1..], expected);
    }

    fn of_many_processes_that_execute_at_once_none_is_missed() {
        let mut host = Host::start();
        let script = "run() { i=0; while [ $i -lt 250 ]; do /bin/true $1 $i; i=$((i+1)); done; }; \
                      for n in 1 2 3 4; do run $n & done; wait";
        let mut led = host.lead(&logged(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0));
        let mut seen = words(&led);
        let numbers: Vec<u64> = led.execs.iter().map(|exec| exec.number).collect();
        assert_eq!(numbers, (1..=1001).collect::<Vec<_>>());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1001);
        assert_eq!(led.failed, Vec::<u64>::new());
    }

    fn who_wants_a_listener_of_its_own_is_told_why_there_is_none() {
        let mut host = Host::start();
        let script = "import ctypes, errno, struct\n\
            libc = ctypes.CDLL(None, use_errno=True)\n\
            allow = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))\n\
            program = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', 1, ctypes.addressof(allow)))\n\
            for flags in 0, 8, 8:\n \
            outcome = libc.syscall(317, 1, flags, program)\n \
            print(outcome, errno.errorcode.get(ctypes.get_errno()))";
        let mut led = host.lead(&logged(&["/usr/bin/python3", "-c", script]));
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0), "{}", String::from_utf8_lossy(&led.error));
        assert_eq!(led.output(), "0 None\n-1 EBUSY\n-1 EBUSY\n");
        assert_eq!(led.notices.len(), 1, "{:?}", led.notices);
        let notice = &led.notices[0];
        assert!(notice.starts_with("python3") && notice.contains("execs = \"none\""), "{notice}");
        assert_eq!(led.execs.len(), 1);
    }
}
