//! What a file has beside its contents, and whether another can have all of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use rustix::fs::{
    Gid, IFlags, Mode, Stat, Uid, XattrFlags, fchmod, fchown, fgetxattr, flistxattr, fremovexattr,
    fsetxattr, fstat, ioctl_getflags,
};
use rustix::io::Errno;

/// No name and no value of an extended attribute is longer (xattr(7)).
const LONGEST: usize = 64 * 1024;
/// Extended attributes that belong to a file whatever it holds. Others (capabilities, signatures)
/// the kernel drops or renews when contents change, which is not for us to undo.
const KEPT: [&[u8]; 3] = [b"system.posix_acl_access", b"security.selinux", b"user."];
/// Flags that somebody set (FS_IOC_GETFLAGS); others say how the file system stores the file.
const FLAGS: IFlags = IFlags::from_bits_retain(
    IFlags::IMMUTABLE.bits()
        | IFlags::APPEND.bits()
        | IFlags::NODUMP.bits()
        | IFlags::SYNC.bits()
        | IFlags::NOATIME.bits()
        | IFlags::NOCOW.bits()
        | IFlags::COMPRESSED.bits(),
);

type Attributes = BTreeMap<Vec<u8>, Vec<u8>>;

/// Give `to` the owner, mode and attributes of `from`; whether it has every one of them now, and
/// `from` has no other name and no bit that lets it act as somebody else.
pub(super) fn copy(from: &File, to: &File) -> io::Result<bool> {
    const ACTS_AS_ANOTHER: Mode = Mode::SUID.union(Mode::SGID);
    let (theirs, ours) = (fstat(from)?, fstat(to)?);
    let mode = Mode::from_raw_mode(theirs.st_mode);
    if theirs.st_nlink != 1 || mode.intersects(ACTS_AS_ANOTHER) || flags(from) != flags(to) {
        return Ok(false);
    }
    let attributes = attributes(from)?;
    if !attributes.keys().all(|name| is_kept(name)) {
        return Ok(false);
    }
    // What is not allowed shows in the comparison.
    let owner = (Uid::from_raw(theirs.st_uid), Gid::from_raw(theirs.st_gid));
    if (theirs.st_uid, theirs.st_gid) != (ours.st_uid, ours.st_gid) {
        let _ = fchown(to, Some(owner.0), Some(owner.1));
    }
    for name in self::attributes(to)?.keys() {
        if !attributes.contains_key(name) {
            let _ = fremovexattr(to, &name[..]);
        }
    }
    for (name, value) in &attributes {
        let _ = fsetxattr(to, &name[..], value, XattrFlags::empty());
    }
    let _ = fchmod(to, mode);
    let same =
        |a: &Stat, b: &Stat| (a.st_uid, a.st_gid, a.st_mode) == (b.st_uid, b.st_gid, b.st_mode);
    Ok(same(&fstat(to)?, &theirs) && self::attributes(to)? == attributes)
}

fn is_kept(name: &[u8]) -> bool {
    KEPT.iter().any(|kept| match kept.last() {
        Some(b'.') => name.starts_with(kept),
        _ => name == *kept,
    })
}

/// None where the file system has no such flags.
fn flags(file: &File) -> IFlags {
    ioctl_getflags(file).unwrap_or(IFlags::empty()) & FLAGS
}

fn attributes(file: &File) -> io::Result<Attributes> {
    let mut names = vec![0; LONGEST];
    let length = match flistxattr(file, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error.into()),
    };
    let names = names[..length].split(|&byte| byte == 0);
    let mut value = vec![0; LONGEST];
    let mut read = |name: &[u8]| match fgetxattr(file, name, &mut value[..]) {
        Ok(length) => Ok(Some((name.to_vec(), value[..length].to_vec()))),
        // Gone, or not for us to see.
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error.into()),
    };
    let names = names.filter(|name| !name.is_empty());
    names.filter_map(|name| read(name).transpose()).collect()
}
