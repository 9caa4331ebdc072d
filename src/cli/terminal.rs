//! What a command says and asks. A reader that is gone, as behind `| head`, is the reader's choice: it is
//! neither an error nor a panic.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;

use crate::sys;

/// A line for the standard output.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A line for the standard error.
pub fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Whether somebody can be asked.
#[must_use]
pub fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// Asks, and takes one line without its end; nothing where the terminal was closed.
///
/// # Errors
/// When it cannot be read, or somebody wants the program to end and it is to put things back first.
pub fn ask(prompt: &str) -> io::Result<Option<String>> {
    let mut out = io::stdout().lock();
    write!(out, "{prompt}")?;
    out.flush()?;
    // Byte by byte: what is typed ahead stays for whoever reads next.
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        sys::wait_for_input(&input)?;
        match input.read(&mut byte)? {
            0 if line.is_empty() => return Ok(None),
            0 => break,
            _ if byte == *b"\n" => break,
            _ => line.push(byte[0]),
        }
    }
    let text = String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Some(text.trim_end_matches('\r').to_owned()))
}
