//! `elevatectl policy import-sudoers`: a sudoers in our language.
//!
//! cvtsudoers(1) reads it; [`convert`] is pure.

mod decide;
mod deed;
mod defaults;
mod deny;
mod entries;
mod glob;
mod json;
mod list;
mod lost;
mod people;
mod remark;
mod saying;
mod tags;
mod words;
mod writing;

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use elevate_policy::{Defaults, HostFacts, Source, load};
use elevate_protocol::escape;

use super::output;
use crate::cli::{ImportArguments, Password};
use crate::failure::Failure;
use entries::Entries;
use lost::Lost;
use remark::{Remark, Remarks, Weight};
use saying::{Files, Found};

const CVTSUDOERS: &str = "/usr/bin/cvtsudoers";

/// What could not be said as sudoers does is marked: the file is there all the same.
const MARKED: u8 = 3;

/// A policy, and what in it differs from the sudoers that it was made from.
#[derive(Debug)]
struct Converted {
    text: String,
    remarks: Vec<Remark>,
}

/// Convert, and write.
pub(super) fn import(asked: &ImportArguments) -> Result<(), Failure> {
    let (json, sudoers, told) = match &asked.json_input {
        Some(file) => (read(file)?, None, String::new()),
        None => {
            let (json, told) = cvtsudoers("json", &asked.path)?;
            let (sudoers, _) = cvtsudoers("sudoers", &asked.path)?;
            (json, Some(sudoers), told)
        }
    };
    let converted = convert(
        &json,
        sudoers.as_deref(),
        &told,
        asked.password_as.as_ref(),
        &find,
    )
    .map_err(|why| {
        Failure::new(format!(
            "cannot convert it: {}",
            escape::line(why.as_bytes())
        ))
    })?;
    check(&converted.text)?;
    match &asked.output {
        Some(file) => write_new(file, &converted.text)?,
        None => output::write(converted.text.as_bytes())?,
    }
    let marked = converted
        .remarks
        .iter()
        .filter(|one| one.weight != Weight::Note)
        .count();
    match marked {
        0 => Ok(()),
        _ => Err(Failure {
            status: MARKED,
            ..Failure::new(format!(
                "converted, and not all of it could be said as sudoers does: marked {marked} times"
            ))
            .hint("look for LEFT OUT and NARROWER in what was written; they are listed at its end")
        }),
    }
}

/// A policy from what cvtsudoers writes: `json`, and the same as `sudoers`, which tells what JSON
/// doesn't; `told` is what it complained of.
fn convert(
    json: &str,
    sudoers: Option<&str>,
    told: &str,
    password: Option<&Password>,
    files: &Files<'_>,
) -> Result<Converted, String> {
    let parsed = json::read(json).map_err(|error| format!("in the JSON: {error}"))?;
    let mut remarks = Remarks::default();
    for line in told.lines() {
        remarks.add(None, Weight::LeftOut, "cvtsudoers says", line);
    }
    let lost: Vec<Lost> = match sudoers {
        Some(text) => lost::compare(&parsed, text)?,
        None => {
            let what = "cvtsudoers' JSON does not tell NOTBEFORE, NOTAFTER and TIMEOUT of each command, \
                        ROLE, TYPE and spaces in paths; look for them in the sudoers that it was made from";
            remarks.add(None, Weight::LeftOut, "--json-input", what);
            Vec::new()
        }
    };
    let standing = defaults::Standing::read(&parsed, &mut remarks)?;
    let all = Entries::read(&parsed, &standing, &lost)?;
    let rules = decide::rules(&all, files, &mut remarks);
    let (text, remarks) = writing::write(&all, &rules, &standing, password, remarks);
    Ok(Converted { text, remarks })
}

/// What a path leads to on this host.
fn find(path: &str) -> Option<Found> {
    let path = Path::new(path);
    let real = path.canonicalize().ok()?;
    let file = match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => folder.canonicalize().ok()?.join(name),
        _ => real.clone(),
    };
    let text = |path: &Path| path.to_str().map(str::to_owned);
    Some(Found {
        file: text(&file)?,
        real: text(&real)?,
    })
}

fn cvtsudoers(format: &str, path: &Path) -> Result<(String, String), Failure> {
    // Its own settings could leave out what they filter.
    let settings = ["-c", "/dev/null"];
    let ran = Command::new(CVTSUDOERS)
        .env_clear()
        .args(settings)
        .args([
            OsStr::new("-f"),
            OsStr::new(format),
            OsStr::new("--"),
            path.as_os_str(),
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Failure::new(format!("{CVTSUDOERS}: {error}"))
                .hint("it comes with sudo; its JSON from elsewhere can be given as --json-input")
        })?;
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    if !ran.status.success() {
        let told = escape::line(told.trim().as_bytes());
        return Err(Failure::new(format!("cvtsudoers failed: {told}")));
    }
    let text = String::from_utf8(ran.stdout)
        .map_err(|_| Failure::new("cvtsudoers wrote what is no UTF-8"))?;
    Ok((text, told))
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().read_to_string(&mut text),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text)),
    };
    read.map_err(|error| failed(file, &error))?;
    Ok(text)
}

/// Writes a file that isn't there yet.
fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o644);
    let written = options
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| failed(file, &error))
}

fn failed(file: &Path, error: &std::io::Error) -> Failure {
    let name = escape::line(file.as_os_str().as_encoded_bytes());
    Failure::new(format!("{name}: {error}"))
}

/// Nothing is written that Elevate would not load.
fn check(text: &str) -> Result<(), Failure> {
    let source = Source {
        name: "converted".into(),
        text: text.to_owned(),
    };
    let loaded = load(&[source], &HostFacts::default(), &Defaults::default());
    loaded.map(drop).map_err(|diagnostics| {
        let first = diagnostics
            .iter()
            .next()
            .map(|one| format!("line {}: {}", one.line, one.message));
        let first = escape::line(first.unwrap_or_default().as_bytes());
        Failure::new(format!(
            "what it would come to is no policy that loads: {first}"
        ))
        .hint("that is a defect of this program; please report it with this part of sudoers")
    })
}
