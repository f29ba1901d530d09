//! The end of everything that runs with a leaver's uid, and of nothing else.

#[macro_use]
mod support;

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use elevate_protocol::limits::LOWEST_LEAVER;
use support::{Host, poll_until};

const ALICE: u32 = 4001;
const BOB: u32 = 4002;

/// What runs in the background; ended with the test's pid namespace at the latest.
struct Running(Child);

impl Running {
    /// `script` as `uid`, in a process group of its own.
    fn script(uid: u32, script: &str) -> Running {
        let mut command = Command::new("sh");
        let command = command
            .args(["-c", script])
            .uid(uid)
            .gid(uid)
            .process_group(0);
        Running(command.spawn().unwrap())
    }

    /// The same in Perl, which can fork without much else.
    fn perl(uid: u32, script: &str) -> Running {
        let mut command = Command::new("perl");
        let command = command.args(["-e", script]).uid(uid).gid(uid);
        Running(command.spawn().unwrap())
    }

    /// The same, with room for so many processes of that uid: a test must not take its host along.
    fn limited(uid: u32, processes: u32, script: &str) -> Running {
        let mut command = Command::new("prlimit");
        let limit = format!("--nproc={processes}:{processes}");
        let command = command
            .args([&limit, "perl", "-e", script])
            .uid(uid)
            .gid(uid);
        Running(command.spawn().unwrap())
    }

