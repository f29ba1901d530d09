//! libpam, as far as a session needs it (pam(3)).

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use elevate_protocol::escape;

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    unused: c_int,
}

#[repr(C)]
struct Conversation {
    callback: extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int,
    data: *mut c_void,
}

/// libpam's opaque handle.
enum Opaque {}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conversation: *const Conversation,
        handle: *mut *mut Opaque,
    ) -> c_int;
    fn pam_end(handle: *mut Opaque, status: c_int) -> c_int;
    fn pam_set_item(handle: *mut Opaque, item: c_int, value: *const c_void) -> c_int;
    fn pam_acct_mgmt(handle: *mut Opaque, flags: c_int) -> c_int;
    fn pam_setcred(handle: *mut Opaque, flags: c_int) -> c_int;
    fn pam_open_session(handle: *mut Opaque, flags: c_int) -> c_int;
    fn pam_close_session(handle: *mut Opaque, flags: c_int) -> c_int;
    fn pam_getenvlist(handle: *mut Opaque) -> *mut *mut c_char;
    fn pam_strerror(handle: *mut Opaque, status: c_int) -> *const c_char;
}

const SUCCESS: c_int = 0;
const BUFFER_ERROR: c_int = 5;
const CONVERSATION_ERROR: c_int = 19;
/// The most messages of one call of a conversation (PAM_MAX_NUM_MSG).
const MOST_MESSAGES: c_int = 32;

/// What can be told to PAM modules.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    Terminal = 3,
    RequestingUser = 8,
}

/// Why PAM said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PamError {
    /// The `PAM_*` code.
    pub(crate) code: c_int,
    /// pam_strerror(3).
    pub(crate) text: String,
}

/// One PAM transaction; ends when dropped.
pub(crate) struct Pam {
    handle: *mut Opaque,
    status: c_int,
    /// What modules had to say, for the user. Boxed: libpam keeps its address.
    said: Box<RefCell<Vec<String>>>,
}

impl Pam {
    /// Begin a transaction of `service` for `user`. Its modules may say something and ask nothing.
    pub(crate) fn start(service: &CStr, user: &str) -> Result<Pam, PamError> {
        let said = Box::new(RefCell::new(Vec::new()));
        let conversation = Conversation {
            callback: converse,
            data: (&raw const *said).cast_mut().cast(),
        };
        let user = text(user)?;
        let mut handle = ptr::null_mut();
        // SAFETY: both strings are NUL-terminated; libpam copies them and the conversation. The
        // conversation's data is on the heap and lives in this struct until after pam_end.
        let status = unsafe {
            pam_start(
                service.as_ptr(),
                user.as_ptr(),
                &conversation,
                &raw mut handle,
            )
        };
        let pam = Pam {
            handle,
            status,
            said,
        };
        pam.check(status)?;
        Ok(pam)
    }

    /// Load the modules of `service` into this process, for every process that it will fork.
    ///
    /// Each transaction still reads the service's file anew; what stays is the modules' code.
    pub(crate) fn preload(service: &CStr) -> Result<(), PamError> {
        // Never ended, and so never unloaded.
        Pam::start(service, "root").map(std::mem::forget)
    }

    /// pam_set_item(3).
    pub(crate) fn set(&mut self, item: Item, value: &str) -> Result<(), PamError> {
        let value = text(value)?;
        // SAFETY: the handle is live, and these items are strings, which libpam copies.
        self.call(|handle| unsafe { pam_set_item(handle, item as c_int, value.as_ptr().cast()) })
    }

    /// Is the user's account in force? pam_acct_mgmt(3).
    pub(crate) fn check_account(&mut self) -> Result<(), PamError> {
        // SAFETY: the handle is live.
        self.call(|handle| unsafe { pam_acct_mgmt(handle, 0) })
    }

    /// pam_setcred(3).
    pub(crate) fn establish_credentials(&mut self) -> Result<(), PamError> {
        const ESTABLISH: c_int = 2;
        // SAFETY: the handle is live.
        self.call(|handle| unsafe { pam_setcred(handle, ESTABLISH) })
    }

    /// pam_setcred(3).
    pub(crate) fn delete_credentials(&mut self) -> Result<(), PamError> {
        const DELETE: c_int = 4;
        // SAFETY: the handle is live.
        self.call(|handle| unsafe { pam_setcred(handle, DELETE) })
    }

    /// pam_open_session(3).
    pub(crate) fn open_session(&mut self) -> Result<(), PamError> {
        // SAFETY: the handle is live.
        self.call(|handle| unsafe { pam_open_session(handle, 0) })
    }

