use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use elevate_protocol::account::Account;
use elevate_protocol::launch::Purpose;

use super::*;

/// A folder of root's at a place where nobody else can change the way there: not /tmp, which is
/// sticky and therefore never fixed.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        assert!(
            rustix::process::geteuid().is_root(),
            "these tests need root"
        );
        Place(tempfile::tempdir_in("/root").unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn ask(&self, command: &str) -> Resolve {
        Resolve {
            command: command.into(),
            cwd: bytes(self.0.path()),
            search_path: format!("relative:{}:/nowhere", self.path("bin").display()),
            target: Account {
                name: "root".into(),
                uid: 0,
                gid: 0,
                groups: vec![0],
                home: "/root".into(),
                shell: "/bin/sh".into(),
            },
            hash: false,
            purpose: Purpose::Execute,
        }
    }

    fn found(&self, command: &str) -> File {
        match find(&self.ask(command)) {
            Resolution::Found(file) => file,
            other => panic!("{command}: {other:?}"),
        }
    }
}

fn bytes(path: &Path) -> Bytes {
    Bytes(path.as_os_str().as_bytes().to_vec())
}

#[test]
fn a_bare_name_is_looked_for_in_absolute_folders_only() {
    let place = Place::new();
    place.file("relative/tool", "");
    assert_eq!(find(&place.ask("tool")), Resolution::NotFound);
    let tool = place.file("bin/tool", "");
    let found = place.found("tool");
    assert_eq!(found.path, bytes(&tool));
    assert!(found.fixed);
    assert_eq!(found.sha256, None);
}

#[test]
fn a_path_begins_at_the_working_directory() {
    let place = Place::new();
    let tool = place.file("a/b/tool", "");
    for command in ["a/b/tool", "./a/../a/b/./tool", "a//b/tool"] {
        assert_eq!(place.found(command).path, bytes(&tool), "{command}");
    }
    assert_eq!(place.found(tool.to_str().unwrap()).real, bytes(&tool));
}

#[test]
fn the_last_link_keeps_its_name_and_shows_where_it_leads() {
    let place = Place::new();
    let tool = place.file("bin/tool-1.0", "");
    symlink("tool-1.0", place.path("bin/tool")).unwrap();
    symlink(place.path("bin"), place.path("sbin")).unwrap();
    let found = place.found("sbin/tool");
    assert_eq!(found.path, bytes(&place.path("bin/tool")));
    assert_eq!(found.real, bytes(&tool));
    assert!(found.fixed);
}

#[test]
fn links_in_a_circle_fail_and_do_not_hang() {
    let place = Place::new();
    symlink("b", place.path("a")).unwrap();
    symlink("a", place.path("b")).unwrap();
    assert!(matches!(find(&place.ask("./a")), Resolution::Failed(_)));
}

#[test]
fn as_many_links_are_followed_as_the_kernel_follows() {
    let place = Place::new();
    place.file("0", "");
    for number in 1..=41 {
        symlink((number - 1).to_string(), place.path(&number.to_string())).unwrap();
    }
    assert!(fs::metadata(place.path("40")).is_ok());
    assert_eq!(place.found("./40").real, bytes(&place.path("0")));
    assert!(fs::metadata(place.path("41")).is_err());
    assert!(matches!(find(&place.ask("./41")), Resolution::Failed(_)));
}

/// What somebody could have done to a file.
type Change = &'static dyn Fn(&Path);

#[test]
fn whatever_another_user_could_change_on_the_way_is_not_fixed() {
    let changes: [(&str, Change); 6] = [
        ("the folder is its group's", &|path| {
            mode(path.parent().unwrap(), 0o775)
        }),
        ("the folder is everybody's", &|path| {
            mode(path.parent().unwrap(), 0o1777)
        }),
        ("the folder is somebody's", &|path| {
            own(path.parent().unwrap())
        }),
        ("the file is its group's", &|path| mode(path, 0o775)),
        ("the file is everybody's", &|path| mode(path, 0o757)),
        ("the file is somebody's", &own),
    ];
    for (name, change) in changes {
        let place = Place::new();
        let tool = place.file("bin/tool", "");
        assert!(place.found("tool").fixed);
        change(&tool);
        assert!(!place.found("tool").fixed, "{name}");
    }
}

#[test]
fn a_link_that_is_somebody_elses_is_not_fixed() {
    let place = Place::new();
    place.file("bin/tool", "");
    symlink("bin/tool", place.path("link")).unwrap();
    assert!(place.found("./link").fixed);
    std::os::unix::fs::lchown(place.path("link"), Some(65534), None).unwrap();
    assert!(!place.found("./link").fixed);
}

#[test]
fn a_script_is_as_fixed_as_its_interpreters() {
    let place = Place::new();
    let inner = place.file("bin/inner", "");
    let outer = place.file("bin/outer", &format!("#! {} -x\n", inner.display()));
    place.file("bin/script", &format!("#!{}\n", outer.display()));
    let found = place.found("script");
    assert!(found.fixed);
    let chain = found.interpreter.unwrap();
    assert_eq!(chain.path, bytes(&outer));
    assert_eq!(chain.interpreter.unwrap().path, bytes(&inner));
    mode(&inner, 0o777);
    assert!(!place.found("script").fixed);
}

#[test]
fn a_script_that_interprets_itself_fails() {
    let place = Place::new();
    let own = place.path("bin/own");
    place.file("bin/own", &format!("#!{}\n", own.display()));
    assert!(matches!(find(&place.ask("own")), Resolution::Failed(_)));
}

#[test]
fn folders_fifos_and_files_without_the_bit_cannot_be_executed() {
    let place = Place::new();
    let plain = place.file("bin/plain", "");
    mode(&plain, 0o644);
    fs::create_dir(place.path("bin/folder")).unwrap();
    for command in ["plain", "folder", "bin/folder/", "bin/folder/..", "bin/."] {
        let resolution = find(&place.ask(command));
        assert!(
            matches!(resolution, Resolution::NotExecutable(_)),
            "{command} {resolution:?}"
        );
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let place = Place::new();
    place.file("bin/tool", "");
    for command in [
        "nothing",
        "./nothing",
        "bin/tool/below",
        "bin/tool/",
        "bin/tool/../tool",
        "",
        "a\0b",
        "no/such/../tool",
    ] {
        assert_eq!(
            find(&place.ask(command)),
            Resolution::NotFound,
            "{command:?}"
        );
    }
}

#[test]
fn file_and_interpreter_are_hashed_when_asked() {
    let place = Place::new();
    let inner = place.file("bin/inner", "abc");
    place.file("bin/script", &format!("#!{}\n", inner.display()));
    let ask = Resolve {
        hash: true,
        purpose: Purpose::Execute,
        ..place.ask("script")
    };
    let Resolution::Found(found) = find(&ask) else {
        panic!("not found");
    };
    let script = fs::File::open(place.path("bin/script")).unwrap();
    assert_eq!(found.sha256, Some(contents::sha256(script).unwrap()));
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(found.interpreter.unwrap().sha256.unwrap(), abc);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn own(path: &Path) {
    chown(path, Some(65534), None).unwrap();
}
