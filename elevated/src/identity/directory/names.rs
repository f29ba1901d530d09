//! Names that a record may have.

/// Longest name of a user or group, in bytes (useradd(8)).
const LONGEST: usize = 32;
/// Names that systemd gives to everybody's root and nobody, whether files list them or not
/// (nss-systemd(8)).
const RESERVED: [&str; 3] = ["root", "nobody", "nogroup"];

/// Whether `name` may be a user's or group's: `[a-z_][a-z0-9_.-]*`. Such a name is safe as part of
/// a file's name and of a line of passwd(5), is no number and no option.
pub(super) fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("it has no name".into());
    }
    if name.len() > LONGEST {
        return Err(format!("its name is longer than {LONGEST} bytes"));
    }
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(
            "its name has capital letters, and names that differ in them alone are one to LDAP \
             and two to this host"
                .into(),
        );
    }
    let first = |b: u8| b.is_ascii_lowercase() || b == b'_';
    let further = |b: u8| first(b) || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    if !first(name.as_bytes()[0]) || !name.bytes().all(further) {
        return Err(
            "its name is not made of a-z, 0-9, `_`, `.` and `-` with a letter or `_` first".into(),
        );
    }
    if RESERVED.contains(&name) {
        return Err("its name is one of this system's own".into());
    }
    Ok(())
}

/// Groups that programs give root to by their names, here or as soon as they are installed: whether
/// a host has them in its own files already or not, no directory fills them.
const POWERS: [&str; 13] = [
    "adm",
    "admin",
    "disk",
    "docker",
    "incus",
    "incus-admin",
    "kmem",
    "libvirt",
    "lxd",
    "shadow",
    "sudo",
    "systemd-journal",
    "wheel",
];

/// Whether `name` may be a group's.
pub(crate) fn check_group(name: &str) -> Result<(), String> {
    check(name)?;
    match POWERS.contains(&name) {
        true => Err("programs take a group of this name for administrators of the host".into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check, check_group};
    use proptest::prelude::*;

    #[test]
    fn only_plain_names_are_names() {
        for good in ["alice", "_apt", "a", "j.doe", "web-1", &"x".repeat(32)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let bad = [
            "",
            "root",
            "nobody",
            "0",
            "1000",
            "-r",
            ".",
            "..",
            "../x",
            "a/b",
            "a:b",
            "a b",
            "a\n",
            "Alice",
            "älice",
            "a\0",
            "a$",
            "+",
            "%wheel",
            "#0",
            "a,b",
            &"x".repeat(33),
        ];
        for bad in bad {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_that_give_root_are_no_groups_of_a_directory() {
        for name in ["sudo", "wheel", "docker", "disk", "lxd", "root"] {
            assert!(check_group(name).is_err(), "{name}");
        }
        assert_eq!((check_group("dba"), check("admin")), (Ok(()), Ok(())));
    }

    proptest! {
        #[test]
        fn no_name_leads_out_of_a_folder_or_a_field(name in "\\PC{0,40}") {
            if check(&name).is_ok() {
                prop_assert!(!name.contains(['/', ':', '\0', '\n', ' ', ',']));
                prop_assert!(!name.starts_with(['-', '.']));
                prop_assert!(name.parse::<u64>().is_err());
            }
        }
    }
}
