use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::{Login, Machine, Terminal};

/// How long sshd may take to let somebody in or to send them away.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the client prints once it is let in, and serves further windows of the same login.
const LET_IN: &str = "the harness is let in";

/// A login through the machine's sshd with a real ssh client, for which prompts are answered at a
/// terminal; see [`Machine::ssh`].
#[derive(Debug)]
pub struct Ssh<'m> {
    machine: &'m Machine,
    user: String,
    options: Vec<String>,
}

impl Machine {
    /// Sets out to log a user in where sshd may ask for more than the harness's key, or refuse:
    ///
    /// ```no_run
    /// # let machine = elevate_tests::Machine::boot(elevate_tests::Spec::new("door")).unwrap();
    /// # let mut factor = machine.enrol("alice");
    /// let alice = machine.ssh("alice").login(&[&factor.code()]);
    /// assert_eq!(alice.run("id -un").success().text(), "alice");
    ///
    /// let refusal = machine.ssh("alice").refused(&[&factor.wrong()]);
    /// assert_eq!(refusal.status, 255);
    ///
    /// let mut door = machine.ssh("alice").knock();
    /// assert_eq!(door.prompt(), "Verification code: ");
    /// door.answer(&factor.code());
    /// let alice_again = door.enter();
    /// ```
    pub fn ssh(&self, user: &str) -> Ssh<'_> {
        Ssh {
            machine: self,
            user: user.into(),
            options: Vec::new(),
        }
    }
}

/// sshd asks for a code after the key.
const KEY_AND_CODE: &str = "KbdInteractiveAuthentication yes
AuthenticationMethods publickey,keyboard-interactive
";

impl Machine {
    /// Has sshd ask Elevate who may come in, and for a code after the key. From then on
    /// [`login`](Self::login) is for members of a role with `login.require = {}` alone.
    ///
    /// # Panics
    /// If it can't be enabled.
    #[track_caller]
    pub fn guard_sshd(&self) {
        self.write("/etc/ssh/sshd_config.d/codes.conf", KEY_AND_CODE, 0o644);
        self.run(&["elevatectl", "login", "enable", "sshd"])
            .success();
        self.run(&["systemctl", "reload", "ssh"]).success();
    }
}

impl<'m> Ssh<'m> {
    /// An option of ssh_config(5), such as `BindAddress=127.0.0.2` or `PubkeyAuthentication=no`. By
    /// default the client offers the harness's key, and gives up after one wrong answer.
    pub fn option(mut self, option: &str) -> Self {
        self.options.push(option.into());
        self
    }

    /// Answers each prompt in turn, and is let in.
    ///
    /// # Panics
    /// If there are fewer prompts, or sshd refuses.
    #[track_caller]
    pub fn login(self, answers: &[&str]) -> Login<'m> {
        self.answered(answers).enter()
    }

    /// Answers each prompt in turn, and is refused.
    ///
    /// # Panics
    /// If there are fewer prompts, or sshd lets the user in.
    #[track_caller]
    pub fn refused(self, answers: &[&str]) -> Refusal {
        self.answered(answers).refused()
    }

    /// Connects; prompts are for the caller to read and answer.
    ///
    /// # Panics
    /// If ssh cannot be started.
    #[track_caller]
    pub fn knock(self) -> Door<'m> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let control = format!("/run/harness-ssh-{number}");
        let mut argv = vec!["ssh", "-MNS", &control, "-l", &self.user];
        // The first of several values counts: the caller's go first.
        for option in &self.options {
            argv.extend(["-o", option]);
        }
        let command = format!("LocalCommand=echo {LET_IN}");
        for option in [
            "NumberOfPasswordPrompts=1",
            "LogLevel=INFO",
            "PermitLocalCommand=yes",
            &command,
        ] {
            argv.extend(["-o", option]);
        }
        argv.push("127.0.0.1");
        Door {
            machine: self.machine,
            terminal: self.machine.terminal(&argv),
            user: self.user,
            control,
        }
    }

    #[track_caller]
    fn answered(self, answers: &[&str]) -> Door<'m> {
        let mut door = self.knock();
        for answer in answers {
            door.prompt();
            door.answer(answer);
        }
        door
    }
}

