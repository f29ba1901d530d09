use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;

use elevate_protocol::account::Account;
use elevate_protocol::launch::EditFile;
use rustix::fs::{XattrFlags, getxattr, setxattr};

use super::*;
use crate::resolver::edit::look;

/// A folder with `conf` in it, which holds `old\n`.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Scene {
        let scene = Scene(tempfile::tempdir().unwrap());
        fs::write(scene.path("conf"), "old\n").unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn original(&self, name: &str) -> Original {
        let root = root();
        let path = self.path(name).into_os_string();
        let place = look(b"/", path.as_bytes(), &root, &root).unwrap();
        let judged: EditFile = place.file;
        Original::open(&judged, &root, &root).unwrap()
    }

    fn write(&self, name: &str, new: &[u8]) {
        let original = self.original(name);
        let old = original.contents().unwrap();
        write(&original, &old, new, ".temporary").unwrap();
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn root() -> Account {
    Account {
        name: "root".into(),
        uid: 0,
        gid: 0,
        groups: vec![0],
        home: "/root".into(),
        shell: "/bin/sh".into(),
    }
}

/// acl(5), as the kernel keeps it, with one more user who may read.
fn acl() -> Vec<u8> {
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 6, u32::MAX),
        (0x02, 4, 4001),
        (0x04, 4, u32::MAX),
        (0x10, 4, u32::MAX),
        (0x20, 0, u32::MAX),
    ];
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

#[test]
fn another_file_takes_its_place_with_owner_mode_list_and_attributes() {
    let scene = Scene::new();
    let path = scene.path("conf");
    chown(&path, Some(4001), Some(4002)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let flags = XattrFlags::empty();
    setxattr(&path, "system.posix_acl_access", &acl(), flags).unwrap();
    setxattr(&path, "user.note", b"mine", flags).unwrap();
    let before = fs::metadata(&path).unwrap();
    scene.write("conf", b"new, and longer\n");
    let after = fs::metadata(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new, and longer\n");
    assert_ne!(after.ino(), before.ino(), "it was written in place");
    let facts = |stat: &fs::Metadata| (stat.uid(), stat.gid(), stat.mode());
    assert_eq!(facts(&after), facts(&before));
    let mut value = [0; 64];
    let length = getxattr(&path, "user.note", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"mine");
    let length = getxattr(&path, "system.posix_acl_access", &mut value[..]).unwrap();
    assert_eq!(&value[..length], acl());
    assert_eq!(scene.names(), ["conf"]);
}

#[test]
fn what_a_folder_gives_to_new_files_a_changed_one_does_not_get() {
    let scene = Scene::new();
    let flags = XattrFlags::empty();
    setxattr(scene.0.path(), "system.posix_acl_default", &acl(), flags).unwrap();
    let before = fs::metadata(scene.path("conf")).unwrap();
    scene.write("conf", b"new\n");
    let list = getxattr(
        scene.path("conf"),
        "system.posix_acl_access",
        &mut [0; 64][..],
    );
    assert_eq!(list, Err(Errno::NODATA));
    let after = fs::metadata(scene.path("conf")).unwrap();
    assert_eq!(after.mode(), before.mode());
}

#[test]
fn a_file_of_several_names_keeps_them_all() {
    let scene = Scene::new();
    fs::hard_link(scene.path("conf"), scene.path("other")).unwrap();
    scene.write("conf", b"n\n");
    assert_eq!(fs::read(scene.path("other")).unwrap(), b"n\n");
    assert_eq!(fs::metadata(scene.path("conf")).unwrap().nlink(), 2);
    assert_eq!(scene.names(), ["conf", "other"]);
}

#[test]
fn what_the_kernel_takes_from_a_changed_file_is_not_given_back() {
    let scene = Scene::new();
    let path = scene.path("conf");
    // vfs capabilities, version 2: CAP_NET_ADMIN, permitted.
    let capability = [0x0200_0000u32, 1 << 12, 0, 0, 0]
        .map(u32::to_le_bytes)
        .concat();
    setxattr(
        &path,
        "security.capability",
        &capability,
        XattrFlags::empty(),
    )
    .unwrap();
    scene.write("conf", b"new\n");
    assert_eq!(fs::read(&path).unwrap(), b"new\n");
    let left = getxattr(&path, "security.capability", &mut [0; 64][..]);
    assert_eq!(left, Err(Errno::NODATA));
    assert_eq!(scene.names(), ["conf"]);
}

#[test]
fn a_new_file_is_made_whole_and_never_over_another() {
    let scene = Scene::new();
    scene.write("made", b"made\n");
    let stat = fs::metadata(scene.path("made")).unwrap();
    assert_eq!((stat.uid(), stat.mode() & 0o7777), (0, 0o644));
    let original = scene.original("late");
    fs::write(scene.path("late"), "somebody else's\n").unwrap();
    let error = write(&original, b"", b"mine\n", ".temporary").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(scene.path("late")).unwrap(), b"somebody else's\n");
    assert_eq!(scene.names(), ["conf", "late", "made"]);
}

#[test]
fn a_name_that_is_taken_is_not_written_through() {
    let scene = Scene::new();
    let original = scene.original("conf");
    std::os::unix::fs::symlink("elsewhere", scene.path(".temporary")).unwrap();
    assert!(write(&original, b"old\n", b"new\n", ".temporary").is_err());
    assert_eq!(fs::read(scene.path("conf")).unwrap(), b"old\n");
    assert_eq!(scene.names(), [".temporary", "conf"]);
}

#[test]
fn written_in_place_it_is_as_long_as_it_should_be() {
    let scene = Scene::new();
    fs::hard_link(scene.path("conf"), scene.path("other")).unwrap();
    for new in [&b"much longer than it was\n"[..], b"", b"short"] {
        scene.write("conf", new);
        assert_eq!(fs::read(scene.path("conf")).unwrap(), new);
    }
}
