//! `Defaults`: what holds where an entry says nothing else.

use elevate_policy::may_be_kept;
use serde_json::Value;

use super::deed::Deed;
use super::entries::{Scope, deeds, flat, shown};
use super::json::{Defaults, Raw, Sudoers};
use super::list::{Member, Part, are_apart, parts};
use super::people::{Host, Kind as _, Target, User};
use super::remark::{Remarks, Weight};
use super::tags::Tags;

/// What stands for all entries.
#[derive(Debug)]
pub(super) struct Standing {
    base: Tags,
    /// As whom, where an entry says nothing.
    pub(super) run_as: Target,
    /// Variables to keep.
    pub(super) keep: Vec<String>,
    /// How long sudo remembers a password, as our `mfa` is written.
    pub(super) remembered: Option<String>,
    /// Whose password it is, if not the caller's.
    password_of: Option<&'static str>,
    bound: Vec<Bound>,
}

/// `Defaults:alice`, `Defaults!/usr/bin/id` and their like.
#[derive(Debug)]
struct Bound {
    to: To,
    options: Vec<Raw>,
}

/// Users and targets are written alike in JSON.
#[derive(Debug)]
enum To {
    People(Vec<Part<User>>, Vec<Part<Target>>),
    Hosts(Vec<Part<Host>>),
    Deeds(Vec<Part<Deed>>),
}

/// Options that say something of sudo itself, its log, its mail or its prompt.
const HARMLESS: &[&str] = &[
    "always_set_home",
    "authfail_message",
    "badpass_message",
    "compress_io",
    "editor",
    "env_check",
    "env_delete",
    "env_editor",
    "env_reset",
    "exec_background",
    "fdexec",
    "fqdn",
    "ignore_dot",
    "insults",
    "iolog_dir",
    "iolog_file",
    "iolog_flush",
    "iolog_group",
    "iolog_mode",
    "iolog_user",
    "lecture",
    "lecture_file",
    "lecture_status_dir",
    "listpw",
    "log_allowed",
    "log_denied",
    "log_exit_status",
    "log_format",
    "log_host",
    "log_output",
    "log_subcmds",
    "log_year",
    "logfile",
    "loglinelen",
    "long_otp_prompt",
    "mail_all_cmnds",
    "mail_always",
    "mail_badpass",
    "mail_no_host",
    "mail_no_perms",
    "mail_no_user",
    "mailerflags",
    "mailerpath",
    "mailfrom",
    "mailsub",
    "mailto",
    "maxseq",
    "pam_service",
    "pam_login_service",
    "pam_session",
    "pam_setcred",
    "pam_acct_mgmt",
    "passprompt",
    "passprompt_override",
    "passwd_timeout",
    "passwd_tries",
    "path_info",
    "pwfeedback",
    "secure_path",
    "set_home",
    "set_logname",
    "set_utmp",
    "shell_noargs",
    "stay_setuid",
    "sudoedit_checkdir",
    "sudoers_locale",
    "syslog",
    "syslog_badpri",
    "syslog_goodpri",
    "syslog_maxlen",
    "syslog_pid",
    "timestamp_type",
    "timestampdir",
    "timestampowner",
    "tty_tickets",
    "umask",
    "umask_override",
    "use_loginclass",
    "use_pty",
    "user_command_timeouts",
    "utmp_runas",
    "verifypw",
    "visiblepw",
];

/// Options that an entry's tags are of, too.
const TAGS: &[&str] = &[
    "authenticate",
    "noexec",
    "intercept",
    "setenv",
    "log_input",
    "requiretty",
    "command_timeout",
    "runcwd",
    "runchroot",
    "role",
    "type",
    "apparmor_profile",
    "sudoedit_follow",
];

