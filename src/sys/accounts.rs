//! The user database (NSS).

#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;

/// A row of the user database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name as the database spells it, whatever it was asked for.
    pub name: String,
    /// The user's number.
    pub uid: libc::uid_t,
    /// The number of the user's own group.
    pub gid: libc::gid_t,
}

/// Looks `name` up in the user database (NSS).
///
/// # Errors
/// When the database could not be asked; "no such user" is `Ok(None)`.
pub fn account(name: &str) -> io::Result<Option<Account>> {
    look_up(name, 1 << 20, libc::getpwnam_r, |row| {
        // SAFETY: the row was filled by the call, and its name is a string in a buffer that is still
        // there.
        let name = unsafe { CStr::from_ptr(row.pw_name) }.to_string_lossy().into_owned();
        Account { name, uid: row.pw_uid, gid: row.pw_gid }
    })
}

/// The number of a group, `None` where there is no group of that name.
///
/// # Errors
/// When the database could not be asked.
pub fn group_id(name: &str) -> io::Result<Option<libc::gid_t>> {
    // A group may have very many members.
    look_up(name, 1 << 26, libc::getgrnam_r, |row: &libc::group| row.gr_gid)
}

/// `getpwnam_r` or `getgrnam_r`: name, row, buffer and its length, and where the row is.
type LookUp<Row> = unsafe extern "C" fn(
    *const libc::c_char,
    *mut Row,
    *mut libc::c_char,
    libc::size_t,
    *mut *mut Row,
) -> libc::c_int;

/// Looks a row up, with a buffer of at most `largest` bytes, and makes something of it.
fn look_up<Row, T>(
    name: &str,
    largest: usize,
    by: LookUp<Row>,
    read: impl FnOnce(&Row) -> T,
) -> io::Result<Option<T>> {
    let Ok(name) = CString::new(name) else { return Ok(None) };
    let mut buffer = vec![0_u8; 1024];
    loop {
        let mut row = MaybeUninit::<Row>::uninit();
        let mut found = std::ptr::null_mut();
        // SAFETY: all pointers are valid for the call, and the length is the buffer's.
        let code = unsafe {
            let (place, length) = (buffer.as_mut_ptr().cast(), buffer.len());
            by(name.as_ptr(), row.as_mut_ptr(), place, length, &raw mut found)
        };
        match code {
            libc::ERANGE if buffer.len() < largest => buffer.resize(buffer.len() * 4, 0),
            // What getpwnam(3) lists as "the given name was not found" in some implementations.
            0 | libc::ENOENT | libc::ESRCH if found.is_null() => return Ok(None),
            // SAFETY: `found` is not null, so it points to `row`, which the call has filled.
            0 => return Ok(Some(read(unsafe { row.assume_init_ref() }))),
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// The numbers of every group that `account` is in, its own and the supplementary ones.
///
/// The C library has no error for a part of the database that is out of reach: it returns what it
/// has. Whoever asks must not take "not among these" for "not a member".
#[must_use]
pub fn groups_of(account: &Account) -> Vec<libc::gid_t> {
    let Ok(name) = CString::new(account.name.as_str()) else { return vec![account.gid] };
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let room = libc::c_int::try_from(groups.len()).unwrap_or(libc::c_int::MAX);
        let mut count = room;
        // SAFETY: the array has `count` places, and the name is a string that outlives the call.
        let found = unsafe {
            libc::getgrouplist(name.as_ptr(), account.gid, groups.as_mut_ptr(), &raw mut count)
        };
        let count = usize::try_from(count).unwrap_or(0);
        if found >= 0 || groups.len() >= 1 << 17 {
            groups.truncate(count);
            return groups;
        }
        groups.resize(count.max(groups.len() * 2), 0);
    }
}
