//! A real message through the real helper, and its code typed in.

use std::path::Path;

use super::terminal::Terminal;
use crate::authenticate::arguments::DEFAULT_HELPER;
use crate::authenticate::texts::load;
use crate::config::model::Config;
use crate::delivery::Fate;
use crate::helper::call::Helper;
use crate::login::code::{Code, Reference};
use crate::login::ports::Delivery;
use crate::message::Values;
use crate::people::PhoneNumber;
use crate::secret::Secret;
use crate::sys;

/// Sends a code to `number` and has it typed in, where somebody is there.
///
/// # Errors
/// When the provider does not take it, or the code never comes.
pub fn send(
    config: &Config,
    path: &Path,
    number: &PhoneNumber,
    terminal: &Terminal,
) -> Result<(), String> {
    let code = Code::random(config.code.digits.get()).map_err(|error| error.to_string())?;
    let reference = Reference::random(None).map_err(|error| error.to_string())?;
    let catalogue = load(config.message.language).map_err(|error| error.to_string())?;
    let template = config.message.text.as_ref().unwrap_or(catalogue.sms());
    let text = Secret::from(template.render(&Values {
        code: code.expose(),
        reference: reference.as_str(),
        host: &sys::host_name(),
        user: "setup",
        minutes: config.code.lifetime.get().as_secs().div_ceil(60),
    }));
    println!("Sending a message to the phone ending in {} ...", number.ending());
    let timeout = config.delivery.timeout.get();
    let mut helper = Helper { program: Path::new(DEFAULT_HELPER), config: path, timeout };
    let outcome = helper.deliver(number, &text);
    match outcome.fate {
        Fate::Accepted => println!("{} has taken it.", outcome.via),
        Fate::Uncertain => println!("{} did not answer in time; it may come.", outcome.via),
        _ => return Err(format!("No message could be sent: {}.", outcome.detail)),
    }
    if !terminal.asks {
        return Ok(());
    }
    let question = format!("Code of the message with reference {reference}");
    terminal.ask_until(&question, "--no-test", |typed| {
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        match code.matches(&digits) {
            true => Ok(()),
            false => Err("that is not the code".to_owned()),
        }
    })?;
    println!("That is it.");
    Ok(())
}
