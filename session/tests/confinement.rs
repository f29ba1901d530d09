//! A contained session: what it is, and that what it shows of the host leads nowhere.

#[macro_use]
mod support;

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use elevate_protocol::ErrorName;
use elevate_protocol::launch::{Contain, Execs, Launch, Record, ToLeader};
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{EndReason, Status, ToClient, ToServer, Window};
use support::{Host, Led, account, launch};

fn contained(argv: &[&str]) -> Launch {
    let mut order = launch(argv);
    order.confinement.contain = Some(Contain {
        writable: vec!["/mnt/data".into()],
        network: false,
    });
    order
}

fn shell(script: &str) -> Launch {
    fs::create_dir_all("/mnt/data").unwrap();
    contained(&["/bin/sh", "-c", script])
}

/// `script` in a contained session: how it ended and what it wrote, without the last newline.
fn run(order: &Launch) -> (Status, String) {
    let mut host = Host::start();
    let mut led = host.lead(order);
    led.begin(&[]);
    let (status, reason) = led.ended();
    assert_eq!(reason, EndReason::Finished);
    (status, said(&led))
}

fn says(script: &str) -> String {
    run(&shell(script)).1
}

fn said(led: &Led) -> String {
    let text = led.output() + &String::from_utf8_lossy(&led.error);
    text.trim_end().to_owned()
}

/// What a Python `program` prints, contained, and then, for comparison, as root without.
fn inside_and_outside(program: &str) -> (String, String) {
    fs::create_dir_all("/mnt/data").unwrap();
    let prelude = "import ctypes, os, socket, struct\n\
        libc = ctypes.CDLL(None, use_errno=True)\n\
        def call(number, *words):\n\
        \x20   got = libc.syscall(number, *[ctypes.c_long(w) if isinstance(w, int) else w for w in words])\n\
        \x20   return os.strerror(ctypes.get_errno()) if got == -1 else 'done'\n\
        def attempt(act):\n\
        \x20   try: act(); return 'done'\n\
        \x20   except OSError as error: return error.strerror\n";
    let program = format!("{prelude}{program}");
    let argv = ["/usr/bin/python3", "-c", &program];
    let inside = run(&contained(&argv)).1;
    let outside = run(&launch(&argv)).1;
    (inside, outside)
}

/// Each of the Python expressions is refused inside and works outside.
fn shut(attempts: &[(&str, &str)]) {
    let lines = attempts.iter().map(|(act, _)| format!("print({act})\n"));
    let (inside, outside) = inside_and_outside(&lines.collect::<String>());
    let (inside, outside): (Vec<_>, Vec<_>) = (inside.lines().collect(), outside.lines().collect());
    assert_eq!(
        (inside.len(), outside.len()),
        (attempts.len(), attempts.len()),
        "{inside:?} {outside:?}"
    );
    for (place, (act, error)) in attempts.iter().enumerate() {
        assert_eq!(inside[place], *error, "{act}");
        assert_eq!(outside[place], "done", "{act}");
    }
}

fn on_terminal(mut order: Launch) -> Launch {
    order.window = Some(Window {
        rows: 30,
        columns: 100,
    });
    order.routes = [Route::Terminal; 3];
    order
}

const DENIED: &str = "Operation not permitted";
const NO_FAMILY: &str = "Address family not supported by protocol";
const READ_ONLY: &str = "Read-only file system";

