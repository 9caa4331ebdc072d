//! A PAM application that answers from a script, for what no login program does on purpose:
//! answers of 10 MB, of no bytes or of NULL, an application that ignores SIGCHLD, a thousand
//! logins in one process. `pam.rs` runs it for the tests; by hand it is
//!
//! ```text
//! pam-client --service S [--confdir DIR] [--user U] [--rhost R] [--tty T] [--ruser R]
//!            [--env NAME=VALUE]... [--authtok TEXT] [--answer KIND]... [--silent] [--acct]
//!            [--user-at-acct U] [--setcred] [--times N] [--no-conv | --conv-fails | --like-sshd-password PASSWORD]
//!            [--hold-at-prompt FILE] [--sigchld-ignore] [--sigpipe-default] [--took]
//! ```
//!
//! Each `--answer` is for one prompt, in order, and the last one is for all others; every login
//! starts from the first. KIND is `text:TEXT`, `empty`, `null` (no string at all), `long:N` (N
//! bytes `a`), `hex:BYTES`, `stdin` (a line from there) or `outbox:FILE` (the last 4 to 10 digits
//! in a row on the last line of FILE, which is where the provider `outbox` writes). A prompt
//! without an answer fails the conversation.
//!
//! `--authtok TEXT` answers each prompt with echo off, and `--answer` is then for the others.
//! libpam does not let an application set PAM_AUTHTOK itself: the stack has to have a module that
//! asks and keeps the answer. `pam_exec.so quiet expose_authtok /bin/true` keeps any, pam_unix
//! keeps wrong passwords too.
//!
//! `--user-at-acct U` is an application (or a module) that changes PAM_USER behind pam_authenticate.
//!
//! `--hold-at-prompt FILE` answers no prompt while someone holds FILE locked (flock), which is how
//! a test lets a crowd answer at once.
//!
//! Messages are printed as they come, `prompt-on`, `prompt-off`, `info` or `error` and the text
//! with `\n` for a line's end; then `result authenticate=N acct=N setcred=N` for each login, `-`
//! for what was not called: as in sshd, a failed step is the last. With `--took` a line
//! `took wall=N own=N children=N` says how many microseconds a login took from before pam_start to after
//! pam_end, without the time in the conversation, and what of the processor it and its children used.
//! With `--times` a line
//! `left fds=N threads=N children=N` says what there is more of than before the first login. The
//! exit status is pam_authenticate's result in the last login, or 64 for a wrong command line.

// An application of a C library, and the script is told to hand it what it can choke on.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use std::{env, ptr, slice};

use self::script::{Manner, Script};

#[path = "pam_client/script.rs"]
mod script;

/// From `security/_pam_types.h`.
mod pam {
    use super::{c_char, c_int, c_void};

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
}

fn main() -> ExitCode {
    let script = Script::from_args(env::args().skip(1));
    // SAFETY: no handler of ours is installed, only libc's own two dispositions; nothing else
    // runs yet. openlog keeps no pointer when the name is NULL.
    unsafe {
        if script.sigchld_ignore {
            libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        }
        if script.sigpipe_default {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        }
        // The log's descriptor stays open from the first line on, and is not a module's leak.
        libc::openlog(ptr::null(), libc::LOG_NDELAY, libc::LOG_AUTHPRIV);
    }

    let before = Left::count();
    let mut result = pam::SUCCESS;
    for _ in 0..script.times.unwrap_or(1) {
        result = login(&script);
    }
    if script.times.is_some() {
        let after = Left::count();
        say(format_args!(
            "left fds={} threads={} children={}",
            after.fds - before.fds,
            after.threads - before.threads,
            after.children - before.children
        ));
    }
    ExitCode::from(u8::try_from(result).unwrap_or(u8::MAX))
}

