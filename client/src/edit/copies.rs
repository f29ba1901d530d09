//! The copies that the editor works on, in a folder that nobody else may enter.
//!
//! It is in /var/tmp, as sudoedit's: what is kept there outlives the login and the machine's next
//! start, which /run/user does not.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use elevate_protocol::limits::{EDIT_BYTES, EDIT_TOTAL_BYTES};
use elevate_protocol::{Bytes, escape};
use tempfile::TempDir;

use crate::failure::Failure;

const FOLDERS: [&str; 2] = ["/var/tmp", "/tmp"];

/// One file to be edited.
#[derive(Debug)]
pub(super) struct Original {
    pub(super) path: Bytes,
    /// None where it would be made.
    pub(super) contents: Option<Vec<u8>>,
}

/// The copies; the folder goes with this.
#[derive(Debug)]
pub(super) struct Copies {
    folder: TempDir,
    files: Vec<(Original, PathBuf)>,
}

/// What the editor did.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// New contents, each with its place among the files.
    pub(super) files: Vec<(u32, Vec<u8>)>,
    /// Paths of the others, harmless for a terminal.
    pub(super) unchanged: Vec<String>,
}

impl Copies {
    pub(super) fn make(originals: Vec<Original>) -> Result<Copies, Failure> {
        let folder = FOLDERS.iter().find_map(|folder| private(folder).ok());
        let folder = folder.ok_or_else(|| {
            Failure::new(format!(
                "no folder for copies can be made in {}",
                FOLDERS.join(" or ")
            ))
        })?;
        let mut copies = Copies {
            files: Vec::with_capacity(originals.len()),
            folder,
        };
        for original in originals {
            let path = copies.copy(&original).map_err(|error| {
                let path = escape::line(&original.path);
                Failure::new(format!("cannot make a copy of {path}: {error}"))
            })?;
            copies.files.push((original, path));
        }
        Ok(copies)
    }

    /// Under the whole path of the original, so that an editor knows by it what kind of file it is.
    fn copy(&self, original: &Original) -> io::Result<PathBuf> {
        let path = below(self.folder.path(), &original.path).ok_or(io::ErrorKind::InvalidInput)?;
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        if let Some(contents) = &original.contents {
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(&path);
            file?.write_all(contents)?;
        }
        Ok(path)
    }

    /// For the editor.
    pub(super) fn paths(&self) -> Vec<&Path> {
        self.files.iter().map(|(_, path)| path.as_path()).collect()
    }

    /// Compare each copy with its original.
    pub(super) fn changed(&self) -> Result<Changes, Failure> {
        let mut changes = Changes::default();
        let mut all = 0;
        for (index, (original, path)) in (0..).zip(&self.files) {
            let shown = escape::line(&original.path);
            let now = read(path).map_err(|error| {
                Failure::new(format!("cannot read the copy of {shown}: {error}"))
            })?;
            match now {
                Some(now) if Some(&now) != original.contents.as_ref() => {
                    all += now.len() as u64;
                    changes.files.push((index, now));
                }
                _ => changes.unchanged.push(shown),
            }
        }
        if all > EDIT_TOTAL_BYTES {
            return Err(too_big(EDIT_TOTAL_BYTES).into());
        }
        Ok(changes)
    }

    /// Keep what holds changes, and what the editor itself left beside it to recover them; the
    /// paths of the copies that are kept.
    pub(super) fn keep_changed(self) -> Vec<PathBuf> {
        let (same, changed): (Vec<_>, Vec<_>) = self.files.into_iter().partition(is_unchanged);
        let mut left = BTreeSet::new();
        find_files(self.folder.path(), &mut left);
        for (_, path) in &same {
            left.remove(path);
        }
        if left.is_empty() {
            return Vec::new();
        }
        let _ = self.folder.keep();
        for (_, path) in &same {
            let _ = fs::remove_file(path);
        }
        match changed.is_empty() {
            true => left.into_iter().collect(),
            false => changed.into_iter().map(|(_, path)| path).collect(),
        }
    }
}

fn private(folder: &str) -> io::Result<TempDir> {
    let only_us = Permissions::from_mode(0o700);
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("elevate-edit-").permissions(only_us);
    builder.tempdir_in(folder)
}

