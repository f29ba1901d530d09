//! What differs on purpose. The list is that of "Coming from sudo" in docs/admin-guide.md.

use std::collections::BTreeSet;

use super::{MACHINE, both, login};

#[test]
fn wrong_use_is_status_2_and_what_is_not_found_or_not_executable_127_and_126() {
    let machine = MACHINE.get();
    let bea = login(&machine, "bea", "all");
    for (line, of_sudo, ours) in [
        ("@ --no-such-flag id", 1, 2),
        ("@ -i -s id", 1, 2),
        ("@ -i -E id", 1, 2),
        ("@ -A -S id", 1, 2),
        ("@ -U ada id", 1, 2),
        ("@ -v id", 1, 2),
        ("@ -K id", 1, 2),
        ("@ -e", 1, 2),
        ("@", 1, 2),
        ("@ no-such-command", 1, 127),
        ("@ /nowhere/at/all", 1, 127),
        ("@ /etc/hostname", 1, 126),
    ] {
        let (sudo, elevate) = both(&bea, line);
        let seen = (sudo.status, elevate.status);
        assert_eq!(seen, (of_sudo, ours), "{line}: {}", elevate.describe());
        assert_eq!(elevate.text(), "", "{line}");
        assert!(elevate.errors().contains("elevate"), "{line}: {elevate:?}");
    }
}

#[test]
fn flags_that_are_not_here_say_what_to_do_instead_and_run_nothing() {
    let machine = MACHINE.get();
    let ben = login(&machine, "ben", "all");
    for (line, hint) in [
        ("@ -T 5 echo ran", "--for"),
        ("@ -C 9 echo ran", "no other descriptors"),
        ("@ -R / echo ran", "chroot"),
        ("@ -r role echo ran", "SELinux"),
        ("@ -t type echo ran", "SELinux"),
        ("@ -B echo ran", "ring"),
        ("@ -N echo ran", "elevate -k"),
        ("@ -P echo ran", "-g"),
        ("@ -h elsewhere echo ran", "ssh HOST"),
        ("@ --host=elsewhere echo ran", "ssh HOST"),
        ("@ -i -D / pwd", "use -s"),
    ] {
        let refused = ben.run(&line.replace('@', "elevate")).status(2);
        assert_eq!(refused.text(), "", "{line}");
        assert!(refused.errors().contains(hint), "{line}: {refused:?}");
    }
}

/// sudo has the shell expand `$` in the words of -i and -s; here the command gets exactly the words
/// that were judged. And a shell's own commands are none that could be judged.
#[test]
fn the_words_after_i_and_s_are_a_command_and_reach_it_as_they_are() {
    let machine = MACHINE.get();
    let bob = login(&machine, "bob", "all");
    for flag in ["-i", "-s"] {
        let (sudo, elevate) = both(&bob, &format!("@ {flag} echo '$HOME'"));
        assert_eq!(
            (sudo.text().as_str(), elevate.text().as_str()),
            ("/root", "$HOME")
        );
        let (sudo, elevate) = both(&bob, &format!("@ {flag} type cd"));
        assert_eq!((sudo.status, elevate.status), (0, 127));
    }
}

#[test]
fn the_shell_of_s_is_that_of_the_account_and_not_of_the_environment() {
    let machine = MACHINE.get();
    let bri = login(&machine, "bri", "all");
    let (sudo, elevate) = both(&bri, "echo 'echo $0' | SHELL=/bin/sh @ -s");
    assert_eq!(sudo.text(), "/bin/sh");
    assert_eq!(elevate.text(), "/bin/bash");
}

#[test]
fn a_folder_may_be_meant_from_here() {
    let machine = MACHINE.get();
    let bev = login(&machine, "bev", "all");
    bev.run("mkdir -p here/there").success();
    for (line, ours) in [
        ("@ -D here pwd", "/home/bev/here"),
        ("@ --chdir=here/there pwd", "/home/bev/here/there"),
        ("cd here && @ -D .. pwd", "/home/bev"),
    ] {
        let (sudo, elevate) = both(&bev, line);
        assert_eq!(sudo.status, 1, "{line}");
        assert_eq!(elevate.success().text(), ours, "{line}");
    }
}