/// One login from pam_start to pam_end; the result is pam_authenticate's.
fn login(script: &Script) -> c_int {
    // Not always: some tests take the clock away.
    let begun = script.took.then(Instant::now);
    let (own, children) = (used(libc::RUSAGE_SELF), used(libc::RUSAGE_CHILDREN));
    let mut talk = Talk { script, answered: 0, away: Duration::ZERO };
    let conversation = pam::Conversation {
        converse: if script.manner == Manner::Missing { None } else { Some(converse) },
        data: ptr::from_mut(&mut talk).cast(),
    };
    let mut handle = ptr::null_mut();
    // SAFETY: the strings belong to `script`, which outlives the handle; libpam copies them and
    // the conversation, whose data is `talk`, alive until after pam_end. It is used through that
    // pointer only, and on this thread.
    let started = unsafe {
        pam::pam_start_confdir(
            script.service.as_ptr(),
            or_null(script.user.as_ref()),
            &raw const conversation,
            or_null(script.confdir.as_ref()),
            &raw mut handle,
        )
    };
    if started != pam::SUCCESS {
        say(format_args!("pam_start failed: {started}"));
        say(format_args!("result authenticate={started} acct=- setcred=-"));
        return started;
    }

    // SAFETY: the handle is a fresh one of pam_start, used by nobody else and ended at the end of
    // this block; all strings are alive and copied.
    unsafe {
        for (item, value) in &script.items {
            pam::pam_set_item(handle, *item, value.as_ptr().cast());
        }
        for variable in &script.environment {
            pam::pam_putenv(handle, variable.as_ptr());
        }
        let flags = if script.silent { pam::SILENT } else { 0 };
        let result = pam::pam_authenticate(handle, flags);
        let mut last = result;
        let (mut acct, mut setcred) = (None, None);
        if let Some(user) = &script.user_at_acct {
            pam::pam_set_item(handle, pam::USER, user.as_ptr().cast());
        }
        if script.acct && last == pam::SUCCESS {
            last = pam::pam_acct_mgmt(handle, flags);
            acct = Some(last);
        }
        if script.setcred && last == pam::SUCCESS {
            last = pam::pam_setcred(handle, flags | pam::ESTABLISH_CRED);
            setcred = Some(last);
        }
        pam::pam_end(handle, last);
        if let Some(begun) = begun {
            say(format_args!(
                "took wall={} own={} children={}",
                (begun.elapsed() - talk.away).as_micros(),
                (used(libc::RUSAGE_SELF) - own).as_micros(),
                (used(libc::RUSAGE_CHILDREN) - children).as_micros()
            ));
        }
        let or_dash = |code: Option<c_int>| code.map_or("-".to_owned(), |code| code.to_string());
        say(format_args!(
            "result authenticate={result} acct={} setcred={}",
            or_dash(acct),
            or_dash(setcred)
        ));
        result
    }
}

/// The state of the conversation in one login.
struct Talk<'a> {
    script: &'a Script,
    answered: usize,
    /// Time in the conversation.
    away: Duration,
}

/// What goes back for one message: a string, NULL, or nothing at all any more.
type Reply = Result<Option<Vec<u8>>, ConversationFails>;

struct ConversationFails;

impl Talk<'_> {
    /// Prints one message and decides on its answer.
    fn reply(&mut self, style: c_int, text: &str) -> Reply {
        let kind = match style {
            pam::PROMPT_ECHO_ON => "prompt-on",
            pam::PROMPT_ECHO_OFF => "prompt-off",
            pam::ERROR_MSG => "error",
            _ => "info",
        };
        let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        say(format_args!("{kind} {escaped}"));

        let is_prompt = kind.starts_with("prompt");
        if let (true, Some(file)) = (is_prompt, &self.script.hold) {
            wait_for_unlock(file);
        }
        match (&self.script.manner, &self.script.authtok) {
            (Manner::Fails, _) => Err(ConversationFails),
            // OpenSSH's sshpam_passwd_conv.
            (Manner::LikeSshd(password), _) => match style {
                pam::PROMPT_ECHO_OFF => Ok(Some(password.clone().into_bytes())),
                pam::PROMPT_ECHO_ON => Err(ConversationFails),
                _ => Ok(Some(Vec::new())),
            },
            // As misc_conv, and sshd for keyboard-interactive.
            _ if !is_prompt => Ok(None),
            (_, Some(authtok)) if style == pam::PROMPT_ECHO_OFF => {
                Ok(Some(authtok.clone().into_bytes()))
            }
            _ => {
                let answers = &self.script.answers;
                let answer = answers.get(self.answered).or(answers.last());
                self.answered += 1;
                answer.ok_or(ConversationFails)?.text()
            }
        }
    }
}