    /// A sleeper with these uids: real, effective, saved and file-system.
    fn with_uids(uids: [u32; 4]) -> Running {
        let [real, effective, saved, files] = uids;
        let (set, set_files) = (libc::SYS_setresuid, libc::SYS_setfsuid);
        let running = Running::perl(
            0,
            &format!(
                "syscall({set}, {real}, {effective}, {saved}); syscall({set_files}, {files}); \
                 sleep 1000"
            ),
        );
        let wanted = uids.map(|uid| uid.to_string()).join("\t");
        let status = format!("/proc/{}/status", running.0.id());
        poll_until("the change of uids", || {
            let status = std::fs::read_to_string(&status).unwrap();
            status.contains(&format!("Uid:\t{wanted}\n")).then_some(())
        });
        running
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    fn until_killed(&mut self) {
        poll_until("SIGKILL", || {
            use std::os::unix::process::ExitStatusExt;
            let status = self.0.try_wait().unwrap()?;
            assert_eq!(status.signal(), Some(9));
            Some(())
        });
    }
}

/// How many processes of `uid` are neither over nor zombies.
fn count(uid: u32) -> usize {
    let own = |entry: std::fs::DirEntry| {
        let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
        let theirs = status.contains(&format!("Uid:\t{uid}\t"));
        (theirs && !status.contains("State:\tZ")).then_some(())
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(own).count()
}

inside! {
    fn everything_of_a_leaver_ends_and_nothing_of_anybody_else() {
        let host = Host::start();
        let mut bobs = Running::script(BOB, "sleep 1000");
        let mut roots = Running::script(0, "sleep 1000");
        let mut group = Running(Command::new("sleep").arg("1000").gid(ALICE).spawn().unwrap());
        Running::script(ALICE, "sleep 1000 & setsid sleep 1000 & trap '' TERM HUP INT; wait");
        poll_until("her processes", || (count(ALICE) == 3).then_some(()));
        let ended = host.end_user(ALICE).unwrap();
        assert_eq!((ended.ended, ended.left), (3, 0));
        assert_eq!(count(ALICE), 0);
        assert!(bobs.is_alive() && roots.is_alive() && group.is_alive());
    }

    fn each_of_the_four_uids_makes_a_process_hers() {
        let host = Host::start();
        let hers = [[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]];
        let hers = hers.map(|places| places.map(|place| place * ALICE));
        let mut hers = hers.map(Running::with_uids);
        let mut stopped = Running::script(ALICE, "kill -STOP $$");
        let ended = host.end_user(ALICE).unwrap();
        assert_eq!(ended.left, 0);
        hers.iter_mut().chain([&mut stopped]).for_each(Running::until_killed);
        assert_eq!(ended.ended, 5);
    }

    fn a_storm_of_forks_is_gone_when_the_answer_comes() {
        let host = Host::start();
        let mut bobs = Running::script(BOB, "sleep 1000");
        // Chains that outrun a walk through /proc: each process is gone when its child is there.
        let reaper = libc::PR_SET_CHILD_SUBREAPER;
        let (prctl, setresuid) = (libc::SYS_prctl, libc::SYS_setresuid);
        let _chains = Running::perl(0, &format!(
            "syscall({prctl}, {reaper}, 1, 0, 0, 0);
             for (1..4) {{
                 next if fork;
                 syscall({setresuid}, {ALICE}, {ALICE}, {ALICE});
                 while (1) {{ exit if fork }}
             }}
             while (1) {{ wait > 0 or sleep 1 }}"
        ));
        // And a crowd that grows, as long as it is let.
        let crowd = "while (1) { defined fork or select(undef, undef, undef, 0.01) }";
        Running::limited(ALICE, 300, crowd);
        poll_until("the storm", || (count(ALICE) > 100).then_some(()));
        let ended = host.end_user(ALICE).unwrap();
        assert_eq!(ended.left, 0);
        assert_eq!(count(ALICE), 0, "and nothing comes after");
        assert!(ended.ended > 50, "{ended:?}");
        assert!(bobs.is_alive());
    }

    fn whoever_stops_or_kills_the_sender_is_ended_all_the_same() {
        let host = Host::start();
        // The sender has her uid for a moment, so that her processes may signal it.
        let fight = "while (1) { opendir(D, '/proc'); for (grep { /^\\d+$/ && $_ != $$ } readdir D) \
                     { kill('STOP', $_); kill('KILL', $_) } }";
        let mut fighter = Running::perl(ALICE, fight);
        let ended = host.end_user(ALICE).unwrap();
        assert_eq!(ended.left, 0);
        fighter.until_killed();
    }

    fn another_uid_in_a_user_namespace_of_hers_ends_too() {
        let host = Host::start();
        // As in a container of hers that runs without root: /etc/subuid lends her these uids.
        let inside = "until grep -q 100000 /proc/self/gid_map; do sleep 0.01; done
            exec setpriv --reuid 5 --regid 5 --clear-groups sleep 1000";
        let mut command = Command::new("unshare");
        let command = command.args(["--user", "sh", "-c", inside]).uid(ALICE).gid(ALICE);
        let mut inner = Running(command.spawn().unwrap());
        let folder = format!("/proc/{}", inner.0.id());
        poll_until("her namespace", || {
            let other = std::fs::read_link(format!("{folder}/ns/user")).unwrap();
            (other != std::fs::read_link("/proc/self/ns/user").unwrap()).then_some(())
        });
        for map in ["uid_map", "gid_map"] {
            std::fs::write(format!("{folder}/{map}"), format!("0 {ALICE} 1\n1 100000 9\n")).unwrap();
        }
        poll_until("the other uid", || (count(100_004) == 1).then_some(()));
        assert_eq!(host.end_user(ALICE).unwrap().left, 0);
        inner.until_killed();
    }

    fn a_uid_without_processes_is_told_at_once() {
        let host = Host::start();
        let ended = host.end_user(ALICE).unwrap();
        assert_eq!((ended.ended, ended.left), (0, 0));
    }

    fn root_and_system_accounts_and_negative_uids_are_refused() {
        let host = Host::start();
        let mut roots = Running::script(0, "sleep 1000");
        let mut daemons = Running::script(LOWEST_LEAVER - 1, "sleep 1000");
        for uid in [0, 1, LOWEST_LEAVER - 1, 1 << 31, u32::MAX] {
            assert_eq!(host.end_user(uid), None, "{uid}");
        }
        assert!(roots.is_alive() && daemons.is_alive());
        host.end_user(LOWEST_LEAVER).unwrap();
        assert!(roots.is_alive() && daemons.is_alive(), "and the launcher serves on");
    }
}