inside! {
    fn a_contained_command_runs_and_its_status_comes_back() {
        assert_eq!(run(&shell("id -u; exit 7")), (Status::Exited(7), "0".into()));
        assert_eq!(run(&shell("kill -TERM $$; sleep 10")).0, Status::Signaled(15));
    }

    fn it_sees_no_process_but_its_own() {
        let said = says("ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm; ls /proc/1/root; readlink /proc/1/fd/0 || echo no");
        let lines: Vec<_> = said.lines().filter(|line| !line.starts_with("ls: ")).collect();
        assert_eq!(lines, ["4", "elevate-init", "no"], "{said}");
    }

    fn what_is_left_behind_is_taken_and_ends_with_the_command() {
        let mut host = Host::start();
        let script = "for i in 1 2 3; do (sh -c 'true &') done; (setsid sleep 1000 &); \
            while [ $(ls -d /proc/[0-9]* | wc -l) -gt 5 ]; do :; done; grep -c zombie /proc/[0-9]*/status | grep -c :1; true";
        let mut led = host.lead(&shell(script));
        led.begin(&[]);
        assert_eq!(led.ended(), (Status::Exited(0), EndReason::Finished));
        assert_eq!(said(&led), "0");
        host.expect_over(led.id);
    }

    fn where_systemd_makes_the_cgroup_all_of_the_session_comes_to_be_in_it() {
        fs::remove_dir("/sys/fs/cgroup/elevate.slice").unwrap();
        let mut host = Host::start();
        let mut led = host.lead(&shell("sleep 1000; true"));
        led.begin(&[]);
        // The first process, the shell, and what it starts.
        support::poll_until("three processes", || (support::processes(led.id).len() == 3).then_some(()));
        led.tell(&ToLeader::End {
            reason: EndReason::DaemonGone,
        });
        assert_eq!(led.ended().1, EndReason::DaemonGone);
        host.expect_over(led.id);
    }

    fn the_tree_goes_at_the_deadline_and_with_its_leader() {
        let mut host = Host::start();
        let script = "trap '' TERM HUP; for i in 1 2 3 4 5; do (setsid sleep 1000 &) done; echo up; sleep 1000";
        let mut order = shell(script);
        order.deadline = support::now() + 1500;
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().1, EndReason::Deadline);
        host.expect_over(led.id);

        let mut led = host.lead(&shell(script));
        led.begin(&[]);
        support::poll_until("the children", || (support::processes(led.id).len() > 6).then_some(()));
        rustix::process::kill_process(rustix::process::Pid::from_raw(led.leader).unwrap(), rustix::process::Signal::KILL).unwrap();
        host.expect_over(led.id);
    }

    fn it_writes_where_the_rule_says_and_nowhere_else() {
        fs::create_dir_all("/mnt/data/below").unwrap();
        fs::create_dir_all("/mnt/other").unwrap();
        rustix::mount::mount("none", "/mnt/data/below", "tmpfs", rustix::mount::MountFlags::empty(), None).unwrap();
        fs::write("/mnt/data/is", "was\n").unwrap();
        fs::create_dir("/mnt/data/folder").unwrap();
        let script = "cd /mnt/data && echo new > is && echo x > made && mkdir d && mv d folder/e \
            && truncate -s 1 made && rm made && chown 4001 is && chmod 640 is && echo changed; \
            for place in /etc /usr /root /srv /var/spool /var/lib /mnt /mnt/other /mnt/data/below /sys /proc /proc/sys/kernel /dev; do \
            touch $place/x 2>/dev/null && echo $place; done; \
            echo tmp > /tmp/x && echo run > /run/x && echo tmp > /var/tmp/x && echo shm > /dev/shm/x && ls /tmp";
        assert_eq!(says(script), "changed\nx");
        assert_eq!(fs::read_to_string("/mnt/data/is").unwrap(), "new\n");
        assert_eq!(fs::metadata("/mnt/data/is").unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::exists("/mnt/data/folder/e").unwrap());
        for path in ["/tmp/x", "/run/x", "/var/tmp/x", "/dev/shm/x"] {
            assert!(!fs::exists(path).unwrap(), "{path}");
        }
    }

    fn a_place_below_run_stays_the_hosts() {
        rustix::mount::mount("none", "/run", "tmpfs", rustix::mount::MountFlags::empty(), None).unwrap();
        fs::create_dir_all("/run/service/data").unwrap();
        fs::write("/run/service/secret", "").unwrap();
        let mut order = shell("echo x > /run/service/data/x; ls /run /run/service");
        order.confinement.contain.as_mut().unwrap().writable = vec!["/run/service/data".into()];
        let said = run(&order).1;
        assert_eq!(said, "/run:\nlock\nservice\n\n/run/service:\ndata");
        assert!(fs::exists("/run/service/data/x").unwrap());
    }

    fn every_mount_is_without_devices_and_setuid_files() {
        let said = says("awk '{print $5, $6}' /proc/self/mountinfo");
        let ours = ["/", "/mnt/data", "/run", "/tmp", "/var/tmp", "/dev", "/dev/pts", "/dev/shm", "/proc", "/sys"];
        let mut seen = 0;
        for line in said.lines() {
            let (path, options) = line.split_once(' ').unwrap();
            let has = |option| options.split(',').any(|word| word == option);
            assert!(has("nosuid"), "{line}");
            // What is covered in /proc is covered by /dev/null.
            assert!(has("nodev") || path.starts_with("/dev") || path.starts_with("/proc/"), "{line}");
            let changes = ["/mnt/data", "/run", "/tmp", "/var/tmp", "/dev/pts", "/dev/shm"];
            assert!(has("ro") || changes.contains(&path), "{line}");
            seen += usize::from(ours.contains(&path));
        }
        assert!(seen >= ours.len(), "{said}");
    }

    fn only_harmless_devices_are_there() {
        let said = says("for node in /dev/* /dev/pts/* /dev/shm/*; do test ! -L $node -a \\( -c $node -o -b $node \\) && echo $node; done | sort; echo gone > /dev/null; head -c 2 /dev/zero | wc -c");
        let expected = "/dev/full\n/dev/null\n/dev/pts/ptmx\n/dev/random\n/dev/tty\n/dev/urandom\n/dev/zero\n2";
        assert_eq!(said, expected);
    }

    fn nothing_of_ours_is_to_be_read() {
        fs::create_dir_all("/var/log/elevate/sessions").unwrap();
        fs::write("/var/log/elevate/sessions/x", "secret").unwrap();
        assert_eq!(says("ls -A /var/log/elevate; ls -A /run/elevate 2>/dev/null"), "");
    }

    fn no_file_that_gives_away_rights_is_made() {
        fs::create_dir_all("/mnt/data").unwrap();
        fs::write("/mnt/data/tool", "").unwrap();
        shut(&[
            ("attempt(lambda: os.chmod('/mnt/data/tool', 0o4755))", DENIED),
            ("attempt(lambda: os.chmod('/mnt/data/tool', 0o2755))", DENIED),
            ("attempt(lambda: os.chmod(os.open('/mnt/data/tool', os.O_RDONLY), 0o4755))", DENIED),
            ("attempt(lambda: os.open('/mnt/data/new', os.O_CREAT | os.O_WRONLY, 0o4755))", DENIED),
            ("attempt(lambda: os.mknod('/mnt/data/node', 0o104755))", DENIED),
            ("attempt(lambda: os.mknod('/mnt/data/disk', 0o060600, os.makedev(8, 0)))", DENIED),
            // VFS_CAP_REVISION_2 with CAP_SETUID, effective.
            ("attempt(lambda: os.setxattr('/mnt/data/tool', 'security.capability', struct.pack('<5I', 0x02000001, 0x80, 0, 0, 0)))", DENIED),
        ]);
    }

    fn a_setuid_program_gives_nothing() {
        fs::copy("/usr/bin/id", "/mnt/id").unwrap();
        fs::set_permissions("/mnt/id", fs::Permissions::from_mode(0o4755)).unwrap();
        let mut order = shell("/mnt/id -u");
        order.target = account("alice");
        assert_eq!(run(&order).1, "4001");
        order.confinement = Default::default();
        assert_eq!(run(&order).1, "0");
    }

    fn no_namespace_mount_or_root_of_its_own_is_made() {
        shut(&[
            ("call(308, os.open('/proc/self/ns/net', os.O_RDONLY), 0)", DENIED),
            ("call(272, 0x10000000)", DENIED),                        // unshare: user
            ("call(272, 0x00020000)", DENIED),                        // mounts
            ("call(165, b'none', b'/mnt/data', b'tmpfs', 0, 0)", DENIED),
            ("call(166, b'/mnt/data', 2)", DENIED),                   // umount2
            ("call(428, -100, b'/mnt', 1)", DENIED),                     // open_tree
            ("call(442, -100, b'/mnt', 0, struct.pack('4Q', 0, 1, 0, 0), 32)", DENIED),
            ("call(430, b'tmpfs', 0)", DENIED),                       // fsopen
        ]);
        assert_eq!(says("unshare -U true 2>&1 | grep -c permitted; mount -o remount,rw / 2>/dev/null || echo no"), "1\nno");
    }

    fn a_root_inside_the_root_is_no_way_out() {
        // The way out of a chroot that works for root: a folder kept from outside it.
        let script = "import os\n\
            os.mkdir('/tmp/jail')\n\
            outside = os.open('/', os.O_RDONLY)\n\
            os.chroot('/tmp/jail')\n\
            os.fchdir(outside)\n\
            for _ in range(64): os.chdir('..')\n\
            os.chroot('.')\n\
            print(os.path.exists('/mnt/data'), os.access('/etc', os.W_OK), os.path.exists('/run/outside'))";
        rustix::mount::mount("none", "/run", "tmpfs", rustix::mount::MountFlags::empty(), None).unwrap();
        fs::write("/run/outside", "").unwrap();
        fs::create_dir_all("/mnt/data").unwrap();
        assert_eq!(run(&contained(&["/usr/bin/python3", "-c", script])).1, "True False False");
    }

    fn no_socket_leads_out() {
        fs::create_dir_all("/mnt/data").unwrap();
        let _listener = UnixListener::bind("/mnt/data/service").unwrap();
        let connect = |family: &str, address: &str| {
            format!("attempt(lambda: socket.socket(socket.{family}).connect({address}))")
        };
        shut(&[
            (&connect("AF_UNIX", "'/mnt/data/service'"), NO_FAMILY),
            ("attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))", NO_FAMILY),
            ("attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))", DENIED),
        ]);
        let (inside, _) = inside_and_outside("a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1))");
        assert_eq!(inside, "b'x'");
    }

    fn the_network_is_its_own_unless_the_rule_says_so() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let program = format!("print(attempt(lambda: socket.create_connection(('127.0.0.1', {port}))))\n\
            print(len(socket.if_nameindex()), os.path.exists('/sys/class/net/lo'))");
        let argv = ["/usr/bin/python3", "-c", &format!("import os, socket\n\
            def attempt(act):\n\
            \x20   try: act(); return 'done'\n\
            \x20   except OSError as error: return error.strerror\n{program}")];
        fs::create_dir_all("/mnt/data").unwrap();
        let mut order = contained(&argv);
        assert_eq!(run(&order).1, "Connection refused\n1 True");
        order.confinement.contain.as_mut().unwrap().network = true;
        assert!(run(&order).1.starts_with("done\n"));
    }

    fn the_kernel_and_others_keys_are_out_of_reach() {
        let (inside, outside) = inside_and_outside(
            "print(call(250, 0, -4, 0))\n\
             print(call(321, 0, b'', 0))\n\
             print(call(101, 0, 1, 0, 0))\n\
             print(call(425, 1, bytes(256)))\n\
             print(call(437, -100, b'/', bytes(24), 24))\n\
             print(attempt(lambda: open('/proc/sys/kernel/core_pattern', 'w')))\n\
             print(attempt(lambda: open('/sys/kernel/mm/ksm/run', 'w')))",
        );
        let inside: Vec<_> = inside.lines().collect();
        assert_eq!(inside[..3], [DENIED; 3]);
        assert_eq!(inside[3..5], ["Function not implemented"; 2]);
        assert_eq!(inside[5..], [READ_ONLY; 2]);
        let outside: Vec<_> = outside.lines().collect();
        assert_eq!(outside[0], "done");
        assert_eq!(outside[5..], ["done"; 2]);
    }

    fn the_capabilities_of_contained_root_are_few_and_are_all_there_can_be() {
        let mut order = shell("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status");
        let root = "CapInh:\t0000000000000000\nCapPrm:\t00000000000485eb\nCapEff:\t00000000000485eb\n\
            CapBnd:\t00000000000485eb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2";
        let said = run(&order).1;
        // CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, IPC_OWNER,
        // SYS_CHROOT.
        let set = [0, 1, 3, 5, 6, 7, 8, 10, 15, 18].iter().fold(0u64, |all, bit| all | 1 << bit);
        assert_eq!(said, root.replace("00000000000485eb", &format!("{set:016x}")));
        order.target = account("alice");
        assert_eq!(run(&order).1, root.replace("00000000000485eb", &"0".repeat(16)));
        order.target = account("root");
        order.confinement.capabilities = Some(1 << 12);
        let named = format!("{:016x}", 1 << 12);
        let expected = root.replace("00000000000485eb", &named)
            .replace("CapInh:\t0000000000000000", &format!("CapInh:\t{named}"))
            .replace("CapAmb:\t0000000000000000", &format!("CapAmb:\t{named}"));
        assert_eq!(run(&order).1, expected);
    }

    fn a_terminal_works_in_there() {
        let mut host = Host::start();
        let script = "tty; echo to the terminal > /dev/tty; echo to stderr > /dev/stderr; stty size; \
            python3 -c 'import pty; pty.openpty(); print(\"own pty\")'; echo typed: $(head -n 1)";
        let mut order = on_terminal(shell(script));
        order.record = Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.type_in("something\n");
        assert_eq!(led.ended(), (Status::Exited(0), EndReason::Finished));
        let shown = String::from_utf8_lossy(&led.terminal).into_owned();
        for expected in ["/dev/console", "to the terminal", "to stderr", "30 100", "own pty", "typed: something"] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
    }

    fn through_its_streams_no_device_of_the_hosts_changes() {
        let change = "import os, sys\n\
            for number in range(3):\n\
            \x20   try: os.fchmod(number, 0o777)\n\
            \x20   except OSError as error: sys.stdout.write(error.strerror + '|')";
        fs::create_dir_all("/mnt/data").unwrap();
        let mode = || fs::metadata("/dev/null").unwrap().permissions().mode();
        let before = mode();
        let said = run(&contained(&["/usr/bin/python3", "-c", change])).1;
        // Its output is pipes, which are nobody else's.
        assert_eq!(said, "Read-only file system|");
        assert_eq!(mode(), before);
        let mut host = Host::start();
        let mut led = host.lead(&on_terminal(contained(&["/usr/bin/python3", "-c", change])));
        led.begin(&[]);
        led.ended();
        assert_eq!(String::from_utf8_lossy(&led.terminal), "Read-only file system|".repeat(3));
    }

    fn it_stops_and_goes_on_as_any_other() {
        let mut host = Host::start();
        let script = "echo ready; kill -STOP $$; echo went on";
        let mut led = host.lead(&on_terminal(shell(script)));
        led.begin(&[]);
        led.shows("ready");
        assert!(matches!(led.hear_client(), ToClient::Stopped { signal: 19 }));
        led.say(&ToServer::Continue);
        led.shows("went on");
        assert_eq!(led.ended().0, Status::Exited(0));
        let mut led = host.lead(&on_terminal(shell("trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.05; done")));
        led.begin(&[]);
        led.shows("ready");
        led.type_in("\x03");
        led.shows("interrupted");
        assert_eq!(led.ended().0, Status::Exited(3));
    }

    fn its_execs_are_logged_with_the_pids_of_the_host() {
        let mut host = Host::start();
        let mut order = shell("/bin/true; exec /bin/echo done");
        order.execs = Execs::Log;
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0));
        let words: Vec<_> = led.execs.iter().map(|exec| String::from_utf8_lossy(&exec.argv[0]).into_owned()).collect();
        assert_eq!(words, ["/bin/sh", "/bin/true", "/bin/echo"]);
        assert_eq!((led.execs[0].pid, led.execs[2].pid), (led.pid, led.pid));
        assert!(led.execs[1].pid > 0 && led.execs[1].pid != led.pid);
    }

    fn a_file_of_the_clients_is_pumped_and_never_handed_in() {
        let mut host = Host::start();
        let mut order = shell("cat");
        order.routes[0] = Route::Pass;
        let mut led = host.lead(&order);
        match led.hear_client() {
            ToClient::Attach { routes, .. } => assert_eq!(routes[0], Route::Pump),
            other => panic!("{other:?}"),
        }
        let mut led = host.lead(&order);
        led.attach();
        led.hand_over(&[File::open("/etc/passwd").unwrap().as_fd()]);
        led.make_scope();
        let (error, message) = led.refused();
        assert_eq!(error, ErrorName::InvalidArgument);
        assert!(message.contains("pipes only"), "{message}");
        let (read, write) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&write, b"through a pipe").unwrap();
        drop(write);
        let mut led = host.lead(&order);
        led.begin(&[read.as_fd()]);
        led.ended();
        assert_eq!(said(&led), "through a pipe");
    }

    fn a_place_that_cannot_be_writable_lets_nothing_begin() {
        let mut host = Host::start();
        std::os::unix::fs::symlink("/etc", "/mnt/link").unwrap();
        for (place, why) in [("/etc/cron.d", "/etc decides"), ("/mnt/nowhere", "No such file"), ("/mnt/link", "a link")] {
            let mut order = shell("true");
            order.confinement.contain.as_mut().unwrap().writable = vec![place.into()];
            let mut led = host.lead(&order);
            if why != "/etc decides" {
                led.attach();
                led.hand_over(&[]);
                led.make_scope();
            }
            let (error, message) = led.refused();
            assert!(message.contains(why), "{error:?}: {message}");
            assert!(message.contains(place), "{message}");
        }
    }

    fn what_the_view_has_not_is_said_to_be_missing() {
        let mut host = Host::start();
        let mut order = shell("true");
        order.cwd = "/tmp".into();
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0));
        fs::create_dir_all("/tmp/elevate-cwd-test").unwrap();
        order.cwd = "/tmp/elevate-cwd-test".into();
        let mut led = host.lead(&order);
        led.attach();
        led.hand_over(&[]);
        led.make_scope();
        let (_, message) = led.refused();
        fs::remove_dir("/tmp/elevate-cwd-test").unwrap();
        assert!(message.contains("contained"), "{message}");
    }
}
