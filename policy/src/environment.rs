//! Variables that a command may never take from its caller, and why.
//!
//! The list is that of sudo's `env_delete` (plugins/sudoers/env.c), of glibc's variables that
//! setuid programs ignore (sysdeps/generic/unsecvars.h), and what was found since.

const LINKER: &str = "it makes programs load the caller's code";
const SHELL: &str = "it makes shells run or read what the caller chose";
const INTERPRETER: &str = "it makes an interpreter load the caller's code";
const PROGRAM: &str = "it names a program that would then run as the target";
const FILE: &str = "it makes the C library or the terminal library open the caller's files";
const RESOLVER: &str = "it changes how hosts and networks are looked up";
const BUS: &str = "it points programs at the caller's bus, folders or session";
const AUTH: &str = "it changes how programs authenticate or whom they trust";
const OURS: &str = "Elevate sets it itself";

const PREFIXES: &[(&str, &str)] = &[
    ("LD_", LINKER),
    ("_RLD", LINKER),
    ("DYLD_", LINKER),
    ("MALLOC_", FILE),
    ("BASH_", SHELL),
    ("PYTHON", INTERPRETER),
    ("PERL", INTERPRETER),
    ("RUBY", INTERPRETER),
    ("NODE_", INTERPRETER),
    ("JAVA_", INTERPRETER),
    ("JDK_", INTERPRETER),
    ("LUA_", INTERPRETER),
    ("PHP", INTERPRETER),
    ("GIT_", PROGRAM),
    ("LESS", PROGRAM),
    ("SYSTEMD_", PROGRAM),
    ("TERMINFO", FILE),
    ("DBUS_", BUS),
    ("XDG_", BUS),
    ("LISTEN_", BUS),
    ("KRB5", AUTH),
    ("OPENSSL_", AUTH),
    ("SSL_", AUTH),
    ("SSH_", AUTH),
    ("SUDO_", OURS),
    ("ELEVATE_", OURS),
];

const NAMES: &[(&str, &str)] = &[
    ("LIBPATH", LINKER),
    ("SHLIB_PATH", LINKER),
    ("GCONV_PATH", LINKER),
    ("GETCONF_DIR", FILE),
    ("GLIBC_TUNABLES", LINKER),
    ("ENV", SHELL),
    ("IFS", SHELL),
    ("CDPATH", SHELL),
    ("PS4", SHELL),
    ("PROMPT_COMMAND", SHELL),
    ("GLOBIGNORE", SHELL),
    ("BASHOPTS", SHELL),
    ("SHELLOPTS", SHELL),
    ("POSIXLY_CORRECT", SHELL),
    ("FPATH", SHELL),
    ("NULLCMD", SHELL),
    ("READNULLCMD", SHELL),
    ("ZDOTDIR", SHELL),
    ("TMPPREFIX", SHELL),
    ("CLASSPATH", INTERPRETER),
    ("_JAVA_OPTIONS", INTERPRETER),
    ("PAGER", PROGRAM),
    ("MANPAGER", PROGRAM),
    ("EDITOR", PROGRAM),
    ("VISUAL", PROGRAM),
    ("BROWSER", PROGRAM),
    ("APT_CONFIG", PROGRAM),
    ("CVS_RSH", PROGRAM),
    ("EXINIT", PROGRAM),
    ("GZIP", PROGRAM),
    ("MAKEFLAGS", PROGRAM),
    ("RSYNC_RSH", PROGRAM),
    ("TAR_OPTIONS", PROGRAM),
    ("VIMINIT", PROGRAM),
    ("VIMRUNTIME", PROGRAM),
    ("NLSPATH", FILE),
    ("LOCPATH", FILE),
    ("PATH_LOCALE", FILE),
    ("TERMPATH", FILE),
    ("TERMCAP", FILE),
    ("TZ", FILE),
    ("TZDIR", FILE),
    ("TMPDIR", FILE),
    ("NIS_PATH", RESOLVER),
    ("HOSTALIASES", RESOLVER),
    ("LOCALDOMAIN", RESOLVER),
    ("RES_OPTIONS", RESOLVER),
    ("RESOLV_HOST_CONF", RESOLVER),
    // systemd.exec(5): a service of the target's would answer to the caller.
    ("NOTIFY_SOCKET", BUS),
    ("CREDENTIALS_DIRECTORY", BUS),
    ("CONFIGURATION_DIRECTORY", BUS),
    ("STATE_DIRECTORY", BUS),
    ("RUNTIME_DIRECTORY", BUS),
    ("CACHE_DIRECTORY", BUS),
    ("LOGS_DIRECTORY", BUS),
    ("AUTHSTATE", AUTH),
    ("VAR_ACE", AUTH),
    ("USR_ACE", AUTH),
    ("DLC_ACE", AUTH),
    ("PATH", OURS),
    ("HOME", OURS),
    ("USER", OURS),
    ("LOGNAME", OURS),
    ("SHELL", OURS),
    ("MAIL", OURS),
    ("PWD", OURS),
    ("OLDPWD", OURS),
];

/// Whether a rule could name this variable in `keep_env`: it makes no program load, run or read
/// what the caller chose. What a `*` there stands for.
#[must_use]
pub fn may_be_kept(name: &str) -> bool {
    objection(name).is_none()
}

/// Why a variable cannot be kept, if so.
pub(crate) fn objection(name: &str) -> Option<&'static str> {
    if name.contains('*') {
        return Some("every variable is named in full, or `*` stands for all");
    }
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let digit_first = name.as_bytes().first().is_none_or(u8::is_ascii_digit);
    if digit_first || !name.bytes().all(good) {
        return Some("a name is made of letters, digits and `_`");
    }
    let exact = NAMES.iter().find(|(bad, _)| *bad == name);
    let prefix = || PREFIXES.iter().find(|(bad, _)| name.starts_with(bad));
    exact.or_else(prefix).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_a_program_run_or_read_the_callers_files_is_refused() {
        for name in [
            "LD_PRELOAD",
            "BASH_ENV",
            "BASH_FUNC_id%%",
            "ENV",
            "IFS",
            "PATH",
            "GCONV_PATH",
            "TZ",
            "PYTHONPATH",
            "PERL5LIB",
            "NLSPATH",
            "MALLOC_CHECK_",
            "DBUS_SYSTEM_BUS_ADDRESS",
            "XDG_RUNTIME_DIR",
            "SUDO_USER",
            "ELEVATE_RULE",
            "LC_*",
            "A=B",
            "",
            "1A",
            "PS4",
            "TAR_OPTIONS",
            "RSYNC_RSH",
        ] {
            assert!(objection(name).is_some(), "{name} would be kept");
        }
    }

    #[test]
    fn languages_colours_and_an_admins_own_names_may_be_kept() {
        for name in [
            "LANG",
            "LC_ALL",
            "TERM",
            "COLORTERM",
            "NO_COLOR",
            "DEPLOY_TARGET",
            "_x",
        ] {
            assert_eq!(objection(name), None, "{name}");
        }
    }
}
