//! `elevatectl mfa`: second factors.

use std::io::{self, IsTerminal as _};
use std::os::fd::OwnedFd;

use elevate_protocol::stream::ToClient;
use elevate_protocol::{Secret, escape};
use serde::Serialize;
use zbus::wire::{DeserializeDict, Type};
use zeroize::Zeroizing;

use super::output;
use super::qr::Canvas;
use super::text::{duration, escaped, time};
use crate::bus::{block_on, call, connect};
use crate::cli::{MfaVerb, Whose};
use crate::conversation::{Broken, Conversation, no_terminal};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// How somebody's factor is. Times are milliseconds.
#[derive(Debug, Clone, Default, DeserializeDict, Type, Serialize)]
#[zbus(signature = "dict", rename_all = "kebab-case")]
struct Factor {
    user: String,
    enrolled: bool,
    since: Option<u64>,
    recovery_codes: u32,
    locked: Option<u64>,
}

pub(super) fn run(verb: &MfaVerb) -> Result<(), Broken> {
    match verb {
        MfaVerb::Enrol(whose) => enrol(user(whose)),
        MfaVerb::Status(asked) => Ok(status(user(&asked.whose), asked.output.json)?),
        MfaVerb::Remove(whose) => remove(user(whose)),
        MfaVerb::RecoveryCodes(whose) => renew(user(whose)),
    }
}

/// An empty name stands for whoever asks.
fn user(whose: &Whose) -> &str {
    whose.user.as_deref().unwrap_or_default()
}

fn enrol(user: &str) -> Result<(), Broken> {
    change("Enrol", user)?;
    if io::stdout().is_terminal() {
        output::line("Clear this terminal: what it can scroll back to still shows the secret.")?;
    }
    Ok(output::line(&format!("Enrolled {}.", name(user)?))?)
}

fn remove(user: &str) -> Result<(), Broken> {
    let name = name(user)?;
    change("RemoveFactor", user)?;
    Ok(output::line(&format!(
        "Removed the second factor of {name}."
    ))?)
}

fn renew(user: &str) -> Result<(), Broken> {
    change("NewRecoveryCodes", user)?;
    let name = name(user)?;
    Ok(output::line(&format!(
        "Earlier recovery codes of {name} count no more."
    ))?)
}

/// Have `method` of the manager carried out for `user`.
fn change(method: &'static str, user: &str) -> Result<(), Broken> {
    let stream: OwnedFd = block_on(async {
        let reply = call(&connect().await?, method, &(user,)).await?;
        let stream: zbus::OwnedFd = reply.body().deserialize()?;
        Ok(stream.into())
    })?;
    let undone = "interrupted; see where it stands with: elevatectl mfa status";
    hold(&stream, Terminal::open().as_ref()).inspect_err(|broken| super::explain(broken, undone))
}

/// Prove who we are, show what is for the person's eyes, and give the codes that are asked for.
pub fn hold(stream: &OwnedFd, terminal: Option<&Terminal>) -> Result<(), Broken> {
    let mut conversation = Conversation::begin(stream, terminal, super::PROGRAM)?;
    loop {
        match conversation.hear(None)? {
            // Before a secret is shown that nobody can confirm.
            Some(ToClient::Enrolment { .. }) if !conversation.can_ask() => {
                return Err(no_terminal().into());
            }
            Some(ToClient::Enrolment { uri, secret }) => show_secret(&uri, &secret)?,
            Some(ToClient::RecoveryCodes { codes }) => show_codes(&codes)?,
            Some(ToClient::Done) => return Ok(()),
            Some(other) => conversation.answer(other)?,
            None => {}
        }
    }
}

fn show_secret(uri: &Secret, secret: &Secret) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        match Canvas::of_output().and_then(|canvas| canvas.draw(uri.reveal())) {
            Ok(code) => {
                output::line("Scan this with your authenticator, or type the secret into it:\n")?;
                output::write(code.as_bytes())?;
                output::line("")?;
            }
            Err(why) => output::line(&format!("{why}; type the secret into your authenticator:"))?,
        }
    }
    output::write(lines(&[("Secret: ", secret), ("URI: ", uri)]).as_bytes())
}

fn show_codes(codes: &[Secret]) -> Result<(), Failure> {
    output::line("Recovery codes (each works once; this is the only time they are shown):")?;
    let codes: Vec<_> = codes.iter().map(|code| ("  ", code)).collect();
    output::write(lines(&codes).as_bytes())
}

/// A line for each secret; wiped after it was written.
fn lines(secrets: &[(&str, &Secret)]) -> Zeroizing<String> {
    let shown = |secret: &Secret| Zeroizing::new(escape::line(secret.reveal().as_bytes()));
    let secrets = secrets.iter().map(|(name, secret)| (*name, shown(secret)));
    let secrets: Vec<_> = secrets.collect();
    let length = |(name, shown): &(&str, Zeroizing<String>)| name.len() + shown.len() + 1;
    // Room for all of it, so that no part is left behind where it grew.
    let mut text = Zeroizing::new(String::with_capacity(secrets.iter().map(length).sum()));
    for (name, shown) in &secrets {
        text.push_str(name);
        text.push_str(shown);
        text.push('\n');
    }
    text
}

/// `elevatectl mfa status [USER]`
fn status(user: &str, json: bool) -> Result<(), Failure> {
    let factor = factor(user)?;
    match json {
        true => output::json(&factor),
        false => output::write(described(&factor).as_bytes()),
    }
}

fn factor(user: &str) -> Result<Factor, Failure> {
    block_on(async {
        let reply = call(&connect().await?, "FactorStatus", &(user,)).await?;
        Ok(reply.body().deserialize()?)
    })
}

/// Whose factor it is, in the daemon's words.
fn name(user: &str) -> Result<String, Failure> {
    match user {
        "" => Ok(escaped(&factor(user)?.user)),
        name => Ok(escape::line(name.as_bytes())),
    }
}

fn described(factor: &Factor) -> String {
    let user = escaped(&factor.user);
    if !factor.enrolled {
        let how = "enrol a factor with: elevatectl mfa enrol";
        return format!("user            {user}\nenrolled        no; {how}\n");
    }
    let mut lines = format!(
        "user            {user}\nenrolled        since {}\nrecovery codes  {} left\n",
        time(factor.since.unwrap_or(0)),
        factor.recovery_codes,
    );
    if let Some(left) = factor.locked {
        let left = duration(left / 1000 * 1000);
        lines += &format!("locked          after wrong codes, for another {left}\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_is_left_and_what_to_do() {
        let mut factor = Factor {
            user: "al\x1bice".into(),
            ..Factor::default()
        };
        let lines = described(&factor);
        assert!(lines.contains("user            al\\x1bice\n"), "{lines}");
        assert!(lines.contains("no; enrol a factor with: elevatectl mfa enrol\n"));
        factor = Factor {
            enrolled: true,
            since: Some(1_000),
            recovery_codes: 7,
            locked: Some(90_500),
            ..factor
        };
        let lines = described(&factor);
        assert!(lines.contains("recovery codes  7 left\n"), "{lines}");
        assert!(lines.contains("for another 1m 30s\n"), "{lines}");
    }

    #[test]
    fn secrets_stand_on_lines_of_their_own_and_steer_nothing() {
        let (one, other) = ("abc".to_owned(), "d\x1b[2J\ne".to_owned());
        let text = lines(&[("Secret: ", &one.into()), ("  ", &other.into())]);
        assert_eq!(text.as_str(), "Secret: abc\n  d\\x1b[2J\\ne\n");
    }
}
