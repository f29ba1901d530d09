//! Programs that do whatever they are told, and how they come to be told.
//!
//! What is known here is what the programs' own manuals say of running others, and of writing where
//! root's programs read.

/// Programs of one kind.
pub(super) struct Program {
    /// The names of their files, without a version at the end.
    pub(super) names: &'static [&'static str],
    /// How they lead out; one that a rule leaves open suffices.
    pub(super) ways: &'static [Way],
    /// Whether their options stand before the first other word.
    pub(super) options_end: bool,
    /// Why that is as good as root.
    pub(super) why: &'static str,
    /// What to write instead.
    pub(super) advice: &'static str,
}

/// One way out.
pub(super) struct Way {
    pub(super) when: When,
    pub(super) by: By,
}

/// What does it in the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Another program, which `execs = "deny"` keeps from starting.
    Exec,
    /// The program itself, or a service that it asks.
    Itself,
}

/// What a rule must leave open for it.
pub(super) enum When {
    /// Nothing.
    Always,
    /// It is started with options alone, and asks what to do.
    Alone,
    /// Any further arguments may follow.
    Open,
    /// Some argument is the caller's choice.
    Chosen,
    /// The word that so many others precede, options apart, is the caller's choice.
    Operand(usize),
    /// The last argument can be any file.
    Last,
    /// These words can stand one after another; `X` is the caller's choice.
    Has(&'static str),
    /// One of these verbs can be asked for, and any further arguments may follow.
    Verb(&'static [&'static str]),
    /// None of these options is written out.
    Without(&'static [&'static str]),
    /// One of these verbs can be asked for, or any if there are none, and no `--no-pager`.
    Pages(&'static [&'static str]),
}

