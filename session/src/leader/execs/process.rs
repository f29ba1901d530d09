//! What `/proc` shows of a process (proc(5)).

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use elevate_protocol::Bytes;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, openat, openat2, readlinkat};

use crate::sys::exec_filter::CONVENTIONS;

/// One process or thread, and no other that gets its number.
pub(super) struct Process {
    pid: i32,
    folder: OwnedFd,
}

/// What its `stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// One letter.
    pub(super) state: u8,
    pub(super) ppid: i32,
    /// Clock ticks in its own code.
    pub(super) ticks: u64,
    /// When it began, in clock ticks since the boot.
    pub(super) began: u64,
    pub(super) image: Image,
}

/// Where the kernel put a program: code, stack, arguments, environment. Each exec chooses anew, at
/// random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Image([u64; 4]);

impl Image {
    /// One that is not shown to us tells nothing.
    pub(super) fn is_known(&self) -> bool {
        self.0.iter().all(|&address| address > 1)
    }

    #[cfg(test)]
    pub(super) fn at(address: u64) -> Image {
        Image([address; 4])
    }
}

impl Process {
    pub(super) fn open(pid: i32) -> io::Result<Process> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(CWD, format!("/proc/{pid}"), flags, Mode::empty())?;
        Ok(Process { pid, folder })
    }

    /// Its effective uid: of its folder, unlike of what is in there, that is always the owner.
    pub(super) fn uid(&self) -> u32 {
        fstat(&self.folder).map_or(u32::MAX, |stat| stat.st_uid)
    }

    pub(super) fn cwd(&self) -> Bytes {
        self.link("cwd").unwrap_or_default()
    }

    pub(super) fn stat(&self) -> Option<Stat> {
        let mut text = [0; 1024];
        let length = self.read("stat", &mut text).ok()?;
        parse_stat(&text[..length])
    }

    /// Its name, which it chooses itself.
    pub(super) fn name(&self) -> Bytes {
        let mut name = [0; 64];
        let length = self.read("comm", &mut name).unwrap_or(0);
        let name = &name[..length];
        Bytes(name.strip_suffix(b"\n").unwrap_or(name).to_vec())
    }

    /// Whether it was seen in a system call that is no exec.
    pub(super) fn is_in_another_call(&self) -> bool {
        let mut text = [0; 256];
        let length = self.read("syscall", &mut text).unwrap_or(0);
        in_another_call(&text[..length])
    }

    /// Whether the kernel chooses its addresses at random.
    pub(super) fn has_random_addresses(&self) -> bool {
        const NOT_RANDOM: u32 = 0x0004_0000;
        let mut text = [0; 64];
        let length = self.read("personality", &mut text).unwrap_or(0);
        let text = std::str::from_utf8(&text[..length]).unwrap_or_default();
        let personality = u32::from_str_radix(text.trim(), 16);
        let here = std::fs::read("/proc/sys/kernel/randomize_va_space");
        personality.is_ok_and(|personality| personality & NOT_RANDOM == 0)
            && here.is_ok_and(|text| text.trim_ascii() != b"0")
    }

    /// The file that the path argument of an exec leads to, with every link resolved as for the
    /// process itself: from its root, its working directory `cwd`, or its `descriptor`.
    pub(super) fn real(&self, descriptor: Option<i32>, path: &[u8], cwd: &[u8]) -> Option<Bytes> {
        if let Some(link) = magic_link(path) {
            return self.link(&link);
        }
        let beside = |folder: &[u8]| self.below_root(&[folder, b"/", path].concat());
        match descriptor {
            _ if path.starts_with(b"/") => self.resolve(path),
            None if path.is_empty() => None,
            None => self.resolve(&beside(cwd)?),
            Some(number) if path.is_empty() => self.link(&format!("fd/{number}")),
            Some(number) => self.resolve(&beside(&self.link(&format!("fd/{number}"))?)?),
        }
    }

    /// What was `path` for us, for who has the process's root.
    fn below_root(&self, path: &[u8]) -> Option<Vec<u8>> {
        let root = self.link("root")?;
        let below = match &root[..] {
            b"/" => path,
            root => path
                .strip_prefix(root)
                .filter(|rest| rest.starts_with(b"/"))?,
        };
        Some(below.to_vec())
    }

    fn resolve(&self, path: &[u8]) -> Option<Bytes> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let root = openat(&self.folder, "root", flags, Mode::empty()).ok()?;
        let file = openat2(&root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT).ok()?;
        let own = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        link(CWD, &own)
    }

    fn link(&self, name: &str) -> Option<Bytes> {
        link(self.folder.as_fd(), name)
    }

    fn read(&self, name: &str, into: &mut [u8]) -> io::Result<usize> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(&self.folder, name, flags, Mode::empty())?;
        Ok(rustix::io::read(&file, into)?)
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid
    }
}

fn link(folder: std::os::fd::BorrowedFd<'_>, name: &str) -> Option<Bytes> {
    let target = readlinkat(folder, name, Vec::with_capacity(256)).ok()?;
    Some(Bytes(target.into_bytes()))
}