impl Standing {
    /// What the `Defaults` of a sudoers say, as far as they can be taken over.
    pub(super) fn read(sudoers: &Sudoers, remarks: &mut Remarks) -> Result<Self, String> {
        let mut standing = Self {
            base: Tags::default(),
            run_as: Target::Name("root".into()),
            keep: Vec::new(),
            remembered: None,
            password_of: None,
            bound: Vec::new(),
        };
        for defaults in &sudoers.defaults {
            match defaults.binding.is_empty() {
                true => standing.take(&defaults.options, remarks),
                false => standing.bind(defaults, sudoers)?,
            }
        }
        standing.remark_on_bound(sudoers, remarks);
        for text in standing.base.unsayable.iter().chain(&standing.base.notes) {
            remarks.add(None, Weight::Note, "Defaults", text);
        }
        Ok(standing)
    }

    fn take(&mut self, options: &[Raw], remarks: &mut Remarks) {
        for option in options {
            if let Some(operation) = option.get("operation").and_then(Value::as_str) {
                self.list(operation, option, remarks);
                continue;
            }
            for (key, value) in option {
                self.option(key, value, remarks);
            }
        }
    }

    fn option(&mut self, key: &str, value: &Value, remarks: &mut Remarks) {
        let on = value.as_bool();
        match key {
            "runas_default" => {
                let target = Target::read("username", value);
                self.run_as = target.unwrap_or_else(|| Target::Other(value.to_string()));
            }
            "timestamp_timeout" => self.remembered = minutes(value),
            "targetpw" | "rootpw" | "runaspw" if on == Some(false) => {}
            "targetpw" => self.password_of = Some("the target's"),
            "rootpw" => self.password_of = Some("root's"),
            "runaspw" => self.password_of = Some("that of runas_default"),
            key if TAGS.contains(&key) => self.base.set(key, value),
            key if HARMLESS.contains(&key) => {}
            key => {
                let what = "look whether something hangs on it; it is not taken over";
                let about = format!("Defaults {key} = {value}");
                remarks.add(None, Weight::LeftOut, about, what);
            }
        }
    }

    fn list(&mut self, operation: &str, option: &Raw, remarks: &mut Remarks) {
        let lists = option.iter().filter(|(key, _)| *key != "operation");
        for (key, values) in lists.filter(|(key, _)| !HARMLESS.contains(&key.as_str())) {
            let names = values
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            match (key.as_str(), operation) {
                ("env_keep", "list_remove") => {
                    let gone: Vec<_> = names.collect();
                    self.keep.retain(|name| !gone.contains(&name.as_str()));
                }
                ("env_keep", _) => {
                    if operation == "list_assign" {
                        self.keep.clear();
                    }
                    for name in names {
                        self.keep_variable(name, remarks);
                    }
                }
                (key, _) => {
                    let what = "look whether something hangs on it; it is not taken over";
                    remarks.add(None, Weight::LeftOut, format!("Defaults {key}"), what);
                }
            }
        }
    }

    fn keep_variable(&mut self, name: &str, remarks: &mut Remarks) {
        match may_be_kept(name) {
            true if self.keep.iter().any(|kept| kept == name) => {}
            true => self.keep.push(name.to_owned()),
            false => {
                let what = "such a variable is never kept here";
                remarks.add(
                    None,
                    Weight::Narrowed,
                    format!("Defaults env_keep {name}"),
                    what,
                );
            }
        }
    }

    fn bind(&mut self, defaults: &Defaults, sudoers: &Sudoers) -> Result<(), String> {
        let binding = &defaults.binding;
        let has = |kinds: &[&str]| {
            let mut keys = binding.iter().flat_map(|raw| raw.keys());
            keys.any(|key| kinds.contains(&key.as_str()))
        };
        let to = if has(&["hostname", "networkaddr", "hostalias"]) {
            To::Hosts(parts(&flat(binding, &sudoers.hosts)?))
        } else if has(&["command", "cmndalias"]) {
            To::Deeds(parts(&deeds(binding, &sudoers.commands)?))
        } else if has(&["useralias"]) {
            To::People(parts(&flat(binding, &sudoers.users)?), Vec::new())
        } else if has(&["runasalias"]) {
            To::People(Vec::new(), parts(&flat(binding, &sudoers.run_as)?))
        } else {
            let users = parts(&flat(binding, &sudoers.users)?);
            To::People(users, parts(&flat(binding, &sudoers.run_as)?))
        };
        let options = defaults.options.clone();
        self.bound.push(Bound { to, options });
        Ok(())
    }

