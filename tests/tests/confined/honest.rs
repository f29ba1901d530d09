//! What a contained session is for works as without.

use super::{MACHINE, elevated, login};

#[test]
fn a_contained_command_does_its_work() {
    let machine = MACHINE.get();
    let user = login(&machine, "wanda", "contained");
    let work = "umask; id -un; cat /etc/hostname >/dev/null && cd /srv/data && mkdir -p site && echo new >site/index \
        && tar cf site.tar site && mv site.tar site/ && chown nobody site/index && chmod 600 site/index \
        && echo tmp >/tmp/x && ps -e | wc -l && exit 5";
    let did = elevated(&user, "", work).status(5);
    let lines: Vec<_> = did.text().lines().map(str::to_owned).collect();
    assert_eq!(lines[..2], ["0022", "root"], "{did:?}");
    let seen: u32 = lines[2].parse().expect("a number");
    assert!(seen < 8, "{did:?}");
    let made = machine.run(&["stat", "-c", "%U %a", "/srv/data/site/index"]);
    assert_eq!(made.success().text(), "nobody 600");
    let end = machine.event("end", &[("ELEVATE_USER", "wanda")]);
    assert_eq!(end.get("ELEVATE_STATUS").as_deref(), Some("exit 5"));
    let execs = machine.events(&[("ELEVATE_USER", "wanda"), ("ELEVATE_EVENT", "exec")]);
    assert!(execs.len() > 8, "{} execs", execs.len());
}

#[test]
fn who_it_runs_as_is_who_it_runs_as() {
    let machine = MACHINE.get();
    let user = login(&machine, "ulla", "contained");
    let did = elevated(
        &user,
        "-u nobody",
        "id -un; cat /etc/shadow 2>/dev/null || echo no",
    );
    assert_eq!(did.success().text(), "nobody\nno");
}

#[test]
fn pipes_go_through_a_contained_command_to_the_last_byte() {
    let machine = MACHINE.get();
    let user = login(&machine, "pipa", "contained");
    let through = user.run("seq 300000 | elevate cat | sha256sum; seq 300000 | sha256sum");
    let through = through.success().text();
    let sums: Vec<_> = through.lines().collect();
    assert_eq!(sums[0], sums[1]);
}

#[test]
fn a_contained_terminal_has_job_control() {
    let machine = MACHINE.get();
    let user = login(&machine, "tess", "contained");
    let mut shell = user.shell();
    shell.send("elevate bash --norc --noprofile --noediting\n");
    shell.expect("# $");
    shell.send("tty; sleep 1000\n");
    shell.expect("/dev/console");
    shell.send("\x1a");
    shell.expect(r"Stopped[^#]*# $");
    shell.send("fg\n");
    shell.expect(r"fg\r\n.*sleep 1000\r\n");
    shell.send("\x03");
    shell.expect(r"\^C[^#]*# $");
    shell.send("exit 6\n");
    shell.expect("ready> $");
    shell.send("echo ended with $?\n");
    shell.expect("ended with 6");
}

#[test]
fn the_network_is_there_where_the_rule_says_so() {
    let machine = MACHINE.get();
    let links = "ls /sys/class/net | tr '\\n' ' '; grep -c : /proc/net/dev";
    let host = machine.run(&["sh", "-c", links]).text();
    let networked = login(&machine, "nils", "networked");
    assert_eq!(elevated(&networked, "", links).success().text(), host);
    // sshd listens on the machine's loopback, and is not there in one of the session's own.
    let connect = "exec 3<>/dev/tcp/127.0.0.1/22 && head -c 3 <&3";
    machine.write("/scripts/connect", connect, 0o644);
    let reach = networked.run("elevate bash /scripts/connect").success();
    assert_eq!(reach.text(), "SSH");
    let contained = login(&machine, "nell", "contained");
    let reach = contained.run("elevate bash /scripts/connect");
    assert!(reach.errors().contains("Connection refused"), "{reach:?}");
}

#[test]
fn what_cannot_be_confined_does_not_run() {
    let machine = MACHINE.get();
    let user = login(&machine, "lena", "misplaced");
    let refused = elevated(&user, "", "echo ran");
    assert_ne!(refused.status, 0);
    assert_eq!(refused.text(), "");
    assert!(
        refused.errors().contains("/srv/nowhere cannot be writable"),
        "{refused:?}"
    );
}