/// `path`, which is absolute, in `folder`; none if it is not, or would lead out of it.
fn below(folder: &Path, path: &Bytes) -> Option<PathBuf> {
    let inner = path.strip_prefix(b"/")?;
    let is_name = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    let stays = inner.split(|&byte| byte == b'/').all(is_name) && !path.has_nul();
    stays.then(|| folder.join(OsStr::from_bytes(inner)))
}

/// The contents; none if there is no such file.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut contents = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(&file, EDIT_BYTES + 1), &mut contents)?;
    if contents.len() as u64 > EDIT_BYTES {
        return Err(too_big(EDIT_BYTES));
    }
    Ok(Some(contents))
}

fn too_big(most: u64) -> io::Error {
    let most = most / (1024 * 1024);
    io::Error::other(format!("more than {most} MiB cannot be written back"))
}

fn is_unchanged((original, path): &(Original, PathBuf)) -> bool {
    match read(path) {
        Ok(now) => now.is_none() || now == original.contents,
        // Whatever it is, it is the person's.
        Err(_) => false,
    }
}

/// Every file in `folder` and below.
fn find_files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => find_files(&path, found),
            _ => drop(found.insert(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original(path: &str, contents: Option<&str>) -> Original {
        Original {
            path: path.into(),
            contents: contents.map(|text| text.as_bytes().to_vec()),
        }
    }

    fn two() -> Copies {
        let originals = vec![
            original("/etc/a", Some("a\n")),
            original("/etc/x/new", None),
        ];
        Copies::make(originals).unwrap()
    }

    #[test]
    fn copies_are_for_nobody_else_and_have_the_names_of_the_files() {
        let copies = two();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let folder = copies.folder.path().to_owned();
        assert_eq!(
            copies.paths(),
            [folder.join("etc/a"), folder.join("etc/x/new")]
        );
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("etc/a")), 0o600);
        assert!(!folder.join("etc/x/new").exists());
        drop(copies);
        assert!(!folder.exists());
    }

    #[test]
    fn a_path_leads_nowhere_else() {
        let folder = Path::new("/x");
        for path in [
            "etc/a",
            "/",
            "/../a",
            "/a/../../b",
            "/a/.",
            "/a/",
            "//a",
            "",
            "/a\0b",
        ] {
            assert_eq!(below(folder, &path.into()), None, "{path:?}");
        }
        assert_eq!(below(folder, &"/etc/a".into()), Some("/x/etc/a".into()));
    }

    #[test]
    fn only_what_the_editor_changed_is_given_back() {
        let copies = two();
        let none = copies.changed().unwrap();
        assert_eq!((none.files, none.unchanged.len()), (Vec::new(), 2));
        let [a, new] = [copies.paths()[0].to_owned(), copies.paths()[1].to_owned()];
        fs::write(&new, "").unwrap();
        // As editors do: another file of the same name.
        fs::remove_file(&a).unwrap();
        fs::write(&a, "b\n").unwrap();
        let both = copies.changed().unwrap();
        assert_eq!(both.files, [(0, b"b\n".to_vec()), (1, Vec::new())]);
    }

    #[test]
    fn what_is_too_big_is_refused_and_kept() {
        let copies = two();
        let path = copies.paths()[0].to_owned();
        File::create(&path)
            .unwrap()
            .set_len(EDIT_BYTES + 1)
            .unwrap();
        let failure = copies.changed().unwrap_err();
        assert!(failure.message.contains("more than 16 MiB"), "{failure}");
        let folder = copies.folder.path().to_owned();
        assert_eq!(copies.keep_changed(), [path]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_holds_no_change_is_not_kept() {
        let copies = two();
        let folder = copies.folder.path().to_owned();
        assert!(copies.keep_changed().is_empty());
        assert!(!folder.exists());
    }

    #[test]
    fn what_an_editor_left_to_recover_changes_is_kept_and_the_copy_is_not() {
        let copies = two();
        let folder = copies.folder.path().to_owned();
        let swap = folder.join("etc/.a.swp");
        fs::write(&swap, "unsaved").unwrap();
        assert_eq!(copies.keep_changed(), [swap]);
        assert!(!folder.join("etc/a").exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
