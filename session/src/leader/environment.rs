//! What PAM modules may add to a command's environment.

/// Names that steer how a program is loaded or interpreted. A session's own environment was judged
/// by `elevated`; what modules add comes from files that may be the user's (pam_env(8)).
const STEERING: &[&str] = &[
    "BASH_ENV",
    "BASH_FUNC_*",
    "CDPATH",
    "ENV",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLOBIGNORE",
    "HOSTALIASES",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "LD_*",
    "LOCALDOMAIN",
    "LOCPATH",
    "MALLOC_*",
    "NIS_PATH",
    "NLSPATH",
    "NODE_OPTIONS",
    "PATH",
    "PERL*",
    "PS4",
    "PYTHON*",
    "RES_OPTIONS",
    "RUBY*",
    "SHELLOPTS",
    "BASHOPTS",
    "TERMCAP",
    "TERMINFO*",
    "TMPDIR",
    "TZ",
    "TZDIR",
    "GLIBC_TUNABLES",
];

/// Add to `environment` those of `offered` whose names it doesn't have and that steer nothing.
pub(super) fn add<T>(environment: &mut Vec<T>, offered: impl IntoIterator<Item = Vec<u8>>)
where
    T: From<Vec<u8>> + std::ops::Deref<Target = [u8]>,
{
    for variable in offered {
        let Some(name) = name(&variable) else {
            continue;
        };
        let known = environment
            .iter()
            .any(|known| self::name(known) == Some(name));
        if !known && !steers(name) {
            environment.push(variable.into());
        }
    }
}

fn name(variable: &[u8]) -> Option<&[u8]> {
    let end = variable.iter().position(|&byte| byte == b'=')?;
    (end > 0).then(|| &variable[..end])
}

fn steers(name: &[u8]) -> bool {
    STEERING
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix.as_bytes()),
            None => name == pattern.as_bytes(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use elevate_protocol::Bytes;

    #[test]
    fn modules_add_names_and_neither_change_nor_steer() {
        let mut environment = vec![Bytes::from("HOME=/root")];
        let offered = [
            "HOME=/tmp",
            "KRB5CCNAME=FILE:/tmp/x",
            "LD_PRELOAD=/tmp/x.so",
            "PATH=/tmp",
            "BASH_FUNC_ls%%=() { :; }",
            "=nothing",
            "nothing",
        ];
        add(
            &mut environment,
            offered.map(|text| text.as_bytes().to_vec()),
        );
        assert_eq!(
            environment,
            ["HOME=/root".into(), Bytes::from("KRB5CCNAME=FILE:/tmp/x")]
        );
    }
}
