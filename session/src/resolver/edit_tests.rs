use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::*;

fn account(name: &str, uid: u32, groups: &[u32]) -> Account {
    Account {
        name: name.into(),
        uid,
        gid: uid,
        groups: [&[uid], groups].concat(),
        home: "/".into(),
        shell: "/bin/sh".into(),
    }
}

fn root() -> Account {
    account("root", 0, &[])
}

const CREW: u32 = 4100;

fn alice() -> Account {
    account("alice", 4001, &[CREW])
}

/// `etc/conf` in a folder of root's that anybody may pass through, in a sticky one.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Scene {
        let scene = Scene(tempfile::tempdir().unwrap());
        mode(scene.0.path(), 0o755);
        fs::create_dir(scene.path("etc")).unwrap();
        mode(&scene.path("etc"), 0o755);
        fs::write(scene.path("etc/conf"), "old\n").unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn look(&self, name: &str, target: &Account) -> Result<EditFile, Miss> {
        let base = self.0.path().as_os_str().as_bytes();
        look(base, name.as_bytes(), target, &alice()).map(|place| place.file)
    }

    fn refused(&self, name: &str) -> String {
        match self.look(name, &root()) {
            Err(Miss::Refused(why)) => why,
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn group(path: &Path, mode_bits: u32) {
    chown(path, None, Some(CREW)).unwrap();
    mode(path, mode_bits);
}

#[test]
fn an_ordinary_file_is_found_by_every_way_there() {
    let scene = Scene::new();
    symlink("etc", scene.path("link")).unwrap();
    let stat = fs::metadata(scene.path("etc/conf")).unwrap();
    for name in ["etc/conf", "./etc//../etc/conf", "link/conf"] {
        let file = scene.look(name, &root()).unwrap();
        assert_eq!(file.path.as_os_str(), scene.path("etc/conf"), "{name}");
        assert_eq!(file.identity.unwrap().inode, stat.ino());
    }
}

#[test]
fn a_file_that_is_not_there_is_made_where_there_is_a_folder() {
    let scene = Scene::new();
    let file = scene.look("etc/new", &root()).unwrap();
    assert_eq!(file.path.as_os_str(), scene.path("etc/new"));
    assert_eq!(file.identity, None);
    assert_eq!(scene.look("nowhere/new", &root()), Err(Miss::NotFound));
    assert_eq!(scene.look("etc/conf/below", &root()), Err(Miss::NotFound));
}

#[test]
fn what_is_no_ordinary_file_is_refused() {
    let scene = Scene::new();
    symlink("conf", scene.path("etc/link")).unwrap();
    symlink("nothing", scene.path("etc/dangling")).unwrap();
    for link in ["etc/link", "etc/dangling"] {
        assert!(scene.refused(link).contains("is a link"), "{link}");
    }
    for folder in ["etc", "etc/", "etc/.", "etc/.."] {
        assert!(scene.refused(folder).contains("is a folder"), "{folder}");
    }
    assert!(scene.refused("/dev/null").contains("no ordinary file"));
}

#[test]
fn a_file_that_is_too_big_is_refused_by_the_name_of_its_limit() {
    let scene = Scene::new();
    let file = fs::File::create(scene.path("etc/big")).unwrap();
    file.set_len(EDIT_BYTES).unwrap();
    assert!(scene.look("etc/big", &root()).is_ok());
    file.set_len(EDIT_BYTES + 1).unwrap();
    assert!(scene.refused("etc/big").contains("more than 16 MiB"));
}

#[test]
fn the_targets_rights_decide_and_not_roots() {
    let scene = Scene::new();
    let www = account("www", 4050, &[]);
    let Err(Miss::Refused(why)) = scene.look("etc/conf", &www) else {
        panic!("root's file is www's to write");
    };
    assert!(why.contains("www cannot read and write"), "{why}");
    chown(scene.path("etc/conf"), Some(www.uid), None).unwrap();
    assert!(scene.look("etc/conf", &www).is_ok());
    assert!(matches!(scene.look("etc/new", &www), Err(Miss::Refused(_))));
    mode(&scene.path("etc"), 0o700);
    assert_eq!(scene.look("etc/conf", &www), Err(Miss::NotFound));
    assert!(scene.look("etc/conf", &root()).is_ok());
}

#[test]
fn a_folder_that_the_caller_may_write_is_refused_however_they_may() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] = [
        ("everybody may", |folder| mode(folder, 0o777)),
        ("everybody may, sticky", |folder| mode(folder, 0o1777)),
        ("their group may", |folder| group(folder, 0o775)),
        ("it is theirs, without the bit", |folder| {
            chown(folder, Some(alice().uid), None).unwrap();
            mode(folder, 0o555);
        }),
    ];
    for (name, change) in changes {
        let scene = Scene::new();
        change(&scene.path("etc"));
        for file in ["etc/conf", "etc/new"] {
            let why = scene.refused(file);
            assert!(why.contains("alice may write to"), "{name}: {why}");
        }
        let base = scene.0.path().as_os_str().as_bytes();
        assert!(look(base, b"etc/conf", &root(), &root()).is_ok(), "{name}");
    }
}

#[test]
fn a_folder_on_the_way_that_the_caller_may_rename_is_refused() {
    let scene = Scene::new();
    group(scene.0.path(), 0o775);
    assert!(scene.refused("etc/conf").contains("alice may write to"));
    // In a sticky one only what is theirs.
    group(scene.0.path(), 0o1775);
    assert!(scene.look("etc/conf", &root()).is_ok());
    chown(scene.path("etc"), Some(alice().uid), None).unwrap();
    assert!(scene.refused("etc/conf").contains("alice may write to"));
}

#[test]
fn an_access_control_list_counts() {
    let scene = Scene::new();
    // acl(5), as the kernel keeps it: version 2, then tag, permissions and id of each entry.
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 7, u32::MAX),
        (0x02, 7, alice().uid),
        (0x04, 5, u32::MAX),
        (0x10, 7, u32::MAX),
        (0x20, 5, u32::MAX),
    ];
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(scene.path("etc"), "system.posix_acl_access", &list, flags).unwrap();
    assert!(scene.refused("etc/conf").contains("alice may write to"));
}
