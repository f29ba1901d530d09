//! The functions that libpam calls. pam-bindings makes them around [`PamHooks`], with the one
//! `catch_unwind`: a panic ends as `PAM_ABORT`.

use std::ffi::CStr;
use std::sync::Once;

use pam::constants::{PAM_SILENT, PamFlag, PamResultCode as Code};
use pam::module::{PamHandle, PamHooks};

use super::handle::LibPam;
use crate::arguments::Line;
use crate::decision::Phase;
use crate::facts::Host as _;
use crate::phase;
use crate::world::World;

struct Module;
pam::pam_hooks!(Module);

impl PamHooks for Module {
    fn sm_authenticate(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> Code {
        call(Phase::Auth, handle, &args, flags)
    }

    fn acct_mgmt(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> Code {
        call(Phase::Account, handle, &args, flags)
    }

    fn sm_open_session(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> Code {
        call(Phase::Open, handle, &args, flags)
    }

    fn sm_close_session(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> Code {
        call(Phase::Close, handle, &args, flags)
    }

    /// There are no credentials of ours to set. The code still matters: a stack in which nobody
    /// says yes fails, and with `success=done` a yes would end the stack before other modules have
    /// set theirs, so that a line with `after=publickey` stands aside here.
    fn sm_setcred(handle: &mut PamHandle, args: Vec<&CStr>, _flags: PamFlag) -> Code {
        let line = Line::parse(&args);
        let service = LibPam(handle).service().unwrap_or_default();
        match line.after_key || !line.concerns(&String::from_utf8_lossy(&service)) {
            true => Code::PAM_IGNORE,
            false => Code::PAM_SUCCESS,
        }
    }

    /// Codes are changed elsewhere.
    fn sm_chauthtok(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> Code {
        Code::PAM_IGNORE
    }
}

fn call(phase: Phase, handle: &mut PamHandle, arguments: &[&CStr], flags: PamFlag) -> Code {
    silence_panics();
    let quiet = flags & PAM_SILENT != 0;
    phase::run(phase, arguments, quiet, &mut LibPam(handle), World::real())
}

/// The standard hook would write to the host program's standard error, and reads RUST_BACKTRACE
/// first. It is our own copy of the standard library that this changes, nobody else's.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}
