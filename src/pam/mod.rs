//! The border with libpam: entry points, and all the `unsafe` that they need.
//!
//! libpam calls [`pam_sm_authenticate`]; what it knows is read by [`handle`], the person is spoken
//! to by [`conversation`], and the verdict of the login becomes a return code in [`verdict`]. No
//! panic crosses this border: it would unwind into sshd.

#![allow(unsafe_code)]

#[cfg(feature = "program")]
pub mod application;
pub mod conversation;
pub mod handle;
pub mod verdict;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use pamsm::{PamError, PamFlags};

use crate::audit::Audit;
use crate::authenticate::arguments::Arguments;
use crate::authenticate::{Request, Settlement, authenticate, settle};
use crate::login::Verdict;
use crate::login::answer::is_sshd_fake;
use crate::login::ports::{Event, Journal};
use conversation::PamHost;
use handle::Handle;

/// Asks for the second factor.
///
/// # Safety
/// To be called by libpam: `pamh` must be its handle and `argv` an array of `argc` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_sm_authenticate(
    pamh: *mut c_void,
    flags: c_int,
    argc: c_int,
    argv: *const *const c_char,
) -> c_int {
    keep_panics_quiet();
    let verdict = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: libpam's handle stays valid until this function returns.
        let Some(handle) = (unsafe { Handle::new(pamh) }) else { return Verdict::Unusable };
        // SAFETY: libpam hands over an array of `argc` strings that it owns until we return.
        let words = unsafe { words(argc, argv) };
        answer(handle, is_silent(flags), &words)
    }));
    verdict::code(verdict.unwrap_or(Verdict::Panicked)) as c_int
}

/// Settles what had to wait until the whole login succeeded, and has no say otherwise: sshd, su, sudo
/// and login call this in the process that has authenticated, and only when every module agreed.
///
/// # Safety
/// To be called by libpam: `pamh` must be its handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_sm_acct_mgmt(
    pamh: *mut c_void,
    flags: c_int,
    _argc: c_int,
    _argv: *const *const c_char,
) -> c_int {
    keep_panics_quiet();
    let settled = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: libpam's handle stays valid until this function returns.
        let Some(handle) = (unsafe { Handle::new(pamh) }) else { return Ok(()) };
        match handle.take() {
            // Another user may have been asked about since.
            Some(settlement) if settlement.is_of(handle.user().as_deref()) => {
                settle(settlement, &mut PamHost::new(handle, is_silent(flags)))
            }
            _ => Ok(()),
        }
    }));
    match settled.unwrap_or(Err(Verdict::Panicked)) {
        Ok(()) => PamError::IGNORE as c_int,
        Err(verdict) => verdict::code(verdict) as c_int,
    }
}

/// Sets nothing, and says that this went well: a stack whose modules all answer `PAM_IGNORE` here
/// passes authentication and then dies in sshd's `pam_setcred`.
#[unsafe(no_mangle)]
pub extern "C" fn pam_sm_setcred(
    _pamh: *mut c_void,
    _flags: c_int,
    _argc: c_int,
    _argv: *const *const c_char,
) -> c_int {
    PamError::SUCCESS as c_int
}

/// Entry points that have nothing to say.
macro_rules! ignored {
    ($($name:ident)*) => { $(
        /// Has no say in this.
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(
            _pamh: *mut c_void,
            _flags: c_int,
            _argc: c_int,
            _argv: *const *const c_char,
        ) -> c_int {
            PamError::IGNORE as c_int
        }
    )* };
}

ignored! { pam_sm_open_session pam_sm_close_session pam_sm_chauthtok }

fn answer(handle: Handle<'_>, silent: bool, words: &[String]) -> Verdict {
    // What an earlier attempt on this handle has left must not outlive it.
    drop(handle.take());
    let service = handle.service().unwrap_or_default();
    let arguments = match Arguments::parse(words.iter().map(String::as_str)) {
        Ok(arguments) => arguments,
        Err(reason) => {
            let mut audit = Audit { service, ..Audit::default() };
            audit.record(Event::Error, &[("reason", &reason)]);
            return Verdict::Unusable;
        }
    };
    let is_refused_by_sshd = handle.authtok_is(is_sshd_fake);
    let request = Request {
        service,
        user: handle.user(),
        caller: handle.ruser(),
        rhost: handle.rhost(),
        has_first_factor: handle.has_first_factor() && !is_refused_by_sshd,
        is_refused_by_sshd,
        arguments: arguments.into(),
    };
    let decision = authenticate(&request, &mut PamHost::new(handle, silent));
    let enrols = decision.settlement.as_ref().is_some_and(Settlement::enrols);
    let is_kept = decision.settlement.is_none_or(|settlement| handle.keep(settlement));
    // Whose number cannot be stored is not let in by it.
    if is_kept || !enrols { decision.verdict } else { Verdict::Unusable }
}

fn is_silent(flags: c_int) -> bool {
    PamFlags::from_bits_truncate(flags).contains(PamFlags::SILENT)
}

/// Copies the arguments.
///
/// # Safety
/// `argv` must be an array of `argc` NUL-terminated strings, or NULL.
unsafe fn words(argc: c_int, argv: *const *const c_char) -> Vec<String> {
    let count = usize::try_from(argc).unwrap_or(0);
    if argv.is_null() {
        return Vec::new();
    }
    let copy = |index| {
        // SAFETY: `index` is below `argc`, and each of these is a NUL-terminated string.
        let word = unsafe { CStr::from_ptr(*argv.add(index)) };
        word.to_string_lossy().into_owned()
    };
    (0..count).map(copy).collect()
}

/// A panic is logged with its place and nothing else: its message may hold what must not be seen,
/// and Rust's own words would go to the terminal of whoever runs sudo.
fn keep_panics_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let mut audit = Audit { service: "panic".to_owned(), ..Audit::default() };
            audit.record(Event::Error, &[("reason", &format!("panic at {place}"))]);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_11_nothing_but_a_code_is_success_and_no_error_is_ignored() {
        use Verdict::*;
        for (verdict, code) in [
            (Accepted, PamError::SUCCESS),
            (BackupCode, PamError::SUCCESS),
            (Remembered, PamError::SUCCESS),
            (Skipped, PamError::IGNORE),
            (Observed, PamError::IGNORE),
            (UnenrolledSkipped, PamError::IGNORE),
            (LetInUnreached, PamError::IGNORE),
            (UnenrolledDenied, PamError::AUTH_ERR),
            (Rejected, PamError::AUTH_ERR),
            (Refused, PamError::AUTH_ERR),
            (TooManyTries, PamError::MAXTRIES),
            (Locked, PamError::MAXTRIES),
            (Throttled, PamError::MAXTRIES),
            (Undeliverable, PamError::AUTHINFO_UNAVAIL),
            (NoConversation, PamError::CONV_ERR),
            (Unusable, PamError::SERVICE_ERR),
            (Panicked, PamError::ABORT),
        ] {
            assert_eq!(verdict::code(verdict), code, "{verdict:?}");
        }
    }

    #[test]
    fn a_null_handle_is_a_denial() {
        // SAFETY: NULL is what this test is about; no argument is read.
        let code = unsafe { pam_sm_authenticate(std::ptr::null_mut(), 0, 0, std::ptr::null()) };
        assert_eq!(code, PamError::SERVICE_ERR as c_int);
    }
}
