//! What a command says and asks. A reader that is gone, as behind `| head`, is the reader's choice: it is
//! neither an error nor a panic.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};

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
/// When it cannot be read.
pub fn ask(prompt: &str) -> io::Result<Option<String>> {
    let mut out = io::stdout().lock();
    write!(out, "{prompt}")?;
    out.flush()?;
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line)? {
        0 => Ok(None),
        _ => Ok(Some(line.trim_end_matches(['\n', '\r']).to_owned())),
    }
}
