//! What libpam knows about this login.
//!
//! Items are copied out at once: libpam may free or replace them at the next call that it gets.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::conversation::RawConversation;

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
}

#[link(name = "pam")]
unsafe extern "C" {
    safe fn pam_get_item(pamh: *const c_void, item: c_int, value: *mut *const c_void) -> c_int;
}

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

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
