//! What `cvtsudoers -f json` does not tell.
//!
//! It puts commands together that differ in when they may be run and for how long, under the times of
//! the first; it leaves SELinux roles out; and a space in the path of a command looks like the one
//! before arguments. `cvtsudoers -f sudoers` tells all of it, and so its lines are looked at beside.

use super::json::Sudoers;
use super::tags::Tags;

/// What the JSON of one user specification may lack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// `NOTBEFORE`, `NOTAFTER`, `TIMEOUT`
    times: bool,
    /// `ROLE`, `TYPE`
    roles: bool,
    /// A space in a path
    spaces: bool,
}

impl Lost {
    fn of(line: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
        Self {
            times: has(&["NOTBEFORE=", "NOTAFTER=", "TIMEOUT="]),
            roles: has(&["ROLE=", "TYPE="]),
            spaces: has(&["\\ "]),
        }
    }

    /// Has a list of so many commands left out where it can't be known what sudoers says of them.
    pub(super) fn mark(self, commands: usize, tags: &mut Tags) {
        let reasons = [
            (
                self.times && commands > 1,
                "times that differ between its commands",
            ),
            (self.roles, "ROLE or TYPE"),
            (self.spaces, "a space in a path"),
        ];
        let reasons = reasons.iter().filter(|(applies, _)| *applies);
        tags.unsayable.extend(
            reasons.map(|(_, what)| format!("{what}, which cvtsudoers' JSON does not tell")),
        );
    }
}

/// What each user specification of `sudoers` lacks, by the same as sudoers writes it.
pub(super) fn compare(sudoers: &Sudoers, text: &str) -> Result<Vec<Lost>, String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| is_spec(line));
    // The JSON has one to each list of hosts.
    let lost = lines.flat_map(|line| std::iter::repeat_n(Lost::of(line), lists_of_hosts(line)));
    let lost: Vec<_> = lost.collect();
    match lost.len() == sudoers.specs.len() {
        true => Ok(lost),
        false => Err(format!(
            "cvtsudoers writes {} user specifications as JSON and {} as sudoers, so that neither is \
             sure",
            sudoers.specs.len(),
            lost.len()
        )),
    }
}

fn is_spec(line: &str) -> bool {
    const OTHERS: [&str; 5] = [
        "Defaults",
        "User_Alias",
        "Runas_Alias",
        "Host_Alias",
        "Cmnd_Alias",
    ];
    !line.is_empty() && !OTHERS.iter().any(|word| line.starts_with(word))
}

// `alice web = /bin/a : db = /bin/b`; other colons are quoted, in parentheses or behind a tag.
fn lists_of_hosts(line: &str) -> usize {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut count = 1;
    let mut before = ' ';
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ':' if !quoted && depth == 0 && before == ' ' && chars.peek() == Some(&' ') => {
                count += 1;
            }
            _ => {}
        }
        before = c;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sudoers(specs: usize) -> Sudoers {
        let spec = r#"{"User_List": [], "Host_List": [], "Cmnd_Specs": []}"#;
        let specs = vec![spec; specs].join(",");
        serde_json::from_str(&format!("{{\"User_Specs\": [{specs}]}}")).unwrap()
    }

    #[test]
    fn the_lines_of_sudoers_tell_what_the_json_lacks() {
        let text = "Defaults env_reset\n\nUser_Alias A = b\n\n\
                    bob ALL = (a : b) /bin/a : web = NOPASSWD: /bin/b\n\
                    eve ALL = NOTAFTER=20300101000000Z /bin/a,\\\n    /bin/b\n\
                    dan ALL = /usr/bin/my\\ prog, /bin/x a\\:b\n\
                    gus ALL = ROLE=r /bin/z\n";
        let lost = compare(&sudoers(5), text).unwrap();
        let none = Lost::default();
        let times = Lost {
            times: true,
            ..none
        };
        let spaces = Lost {
            spaces: true,
            ..none
        };
        let roles = Lost {
            roles: true,
            ..none
        };
        assert_eq!(lost, [none, none, times, spaces, roles]);
        assert!(compare(&sudoers(4), text).is_err());
    }

    #[test]
    fn one_command_has_its_own_times() {
        let lost = Lost {
            times: true,
            ..Lost::default()
        };
        let mut tags = Tags::default();
        lost.mark(1, &mut tags);
        assert_eq!(tags, Tags::default());
        lost.mark(2, &mut tags);
        assert_eq!(tags.unsayable.len(), 1);
    }
}
