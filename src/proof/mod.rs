//! What holds whatever comes in: one function for each thing that is read, each given bytes that anybody
//! could have written, each failing where a promise is broken and not only where something panics.
//!
//! They are asked twice: by the fuzzers in `fuzz/` for as long as one likes (`make soak`), and here by
//! the unit tests, with the seeds of `fuzz/seeds/` and slips of them. Nothing else sees this module: it is
//! built under `cfg(test)` and `cfg(fuzzing)` only, and is the one door that fuzzers have.

mod configuration;
mod login;
mod people;
mod replies;
mod stacks;
mod wire;

pub use configuration::{configuration, description, network};
pub use login::{answer, state};
pub use people::{entry, phone, users};
pub use replies::reply;
pub use stacks::{sshd, stack};
pub use wire::{module_hears, request};

/// Something that holds for all bytes, or panics.
pub type Property = fn(&[u8]);

/// All of them, by the names of their fuzz targets.
pub const ALL: [(&str, Property); 13] = [
    ("answer", answer),
    ("configuration", configuration),
    ("description", description),
    ("entry", entry),
    ("module_hears", module_hears),
    ("network", network),
    ("phone", phone),
    ("reply", reply),
    ("request", request),
    ("sshd", sshd),
    ("stack", stack),
    ("state", state),
    ("users", users),
];

/// A file as the rooms of this house get it: those that open files refuse what is not UTF-8.
fn text_of(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Holds where a text for the log or the terminal has nothing in it that could be a number. What
/// stands in our own advice is none.
fn holds_no_number(said: &str) {
    let said = said.replace("+49 151 23456789", "");
    let run = said.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    assert!(run.unwrap_or_default() < 7, "a number is told: {said}");
}

#[cfg(test)]
mod tests;
