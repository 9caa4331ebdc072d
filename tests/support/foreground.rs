//! A child that has the terminal, and a parent that outlives it to clean up.
//!
//! ^C goes to everybody in the foreground, so whoever started the machine would die beside the
//! program that the key was meant for, and leave the machine running. Here a signal that asks to
//! end only ends the child, and its parent goes on from there.

#![allow(unsafe_code)]

use std::io;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// What a terminal, a closing window and an admin send.
const ENDINGS: [libc::c_int; 4] = [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP];

/// The child that runs, or 0.
static CHILD: AtomicI32 = AtomicI32::new(0);
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Proof that signals which ask to end are taken care of.
pub struct Foreground(());

impl Foreground {
    /// From now on such a signal does not end this process.
    pub fn take() -> Self {
        let handler: extern "C" fn(libc::c_int) = pass_on;
        for signal in ENDINGS {
            // SAFETY: `pass_on` does nothing that a signal handler may not. A handler, unlike
            // SIG_IGN, is not inherited: the child begins with the default.
            unsafe { libc::signal(signal, handler as *const () as libc::sighandler_t) };
        }
        Self(())
    }

    /// Runs `command` in this terminal until it ends or is ended.
    pub fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        if IS_OVER.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut child = command.stdin(std::process::Stdio::inherit()).spawn()?;
        CHILD.store(child.id().try_into().expect("a process id is a pid_t"), Ordering::SeqCst);
        if IS_OVER.load(Ordering::SeqCst) {
            // The signal came before there was anybody to pass it on to.
            pass_on(libc::SIGTERM);
        }
        let ended = child.wait();
        CHILD.store(0, Ordering::SeqCst);
        ended
    }
}

extern "C" fn pass_on(_: libc::c_int) {
    IS_OVER.store(true, Ordering::SeqCst);
    let child = CHILD.load(Ordering::SeqCst);
    if child > 0 {
        // SAFETY: kill takes no pointers and may be called in a handler. The number is the child's
        // until it is reaped, but for a moment after; nothing else is started in that moment.
        unsafe { libc::kill(child, libc::SIGTERM) };
    }
}
