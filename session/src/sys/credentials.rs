//! Becoming somebody else, for good or for a moment. Only for processes with one thread.

use std::io;

use elevate_protocol::account::Account;
use rustix::process::{Gid, Uid};
use rustix::thread::{capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Become `account` for good: groups, then gid, then uid, the only order that works, and then look
/// whether it did.
pub(crate) fn become_account(account: &Account) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
    set_thread_groups(&groups(account))?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    if ids()? != ([account.uid; 3], [account.gid; 3]) {
        return Err(io::Error::other("the kernel did not change the user"));
    }
    Ok(())
}

/// Become `uid` for good, without any capability, and look whether that is so. The groups stay: this
/// is for a process that only sends signals.
pub(crate) fn become_uid(uid: u32) -> io::Result<()> {
    let wanted = Uid::from_raw(uid);
    set_thread_res_uid(wanted, wanted, wanted)?;
    let has = capabilities(None)?;
    if ids()?.0 != [uid; 3] || uid == 0 || !(has.effective | has.permitted).is_empty() {
        return Err(io::Error::other(
            "the kernel did not take root's rights away",
        ));
    }
    Ok(())
}

/// Run `act` with `account`'s rights on files (and without root's), then come back.
pub(crate) fn with_file_rights_of<T>(
    account: &Account,
    act: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    set_thread_groups(&groups(account))?;
    set_file_ids(account.uid, account.gid)?;
    let result = act();
    set_file_ids(0, 0)?;
    result
}

/// Run `act` with `account` as the real user, then come back.
pub(crate) fn with_real_user<T>(
    account: &Account,
    act: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let (uid, gid) = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
    set_thread_res_gid(gid, None, None)?;
    set_thread_res_uid(uid, None, None)?;
    let result = act();
    set_thread_res_uid(Uid::ROOT, None, None)?;
    set_thread_res_gid(Gid::ROOT, None, None)?;
    result
}

fn groups(account: &Account) -> Vec<Gid> {
    let groups = account.groups.iter();
    groups.map(|&gid| Gid::from_raw(gid)).collect()
}

/// setfsgid(2) and setfsuid(2) report nothing; asking for −1 changes nothing and tells what is set.
fn set_file_ids(uid: u32, gid: u32) -> io::Result<()> {
    const ASK: u32 = u32::MAX;
    // SAFETY: these calls have no memory preconditions.
    let set = unsafe {
        libc::setfsgid(gid);
        libc::setfsuid(uid);
        (libc::setfsuid(ASK) as u32, libc::setfsgid(ASK) as u32)
    };
    if set != (uid, gid) {
        return Err(io::Error::other("the kernel did not change the file ids"));
    }
    Ok(())
}

/// Real, effective and saved ids, of the user and of the group.
fn ids() -> io::Result<([u32; 3], [u32; 3])> {
    let (mut uids, mut gids) = ([0; 3], [0; 3]);
    let [ruid, euid, suid] = &mut uids;
    let [rgid, egid, sgid] = &mut gids;
    // SAFETY: all six pointers are to distinct integers that are valid for writing.
    let results = unsafe {
        (
            libc::getresuid(ruid, euid, suid),
            libc::getresgid(rgid, egid, sgid),
        )
    };
    if results != (0, 0) {
        return Err(io::Error::last_os_error());
    }
    Ok((uids, gids))
}
