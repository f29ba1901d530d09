//! libpam's handle as the host of a login (pam(3)).

use std::ffi::{CStr, CString, c_char, c_int, c_uint};

use elevate_protocol::Secret;
use pam::constants::{PAM_ERROR_MSG, PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PAM_TEXT_INFO};
use pam::conv::Conv;
use pam::items::{RHost, Service, Tty};
use pam::module::PamHandle;

use crate::conversation::{Conversation, Tone};
use crate::facts::{Host, Level};

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_syslog(handle: *const PamHandle, priority: c_int, format: *const c_char, ...);
    fn pam_getenv(handle: *mut PamHandle, name: *const c_char) -> *const c_char;
    fn pam_fail_delay(handle: *mut PamHandle, microseconds: c_uint) -> c_int;
}

/// As long as pam_unix has programs wait.
const FAIL_DELAY: c_uint = 2_000_000;

/// One call's handle.
pub(super) struct LibPam<'a>(pub(super) &'a mut PamHandle);

impl Conversation for LibPam<'_> {
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<Secret> {
        let style = match echo {
            true => PAM_PROMPT_ECHO_ON,
            false => PAM_PROMPT_ECHO_OFF,
        };
        let conversation = self.0.get_item::<Conv<'_>>().ok()??;
        let answer = conversation.send(style, prompt).ok()??;
        // What isn't text is no code; an empty answer is a wrong one, and on record as such.
        Some(answer.as_str().unwrap_or_default().to_owned().into())
    }

    fn tell(&mut self, text: &str, tone: Tone) {
        let style = match tone {
            Tone::Notice => PAM_TEXT_INFO,
            Tone::Error => PAM_ERROR_MSG,
        };
        // Some programs have no place to show it; the log has it.
        if let Ok(Some(conversation)) = self.0.get_item::<Conv<'_>>() {
            let _ = conversation.send(style, text);
        }
    }
}

impl Host for LibPam<'_> {
    fn service(&self) -> Option<Vec<u8>> {
        let item = self.0.get_item::<Service<'_>>().ok()??;
        Some(item.to_bytes().to_vec())
    }

    fn user(&mut self) -> Option<Vec<u8>> {
        let known = self.0.get_item::<pam::items::User<'_>>().ok()?;
        if let Some(user) = known.map(|user| user.to_bytes().to_vec())
            && !user.is_empty()
        {
            return Some(user);
        }
        self.0.get_user(None).ok().map(String::into_bytes)
    }

    fn source(&self) -> Option<Vec<u8>> {
        let item = self.0.get_item::<RHost<'_>>().ok()??;
        Some(item.to_bytes().to_vec())
    }

    fn terminal(&self) -> Option<Vec<u8>> {
        let item = self.0.get_item::<Tty<'_>>().ok()??;
        Some(item.to_bytes().to_vec())
    }

    fn accepted(&mut self) -> Option<Vec<u8>> {
        // SAFETY: the handle is live during the call that it came with; the name is NUL-terminated
        // and only read.
        let value = unsafe { pam_getenv(self.0, c"SSH_AUTH_INFO_0".as_ptr()) };
        if value.is_null() {
            return None;
        }
        // SAFETY: libpam returns a NUL-terminated string of its own, which nothing changes before
        // it is copied here: the handle is borrowed for that long.
        Some(unsafe { CStr::from_ptr(value) }.to_bytes().to_vec())
    }

    fn delay_failure(&mut self) {
        // SAFETY: the handle is live; the call stores a number in it.
        unsafe { pam_fail_delay(self.0, FAIL_DELAY) };
    }

    fn log(&mut self, level: Level, text: &str) {
        let priority = match level {
            Level::Error => libc::LOG_ERR,
            Level::Warning => libc::LOG_WARNING,
            Level::Debug => libc::LOG_DEBUG,
        };
        let Ok(text) = CString::new(text) else { return };
        // SAFETY: the handle is live; format and text are NUL-terminated, and the format takes
        // exactly the one string that it gets.
        unsafe { pam_syslog(self.0, priority, c"%s".as_ptr(), text.as_ptr()) };
    }
}
