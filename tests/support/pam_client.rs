//! A PAM application that answers from a script, for what no login program does on purpose:
//! answers of 10 MB, of no bytes or of NULL, an application that ignores SIGCHLD, a thousand
//! logins in one process. `pam.rs` runs it for the tests; by hand it is
//!
//! ```text
//! pam-client --service S [--confdir DIR] [--user U] [--rhost R] [--tty T] [--ruser R]
//!            [--env NAME=VALUE]... [--authtok TEXT] [--answer KIND]... [--silent] [--acct]
//!            [--user-at-acct U] [--setcred] [--times N] [--hold-at-prompt FILE] [--took]
//!            [--no-conv | --conv-fails | --like-sshd-password PASSWORD] [--quiet] [--threads N]
//!            [--stack KB] [--people N] [--number N] [--wrong-every N] [--sigchld-ignore]
//!            [--sigpipe-default] [--close-standard] [--files-left N] [--chroot DIR] [--refuse CALLS]
//! ```
//!
//! Each `--answer` is for one prompt, in order, and the last one is for all others; every login
//! starts from the first. KIND is `text:TEXT`, `empty`, `null` (no string at all), `long:N` (N
//! bytes `a`), `hex:BYTES`, `stdin` (a line from there), `outbox:FILE` (the last 4 to 10 digits
//! in a row on the last line of FILE, which is where the provider `outbox` writes) or `own:FILE` (the
//! same of the last line that has the prompt's reference and is for a number with its ending, or with all that
//! `--number N` says). A prompt without an answer fails the conversation.
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
//! `--threads N` does N logins at once, each in a new thread with a stack of `--stack KB`; with `--times`
//! that often. In the name of the user `%` is the number of the login, of `--people N` who take turns.
//! `--wrong-every N` gives five digits, which are no code, to all prompts of each Nth login.
//!
//! `--close-standard` closes the descriptors 0, 1 and 2, `--files-left N` holds so many open that it
//! can have N others, `--chroot DIR` changes the root folder, and `--refuse CALLS` takes system calls away:
//! `new` and `new-forbidden` those that older kernels and containers do not have, `exec`, `fork`, `connect`
//! and `socketpair` what these say.
//!
//! Messages are printed as they come, `prompt-on`, `prompt-off`, `info` or `error` and the text
//! with `\n` for a line's end; then `result authenticate=N acct=N setcred=N` for each login, `-`
//! for what was not called: as in sshd, a failed step is the last. With `--took` a line
//! `took wall=N own=N children=N` says how many microseconds a login took from before pam_start to after
//! pam_end, without the time in the conversation, and what of the processor it and its children used.
//! `--quiet` leaves the messages out. With `--times` a line
//! `left fds=N threads=N children=N limit=N` says what there is more of than before the first login, lines
//! `memory N...`, `mappings N...` and `allocated N...` how many kilobytes, mappings and bytes of its heaps are
//! its own after the first round and after each tenth of all, and `loaded=N` how many of them are still our module's. The
//! exit status is pam_authenticate's result in the last login, or 64 for a wrong command line.

// An application of a C library, and the script is told to hand it what it can choke on.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt::Display;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use std::{env, ptr, slice, thread};

use self::host::say;
use self::script::{About, Manner, Script};
use self::toll::{Left, memory, of_our_module, used};

#[path = "pam_client/host.rs"]
mod host;
#[path = "pam_client/pam.rs"]
mod pam;
#[path = "pam_client/script.rs"]
mod script;
#[path = "pam_client/toll.rs"]
mod toll;

fn main() -> ExitCode {
    let script = Script::from_args(env::args().skip(1));
    host::become_odd(&script);
    let before = Left::count();
    let rounds = script.times.unwrap_or(1);
    let mut result = pam::SUCCESS;
    // It must not grow itself.
    let mut memories = Vec::with_capacity(11);
    for round in 0..rounds {
        result = at_once(&script, round);
        let is_tenth = (round + 1) * 10 / rounds > round * 10 / rounds;
        if script.times.is_some() && (round == 0 || is_tenth) {
            memories.push(memory());
        }
    }
    if script.times.is_some() {
        let after = Left::count();
        say(format_args!(
            "left fds={} threads={} children={} limit={}",
            after.fds - before.fds,
            after.threads - before.threads,
            after.children - before.children,
            after.limit - before.limit
        ));
        for (index, what) in toll::MEMORY.into_iter().enumerate() {
            let row: Vec<_> = memories.iter().map(|figures| figures[index].to_string()).collect();
            say(format_args!("{what} {}", row.join(" ")));
        }
        say(format_args!("loaded={}", of_our_module()));
    }
    ExitCode::from(u8::try_from(result).unwrap_or(u8::MAX))
}

/// The logins of one round; the result is that of the last.
fn at_once(script: &Script, round: usize) -> c_int {
    let Some(threads) = script.threads else { return login(script, round) };
    let all: Vec<c_int> = thread::scope(|scope| {
        let logins: Vec<_> = (0..threads)
            .map(|thread| {
                // What std gives its threads.
                let stack = script.stack.map_or(2 << 20, |kilobytes| kilobytes << 10);
                let builder = thread::Builder::new().stack_size(stack);
                let login = move || login(script, round * threads + thread);
                builder.spawn_scoped(scope, login).expect("another thread")
            })
            .collect();
        logins.into_iter().map(|login| login.join().unwrap_or(pam::BUF_ERR)).collect()
    });
    all.last().copied().unwrap_or(pam::SUCCESS)
}

/// One login from pam_start to pam_end; the result is pam_authenticate's.
fn login(script: &Script, number: usize) -> c_int {
    // Not always: some tests take the clock away.
    let begun = script.took.then(Instant::now);
    let (own, children) = (used(libc::RUSAGE_SELF), used(libc::RUSAGE_CHILDREN));
    let user = script.user(number);
    let mut talk = Talk {
        script,
        answered: 0,
        away: Duration::ZERO,
        is_wrong: script.is_wrong(number),
        about: About::new(script.number.as_ref()),
    };
    let conversation = pam::Conversation {
        converse: if script.manner == Manner::Missing { None } else { Some(converse) },
        data: ptr::from_mut(&mut talk).cast(),
    };
    let mut handle = ptr::null_mut();
    // SAFETY: the strings, `user` and those of `script`, outlive the handle; libpam copies them and
    // the conversation, whose data is `talk`, alive until after pam_end. It is used through that
    // pointer only, and on this thread.
    let started = unsafe {
        pam::pam_start_confdir(
            script.service.as_ptr(),
            or_null(user.as_ref()),
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
    /// Whether all answers are to be wrong.
    is_wrong: bool,
    about: About,
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
        if !self.script.quiet {
            let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
            say(format_args!("{kind} {escaped}"));
        }
        self.about.hear(text);

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
                if self.is_wrong {
                    return Ok(Some(b"12345".to_vec()));
                }
                answer.ok_or(ConversationFails)?.text(&self.about)
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

fn or_null(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

fn give_up(what: &impl Display, why: impl Display) -> ! {
    eprintln!("pam-client: {what}: {why}");
    process::exit(64)
}
