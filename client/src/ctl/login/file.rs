//! PAM files, changed whole or not at all, and what they were before.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Gid, OFlags, Uid};

use crate::failure::Failure;

/// No PAM file has as many bytes.
const LONGEST: u64 = 1 << 20;

/// Where things are; somewhere else in tests.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    /// `/etc/pam.d`
    pub(super) pam: PathBuf,
    /// `/var/lib/elevate/pam`: what files of services were before and after `enable`.
    pub(super) kept: PathBuf,
}

impl Folders {
    pub(super) fn real() -> Self {
        Folders {
            pam: "/etc/pam.d".into(),
            kept: "/var/lib/elevate/pam".into(),
        }
    }

    /// Keep others of our kind from editing meanwhile, until the file is dropped.
    pub(super) fn lock(&self) -> Result<File, Failure> {
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true);
        builder.create(&self.kept).map_err(of(&self.kept))?;
        let folder = File::open(&self.kept).map_err(of(&self.kept))?;
        match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(folder),
            Err(_) => Err(Failure::new(
                "another elevatectl login is at work: try again",
            )),
        }
    }

    /// The PAM file of `service`, whose name is a plain one.
    pub(super) fn service(&self, service: &str) -> Result<PamFile, Failure> {
        plain(service)?;
        PamFile::read(self.pam.join(service))
    }

    /// The names of all services with a file.
    pub(super) fn services(&self) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.pam).map_err(of(&self.pam))? {
            let name = entry.map_err(of(&self.pam))?.file_name();
            names.extend(name.into_string().ok().filter(|name| plain(name).is_ok()));
        }
        names.sort();
        Ok(names)
    }

    /// What the file of `service` was before and after `enable`, where that is kept.
    pub(super) fn kept(&self, service: &str) -> Option<(String, String)> {
        let read = |kind| fs::read_to_string(self.kept_path(service, kind)).ok();
        Some((read("orig")?, read("enabled")?))
    }

    pub(super) fn keep(&self, service: &str, before: &str, after: &str) -> Result<(), Failure> {
        for (kind, text) in [("orig", before), ("enabled", after)] {
            let path = self.kept_path(service, kind);
            replace(&path, text, 0o600, None).map_err(of(&path))?;
        }
        Ok(())
    }

    pub(super) fn forget(&self, service: &str) {
        for kind in ["orig", "enabled"] {
            // What stays behind is compared with the file before it is used.
            let _ = fs::remove_file(self.kept_path(service, kind));
        }
    }

    /// Where the file is kept as it was before.
    pub(super) fn kept_path(&self, service: &str, kind: &str) -> PathBuf {
        self.kept.join(format!("{service}.{kind}"))
    }
}

/// A name that is one file in `/etc/pam.d`, and a service of its own.
fn plain(service: &str) -> Result<(), Failure> {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let starts = service.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !starts || !service.bytes().all(usual) || service.len() > 64 {
        return Err(Failure::new("this is no name of a PAM service")
            .hint("name a file in /etc/pam.d, such as sshd"));
    }
    if service.starts_with("common-") || service == "other" || service == "elevate" {
        return Err(Failure::new(format!(
            "{service} is no service for logins: what stands there reaches cron, sudo and others"
        ))
        .hint("name the service itself, such as sshd, login or su"));
    }
    Ok(())
}

/// A file as it was when it was read.
#[derive(Debug)]
pub(super) struct PamFile {
    path: PathBuf,
    pub(super) text: String,
    mode: u32,
    owner: (u32, u32),
}

impl PamFile {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        let mut options = File::options();
        options
            .read(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
        let mut file = options.open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::new(format!("there is no {}", path.display()))
                .hint("the services of this machine are the files in /etc/pam.d"),
            _ => of(&path)(error),
        })?;
        let found = file.metadata().map_err(of(&path))?;
        let refused = |why: &str| Err(Failure::new(format!("{}: {why}", path.display())));
        if !found.is_file() || found.len() > LONGEST {
            return refused("not a file of a few lines");
        }
        if found.uid() != rustix::process::geteuid().as_raw() || found.mode() & 0o022 != 0 {
            return refused("others than root can write to it, and with it already log in");
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(of(&path))?;
        Ok(PamFile {
            text,
            mode: found.permissions().mode() & 0o7777,
            owner: (found.uid(), found.gid()),
            path,
        })
    }

    /// Put `text` in its place, unless somebody changed it since it was read.
    pub(super) fn write(&self, text: &str) -> Result<(), Failure> {
        if PamFile::read(self.path.clone())?.text != self.text {
            return Err(Failure::new(format!(
                "{} was changed by somebody else just now: try again",
                self.path.display()
            )));
        }
        replace(&self.path, text, self.mode, Some(self.owner)).map_err(of(&self.path))
    }
}

/// Write a file anew, on disk before it takes the old one's place: whoever logs in at that moment
/// meets the one or the other.
fn replace(path: &Path, text: &str, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // No service's name begins with a dot.
    let draft = folder.join(format!(".elevate-{}.new", name.to_string_lossy()));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&draft)?;
    let written = (|| {
        file.write_all(text.as_bytes())?;
        if let Some((uid, gid)) = owner {
            rustix::fs::fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

fn of(path: &Path) -> impl Fn(io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::new(format!("{path}: {error}"))
}
