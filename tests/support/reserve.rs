//! Reserves messages as the module does, one after the other and without sending any: one of many
//! processes that do so at once.
//!
//! ```text
//! reserve USER NUMBER COUNT [LINE OF [limits]]...
//! ```
//!
//! Waits for the end of its standard input, and prints how many it got.

use std::process::ExitCode;
use std::{env, io};

use pam_sms::authenticate::BootClock;
use pam_sms::config::model::LimitRules;
use pam_sms::config::source::Sources;
use pam_sms::limits::Ledger;
use pam_sms::login::ports::Limits;
use pam_sms::people::PhoneNumber;
use pam_sms::state::Places;

fn main() -> ExitCode {
    match reserve() {
        Ok(got) => {
            println!("{got}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("reserve: {error}");
            ExitCode::FAILURE
        }
    }
}

fn reserve() -> Result<usize, String> {
    let mut words = env::args().skip(1);
    let mut word = |name| words.next().ok_or_else(|| format!("{name} is missing"));
    let (user, number, count) = (word("USER")?, word("NUMBER")?, word("COUNT")?);
    let number: PhoneNumber = number.parse().map_err(|_| format!("no number: {number}"))?;
    let count = count.parse().map_err(|_| format!("no count: {count}"))?;
    let limits = words.collect::<Vec<_>>().join("\n");
    let rules: LimitRules =
        Sources::from_text("limits", &limits).parse().map_err(|error| error.to_string())?;
    io::copy(&mut io::stdin().lock(), &mut io::sink()).map_err(|error| error.to_string())?;

    let places = Places::default();
    let books = Ledger::new(&places, &rules, &user, &BootClock);
    let mut got = 0;
    for _ in 0..count {
        books.reserve(&number).map_err(|barrier| format!("after {got}: {barrier}"))?;
        got += 1;
    }
    Ok(got)
}
