//! One call of the module, from the host program's facts to the code that it gets back.

use std::ffi::CStr;
use std::time::Duration;

use elevate_protocol::escape;
use elevate_protocol::login::{self, Login, Method, Spooled};
use pam::constants::PamResultCode as Code;

use crate::arguments::Line;
use crate::asking::{self, Outcome};
use crate::conversation::Tone;
use crate::decision::{Phase, decide};
use crate::facts::{self, Host, Level};
use crate::problem::Problem;
use crate::spool;
use crate::world::World;

/// The end of a session is told, but nobody waits long for it.
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// Do what `phase` asks for. `quiet` is `PAM_SILENT`: nothing is shown but prompts.
pub(crate) fn run(
    phase: Phase,
    arguments: &[&CStr],
    quiet: bool,
    host: &mut impl Host,
    world: World<'_>,
) -> Code {
    let line = Line::parse(arguments);
    let service = host.service().unwrap_or_default();
    if stands_aside(phase, &line, &service, host) {
        return Code::PAM_IGNORE;
    }
    if phase == Phase::Auth {
        host.delay_failure();
    }
    let Some(user) = host.user() else {
        return Code::PAM_CONV_ERR;
    };
    let (login, problem) = facts::login(host, &service, &user);
    let outcome = match line.mistake.clone().map(Problem::Line).or(problem) {
        Some(problem) => problem.into(),
        None => ask(phase, &line, login.clone(), host, world),
    };
    Ending {
        phase,
        line,
        login,
        quiet,
    }
    .end(&outcome, host, world)
}

/// Whether this line has nothing to say here: about another service, or, with `after=publickey`,
/// about a login that sshd has accepted no key in, for which another line asks.
fn stands_aside(phase: Phase, line: &Line, service: &[u8], host: &mut impl Host) -> bool {
    if !line.concerns(&String::from_utf8_lossy(service)) {
        return true;
    }
    let aside =
        phase == Phase::Auth && line.after_key && !facts::has_key(host.accepted().as_deref());
    if line.debug {
        let done = if aside {
            "no key was accepted before, standing aside"
        } else {
            "asking"
        };
        host.log(Level::Debug, &format!("{}: {done}", phase.name()));
    }
    aside
}

fn ask(phase: Phase, line: &Line, login: Login, host: &mut impl Host, world: World<'_>) -> Outcome {
    let (endpoint, timeout) = (world.endpoint, line.timeout);
    match phase {
        Phase::Auth => asking::authenticate(endpoint, timeout, login, host),
        Phase::Account => asking::admit(endpoint, timeout, login),
        Phase::Open => asking::tell(endpoint, timeout, &Method::Open { login }),
        Phase::Close => {
            let timeout = timeout.min(CLOSE_TIME);
            asking::tell(endpoint, timeout, &Method::Close { login })
        }
    }
}

/// What is left to do once the outcome is known.
struct Ending {
    phase: Phase,
    line: Line,
    login: Login,
    quiet: bool,
}

impl Ending {
    fn end(self, outcome: &Outcome, host: &mut impl Host, world: World<'_>) -> Code {
        // Looked at where it matters only: in a login that goes well /proc is not read.
        let terminal = match outcome {
            Outcome::Problem(_) => (world.terminal)(),
            _ => None,
        };
        let rescued = world.by_root && self.line.rescues(&self.login.user, terminal.as_deref());
        let verdict = decide(self.phase, outcome, rescued);
        self.tell(outcome, verdict.spool, host);
        if self.line.debug {
            let text = format!("{}: {:?}", self.phase.name(), verdict.code);
            host.log(Level::Debug, &text);
        }
        if let Outcome::Problem(problem) = outcome {
            self.record(problem, verdict.spool, terminal, host, world);
        }
        verdict.code
    }

    /// One line for the person.
    fn tell(&self, outcome: &Outcome, alone: Option<login::Outcome>, host: &mut impl Host) {
        if self.quiet {
            return;
        }
        match (outcome, alone) {
            (Outcome::Passed(Some(notice)), _) => host.tell(notice, Tone::Notice),
            (Outcome::Refused(message), _) => host.tell(message, Tone::Error),
            (Outcome::Problem(_), Some(login::Outcome::Refused)) => {
                let text =
                    "Login refused: elevated does not answer; an administrator finds out why";
                host.tell(text, Tone::Error);
            }
            (Outcome::Problem(_), Some(login::Outcome::Rescued)) if self.phase == Phase::Auth => {
                host.tell(
                    "elevated does not answer: this is a rescue, and on record",
                    Tone::Notice,
                );
            }
            _ => {}
        }
    }

    /// One line in the system's log, and one file for `elevated`.
    fn record(
        &self,
        problem: &Problem,
        done: Option<login::Outcome>,
        real_terminal: Option<String>,
        host: &mut impl Host,
        world: World<'_>,
    ) {
        let (phase, user) = (self.phase.name(), escape::line(self.login.user.as_bytes()));
        let (level, what) = match done {
            Some(login::Outcome::Refused) => (Level::Error, "refused"),
            Some(login::Outcome::Rescued) => (Level::Warning, "rescued"),
            None => (Level::Warning, "not told of"),
        };
        host.log(level, &format!("{phase} of {user} {what}: {problem}"));
        let Some(outcome) = done else { return };
        let entry = Spooled {
            login: self.login.clone(),
            outcome,
            phase: phase.to_owned(),
            problem: problem.to_string(),
            real_terminal,
            at: spool::now(),
        };
        if let Err(error) = spool::write(world.spool, &entry) {
            let text = format!("this is in no record of elevated's, the spool failed: {error}");
            host.log(Level::Error, &text);
        }
    }
}
