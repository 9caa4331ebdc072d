//! The conversation with the person, through the application's callback.
//!
//! Answers are copied into memory that is wiped, the application's copy is wiped and freed. A
//! callback that fails, is missing, or leaves the array of answers or one answer NULL, is no answer.

#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use pamsm::PamMsgStyle;
use zeroize::{Zeroize, Zeroizing};

use super::handle::Handle;
use crate::login::ports::{Host, NoAnswer};
use crate::secret::Secret;
use crate::sys;

/// The longest answer that is looked at, in bytes (`PAM_MAX_RESP_SIZE`); the rest is dropped, and
/// what remains cannot be a code.
const LONGEST_ANSWER: usize = 512;

/// `struct pam_conv`
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct RawConversation {
    pub(super) call: Option<
        unsafe extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int,
    >,
    pub(super) data: *mut c_void,
}

/// `struct pam_message`
#[repr(C)]
pub(super) struct Message {
    pub(super) style: c_int,
    pub(super) text: *const c_char,
}

/// `struct pam_response`
#[repr(C)]
pub(super) struct Response {
    pub(super) answer: *mut c_char,
    unused: c_int,
}

/// The person at the other end, as libpam lets us speak to them.
#[derive(Debug)]
pub struct PamHost<'call> {
    handle: Handle<'call>,
    /// sshd shows text only together with a prompt, and its method `password` answers by itself.
    in_sshd: bool,
    /// `PAM_SILENT`: no information, but prompts all the same.
    silent: bool,
}

impl<'call> PamHost<'call> {
    /// Speaks through `handle`.
    #[must_use]
    pub fn new(handle: Handle<'call>, silent: bool) -> Self {
        let is = |item: Option<String>, name| item.as_deref() == Some(name);
        let in_sshd = is(handle.service(), "sshd") || is(handle.tty(), "ssh");
        Self { handle, in_sshd, silent }
    }

    /// Shows one message. The outer error is a conversation that failed, the inner nothing is an
    /// answer that is NULL, as it should be for information.
    fn converse(&self, style: PamMsgStyle, text: &str) -> Result<Option<Secret>, NoAnswer> {
        let failed = NoAnswer { reason: "the conversation failed" };
        let missing = NoAnswer { reason: "there is no conversation" };
        let conversation = self.handle.conversation().ok_or(missing)?;
        let call = conversation.call.ok_or(missing)?;
        let text = CString::new(text.replace('\0', "")).map_err(|_| failed)?;
        let message = Message { style: style as c_int, text: text.as_ptr() };
        // One message, so that Linux's array of pointers and Solaris's pointer to an array agree.
        let mut messages = [&raw const message];
        let mut responses: *mut Response = ptr::null_mut();
        // SAFETY: the callback gets one message that outlives the call, a place for its answer, and
        // the pointer that the application registered with it.
        let code = unsafe { call(1, messages.as_mut_ptr(), &raw mut responses, conversation.data) };
        if code != 0 {
            // The application keeps or frees what it may have allocated.
            return Err(failed);
        }
        if responses.is_null() {
            return Ok(None);
        }
        // SAFETY: on success the callback hands over one response, allocated with malloc, whose
        // answer is NULL or a string allocated with malloc; both are ours now.
        Ok(unsafe { take(responses) })
    }
}

impl Host for PamHost<'_> {
    fn announce(&mut self, text: &str) -> Result<(), NoAnswer> {
        let conversation = self.handle.conversation();
        if conversation.is_none_or(|conversation| conversation.call.is_none()) {
            return Err(NoAnswer { reason: "there is no conversation" });
        }
        if !self.in_sshd || self.silent {
            return Ok(());
        }
        // Measured: sshd answers information with NULL in keyboard-interactive, and with an empty
        // string under the method `password`, which will fail at the first prompt.
        match self.converse(PamMsgStyle::TEXT_INFO, text)? {
            None => Ok(()),
            Some(_) => Err(NoAnswer {
                reason: "sshd's method `password` cannot ask: set PasswordAuthentication no",
            }),
        }
    }

    fn ask(&mut self, prompt: &str) -> Result<Secret, NoAnswer> {
        sys::give_memory_back();
        self.converse(PamMsgStyle::PROMPT_ECHO_ON, prompt)?
            .ok_or(NoAnswer { reason: "the answer is NULL" })
    }

    fn inform(&mut self, text: &str) {
        if !self.silent {
            let _ = self.converse(PamMsgStyle::TEXT_INFO, text);
        }
    }

    fn farewell(&mut self, mut said: String, press_enter: &str) {
        // Nothing depends on the answer, not even whether there is one.
        if self.in_sshd {
            said.push('\n');
            said.push_str(press_enter);
            let _ = self.converse(PamMsgStyle::PROMPT_ECHO_ON, &said);
        } else if !self.silent {
            let _ = self.converse(PamMsgStyle::ERROR_MSG, &said);
        }
    }
}

/// Takes over one response: copies the answer, wipes the application's, frees both.
///
/// # Safety
/// `responses` must lead to one response that was allocated with malloc, as its answer must be if
/// it is not NULL; neither may be used afterwards.
unsafe fn take(responses: *mut Response) -> Option<Secret> {
    // SAFETY: by the contract of this function `responses` is valid and ours, the answer a string
    // of `length` bytes before its NUL; after `free` neither is touched again.
    unsafe {
        let answer = (*responses).answer;
        libc::free(responses.cast());
        if answer.is_null() {
            return None;
        }
        let length = libc::strlen(answer);
        let bytes = std::slice::from_raw_parts_mut(answer.cast::<u8>(), length);
        let taken = copy(bytes);
        bytes.zeroize();
        libc::free(answer.cast());
        Some(taken)
    }
}

/// The answer as text. What is too long or not UTF-8 cannot be a code and becomes one character
/// that no code holds.
fn copy(bytes: &[u8]) -> Secret {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LONGEST_ANSWER);
    Secret::from(Zeroizing::new(text.unwrap_or("\u{fffd}").to_owned()))
}
