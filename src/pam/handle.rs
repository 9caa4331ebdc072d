//! What libpam knows about this login.
//!
//! Items are copied out at once: libpam may free or replace them at the next call that it gets.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::conversation::RawConversation;
use crate::authenticate::Settlement;

/// Numbers of items, from `_pam_types.h`.
#[derive(Debug, Clone, Copy)]
#[repr(i32)]
enum Item {
    Service = 1,
    User = 2,
    Tty = 3,
    Rhost = 4,
    Conv = 5,
    Authtok = 6,
    Ruser = 8,
}

#[link(name = "pam")]
unsafe extern "C" {
    safe fn pam_get_item(pamh: *const c_void, item: c_int, value: *mut *const c_void) -> c_int;
    fn pam_getenv(pamh: *const c_void, name: *const c_char) -> *const c_char;
    fn pam_set_data(
        pamh: *mut c_void,
        name: *const c_char,
        data: *mut c_void,
        cleanup: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, c_int)>,
    ) -> c_int;
    fn pam_get_data(pamh: *const c_void, name: *const c_char, data: *mut *const c_void) -> c_int;
}

/// The name under which libpam keeps what [`Handle::keep`] hands over.
const DATA: &CStr = c"pam_sms_settlement";

/// The handle of one PAM transaction, for as long as libpam's call to us lasts.
#[derive(Debug, Clone, Copy)]
pub struct Handle<'call> {
    pamh: NonNull<c_void>,
    call: PhantomData<&'call c_void>,
}

impl Handle<'_> {
    /// Takes the handle that libpam called an entry point with; `None` where it is NULL.
    ///
    /// # Safety
    /// `pamh` must be NULL or a handle that stays valid for the lifetime that the caller chooses.
    pub unsafe fn new(pamh: *mut c_void) -> Option<Self> {
        NonNull::new(pamh).map(|pamh| Self { pamh, call: PhantomData })
    }

    /// The service, as in `/etc/pam.d`.
    #[must_use]
    pub fn service(&self) -> Option<String> {
        self.with_text(Item::Service, lossy)
    }

    /// The user, as typed by the client.
    #[must_use]
    pub fn user(&self) -> Option<Vec<u8>> {
        self.with_text(Item::User, <[u8]>::to_vec)
    }

    /// Who called the host program.
    #[must_use]
    pub fn ruser(&self) -> Option<Vec<u8>> {
        self.with_text(Item::Ruser, <[u8]>::to_vec)
    }

    /// The terminal; sshd says `ssh`.
    #[must_use]
    pub fn tty(&self) -> Option<String> {
        self.with_text(Item::Tty, lossy)
    }

    /// Where the client is; empty counts as unknown.
    #[must_use]
    pub fn rhost(&self) -> Option<String> {
        self.with_text(Item::Rhost, lossy).filter(|rhost| !rhost.is_empty())
    }

    /// What `judge` says of the password that a module before us asked for. It is not copied.
    pub fn authtok_is(&self, judge: impl FnOnce(&[u8]) -> bool) -> bool {
        self.with_text(Item::Authtok, judge).unwrap_or(false)
    }

    /// Whether a module before us has asked for a password, or sshd has accepted a key. What sshd puts
    /// in the place of a password is not one: see [`Handle::authtok_is`].
    #[must_use]
    pub fn has_first_factor(&self) -> bool {
        // SAFETY: the handle is valid, the name a string; the result is NULL or a string of libpam's
        // that stays until the variable is changed, of which only the first byte is looked at.
        let names_a_key = unsafe {
            let methods = pam_getenv(self.pamh.as_ptr(), c"SSH_AUTH_INFO_0".as_ptr());
            !methods.is_null() && *methods != 0
        };
        names_a_key || self.authtok_is(|password| !password.is_empty())
    }

    /// Has libpam keep `data` for as long as the transaction lasts, or until it is taken. Says whether
    /// it does.
    pub fn keep(&self, data: Settlement) -> bool {
        let data = Box::into_raw(Box::new(Some(data)));
        // SAFETY: the handle is valid, the name a string, and the data belongs to libpam from here on,
        // which hands it to `drop_kept` exactly once.
        let code = unsafe {
            pam_set_data(self.pamh.as_ptr(), DATA.as_ptr(), data.cast(), Some(drop_kept))
        };
        if code != 0 {
            // SAFETY: libpam did not take it, so the box is still only ours.
            drop(unsafe { Box::from_raw(data) });
        }
        code == 0
    }

    /// Takes back what was kept, once.
    #[must_use]
    pub fn take(&self) -> Option<Settlement> {
        let mut data = ptr::null();
        // SAFETY: the handle is valid, the name a string; what is kept under it is a box of ours that
        // lives until `drop_kept`, and nobody else looks at it during this call.
        unsafe {
            match pam_get_data(self.pamh.as_ptr(), DATA.as_ptr(), &raw mut data) {
                0 if !data.is_null() => (*data.cast_mut().cast::<Option<Settlement>>()).take(),
                _ => None,
            }
        }
    }

    /// The application's conversation.
    pub(super) fn conversation(&self) -> Option<RawConversation> {
        let raw = self.item(Item::Conv)?;
        // SAFETY: libpam keeps the application's `struct pam_conv` behind this item, at least until
        // this call returns, and nobody changes it meanwhile; it is copied here.
        Some(unsafe { *raw.cast::<RawConversation>().as_ptr() })
    }

    fn with_text<T>(&self, item: Item, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let raw = self.item(item)?;
        // SAFETY: text items are NUL-terminated strings that libpam owns and does not change before
        // its next call; `read` keeps nothing of it, as its result does not borrow.
        let text = unsafe { CStr::from_ptr(raw.cast::<c_char>().as_ptr()) };
        Some(read(text.to_bytes()))
    }

    fn item(&self, item: Item) -> Option<NonNull<c_void>> {
        let mut value = ptr::null();
        match pam_get_item(self.pamh.as_ptr(), item as c_int, &raw mut value) {
            0 => NonNull::new(value.cast_mut()),
            _ => None,
        }
    }
}

/// libpam is done with what it kept.
unsafe extern "C" fn drop_kept(_pamh: *mut c_void, data: *mut c_void, _status: c_int) {
    // SAFETY: libpam calls this once, with the pointer that `keep` has made of a box.
    drop(unsafe { Box::from_raw(data.cast::<Option<Settlement>>()) });
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
