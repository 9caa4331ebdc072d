//! libpam, from `security/_pam_types.h` and `security/pam_appl.h`.

use std::ffi::{c_char, c_int, c_void};

pub const SUCCESS: c_int = 0;
pub const BUF_ERR: c_int = 5;
pub const CONV_ERR: c_int = 19;
pub const SILENT: c_int = 0x8000;
pub const ESTABLISH_CRED: c_int = 2;

pub const USER: c_int = 2;
pub const TTY: c_int = 3;
pub const RHOST: c_int = 4;
pub const RUSER: c_int = 8;

pub const PROMPT_ECHO_OFF: c_int = 1;
pub const PROMPT_ECHO_ON: c_int = 2;
pub const ERROR_MSG: c_int = 3;

#[repr(C)]
pub struct Message {
    pub style: c_int,
    pub text: *const c_char,
}

#[repr(C)]
pub struct Response {
    pub text: *mut c_char,
    pub unused: c_int,
}

pub type Converse =
    extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int;

#[repr(C)]
pub struct Conversation {
    pub converse: Option<Converse>,
    pub data: *mut c_void,
}

#[repr(C)]
pub struct Handle {
    _opaque: [u8; 0],
}

#[link(name = "pam")]
unsafe extern "C" {
    pub fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conversation: *const Conversation,
        confdir: *const c_char,
        handle: *mut *mut Handle,
    ) -> c_int;
    pub fn pam_set_item(handle: *mut Handle, item: c_int, value: *const c_void) -> c_int;
    pub fn pam_putenv(handle: *mut Handle, name_value: *const c_char) -> c_int;
    pub fn pam_authenticate(handle: *mut Handle, flags: c_int) -> c_int;
    pub fn pam_acct_mgmt(handle: *mut Handle, flags: c_int) -> c_int;
    pub fn pam_setcred(handle: *mut Handle, flags: c_int) -> c_int;
    pub fn pam_end(handle: *mut Handle, status: c_int) -> c_int;
}