/// What of `/proc/PID` a path names that leads to the process's own: resolved by us it would lead
/// to ours.
fn magic_link(path: &[u8]) -> Option<String> {
    let own = [&b"/proc/self/"[..], b"/proc/thread-self/"];
    let within = own.iter().find_map(|own| path.strip_prefix(*own));
    let descriptor = |name: &[u8]| {
        let digits = !name.is_empty() && name.iter().all(u8::is_ascii_digit);
        digits.then(|| format!("fd/{}", String::from_utf8_lossy(name)))
    };
    match within {
        Some(b"exe") => Some("exe".to_owned()),
        Some(name) => descriptor(name.strip_prefix(b"fd/")?),
        None => descriptor(path.strip_prefix(b"/dev/fd/")?),
    }
}

/// The name, in brackets, may hold anything: numbers begin after the last one.
fn parse_stat(text: &[u8]) -> Option<Stat> {
    let text = String::from_utf8_lossy(text);
    let (_, fields) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    // Numbered as in proc_pid_stat(5), where the state is the third.
    let field = |number: usize| fields.get(number - 3);
    let number = |at| field(at)?.parse::<u64>().ok();
    Some(Stat {
        state: *field(3)?.as_bytes().first()?,
        ppid: field(4)?.parse().ok()?,
        ticks: number(14)?,
        began: number(22)?,
        image: Image([number(26)?, number(28)?, number(48)?, number(50)?]),
    })
}

/// What `/proc/PID/syscall` says (proc_pid_syscall(5)): the number is one of the process's own
/// convention, which isn't said; what may be an exec in any is taken for one.
fn in_another_call(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let number = text.split_ascii_whitespace().next();
    let Some(Ok(number)) = number.map(str::parse::<i32>) else {
        // Running, in a call or not.
        return false;
    };
    let mut known = CONVENTIONS.iter();
    let exec =
        known.any(|known| known.execve.contains(&number) || known.execveat.contains(&number));
    number >= 0 && !exec
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    fn own() -> Process {
        Process::open(std::process::id() as i32).unwrap()
    }

    #[test]
    fn a_process_shows_who_it_is() {
        let process = own();
        let stat = process.stat().unwrap();
        assert_eq!(stat.ppid, rustix::process::getppid().unwrap().as_raw_pid());
        assert!(stat.image.is_known());
        assert_eq!(
            stat,
            Stat {
                ticks: stat.ticks,
                state: stat.state,
                ..process.stat().unwrap()
            }
        );
        assert_eq!(
            process.uid(),
            std::fs::metadata("/proc/self").unwrap().uid()
        );
        let cwd = std::env::current_dir().unwrap();
        assert_eq!(process.cwd().as_os_str(), cwd.as_os_str());
    }

    #[test]
    fn a_name_cannot_pass_for_numbers() {
        let fields: Vec<String> = (4..=52).map(|field| field.to_string()).collect();
        let line = format!("7 (a) R 1 (b) S {}", fields.join(" "));
        let stat = parse_stat(line.as_bytes()).unwrap();
        assert_eq!((stat.state, stat.ppid), (b'S', 4));
        assert_eq!((stat.ticks, stat.began), (14, 22));
        assert_eq!(stat.image, Image([26, 28, 48, 50]));
        assert_eq!(parse_stat(b"7 (a) S 1"), None);
    }

    #[test]
    fn links_are_followed_to_their_end() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        std::fs::write(folder.join("tool"), "").unwrap();
        symlink("tool", folder.join("name")).unwrap();
        let real = |path: &str, cwd: &str| {
            let real = own().real(None, path.as_bytes(), cwd.as_bytes())?;
            Some(real.as_os_str().to_owned())
        };
        let tool = Some(folder.join("tool").into_os_string());
        let (name, cwd) = (folder.join("name"), folder.to_str().unwrap());
        assert_eq!(real(name.to_str().unwrap(), "/"), tool);
        assert_eq!(real("name", cwd), tool);
        assert_eq!(real("./../../../../../../.././name", cwd), None);
        assert_eq!(real("", cwd), None);
        assert_eq!(real("none", cwd), None);
    }

    #[test]
    fn what_leads_to_a_process_itself_is_taken_from_it_and_not_from_us() {
        let mut other = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = Process::open(other.id() as i32).unwrap();
        let exe = || process.real(None, b"/proc/self/exe", b"/");
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !exe().is_some_and(|exe| exe.ends_with(b"/sleep")) {
            assert!(std::time::Instant::now() < end, "{:?}", exe());
            std::thread::yield_now();
        }
        let nothing = process.real(None, b"/proc/self/fd/0", b"/").unwrap();
        assert_eq!(
            Some(nothing.clone()),
            process.real(None, b"/dev/fd/0", b"/")
        );
        assert_eq!(Some(nothing), process.real(Some(0), b"", b"/"));
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(process.stat(), None);
        assert_eq!(process.cwd(), Bytes::default());
    }

    #[test]
    fn a_call_is_another_where_it_can_be_no_exec() {
        let own = CONVENTIONS[0].execve[0];
        assert!(!in_another_call(format!("{own} 0x0 0x0").as_bytes()));
        assert!(!in_another_call(b"running\n"));
        assert!(!in_another_call(b"-1 0x7ffd 0x7f00\n"));
        assert!(!in_another_call(b""));
        assert!(in_another_call(b"0 0x3 0x7ffd\n"));
    }
}
