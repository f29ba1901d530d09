//! What is executed: the file that was judged, as it was judged, and where the rule says so nothing
//! after it.

#[macro_use]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use elevate_protocol::ErrorName;
use elevate_protocol::launch::{Execs, File, Launch};
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{Status, Window};
use sha2::{Digest, Sha256};
use support::{Host, file, launch};

fn write_script(path: &str, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The file as a resolver describes one that others can write, with its hash.
fn hashed(path: &str) -> File {
    let hash = Sha256::digest(fs::read(path).unwrap());
    File {
        fixed: false,
        sha256: Some(hash.iter().map(|byte| format!("{byte:02x}")).collect()),
        ..file(path)
    }
}

fn hashed_script(path: &str) -> Launch {
    let mut order = launch(&[path, "word"]);
    order.file = hashed(path);
    order.file.interpreter = Some(Box::new(file("/bin/sh")));
    order
}

fn run(order: &Launch) -> (Status, String) {
    let mut host = Host::start();
    let mut led = host.lead(order);
    led.begin(&[]);
    let (status, _) = led.ended();
    (status, led.output())
}

fn refused(order: &Launch) -> (ErrorName, String) {
    let mut host = Host::start();
    let mut led = host.lead(order);
    led.attach();
    led.hand_over(&[]);
    led.make_scope();
    led.refused()
}

inside! {
    fn a_hashed_script_stays_what_it_was_while_it_runs() {
        // More than a shell reads ahead.
        let between = "# nothing\n".repeat(20_000);
        let text = |last: &str| format!("#!/bin/sh\necho $1\nread go\n{between}echo {last}\n");
        write_script("/mnt/script", &text("right"));
        for sealed in [true, false] {
            write_script("/mnt/script", &text("right"));
            let mut order = hashed_script("/mnt/script");
            order.window = Some(Window { rows: 24, columns: 80 });
            order.routes = [Route::Terminal; 3];
            if !sealed {
                order.file.sha256 = None;
            }
            let mut host = Host::start();
            let mut led = host.lead(&order);
            led.begin(&[]);
            led.shows("word");
            fs::write("/mnt/script", text("wrong")).unwrap();
            led.type_in("go\n");
            led.ended();
            let last = if sealed { "right" } else { "wrong" };
            let shown = String::from_utf8_lossy(&led.terminal).into_owned();
            assert!(shown.ends_with(&format!("{last}\r\n")), "{shown}");
        }
    }

    fn a_hashed_program_runs_from_memory() {
        fs::copy("/bin/readlink", "/mnt/tool").unwrap();
        let mut order = launch(&["/mnt/tool", "/proc/self/exe"]);
        order.file = hashed("/mnt/tool");
        assert_eq!(run(&order), (Status::Exited(0), "/memfd:elevate-command (deleted)\n".into()));
    }

    fn other_contents_in_the_same_state_are_not_executed() {
        write_script("/mnt/script", "#!/bin/sh\necho right\n");
        let mut order = hashed_script("/mnt/script");
        fs::write("/mnt/script", "#!/bin/sh\necho wrong\n").unwrap();
        // As one could make it look who sets the clock.
        order.file.identity = file("/mnt/script").identity;
        assert_eq!(refused(&order).0, ErrorName::Changed);
    }

    fn exactly_one_exec_passes_where_the_rule_denies_more() {
        let script = "/bin/true; echo $?; (exec /bin/echo never); echo still here";
        let mut order = launch(&["/bin/sh", "-c", script]);
        order.execs = Execs::Deny;
        let mut host = Host::start();
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0));
        assert_eq!(led.output(), "126\nstill here\n");
        let denied: Vec<_> = led.execs.iter().map(|exec| exec.denied).collect();
        assert_eq!(denied, [false, true, true]);
    }

    fn a_script_and_its_interpreter_are_one_exec() {
        write_script("/mnt/script", "#!/bin/sh\necho ran; /bin/true || echo no more\n");
        let mut order = launch(&["/mnt/script"]);
        order.file.interpreter = Some(Box::new(file("/bin/sh")));
        order.execs = Execs::Deny;
        assert_eq!(run(&order), (Status::Exited(0), "ran\nno more\n".into()));
        let mut order = hashed_script("/mnt/script");
        order.execs = Execs::Deny;
        assert_eq!(run(&order), (Status::Exited(0), "ran\nno more\n".into()));
    }

    fn no_other_way_to_execute_passes_either() {
        let program = "import ctypes, os\n\
            libc = ctypes.CDLL(None, use_errno=True)\n\
            def attempt(*call):\n\
            \x20   libc.syscall(*call)\n\
            \x20   print(os.strerror(ctypes.get_errno()))\n\
            words = (ctypes.c_char_p * 2)(b'true', None)\n\
            fd = os.open('/bin/true', os.O_RDONLY)\n\
            attempt(59, b'/bin/true', words, None)\n\
            attempt(322, fd, b'', words, None, 0x1000)\n\
            attempt(0x40000000 | 520, b'/bin/true', words, None)\n\
            attempt(0x40000000 | 545, fd, b'', words, None, 0x1000)";
        let mut order = launch(&["/usr/bin/python3", "-c", program]);
        order.execs = Execs::Deny;
        let said = run(&order).1;
        assert_eq!(said.lines().collect::<Vec<_>>(), ["Operation not permitted"; 4], "{said}");
    }
}
