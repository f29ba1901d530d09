//! What our lines say, for each kind of service.

use super::stack::Place;

/// The rescue of the service login unless another is asked for: the consoles of a machine, where
/// somebody stands in front of it.
const CONSOLES: &str = "root@tty1,ttyS0,hvc0";

/// Lines that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) place: Place,
    pub(super) lines: Vec<String>,
}

/// What the lines are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The service, and those that take in its stack.
    pub(super) services: &'a [String],
    pub(super) rescue: Option<&'a str>,
    pub(super) timeout: Option<u8>,
}

/// The rescue that a service gets: as asked for, or what is usual.
pub(super) fn rescue<'a>(service: &str, asked: Option<&'a str>) -> Option<&'a str> {
    match asked {
        Some("none") => None,
        Some(asked) => Some(asked),
        None if service == "login" => Some(CONSOLES),
        None => None,
    }
}

/// The blocks for a service.
///
/// Nowhere is one factor enough. Under sshd our first line asks for a code where sshd has accepted
/// a key in the same login, and ends the stack: key and code. In every other login it stands aside,
/// common-auth asks for the password, and our second line for the code.
pub(super) fn blocks(service: &str, wanted: &Wanted<'_>) -> Vec<Block> {
    let module = module(wanted);
    let mut blocks = Vec::new();
    if service == "sshd" {
        blocks.push(Block {
            place: Place::BeforeAuth,
            lines: vec![
                "# A key that sshd accepted in this login, and a code; else all of what follows."
                    .into(),
                format!("auth [success=done ignore=ignore default=die] {module} after=publickey"),
            ],
        });
    }
    let required = |place, kind: &str| Block {
        place,
        lines: match (service, place) {
            ("su", Place::AfterAccount | Place::AfterSession) => vec![
                "# What root becomes is no login: root needs no password for it either.".into(),
                format!(
                    "{kind} [success=1 default=ignore] pam_succeed_if.so quiet use_uid uid eq 0"
                ),
                format!("{kind} required {module}"),
            ],
            _ => vec![format!("{kind} required {module}")],
        },
    };
    blocks.push(required(Place::AfterAuth, "auth"));
    blocks.push(required(Place::AfterAccount, "account"));
    blocks.push(required(Place::AfterSession, "session"));
    blocks
}

fn module(wanted: &Wanted<'_>) -> String {
    let mut module = format!("pam_elevate.so services={}", wanted.services.join(","));
    if let Some(rescue) = wanted.rescue {
        module += &format!(" rescue={rescue}");
    }
    if let Some(timeout) = wanted.timeout {
        module += &format!(" timeout={timeout}");
    }
    module
}