/// An ssh client that is neither let in nor refused yet. Dropping it closes its window.
pub struct Door<'m> {
    machine: &'m Machine,
    user: String,
    terminal: Terminal,
    control: String,
}

impl<'m> Door<'m> {
    /// Waits for the next prompt of keyboard-interactive authentication, and returns its text
    /// without the `(USER@HOST) ` that ssh puts before it.
    ///
    /// # Panics
    /// If none comes within 20 seconds, or the client ends.
    #[track_caller]
    pub fn prompt(&mut self) -> String {
        let user = regex::escape(&self.user);
        let prompt = format!(r"\({user}@127\.0\.0\.1\) ((?s:.*)[:?>] ?)$");
        self.terminal.expect(&prompt)
    }

    /// Types an answer and Return.
    ///
    /// # Panics
    /// If the client has ended.
    #[track_caller]
    pub fn answer(&mut self, answer: &str) {
        self.terminal.send(format!("{answer}\n"));
    }

    /// The client's terminal, for everything else that can be done at it.
    pub fn terminal(&mut self) -> &mut Terminal {
        &mut self.terminal
    }

    /// Is let in without a further question.
    ///
    /// # Panics
    /// If sshd refuses, asks more, or takes longer than 30 seconds.
    #[track_caller]
    pub fn enter(mut self) -> Login<'m> {
        let outcome = self.outcome();
        assert!(outcome == Outcome::LetIn, "{outcome:?}: {self:?}");
        self.login()
    }

    /// Is refused without a further question.
    ///
    /// # Panics
    /// If sshd lets the user in, asks more, or takes longer than 30 seconds.
    #[track_caller]
    pub fn refused(mut self) -> Refusal {
        let outcome = self.outcome();
        assert!(outcome == Outcome::Ended, "{outcome:?}: {self:?}");
        self.refusal()
    }

    /// Is let in or refused without a further question, where a test can't know which.
    ///
    /// # Errors
    /// The refusal.
    ///
    /// # Panics
    /// If sshd asks more, or takes longer than 30 seconds.
    #[track_caller]
    pub fn enter_or_refused(mut self) -> Result<Login<'m>, Refusal> {
        match self.outcome() {
            Outcome::LetIn => Ok(self.login()),
            Outcome::Ended => Err(self.refusal()),
            Outcome::StillWaiting => panic!("neither let in nor refused: {self:?}"),
        }
    }

    fn login(self) -> Login<'m> {
        Login::new(self.machine, self.user, self.control, self.terminal)
    }

    fn refusal(mut self) -> Refusal {
        Refusal {
            status: self.terminal.wait(),
            screen: self.terminal.screen(),
        }
    }

    fn outcome(&mut self) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.terminal.ended() {
                return Outcome::Ended;
            }
            if self.terminal.screen().contains(LET_IN) && self.serves() {
                return Outcome::LetIn;
            }
            if Instant::now() > deadline {
                return Outcome::StillWaiting;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether a command runs. sshd tells the client that it is let in before it opens the session
    /// with PAM and logind, and that may still fail.
    fn serves(&self) -> bool {
        let argv = window(&self.user, &self.control, &["-T"], "true");
        self.machine.run(&argv).status == 0
    }
}

impl fmt::Debug for Door<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at the door: {:?}", self.user, self.terminal)
    }
}

/// How it ended at the door.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    LetIn,
    Ended,
    StillWaiting,
}

/// ssh's arguments for one more window of the login that shares its connection on `control`. Once
/// that is over the window fails: by itself ssh would log in anew.
pub(crate) fn window<'a>(
    user: &'a str,
    control: &'a str,
    options: &[&'a str],
    line: &'a str,
) -> Vec<&'a str> {
    let shared = ["-S", control, "-o", "ControlMaster=no"];
    let never_anew = ["-o", "ProxyCommand=false", "-l", user, "127.0.0.1", line];
    [&["ssh"], shared.as_slice(), options, &never_anew].concat()
}

/// A login that sshd refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// ssh's exit status; 255 for a refusal.
    pub status: i32,
    /// Everything that was on the client's screen, prompts and messages.
    pub screen: String,
}
