//! Mounts that only this process and its children see.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use super::check;

/// From here on, what this thread mounts is seen by nobody else but its children.
///
/// # Errors
/// When the kernel does not let us, as in many containers.
pub fn own_mounts() -> io::Result<()> {
    // SAFETY: takes a number, and strings that are constants; NULL where the kernel wants nothing.
    unsafe {
        check(libc::unshare(libc::CLONE_NEWNS))?;
        let (root, private) = (c"/".as_ptr(), libc::MS_REC | libc::MS_PRIVATE);
        check(libc::mount(ptr::null(), root, ptr::null(), private, ptr::null()))
    }
}

/// Puts `what` in the place of `place`: both files, or both folders.
///
/// # Errors
/// When the kernel does not let us.
pub fn put_over(place: &Path, what: &Path) -> io::Result<()> {
    let [what, place] = [what, place].map(|path| CString::new(path.as_os_str().as_bytes()));
    let (what, place) = (what?, place?);
    // SAFETY: the strings outlive the call; NULL where the kernel wants nothing.
    unsafe {
        let (what, place) = (what.as_ptr(), place.as_ptr());
        check(libc::mount(what, place, ptr::null(), libc::MS_BIND, ptr::null()))
    }
}
