//! What sudo answers, as sudoers(5) says and match.c does, read from the JSON once more and plainly:
//! lists from their ends, aliases where they stand, nothing taken apart beforehand.
//!
//! Files are told apart by their paths alone. The machine's tests ask the real sudo.

use serde_json::Value;

use super::asking::{Asked, is_member, number};

/// Whether the last entry that matches allows it, and whether it wants a password. `None` is no.
pub(super) fn answer(sudoers: &Value, asked: &Asked) -> Option<bool> {
    let specs = sudoers["User_Specs"].as_array()?;
    for spec in specs.iter().rev() {
        let users = &sudoers["User_Aliases"];
        let hosts = &sudoers["Host_Aliases"];
        if last(&spec["User_List"], users, "useralias", &|one| {
            is_user(one, asked.user)
        }) != Some(true)
            || last(&spec["Host_List"], hosts, "hostalias", &|one| {
                is_host(one, asked.host)
            }) != Some(true)
        {
            continue;
        }
        for commands in spec["Cmnd_Specs"].as_array()?.iter().rev() {
            if !in_time(commands, asked) || !as_whom(sudoers, commands, asked) {
                continue;
            }
            let aliases = &sudoers["Command_Aliases"];
            let found = last(&commands["Commands"], aliases, "cmndalias", &|one| {
                is_command(one, asked)
            });
            if let Some(allowed) = found {
                let nopasswd = option(commands, "authenticate") == Some(&Value::Bool(false));
                return allowed.then_some(!nopasswd);
            }
        }
    }
    None
}

fn last(
    list: &Value,
    aliases: &Value,
    alias: &str,
    matches: &dyn Fn(&Value) -> bool,
) -> Option<bool> {
    for member in list.as_array()?.iter().rev() {
        let negated = member["negated"] == true;
        let found = match member[alias].as_str() {
            Some(name) => last(&aliases[name], aliases, alias, matches),
            None => matches(member).then_some(true),
        };
        if let Some(found) = found {
            return Some(found != negated);
        }
    }
    None
}

fn is_user(member: &Value, user: &str) -> bool {
    let name = member["username"].as_str();
    name == Some("ALL")
        || name == Some(user)
        || member["userid"] == number(user)
        || member["usergroup"]
            .as_str()
            .is_some_and(|group| is_member(user, group))
}

fn is_host(member: &Value, host: &str) -> bool {
    match member["hostname"].as_str() {
        Some("ALL") => true,
        Some(pattern) => fnmatch(pattern, host, false),
        None => false,
    }
}

fn as_whom(sudoers: &Value, commands: &Value, asked: &Asked) -> bool {
    let aliases = &sudoers["Runas_Aliases"];
    let (users, groups) = (&commands["runasusers"], &commands["runasgroups"]);
    if users.is_null() && groups.is_null() {
        return asked.target == "root" && asked.group.is_none();
    }
    let is_target = |one: &Value| match one["username"].as_str() {
        Some("") => asked.target == asked.user,
        _ => is_user(one, asked.target),
    };
    if users.is_null() {
        // As sudo before 1.9.14 has it.
        let oneself = asked.target == asked.user && asked.group.is_some();
        return oneself && in_groups(groups, aliases, asked);
    }
    let user = last(users, aliases, "runasalias", &is_target);
    user == Some(true) && (asked.group.is_none() || in_groups(groups, aliases, asked))
}

fn in_groups(groups: &Value, aliases: &Value, asked: &Asked) -> bool {
    let is_group = |one: &Value| {
        let name = one["usergroup"].as_str();
        name == Some("ALL") || name == asked.group
    };
    last(groups, aliases, "runasalias", &is_group) == Some(true)
}

fn in_time(commands: &Value, asked: &Asked) -> bool {
    let at = asked.at.strftime("%Y%m%d%H%M%SZ").to_string();
    let text = |key| option(commands, key).and_then(Value::as_str);
    text("notbefore").is_none_or(|from| *at >= *from)
        && text("notafter").is_none_or(|to| *at <= *to)
}

fn option<'v>(commands: &'v Value, key: &str) -> Option<&'v Value> {
    let options = commands["Options"].as_array()?;
    options.iter().rev().find_map(|one| one.get(key))
}

fn is_command(member: &Value, asked: &Asked) -> bool {
    let text = member["command"].as_str().unwrap_or_default();
    if text == "ALL" {
        return true;
    }
    let (path, arguments) = match text.split_once(' ') {
        Some((path, arguments)) => (path, Some(arguments)),
        None => (text, None),
    };
    let joined = asked.words[1..].join(" ");
    let edits = path == "sudoedit";
    let like_these = match arguments {
        None => true,
        Some("\"\"") => asked.words.len() == 1,
        Some(pattern) => fnmatch(pattern, &joined, edits),
    };
    let file = asked.words[0].as_str();
    let this = match path.strip_suffix('/') {
        Some(folder) => file
            .rsplit_once('/')
            .is_some_and(|(parent, _)| parent == folder),
        None if edits => file == path,
        None => file != "sudoedit" && fnmatch(path, file, true),
    };
    this && like_these
}

/// fnmatch(3), `*` not for a `/` where that is asked.
pub(super) fn fnmatch(pattern: &str, text: &str, path: bool) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
    matches(&pattern, &text, path)
}

fn matches(pattern: &[char], text: &[char], path: bool) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], []) => matches(rest, text, path),
        (['*', rest @ ..], [c, after @ ..]) => {
            let more = !path || *c != '/';
            matches(rest, text, path) || (more && matches(pattern, after, path))
        }
        (['?', rest @ ..], [c, after @ ..]) => !(path && *c == '/') && matches(rest, after, path),
        (['\\', a, rest @ ..] | [a, rest @ ..], [b, after @ ..]) => {
            a == b && matches(rest, after, path)
        }
        _ => false,
    }
}