    /// pam_close_session(3).
    pub(crate) fn close_session(&mut self) -> Result<(), PamError> {
        // SAFETY: the handle is live.
        self.call(|handle| unsafe { pam_close_session(handle, 0) })
    }

    /// What modules would have in the environment, `NAME=value` each.
    pub(crate) fn environment(&mut self) -> Vec<Vec<u8>> {
        let mut variables = Vec::new();
        // SAFETY: pam_getenvlist returns null or a list of strings with a null at its end, all from
        // malloc and ours to free, and none used after that.
        unsafe {
            let list = pam_getenvlist(self.handle);
            if list.is_null() {
                return variables;
            }
            let mut next = list;
            while !(*next).is_null() {
                variables.push(CStr::from_ptr(*next).to_bytes().to_vec());
                libc::free((*next).cast());
                next = next.add(1);
            }
            libc::free(list.cast());
        }
        variables
    }

    /// What modules had to say since the last time, harmless for a terminal.
    pub(crate) fn take_said(&mut self) -> Vec<String> {
        let said = self.said.take();
        said.iter()
            .map(|text| escape::line(text.as_bytes()))
            .collect()
    }

    fn call(&mut self, call: impl FnOnce(*mut Opaque) -> c_int) -> Result<(), PamError> {
        self.status = call(self.handle);
        self.check(self.status)
    }

    fn check(&self, code: c_int) -> Result<(), PamError> {
        if code == SUCCESS {
            return Ok(());
        }
        // SAFETY: Linux-PAM takes any handle here, null too, and returns a static string or null.
        let text = unsafe {
            let text = pam_strerror(self.handle, code);
            if text.is_null() {
                String::new()
            } else {
                CStr::from_ptr(text).to_string_lossy().into_owned()
            }
        };
        Err(PamError { code, text })
    }
}

impl Drop for Pam {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // SAFETY: the handle is live and not used again.
            unsafe { pam_end(self.handle, self.status) };
        }
    }
}

fn text(text: &str) -> Result<CString, PamError> {
    CString::new(text).map_err(|_| PamError {
        code: BUFFER_ERROR,
        text: "a name with a NUL in it".into(),
    })
}

/// The conversation (pam_conv(3)): keeps what modules say, and fails when they ask.
extern "C" fn converse(
    count: c_int,
    messages: *mut *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    const ERROR: c_int = 3;
    const INFORMATION: c_int = 4;
    if !(1..=MOST_MESSAGES).contains(&count) || messages.is_null() || responses.is_null() {
        return CONVERSATION_ERROR;
    }
    for place in 0..count as usize {
        // SAFETY: Linux-PAM passes `count` pointers to messages whose text is a C string or null,
        // and the data that `Pam::start` gave it, which lives as long as the transaction.
        let (style, text, said) = unsafe {
            let message = &**messages.add(place);
            let said = &*data.cast::<RefCell<Vec<String>>>();
            (message.style, message.text, said)
        };
        if !matches!(style, ERROR | INFORMATION) {
            return CONVERSATION_ERROR;
        }
        if !text.is_null() {
            // SAFETY: as above, a C string.
            let text = unsafe { CStr::from_ptr(text) };
            if let Ok(mut said) = said.try_borrow_mut() {
                said.push(text.to_string_lossy().into_owned());
            }
        }
    }
    // SAFETY: one zeroed response for each message, from calloc, since the module frees it.
    let empty = unsafe { libc::calloc(count as usize, size_of::<Response>()) };
    if empty.is_null() {
        return BUFFER_ERROR;
    }
    // SAFETY: `responses` was checked above and is where the answer goes.
    unsafe { *responses = empty.cast() };
    SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(style: c_int) -> (c_int, Vec<String>) {
        let said = RefCell::new(Vec::new());
        let message = Message {
            style,
            text: c"hear".as_ptr(),
        };
        let mut message: *const Message = &message;
        let mut response = ptr::null_mut();
        let data = (&raw const said).cast_mut().cast();
        let code = converse(1, &raw mut message, &raw mut response, data);
        // SAFETY: null, or from calloc and not used again.
        unsafe { libc::free(response.cast()) };
        (code, said.into_inner())
    }

    #[test]
    fn modules_may_say_something_and_ask_nothing() {
        assert_eq!(ask(4), (SUCCESS, vec!["hear".to_owned()]));
        for prompt in [1, 2, 5, 7] {
            assert_eq!(ask(prompt), (CONVERSATION_ERROR, Vec::new()));
        }
    }
}