impl Program {
    /// Whether a file of this name is one of them: `python3.13` and `vim.basic` are.
    pub(super) fn is_called(&self, name: &[u8]) -> bool {
        let called = |name: &[u8]| self.names.iter().any(|known| known.as_bytes() == name);
        let variant = [
            ".basic",
            ".tiny",
            ".nox",
            ".gtk3",
            ".athena",
            ".openbsd",
            ".traditional",
        ];
        let mut variant = variant
            .iter()
            .filter_map(|end| name.strip_suffix(end.as_bytes()));
        let numbered = |byte: &u8| !(byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        let end = name.iter().rposition(numbered).map_or(0, |last| last + 1);
        called(name) || called(&name[..end]) || variant.any(called)
    }
}

const fn exec(when: When) -> Way {
    Way { when, by: By::Exec }
}

const fn itself(when: When) -> Way {
    Way {
        when,
        by: By::Itself,
    }
}

const NO_MORE: &str = "write the arguments out, without `...` and wildcards";
const NO_PAGER: &str = "write `--no-pager` into the command";
const BY_PATH: &str = "let the one program be run by its own path";
const COPY: &str = "name the files under `edit`, for `elevate -e`";

/// Every program that is known to lead out, each kind with its ways.
pub(super) const PROGRAMS: &[Program] = &[
    Program {
        names: &[
            "sh", "bash", "dash", "rbash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "busybox",
        ],
        ways: &[
            itself(When::Alone),
            itself(When::Operand(0)),
            itself(When::Has("-c X")),
            itself(When::Has("-s")),
            itself(When::Has("-i")),
        ],
        options_end: true,
        why: "a shell runs what it is told",
        advice: "write `SHELL` if that is meant, else the one script with its path",
    },
    Program {
        names: &[
            "python", "pypy", "ipython", "perl", "ruby", "irb", "node", "nodejs", "php", "lua",
            "luajit", "tclsh", "wish", "expect", "guile", "Rscript", "R", "julia", "jjs", "jshell",
            "ghci", "erl", "bpftrace", "gdb", "lldb", "octave", "gnuplot",
        ],
        ways: &[
            itself(When::Alone),
            itself(When::Operand(0)),
            itself(When::Has("-c X")),
            itself(When::Has("-cx")),
            itself(When::Has("-e X")),
            itself(When::Has("-ex")),
            itself(When::Has("-E X")),
            itself(When::Has("-r X")),
            itself(When::Has("-m X")),
            itself(When::Has("-i")),
        ],
        options_end: true,
        why: "an interpreter runs what it is told",
        advice: "write the one script with its path",
    },
    Program {
        names: &[
            "vi",
            "vim",
            "view",
            "vimdiff",
            "rvim",
            "rview",
            "nvim",
            "ex",
            "nano",
            "rnano",
            "pico",
            "emacs",
            "ed",
            "red",
            "joe",
            "jed",
            "jove",
            "mg",
            "micro",
            "mcedit",
            "kak",
            "helix",
            "hx",
            "ne",
            "tilde",
            "gedit",
            "kate",
            "editor",
            "sensible-editor",
        ],
        ways: &[itself(When::Always)],
        options_end: false,
        why: "an editor writes any file and starts a shell",
        advice: COPY,
    },
    Program {
        names: &[
            "visudo", "vipw", "vigr", "sudoedit", "edquota", "mc", "ranger", "nnn", "lf",
        ],
        ways: &[itself(When::Always)],
        options_end: false,
        why: "it edits what root's rights hang on, or any file",
        advice: COPY,
    },
    Program {
        names: &["crontab"],
        ways: &[
            itself(When::Alone),
            itself(When::Operand(0)),
            itself(When::Has("-e")),
        ],
        options_end: false,
        why: "root's crontab runs what is written there",
        advice: "write `-l` into the command to have it read",
    },
    Program {
        names: &["at", "batch"],
        ways: &[itself(When::Always)],
        options_end: false,
        why: "at runs later what it is told now",
        advice: "write a timer of systemd for it",
    },
    Program {
        names: &[
            "less",
            "more",
            "most",
            "lv",
            "pg",
            "pager",
            "sensible-pager",
            "zless",
            "zmore",
            "bzless",
            "bzmore",
            "xzless",
            "xzmore",
            "lessfile",
            "man",
            "info",
            "w3m",
            "lynx",
            "links",
            "elinks",
        ],
        ways: &[exec(When::Always)],
        options_end: false,
        why: "a pager starts a shell when told `!sh`",
        advice: "let the file be printed, as by `/usr/bin/cat`",
    },
    Program {
        names: &["journalctl"],
        ways: &[exec(When::Pages(&[]))],
        options_end: false,
        why: "on a terminal it opens a pager, which starts a shell when told `!sh`",
        advice: NO_PAGER,
    },
    Program {
        names: &["systemctl"],
        ways: &[
            exec(When::Has("edit")),
            itself(When::Has("link X")),
            itself(When::Has("link /tmp/x.service")),
            itself(When::Has("enable /tmp/x.service")),
            itself(When::Has("start debug-shell.service")),
        ],
        options_end: true,
        why: "it edits units, takes in units from any folder, or starts debug-shell.service",
        advice: "write the verb and the unit out",
    },
    Program {
        names: &[
            "systemctl",
            "loginctl",
            "networkctl",
            "machinectl",
            "timedatectl",
            "resolvectl",
        ],
        ways: &[exec(When::Pages(&[
            "status",
            "show",
            "cat",
            "help",
            "list",
            "list-units",
            "list-unit-files",
            "list-timers",
            "list-sockets",
            "list-jobs",
            "list-dependencies",
            "list-sessions",
            "list-users",
            "list-seats",
            "list-images",
            "session-status",
            "user-status",
            "seat-status",
            "timesync-status",
            "show-timesync",
            "list-timezones",
        ]))],
        options_end: true,
        why: "on a terminal it opens a pager, which starts a shell when told `!sh`",
        advice: NO_PAGER,
    },
    Program {
        names: &["coredumpctl"],
        ways: &[
            exec(When::Has("debug")),
            exec(When::Has("gdb")),
            exec(When::Pages(&["list", "info"])),
        ],
        options_end: true,
        why: "it starts a debugger or a pager, and those a shell",
        advice: NO_PAGER,
    },
    Program {
        names: &[
            "systemd-run",
            "run0",
            "busctl",
            "dbus-send",
            "gdbus",
            "machinectl",
        ],
        ways: &[
            itself(When::Open),
            itself(When::Operand(0)),
            itself(When::Has("--shell")),
            itself(When::Has("-S")),
            itself(When::Has("shell")),
        ],
        options_end: true,
        why: "PID 1, or another service of root's, does what it is told",
        advice: NO_MORE,
    },
    Program {
        names: &[
            "su", "chroot", "script", "screen", "tmux", "byobu", "login", "sulogin", "agetty",
        ],
        ways: &[exec(When::Always)],
        options_end: false,
        why: "it starts a shell",
        advice: "write `SHELL` if that is meant",
    },
    Program {
        names: &[
            "unshare", "nsenter", "setpriv", "runuser", "sudo", "doas", "pkexec", "elevate",
        ],
        ways: &[
            exec(When::Alone),
            exec(When::Operand(0)),
            exec(When::Has("-i")),
            exec(When::Has("-s")),
        ],
        options_end: true,
        why: "it runs the program that it is given",
        advice: BY_PATH,
    },
    Program {
        names: &[
            "env",
            "nice",
            "ionice",
            "nohup",
            "setsid",
            "stdbuf",
            "xargs",
            "timeout",
            "time",
            "chrt",
            "taskset",
            "setarch",
            "linux32",
            "linux64",
            "chpst",
            "softlimit",
            "strace",
            "ltrace",
            "valgrind",
            "perf",
            "systemd-inhibit",
            "dbus-run-session",
            "parallel",
            "prlimit",
            "capsh",
            "numactl",
            "logsave",
            "daemonize",
            "start-stop-daemon",
            "unbuffer",
            "faketime",
            "fakeroot",
        ],
        ways: &[
            exec(When::Operand(0)),
            exec(When::Has("-S X")),
            exec(When::Has("--exec X")),
            exec(When::Has("-x X")),
        ],
        options_end: true,
        why: "it runs the program that it is given",
        advice: BY_PATH,
    },
    Program {
        names: &["flock"],
        ways: &[exec(When::Operand(1)), exec(When::Has("-c X"))],
        options_end: false,
        why: "it runs the program that it is given",
        advice: BY_PATH,
    },
    Program {
        names: &["watch", "entr", "ssh", "sshpass"],
        ways: &[exec(When::Alone), exec(When::Chosen)],
        options_end: false,
        why: "it hands what it is given to a shell",
        advice: NO_MORE,
    },
    Program {
        names: &["find"],
        ways: &[
            exec(When::Has("-exec X")),
            exec(When::Has("-execdir X")),
            exec(When::Has("-ok X")),
            exec(When::Has("-okdir X")),
            itself(When::Has("-fprintf X")),
            itself(When::Has("-fprint X")),
            itself(When::Has("-fls X")),
        ],
        options_end: false,
        why: "`-exec` runs any program, and `-fprintf` writes any file",
        advice: NO_MORE,
    },
    Program {
        names: &["fd", "fdfind"],
        ways: &[
            exec(When::Has("-x X")),
            exec(When::Has("-X X")),
            exec(When::Has("--exec X")),
        ],
        options_end: false,
        why: "`-x` runs any program",
        advice: NO_MORE,
    },
    Program {
        names: &["awk", "gawk", "mawk", "nawk", "original-awk"],
        ways: &[
            itself(When::Operand(0)),
            itself(When::Has("-f X")),
            itself(When::Has("-e X")),
            itself(When::Has("--file=x")),
        ],
        options_end: true,
        why: "a program of awk runs any command and writes any file",
        advice: "write the program of awk out",
    },
    Program {
        names: &["sed"],
        ways: &[
            itself(When::Operand(0)),
            itself(When::Has("-e X")),
            itself(When::Has("-f X")),
        ],
        options_end: false,
        why: "sed's `e` runs any command, and its `w` writes any file",
        advice: "write the script of sed out",
    },
    Program {
        names: &["tar", "bsdtar"],
        ways: &[
            itself(When::Open),
            exec(When::Has("--to-command=x")),
            exec(When::Has("--to-command X")),
            exec(When::Has("--checkpoint-action=exec=x")),
            exec(When::Has("--use-compress-program=x")),
            exec(When::Has("-I X")),
        ],
        options_end: false,
        why: "tar runs any program (`--checkpoint-action`), and unpacks over any file",
        advice: NO_MORE,
    },
    Program {
        names: &[
            "unzip", "7z", "7za", "cpio", "pax", "ar", "zip", "patch", "wget", "curl", "aria2c",
        ],
        ways: &[
            itself(When::Open),
            itself(When::Has("-O X")),
            itself(When::Has("-o X")),
        ],
        options_end: false,
        why: "it writes what the caller brings over any file",
        advice: NO_MORE,
    },
    Program {
        names: &[
            "cp", "mv", "install", "ln", "tee", "scp", "rsync", "dd", "truncate", "shred",
        ],
        ways: &[itself(When::Last), itself(When::Has("of=x"))],
        options_end: false,
        why: "it writes over any file, of which root's programs read many",
        advice: "write out where to",
    },
    Program {
        names: &["rsync", "scp", "sftp"],
        ways: &[
            exec(When::Has("-e X")),
            exec(When::Has("--rsh=x")),
            exec(When::Has("-S X")),
        ],
        options_end: false,
        why: "it runs any program to reach the other side",
        advice: NO_MORE,
    },
    Program {
        names: &["chmod", "chown", "chgrp", "setfacl", "setcap"],
        ways: &[itself(When::Last)],
        options_end: false,
        why: "it takes any file from root, or makes one setuid",
        advice: "write out which file",
    },
    Program {
        names: &[
            "mount", "insmod", "modprobe", "kexec", "losetup", "ldconfig",
        ],
        ways: &[itself(When::Open), itself(When::Last)],
        options_end: false,
        why: "what it brings in lies over root's own files, or in the kernel",
        advice: NO_MORE,
    },
    Program {
        names: &[
            "useradd", "adduser", "usermod", "groupmod", "gpasswd", "newusers",
        ],
        ways: &[itself(When::Open)],
        options_end: false,
        why: "who makes accounts and groups makes one of root's",
        advice: NO_MORE,
    },
    Program {
        names: &["passwd", "chpasswd"],
        ways: &[itself(When::Alone), itself(When::Chosen)],
        options_end: false,
        why: "it sets root's password, too",
        advice: "write out whose",
    },
    Program {
        names: &[
            "docker", "podman", "nerdctl", "ctr", "crictl", "lxc", "incus", "buildah",
        ],
        ways: &[itself(When::Verb(&[
            "run",
            "create",
            "exec",
            "cp",
            "compose",
            "build",
            "container",
            "plugin",
            "config",
            "image",
            "load",
            "launch",
            "init",
            "task",
        ]))],
        options_end: true,
        why: "a container has any of the host's folders, if it is started so",
        advice: "write out a script that starts the one container",
    },
    Program {
        names: &[
            "kubectl",
            "helm",
            "virsh",
            "qemu-system-x86_64",
            "ansible",
            "ansible-playbook",
            "puppet",
            "salt-call",
            "chef-client",
            "terraform",
            "vagrant",
        ],
        ways: &[itself(When::Open), itself(When::Operand(0))],
        options_end: false,
        why: "it carries out what the caller brings",
        advice: NO_MORE,
    },
    Program {
        names: &[
            "apt", "apt-get", "aptitude", "dnf", "yum", "zypper", "apk", "pacman",
        ],
        ways: &[
            exec(When::Open),
            exec(When::Has("-o X")),
            exec(When::Has("changelog")),
            exec(When::Has("install ./x.deb")),
            exec(When::Has("install /tmp/x.deb")),
        ],
        options_end: false,
        why: "its options run any program, and packages run what they bring",
        advice: NO_MORE,
    },
    Program {
        names: &["dpkg", "rpm", "snap", "flatpak", "alien"],
        ways: &[
            exec(When::Open),
            exec(When::Has("-i X")),
            exec(When::Has("-i /tmp/x.deb")),
            exec(When::Has("--install X")),
            exec(When::Has("--unpack X")),
            exec(When::Has("-U X")),
        ],
        options_end: false,
        why: "a package runs what it brings",
        advice: "have packages installed by name, as by `/usr/bin/apt-get install NAME`",
    },
    Program {
        names: &[
            "pip", "pipx", "npm", "npx", "yarn", "pnpm", "gem", "bundle", "cpan", "composer",
            "cargo", "go",
        ],
        ways: &[exec(When::Open), exec(When::Chosen)],
        options_end: false,
        why: "a package runs what it brings, and so does a project in the caller's folder",
        advice: "run it as a user of its own",
    },
    Program {
        names: &[
            "make", "gmake", "ninja", "scons", "rake", "just", "ant", "mvn", "gradle",
        ],
        ways: &[
            exec(When::Open),
            exec(When::Without(&[
                "-C",
                "-f",
                "-p",
                "--directory",
                "--file",
                "--makefile",
            ])),
            exec(When::Has("-f X")),
            exec(When::Has("-C X")),
        ],
        options_end: false,
        why: "it runs what the caller's folder says",
        advice: "write out `-C` with a folder that only root can write",
    },
    Program {
        names: &["git"],
        ways: &[
            exec(When::Open),
            exec(When::Has("-c X")),
            exec(When::Has("commit")),
            exec(When::Has("rebase")),
            exec(When::Pages(&[
                "log",
                "diff",
                "show",
                "help",
                "blame",
                "reflog",
                "grep",
                "shortlog",
                "branch",
                "tag",
                "stash",
                "config",
                "whatchanged",
            ])),
        ],
        options_end: true,
        why: "git starts pagers, editors and hooks, and they a shell",
        advice: "write the arguments out, with `--no-pager`",
    },
    Program {
        names: &[
            "mysql", "mariadb", "psql", "sqlite", "sqlite3", "mongo", "mongosh", "ftp", "telnet",
            "mail", "mailx", "mutt", "irssi", "weechat",
        ],
        ways: &[exec(When::Alone), exec(When::Chosen)],
        options_end: false,
        why: "at its prompt a shell is one command away",
        advice: "run it as the service's own user",
    },
    Program {
        names: &[
            "nc",
            "ncat",
            "netcat",
            "socat",
            "nmap",
            "tcpdump",
            "openvpn",
            "iptables",
            "certbot",
            "logrotate",
            "run-parts",
            "nginx",
            "dnsmasq",
            "exim",
            "sendmail",
        ],
        ways: &[
            exec(When::Open),
            exec(When::Has("-z X")),
            exec(When::Has("-c X")),
        ],
        options_end: false,
        why: "its options, or a file that they name, run any program",
        advice: NO_MORE,
    },
    Program {
        names: &["ip"],
        ways: &[exec(When::Has("netns exec x sh")), exec(When::Has("-b X"))],
        options_end: true,
        why: "`ip netns exec` runs any program, and `-b` reads what to do from a file",
        advice: "write out what of `ip` is needed",
    },
];