/// What was judged is what the script is called by.
#[test]
fn a_script_sees_its_path_from_the_root_on_however_it_was_called() {
    let machine = MACHINE.get();
    let bix = login(&machine, "bix", "all");
    for (line, of_sudo) in [
        ("cd /usr/local/bin && @ ./zero", "./zero"),
        (
            "@ /usr/local/../local/bin/zero",
            "/usr/local/../local/bin/zero",
        ),
    ] {
        let (sudo, elevate) = both(&bix, line);
        let shown = (sudo.text(), elevate.text());
        assert_eq!(shown, (of_sudo.into(), "/usr/local/bin/zero".into()));
    }
}

#[test]
fn home_is_the_targets_with_e_too() {
    let machine = MACHINE.get();
    let bly = login(&machine, "bly", "all");
    let (sudo, elevate) = both(&bly, "@ -E sh -c 'echo $HOME'");
    assert_eq!(
        (sudo.text().as_str(), elevate.text().as_str()),
        ("/home/bly", "/root")
    );
}

#[test]
fn the_whole_environment_differs_in_these_names_alone() {
    let machine = MACHINE.get();
    let bay = login(&machine, "bay", "all");
    let names = |program: &str| {
        let env = bay.run(&format!("LS_COLORS=x DISPLAY=:0 {program} env"));
        let env = env.success().text();
        let names = env
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned()));
        names.collect::<BTreeSet<_>>()
    };
    let (sudo, elevate) = (names("sudo"), names("elevate"));
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).cloned().collect::<Vec<_>>().join(" ")
    };
    let of_sudo = only(&sudo, &elevate);
    // Newer ones tell the caller's home, too.
    let of_sudo = of_sudo.replace("SUDO_HOME ", "");
    assert_eq!(of_sudo, "DISPLAY LS_COLORS MAIL TERM");
    assert_eq!(
        only(&elevate, &sudo),
        "ELEVATE_COMMAND ELEVATE_GID ELEVATE_REQUEST ELEVATE_UID ELEVATE_USER"
    );
    let (sudo, elevate) = both(&bay, "@ sh -c 'echo $SUDO_COMMAND'");
    assert_eq!(sudo.text(), "/usr/bin/sh -c echo $SUDO_COMMAND");
    assert_eq!(elevate.text(), "sh -c 'echo $SUDO_COMMAND'");
}

#[test]
fn what_names_a_program_or_a_file_is_kept_and_set_by_nobody() {
    let machine = MACHINE.get();
    let bo = login(&machine, "bo", "all");
    for name in ["LD_PRELOAD", "BASH_ENV", "PYTHONPATH", "PERL5OPT"] {
        let kept = bo.run(&format!(
            "env {name}=/nowhere elevate -E sh -c 'echo ${name}'"
        ));
        assert_eq!(kept.success().text(), "", "{name}");
        let set = bo.run(&format!("elevate {name}=/nowhere id")).status(1);
        assert!(set.errors().contains(name), "{set:?}");
    }
}

#[test]
fn variables_need_the_rule_and_not_a_tag_and_say_which_is_missing() {
    let machine = MACHINE.get();
    let bud = login(&machine, "bud", "some");
    let kept = bud.run("KEPT=1 OTHER=2 elevate env").success().text();
    assert!(kept.contains("KEPT=1") && !kept.contains("OTHER"), "{kept}");
    let set = bud.run("elevate KEPT=set env").success().text();
    assert!(set.contains("KEPT=set"), "{set}");
    for line in [
        "elevate OTHER=2 env",
        "OTHER=2 elevate --preserve-env=OTHER env",
        "elevate -E env",
    ] {
        let refused = bud.run(line).status(1);
        assert_eq!(refused.text(), "", "{line}");
        assert!(refused.errors().contains("two"), "its rule: {refused:?}");
    }
    // What isn't set here cannot be kept, and is nothing to refuse.
    bud.run("elevate --preserve-env=OTHER env").success();
}
