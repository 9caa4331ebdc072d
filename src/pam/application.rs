//! The other side of the border: a program that logs somebody in, for `pam-sms try`.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::ptr;

use pamsm::PamError;
use zeroize::Zeroize;

use super::conversation::{Message, RawConversation, Response};
use crate::secret::Secret;

/// The most messages in one call of a conversation (`PAM_MAX_NUM_MSG`).
const MOST_MESSAGES: usize = 32;
/// Numbers of items, from `_pam_types.h`.
const RHOST: c_int = 4;
const RUSER: c_int = 8;

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conversation: *const RawConversation,
        folder: *const c_char,
        pamh: *mut *mut c_void,
    ) -> c_int;
    fn pam_set_item(pamh: *mut c_void, item: c_int, value: *const c_void) -> c_int;
    fn pam_authenticate(pamh: *mut c_void, flags: c_int) -> c_int;
    fn pam_acct_mgmt(pamh: *mut c_void, flags: c_int) -> c_int;
    fn pam_end(pamh: *mut c_void, status: c_int) -> c_int;
    fn pam_strerror(pamh: *mut c_void, code: c_int) -> *const c_char;
}

/// What a message wants of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// An answer.
    Prompt,
    /// An answer that must not be seen.
    HiddenPrompt,
    /// To be read.
    Info,
    /// To be read, and it is not good.
    Error,
}

/// A login to be tried.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The service: the name of a file in `folder`.
    pub service: &'a str,
    /// Who logs in.
    pub user: &'a str,
    /// Where they are.
    pub rhost: Option<&'a str>,
    /// Who called the program that logs them in.
    pub ruser: Option<&'a str>,
    /// The folder with the stack.
    pub folder: &'a Path,
}

/// How a step of a login ended: libpam's number, and its words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The number.
    pub code: i32,
    /// The words.
    pub words: String,
}

/// Shows a message, and gives the answer that it wants; nothing where there is none to be had.
pub type Talk<'t> = dyn FnMut(Style, &str) -> Option<Secret> + 't;

/// Authenticates and, where that went well, asks whether the account may be used: what a program does
/// before it lets somebody in.
///
/// # Errors
/// In words, when libpam does not start.
pub fn log_in(
    attempt: &Attempt<'_>,
    talk: &mut Talk<'_>,
) -> Result<(Ended, Option<Ended>), String> {
    let text = |text: &str| CString::new(text).map_err(|_| "a name holds a NUL".to_owned());
    let (service, user) = (text(attempt.service)?, text(attempt.user)?);
    let folder = text(&attempt.folder.to_string_lossy())?;
    let items = [(RHOST, attempt.rhost), (RUSER, attempt.ruser)];
    let mut talk = talk;
    let conversation =
        RawConversation { call: Some(converse), data: (&raw mut talk).cast::<c_void>() };
    let mut pamh = ptr::null_mut();
    // SAFETY: the strings outlive the call, libpam copies them and the conversation, whose data is
    // `talk` and lives until after `pam_end`.
    let started = unsafe {
        pam_start_confdir(
            service.as_ptr(),
            user.as_ptr(),
            &raw const conversation,
            folder.as_ptr(),
            &raw mut pamh,
        )
    };
    if started != 0 || pamh.is_null() {
        return Err(format!("libpam does not start (error {started})"));
    }
    let mut ends = Ends { pamh, status: 0 };
    for (item, value) in items {
        if let Some(value) = value {
            let value = text(value)?;
            // SAFETY: the handle is valid until `ends` is dropped; libpam copies the string.
            unsafe { pam_set_item(pamh, item, value.as_ptr().cast()) };
        }
    }
    // SAFETY: the handle is valid until `ends` is dropped, and nobody else uses it.
    let authenticated = ends.note(unsafe { pam_authenticate(pamh, 0) });
    if authenticated.code != 0 {
        return Ok((authenticated, None));
    }
    // SAFETY: as above.
    let account = ends.note(unsafe { pam_acct_mgmt(pamh, 0) });
    Ok((authenticated, Some(account)))
}

/// A transaction that ends with this value.
struct Ends {
    pamh: *mut c_void,
    status: c_int,
}

impl Ends {
    fn note(&mut self, code: c_int) -> Ended {
        self.status = code;
        // SAFETY: the handle is valid; the words are NULL or a string of libpam's that is copied.
        let words = unsafe {
            let words = pam_strerror(self.pamh, code);
            if words.is_null() {
                String::new()
            } else {
                CStr::from_ptr(words).to_string_lossy().into_owned()
            }
        };
        Ended { code, words }
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        // SAFETY: the handle is valid and is not used afterwards.
        unsafe { pam_end(self.pamh, self.status) };
    }
}

/// libpam's way to the person.
///
/// # Safety
/// To be called by libpam: `messages` must lead to `count` messages, `responses` to a place for the
/// answers, and `data` must be the pointer that [`log_in`] registered.
unsafe extern "C" fn converse(
    count: c_int,
    messages: *mut *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    let failed = PamError::CONV_ERR as c_int;
    let count = usize::try_from(count).unwrap_or(0);
    if count == 0 || count > MOST_MESSAGES || messages.is_null() || responses.is_null() {
        return failed;
    }
    // A panic must not unwind into libpam.
    let answered = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `data` is what `log_in` registered, which is alive and used by nobody else.
        let talk = unsafe { &mut *data.cast::<&mut Talk<'_>>() };
        let mut answers = Vec::new();
        for index in 0..count {
            // SAFETY: on Linux `messages` is an array of `count` pointers to messages, each with a
            // string that lives until this call returns.
            let (style, text) = unsafe {
                let message = &**messages.add(index);
                (message.style, CStr::from_ptr(message.text).to_string_lossy())
            };
            let style = match style {
                1 => Style::HiddenPrompt,
                2 => Style::Prompt,
                3 => Style::Error,
                _ => Style::Info,
            };
            let wants_answer = matches!(style, Style::Prompt | Style::HiddenPrompt);
            match talk(style, &text) {
                Some(answer) if wants_answer => answers.push(Some(answer)),
                None if wants_answer => return None,
                _ => answers.push(None),
            }
        }
        Some(answers)
    }));
    let Ok(Some(answers)) = answered else { return failed };
    // SAFETY: libpam, or the module, frees what was allocated with malloc: the array and each answer.
    unsafe {
        let array = libc::calloc(count, size_of::<Response>()).cast::<Response>();
        if array.is_null() {
            return failed;
        }
        for (index, answer) in answers.into_iter().enumerate() {
            let Some(answer) = answer else { continue };
            let mut bytes = answer.expose().replace('\0', "").into_bytes();
            bytes.push(0);
            let copy = libc::malloc(bytes.len()).cast::<c_char>();
            if !copy.is_null() {
                ptr::copy_nonoverlapping(bytes.as_ptr().cast(), copy, bytes.len());
            }
            bytes.zeroize();
            (*array.add(index)).answer = copy;
        }
        *responses = array;
    }
    PamError::SUCCESS as c_int
}
