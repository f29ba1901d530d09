//! Callers in a place of their own making: another root, another mount namespace, with a hostile
//! `nsswitch.conf` and libraries beside it (CVE-2025-32463). Nothing of ours goes there.

use super::{MACHINE, login, voter};

/// Says which of the files in these folders are opened, from then on until it is killed.
const WATCH: &str = r#"
my ($init, $add) = `uname -m` =~ /x86_64/ ? (294, 254) : (26, 27);
my $watch = syscall($init, 0);
for my $folder (@ARGV) { my $path = "$folder"; syscall($add, $watch, $path, 0x20 | 0x1) >= 0 or die "$folder: $!"; }
open(my $events, "<&=", $watch);
$| = 1;
print "watching\n";
while (sysread($events, my $event, 4096)) {
    while (length $event) {
        my ($wd, $mask, $cookie, $length) = unpack("iIII", $event);
        print unpack("Z*", substr($event, 16, $length)), "\n";
        $event = substr($event, 16 + $length);
    }
}
"#;

/// A root of the caller's with everything that a careless program would read.
const TRAP: &str = r#"
mkdir -p trap/etc/pam.d trap/usr/bin trap/usr/lib/elevate trap/lib trap/lib64 trap/proc trap/run trap/root
for folder in trap/usr/lib trap/lib; do
    mkdir -p $folder/x86_64-linux-gnu $folder/aarch64-linux-gnu $folder/security
    for name in libnss_trap.so.2 x86_64-linux-gnu/libnss_trap.so.2 aarch64-linux-gnu/libnss_trap.so.2; do
        echo no library >$folder/$name
    done
