//! Sessions without a terminal: what the command is, gets and gives back.

#[macro_use]
mod support;

use std::os::fd::AsFd;

use elevate_protocol::ErrorName;
use elevate_protocol::launch::FromLeader;
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{EndReason, Status};
use rustix::pipe::pipe;
use support::{Host, account, file, launch};

inside! {
    fn a_command_runs_and_its_output_and_status_come_back() {
        let mut host = Host::start();
        let script = "echo out; echo err >&2; exit 7";
        let mut led = host.lead(&launch(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        assert_eq!(led.ended(), (Status::Exited(7), EndReason::Finished));
        assert_eq!((&led.output[..], &led.error[..]), (&b"out\n"[..], &b"err\n"[..]));
        host.expect_over(led.id);
    }

    fn a_signal_that_ends_the_command_comes_back() {
        let mut host = Host::start();
        let mut led = host.lead(&launch(&["/bin/sh", "-c", "kill -USR1 $$"]));
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Signaled(10));
    }

    fn the_command_is_the_target_in_every_respect() {
        let mut host = Host::start();
        let script = "id -u; id -g; id -G; grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|SigBlk|SigIgn)' /proc/self/status; umask; pwd; ulimit -n; env; ls /proc/self/fd | wc -l";
        let mut order = launch(&["/bin/sh", "-c", script]);
        order.target = account("alice");
        order.target.groups = vec![4001, 50];
        order.cwd = "/usr".into();
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.ended();
        let expected = [
            "4001", "4001", "4001 50",
            // dash's child may ignore nothing, block nothing and do nothing of root's.
            "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000",
            "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000",
            "CapEff:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t0",
            "0022", "/usr", "700",
        ];
        let output = led.output();
        let lines: Vec<_> = output.lines().collect();
        assert_eq!(lines[..expected.len()], expected, "{output}");
        // ls has the three standard ones and the folder that it lists.
        assert_eq!(lines.last(), Some(&"4"), "{output}");
        let mut environment = lines[expected.len()..lines.len() - 1].to_vec();
        environment.retain(|variable| !variable.starts_with("PWD="));
        environment.sort_unstable();
        // The shell's own PWD aside: what was ordered, and of PAM's what steers nothing.
        assert_eq!(environment, ["KRB5CCNAME=FILE:/tmp/krb5", "PATH=/usr/bin:/bin", "TERM=dumb"]);
    }

    fn the_keyring_is_new_and_the_targets() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/grep", " _ses", "/proc/keys"]);
        order.target = account("alice");
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0), "{}", led.output());
        let keys = led.output();
        assert!(keys.lines().any(|key| key.contains(" 4001 ")), "{keys}");
    }

    fn pipes_of_the_client_go_to_the_command() {
        let mut host = Host::start();
        let (input, to_command) = pipe().unwrap();
        let (from_command, output) = pipe().unwrap();
        let mut order = launch(&["/bin/cat"]);
        order.routes = [Route::Pass, Route::Pass, Route::Null];
        let mut led = host.lead(&order);
        led.begin(&[input.as_fd(), output.as_fd()]);
        drop((input, output));
        rustix::io::write(&to_command, b"through").unwrap();
        drop(to_command);
        let text = std::io::read_to_string(std::fs::File::from(from_command)).unwrap();
        assert_eq!(text, "through");
        assert_eq!(led.ended().0, Status::Exited(0));
    }

    fn carried_output_arrives_to_the_last_byte() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/sh", "-c", "seq 300000"]);
        order.record = elevate_protocol::launch::Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().0, Status::Exited(0));
        let expected: String = (1..=300_000).map(|n| format!("{n}\n")).collect();
        assert!(led.output == expected.as_bytes());
        assert_eq!(support::recorded(led.id), expected);
    }

    fn a_client_that_reads_late_still_gets_everything() {
        let mut host = Host::start();
        let mut led = host.lead(&launch(&["/bin/sh", "-c", "seq 300000"]));
        led.begin(&[]);
        // Nothing is read until the command cannot write any more.
        let state = format!("/proc/{}/wchan", led.pid);
        support::poll_until("a full pipe", || {
            let waits = support::processes(led.id).iter().any(|pid| {
                let wait = std::fs::read_to_string(format!("/proc/{pid}/wchan"));
                wait.is_ok_and(|wait| wait.contains("pipe_write"))
            });
            (waits || std::fs::read_to_string(&state).is_err()).then_some(())
        });
        led.ended();
        assert_eq!(led.output().lines().last(), Some("300000"));
    }

    fn a_folder_that_neither_side_can_enter_is_not_entered() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/pwd"]);
        order.cwd = "/mnt/secret".into();
        order.target = account("mallory");
        let mut led = host.lead(&order);
        led.attach();
        led.hand_over(&[]);
        led.make_scope();
        let (error, message) = led.refused();
        assert_eq!(error, ErrorName::InvalidArgument);
        assert!(message.contains("neither mallory nor alice can enter /mnt/secret"), "{message}");
        host.expect_over(led.id);
        order.target = account("root");
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.ended();
        assert_eq!(led.output(), "/mnt/secret\n");
    }

    fn a_file_that_changed_since_it_was_judged_is_not_executed() {
        let mut host = Host::start();
        for fixed in [true, false] {
            std::fs::copy("/bin/true", "/mnt/tool").unwrap();
            let mut order = launch(&["/mnt/tool"]);
            order.file.fixed = fixed;
            std::fs::copy("/bin/echo", "/mnt/tool").unwrap();
            let mut led = host.lead(&order);
            led.attach();
            led.hand_over(&[]);
            led.make_scope();
            assert_eq!(led.refused().0, ErrorName::Changed);
        }
    }

    fn what_others_could_change_runs_by_descriptor_scripts_too() {
        let mut host = Host::start();
        std::fs::write("/mnt/script", "#!/bin/sh\necho ran $1\n").unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions("/mnt/script", executable).unwrap();
        let mut order = launch(&["/mnt/script", "well"]);
        order.file.fixed = false;
        order.file.interpreter = Some(Box::new(file("/bin/sh")));
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.ended();
        assert_eq!(led.output(), "ran well\n");
        let mut order = launch(&["/bin/echo", "well"]);
        order.file.fixed = false;
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.ended();
        assert_eq!(led.output(), "well\n");
    }

    fn a_file_that_cannot_be_executed_is_said_to_be_so() {
        let mut host = Host::start();
        std::fs::write("/mnt/empty", "").unwrap();
        for (path, error) in [
            ("/mnt/empty", ErrorName::CommandNotExecutable),
            ("/mnt/nothing", ErrorName::CommandNotFound),
        ] {
            let mut led = host.lead(&launch(&[path]));
            led.attach();
            led.hand_over(&[]);
            led.make_scope();
            assert_eq!(led.refused().0, error, "{path}");
        }
    }

    fn a_command_outside_its_scope_is_not_let_go() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/true"]);
        order.limited = true;
        let mut led = host.lead(&order);
        led.attach();
        led.hand_over(&[]);
        led.leave_scope();
        led.tell(&elevate_protocol::launch::ToLeader::ScopeReady);
        let (error, message) = led.refused();
        assert_eq!(error, ErrorName::Failed);
        assert!(message.contains("not in its scope"), "{message}");
    }

    fn an_expired_caller_is_refused() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/true"]);
        order.caller = account("mallory");
        let mut led = host.lead(&order);
        led.attach();
        let told = (ErrorName::Denied, "the account of mallory has expired".to_owned());
        assert_eq!(led.refused(), told);
        host.expect_over(led.id);
    }

    fn hostile_ids_are_refused() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/true"]);
        order.target.uid = u32::MAX;
        let mut led = host.lead(&order);
        assert_eq!(led.refused().0, ErrorName::InvalidArgument);
    }

    fn the_leader_keeps_no_limit_of_the_commands() {
        let mut host = Host::start();
        let mut led = host.lead(&launch(&["/bin/sleep", "60"]));
        led.begin(&[]);
        let soft = |pid| {
            let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
            let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
            line.split_whitespace().nth(3).unwrap().to_owned()
        };
        assert_eq!(soft(led.pid), "700");
        assert_ne!(soft(led.leader), "700");
        led.drop_control();
        assert!(matches!(led.hear_client(), elevate_protocol::stream::ToClient::Ended { .. }));
    }

    fn how_much_was_recorded_and_executed_is_counted() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/sh", "-c", "/bin/echo 12345"]);
        order.record = elevate_protocol::launch::Record::Output;
        order.execs = elevate_protocol::launch::Execs::Log;
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.hear_client();
        match led.hear_control() {
            FromLeader::Ended { recorded, execs, .. } => assert_eq!((recorded, execs), (6, 2)),
            other => panic!("{other:?}"),
        }
    }
}
