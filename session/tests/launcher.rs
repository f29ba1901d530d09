//! Whom the launcher serves, and what a resolver finds.

#[macro_use]
mod support;

use elevate_protocol::launch::{Purpose, Resolution, Resolve};
use elevate_protocol::paths;
use support::{Host, account, launch};

fn ask(command: &str) -> Resolve {
    Resolve {
        command: command.into(),
        cwd: "/".into(),
        search_path: "/usr/local/bin:/usr/bin:/bin".into(),
        target: account("alice"),
        hash: false,
        purpose: Purpose::Execute,
    }
}

fn move_to(cgroup: &str) {
    let cgroup = format!("{}/{cgroup}", paths::CGROUP);
    std::fs::create_dir_all(&cgroup).unwrap();
    std::fs::write(format!("{cgroup}/cgroup.procs"), "0").unwrap();
}

inside! {
    fn only_the_daemons_own_service_is_served() {
        let mut host = Host::start();
        for cgroup in ["system.slice", "user.slice/elevated.service", "system.slice/elevated.service/x"] {
            move_to(cgroup);
            host.reconnect();
            assert!(host.is_refused(), "{cgroup}");
        }
        move_to("system.slice/elevated.service");
        host.reconnect();
        assert!(matches!(host.resolve(&ask("true")), Resolution::Found(_)));
    }

    fn a_daemon_that_restarted_takes_the_place_of_the_old_one() {
        let mut host = Host::start();
        assert!(matches!(host.resolve(&ask("true")), Resolution::Found(_)));
        host.reconnect();
        assert!(matches!(host.resolve(&ask("true")), Resolution::Found(_)));
    }

    fn a_malformed_order_harms_nobody_else() {
        let mut host = Host::start();
        host.send_raw(b"X");
        host.send_raw(b"L../../..{}");
        host.send_raw(b"R00000000{}");
        let mut led = host.lead(&launch(&["/bin/true"]));
        led.begin(&[]);
        led.ended();
    }

    fn pam_has_the_word_on_an_account() {
        let host = Host::start();
        assert_eq!(host.check_account("root").refusal, None);
        // The host's own stack knows nobody of that name.
        let refusal = host.check_account("nobody-of-that-name").refusal.unwrap();
        assert!(refusal.message.contains("account of nobody-of-that-name"), "{refusal:?}");
    }

    fn a_session_of_an_account_that_is_not_in_order_does_not_begin() {
        let mut host = Host::start();
        let mut order = launch(&["/usr/bin/touch", "/mnt/ran"]);
        order.caller.name = "nobody-of-that-name".into();
        let mut led = host.lead(&order);
        led.attach();
        let (_, message) = led.refused();
        assert!(message.contains("account of nobody-of-that-name"), "{message}");
        assert!(!std::path::Path::new("/mnt/ran").exists());
    }

    fn the_targets_rights_decide_what_is_found() {
        let host = Host::start();
        std::fs::copy("/bin/true", "/mnt/secret/tool").unwrap();
        assert_eq!(host.resolve(&ask("/mnt/secret/tool")), Resolution::NotFound);
        let as_root = Resolve {
            target: account("root"),
            ..ask("/mnt/secret/tool")
        };
        assert!(matches!(host.resolve(&as_root), Resolution::Found(_)));
        std::fs::copy("/bin/true", "/mnt/tool").unwrap();
        std::fs::set_permissions("/mnt/tool", std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        assert!(matches!(host.resolve(&ask("/mnt/tool")), Resolution::Found(_)));
        let hashed = Resolve {
            hash: true,
            ..ask("/mnt/tool")
        };
        match host.resolve(&hashed) {
            Resolution::Failed(why) => assert!(why.contains("the target cannot read /mnt/tool")),
            other => panic!("{other:?}"),
        }
        std::fs::set_permissions("/mnt/tool", std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        assert_eq!(host.resolve(&ask("/mnt/tool")), Resolution::NotExecutable("/mnt/tool".into()));
    }
}