/// What libpam calls for messages and prompts.
extern "C" fn converse(
    count: c_int,
    messages: *mut *const pam::Message,
    responses: *mut *mut pam::Response,
    talk: *mut c_void,
) -> c_int {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: `talk` is the one of `login`, which is waiting for libpam and does not touch it.
    let talk = unsafe { &mut *talk.cast::<Talk>() };
    let asked = talk.script.took.then(Instant::now);
    let mut replies = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: a module hands over `count` pointers to messages with C strings, Linux's way.
        let (style, text) = unsafe {
            let message = &**messages.add(index);
            (message.style, CStr::from_ptr(message.text).to_string_lossy())
        };
        match talk.reply(style, &text) {
            Ok(reply) => replies.push(reply),
            Err(ConversationFails) => return pam::CONV_ERR,
        }
    }

    // SAFETY: calloc's memory is checked for NULL, big enough for `count` responses and zeroed,
    // which is a valid response; the module frees it and the texts, as PAM wants it.
    unsafe {
        let answered = libc::calloc(count.max(1), size_of::<pam::Response>());
        if answered.is_null() {
            return pam::BUF_ERR;
        }
        let answered = answered.cast::<pam::Response>();
        for (reply, response) in replies.iter().zip(slice::from_raw_parts_mut(answered, count)) {
            response.text = reply.as_ref().map_or(ptr::null_mut(), |text| c_copy(text));
        }
        *responses = answered;
    }
    talk.away += asked.map_or(Duration::ZERO, |asked| asked.elapsed());
    pam::SUCCESS
}

/// A C string that its receiver frees.
fn c_copy(text: &[u8]) -> *mut c_char {
    // SAFETY: calloc gives one byte more than is copied, zeroed, or NULL, which is not written to.
    unsafe {
        let copy = libc::calloc(text.len() + 1, 1).cast::<u8>();
        if !copy.is_null() {
            ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
        }
        copy.cast()
    }
}

/// Returns when nobody holds the file locked.
fn wait_for_unlock(file: &File) {
    // SAFETY: flock takes no pointers, and the descriptor is open as long as `file` is borrowed.
    unsafe {
        libc::flock(file.as_raw_fd(), libc::LOCK_SH);
        libc::flock(file.as_raw_fd(), libc::LOCK_UN);
    }
}

/// What of the processor was used so far.
fn used(by: c_int) -> Duration {
    // SAFETY: all-zero numbers are a valid rusage, which the kernel fills.
    let used = unsafe {
        let mut used: libc::rusage = std::mem::zeroed();
        libc::getrusage(by, &raw mut used);
        used
    };
    let micros = |time: libc::timeval| {
        Duration::from_micros(u64::try_from(time.tv_sec * 1_000_000 + time.tv_usec).unwrap_or(0))
    };
    micros(used.ru_utime) + micros(used.ru_stime)
}

/// What a login may leave behind.
struct Left {
    fds: isize,
    threads: isize,
    children: isize,
}

impl Left {
    fn count() -> Self {
        // Counts that are to be subtracted.
        let signed = |count| isize::try_from(count).unwrap_or(isize::MAX);
        let entries = |folder| signed(fs::read_dir(folder).map_or(0, Iterator::count));
        let parent = format!("\nPPid:\t{}\n", process::id());
        // Zombies included.
        let is_child = |folder: &fs::DirEntry| {
            fs::read_to_string(folder.path().join("status"))
                .is_ok_and(|status| status.contains(&parent))
        };
        let everyone = fs::read_dir("/proc").into_iter().flatten().flatten();
        Self {
            fds: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            children: signed(everyone.filter(is_child).count()),
        }
    }
}

fn say(line: impl Display) {
    let mut out = io::stdout().lock();
    // Who reads may be gone; the login goes on without a witness.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn or_null(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

fn give_up(what: &impl Display, why: impl Display) -> ! {
    eprintln!("pam-client: {what}: {why}");
    process::exit(64)
}