done
echo 'passwd: trap
group: trap
hosts: trap' >trap/etc/nsswitch.conf
echo 'root:x:0:0::/:/bin/sh' >trap/etc/passwd
printf '#!/bin/sh\ntouch /trapped\n' >trap/usr/bin/touch
cp trap/usr/bin/touch trap/usr/bin/id
cp trap/usr/bin/touch trap/usr/bin/sh
chmod 755 trap/usr/bin/*
cp trap/etc/nsswitch.conf trap/etc/passwd trap/usr/lib/libnss_trap.so.2 trap/
"#;

const FOLDERS: &str = "trap trap/etc trap/etc/pam.d trap/usr/bin trap/usr/lib trap/usr/lib/elevate trap/lib \
    trap/lib64 trap/usr/lib/x86_64-linux-gnu trap/lib/x86_64-linux-gnu trap/usr/lib/security trap/run";

#[test]
fn nothing_of_ours_opens_a_file_in_a_root_of_the_callers() {
    let machine = MACHINE.get();
    let user = login(&machine, "roxy", "recorded");
    user.run(TRAP).success();
    machine.write("/usr/local/bin/watch-opens", WATCH, 0o644);
    let line = format!("exec perl /usr/local/bin/watch-opens {FOLDERS}");
    let watching = user.command(&line).start();
    machine.poll("the watch", std::time::Duration::from_secs(20), || {
        watching.stdout_so_far().contains("watching").then_some(())
    });
    // All that the client itself needs is loaded before it goes in.
    let program = r#"
import pwd
bus = Bus()
os.chdir("/home/roxy/trap")
os.chroot("/home/roxy/trap")
os.chdir("/")
for argv in (["touch", "/roxy-was-here"], ["id"], ["/usr/bin/id"], ["usr/bin/id"]):
    id, stream = elevate(argv, bus, cwd=("ay", b"/"))
    stream.prove()
    assert stream.hear()["type"] == "attach"
    stream.say("stdio")
    print(stream.rest()[-1], flush=True)
"#;
    let client = format!("{}\n\n{program}", include_str!("../../src/hostile.py"));
    let inside = user
        .command("exec unshare --user --map-current-user --keep-caps --mount python3 -")
        .stdin(client.as_bytes())
        .run()
        .success();
    assert_eq!(
        inside.text().matches("exited").count(),
        4,
        "{}",
        inside.describe()
    );
    assert!(machine.has("/roxy-was-here"), "it ran on the host");
    let opened = watching.stdout_so_far();
    assert_eq!(opened.trim(), "watching", "somebody went into the trap");

    // Whoever looks a name up in there does open the file.
    let careless = "unshare --user --map-current-user --keep-caps --mount python3 -c \
        'import os, pwd, sys; os.chroot(\"/home/roxy/trap\"); pwd.getpwnam(\"nobody-at-all\")'";
    user.run(careless);
    machine.poll(
        "a careless program",
        std::time::Duration::from_secs(20),
        || {
            watching
                .stdout_so_far()
                .contains("nsswitch.conf")
                .then_some(())
        },
    );
    assert!(!machine.has("/trapped") && !machine.has("/home/roxy/trap/trapped"));
}

#[test]
fn nothing_of_ours_opens_a_file_in_the_callers_folder() {
    let machine = MACHINE.get();
    let user = login(&machine, "rory", "recorded");
    user.run(TRAP).success();
    machine.write("/usr/local/bin/watch-openings", WATCH, 0o644);
    let line = format!("exec perl /usr/local/bin/watch-openings {FOLDERS}");
    let watching = user.command(&line).start();
    machine.poll("the watch", std::time::Duration::from_secs(20), || {
        watching.stdout_so_far().contains("watching").then_some(())
    });
    for folder in ["trap", "trap/etc", "trap/usr/lib", "trap/usr/bin"] {
        let seen = user
            .run(&format!("cd {folder} && elevate id -un"))
            .success();
        assert_eq!(seen.text(), "root");
        user.run(&format!("elevate -D {folder} -u nobody id -un"))
            .success();
    }
    let opened = watching.stdout_so_far();
    assert_eq!(opened.trim(), "watching", "somebody read what lay there");
    user.run("cat trap/nsswitch.conf").success();
    machine.poll("a reader", std::time::Duration::from_secs(20), || {
        watching
            .stdout_so_far()
            .contains("nsswitch.conf")
            .then_some(())
    });
}

/// In a mount namespace of the caller's other files have the names of the host's.
#[test]
fn a_path_through_another_mount_namespace_leads_to_the_hosts_file_or_nowhere() {
    let machine = MACHINE.get();
    let user = login(&machine, "ramon", "recorded");
    user.run(TRAP).success();
    let inside = "exec unshare --user --map-current-user --keep-caps --mount sh -c '\
        mount --bind trap/usr/bin/id /usr/bin/id && cd /usr/bin && exec sleep 311'";
    let _inside = user.command(inside).start();
    let pid = machine.poll("the namespace", std::time::Duration::from_secs(20), || {
        let found = machine.run(&["pgrep", "--uid", "ramon", "--full", "--exact", "sleep 311"]);
        found.text().lines().next().map(str::to_owned)
    });
    let seen = user
        .run(&format!("cat /proc/{pid}/root/usr/bin/id"))
        .success();
    assert!(seen.text().contains("trapped"), "there it is another file");
    for line in [
        format!("elevate /proc/{pid}/root/usr/bin/id -un"),
        format!("elevate /proc/{pid}/cwd/id -un"),
        format!("elevate -D /proc/{pid}/root/usr/bin ./id -un"),
        format!("cd /proc/{pid}/cwd && elevate ./id -un"),
        format!("cd /proc/{pid}/root/usr/bin && elevate id -un"),
        format!("elevate -i /proc/{pid}/root/usr/bin/id -un"),
        format!("elevate -s /proc/{pid}/cwd/id -un"),
    ] {
        let ended = user.run(&line);
        let said = ended.describe();
        assert!(ended.status != 0 || ended.text() == "root", "{said}");
        assert!(!machine.has("/trapped"), "{said}");
    }
    // The client itself inside: what it names is a file of the host's.
    let asks = "unshare --user --map-current-user --keep-caps --mount sh -c '\
        mount --bind trap/usr/bin/id /usr/bin/id && elevate /usr/bin/id -un'";
    assert_eq!(user.run(asks).success().text(), "root");
    assert!(!machine.has("/trapped"));
}

/// CVE-2021-23239 by a mount: the path stays, and the file below it is another.
#[test]
fn a_file_that_is_mounted_over_after_it_was_shown_does_not_run() {
    let machine = MACHINE.get();
    let user = login(&machine, "romeo", "asking");
    let approver = voter(&machine, "rosalind");
    machine.write("/opt/tool/run", "#!/bin/sh\necho shown\n", 0o755);
    machine.write("/opt/other/run", "#!/bin/sh\ntouch /mounted-over\n", 0o755);
    let ask = |line: &str, number: usize| {
        let asking = user.command(line).start();
        let id = machine.poll("the request", std::time::Duration::from_secs(20), || {
            let asked = [("ELEVATE_EVENT", "request"), ("ELEVATE_USER", "romeo")];
            machine
                .events(&asked)
                .get(number)
                .map(elevate_tests::Entry::request)
        });
        (asking, id)
    };
    for (number, (from, to)) in [("other/run", "tool/run"), ("other", "tool")]
        .iter()
        .enumerate()
    {
        let (asking, id) = ask("elevate /opt/tool/run", number);
        let (from, to) = (format!("/opt/{from}"), format!("/opt/{to}"));
        machine.run(&["mount", "--bind", &from, &to]).success();
        approver.approve(&id);
        let ended = asking.wait();
        machine.run(&["umount", &to]).success();
        assert_ne!(ended.status, 0, "{}", ended.describe());
        assert!(
            ended.errors().contains("no longer the file"),
            "{}",
            ended.describe()
        );
    }
    // In a namespace of the caller's it is nobody's business.
    let inside = "unshare --user --map-current-user --keep-caps --mount sh -c '\
        mount --bind /opt/other/run /opt/tool/run && exec elevate /opt/tool/run'";
    let (asking, id) = ask(inside, 2);
    approver.approve(&id).success();
    assert_eq!(asking.wait().success().text(), "shown");
    assert!(!machine.has("/mounted-over"));
}