    fn remark_on_bound(&self, sudoers: &Sudoers, remarks: &mut Remarks) {
        for defaults in sudoers
            .defaults
            .iter()
            .filter(|one| !one.binding.is_empty())
        {
            let to: Vec<_> = defaults.binding.iter().map(shown).collect();
            let to = to.join(", ");
            for (key, value) in defaults.options.iter().flatten() {
                if key == "operation" || HARMLESS.contains(&key.as_str()) {
                    continue;
                }
                let what = match TAGS.contains(&key.as_str()) || is_password(key) {
                    true => "where it may hold, the stricter is taken; no more is allowed for it",
                    false => "it is not taken over; look whether something hangs on it",
                };
                let about = format!("Defaults of {to}: {key} = {value}");
                remarks.add(None, Weight::Narrowed, about, what);
            }
        }
    }

    /// The tags of a scope: what stands, then what the entry says.
    pub(super) fn tags(
        &self,
        scope: &Scope,
        deeds: &[Member<Deed>],
        options: &[Raw],
        default_target: bool,
    ) -> Tags {
        let mut tags = self.base.clone();
        let mut password_of = self.password_of;
        for bound in self
            .bound
            .iter()
            .filter(|bound| bound.may_hold(scope, deeds))
        {
            for (key, value) in bound.options.iter().flatten() {
                if is_password(key) && value != &Value::Bool(false) {
                    password_of = Some("another's");
                }
                if key == "runas_default" && default_target {
                    let what = "runas_default of some, which is not taken over";
                    tags.unsayable.push(what.into());
                }
                if TAGS.contains(&key.as_str()) {
                    tags = stricter_by(tags, key, value);
                }
            }
        }
        let mut tags = tags.with(options);
        if let Some(whose) = password_of.filter(|_| tags.password) {
            tags.unsayable
                .push(format!("a password is asked for, and it is {whose}"));
        }
        tags
    }
}

fn is_password(key: &str) -> bool {
    matches!(key, "targetpw" | "rootpw" | "runaspw")
}

// Whether it holds for all of an entry isn't known: what it loosens is not taken over.
fn stricter_by(tags: Tags, key: &str, value: &Value) -> Tags {
    let mut set = tags.clone();
    set.set(key, value);
    Tags {
        password: tags.password || set.password,
        noexec: tags.noexec || set.noexec,
        intercept: tags.intercept || set.intercept,
        setenv: tags.setenv && set.setenv,
        log_input: tags.log_input || set.log_input,
        terminal: tags.terminal || set.terminal,
        timeout: [tags.timeout, set.timeout].into_iter().flatten().min(),
        ..set
    }
}

impl Bound {
    fn may_hold(&self, scope: &Scope, deeds: &[Member<Deed>]) -> bool {
        match &self.to {
            To::People(users, targets) => {
                !are_apart(users, &scope.users) || !are_apart(targets, &scope.targets)
            }
            To::Hosts(hosts) => !are_apart(hosts, &scope.hosts),
            To::Deeds(bound) => {
                let deeds: Vec<_> = deeds
                    .iter()
                    .map(|one| Part::whole(one.what.clone()))
                    .collect();
                !are_apart(bound, &deeds)
            }
        }
    }
}

/// Minutes as sudo has them: a fraction, none is always, less than none is for ever.
fn minutes(value: &Value) -> Option<String> {
    let minutes: f64 = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    let seconds = (minutes * 60.0).floor();
    match seconds {
        seconds if seconds < 0.0 => None,
        seconds if seconds < 1.0 => Some("always".into()),
        seconds if seconds <= 604_800.0 => Some(format!("{seconds}s")),
        _ => None,
    }
}
