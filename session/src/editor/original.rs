//! A file as it was when the edit began.

use std::fs::File;
use std::io::{self, Read, Seek};

use elevate_protocol::account::Account;
use elevate_protocol::launch::EditFile;
use elevate_protocol::{ErrorName, escape};
use rustix::fs::{Mode, OFlags, fstat, openat};

use crate::identity::identity;
use crate::leader::failure::Failure;
use crate::resolver::edit::{Miss, Place, look};
use crate::sys::credentials::with_file_rights_of;

/// A file to be edited, or the place where it would be made.
pub(super) struct Original {
    pub(super) place: Place,
    /// Open for reading, with the target's rights; none where it would be made.
    pub(super) file: Option<File>,
}

impl Original {
    /// The file that was judged, if it still is that file.
    pub(super) fn open(
        judged: &EditFile,
        target: &Account,
        caller: &Account,
    ) -> Result<Original, Failure> {
        let place = same(judged, target, caller)?;
        let file = match judged.identity {
            None => None,
            Some(identity_then) => {
                let file = with_file_rights_of(target, || read_only(&place))
                    .map_err(|error| changed(judged, &error.to_string()))?;
                let now = fstat(&file).map_err(|error| changed(judged, &error.to_string()))?;
                if identity(&now) != identity_then {
                    return Err(changed(judged, "it is no longer the file that was checked"));
                }
                Some(file)
            }
        };
        Ok(Original { place, file })
    }

    /// Bytes of its contents.
    pub(super) fn size(&self) -> u64 {
        self.place.file.identity.map_or(0, |identity| identity.size)
    }

    /// All of it, as it was judged.
    pub(super) fn contents(&self) -> io::Result<Vec<u8>> {
        let Some(mut file) = self.file.as_ref() else {
            return Ok(Vec::new());
        };
        let size = self.size();
        let mut contents = Vec::with_capacity(size as usize);
        file.rewind()?;
        file.take(size + 1).read_to_end(&mut contents)?;
        let now = Some(identity(&fstat(file)?));
        if now != self.place.file.identity || contents.len() as u64 != size {
            return Err(io::Error::other("it was changed while it was read"));
        }
        Ok(contents)
    }

    /// Whether it holds `contents`; a file that would have been made was made whole or not at all.
    pub(super) fn holds(&self, contents: &[u8]) -> bool {
        let Some(mut file) = self.file.as_ref() else {
            return true;
        };
        let mut now = Vec::with_capacity(contents.len());
        let most = contents.len() as u64 + 1;
        let read = file
            .rewind()
            .and_then(|()| file.take(most).read_to_end(&mut now));
        read.is_ok() && now == contents
    }

    /// It could not be read.
    pub(super) fn changed(&self, why: &io::Error) -> Failure {
        changed(&self.place.file, &why.to_string())
    }

    /// It could not be written.
    pub(super) fn unwritten(&self, why: &io::Error) -> Failure {
        let path = escape::line(&self.place.file.path);
        Failure::new(
            ErrorName::Failed,
            format!("{path} cannot be written: {why}"),
        )
    }

    /// Whether its path leads here still, and nobody changed it since.
    pub(super) fn check_again(&self, target: &Account, caller: &Account) -> Result<(), Failure> {
        let judged = &self.place.file;
        let now = same(judged, target, caller)?;
        let which = |place: &Place| {
            let stat = fstat(&place.folder).map_err(|error| changed(judged, &error.to_string()))?;
            Ok((stat.st_dev, stat.st_ino))
        };
        if which(&now)? != which(&self.place)? {
            return Err(changed(judged, "its folder is another one now"));
        }
        Ok(())
    }
}

/// The place that the judged path leads to now, where it is the judged one.
fn same(judged: &EditFile, target: &Account, caller: &Account) -> Result<Place, Failure> {
    let place = look(b"/", &judged.path, target, caller).map_err(|miss| match miss {
        Miss::NotFound => changed(judged, "it is gone"),
        Miss::Refused(why) => Failure::new(ErrorName::Changed, why),
        Miss::Failed(why) => changed(judged, &why),
    })?;
    if place.file == *judged {
        return Ok(place);
    }
    Err(changed(judged, "somebody else changed it meanwhile"))
}

fn read_only(place: &Place) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(openat(&place.folder, &place.name[..], flags, Mode::empty())?.into())
}

fn changed(judged: &EditFile, why: &str) -> Failure {
    let path = escape::line(&judged.path);
    Failure::new(
        ErrorName::Changed,
        format!("{path} cannot be edited: {why}"),
    )
}
