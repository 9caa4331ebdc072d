//! Sends one message with the crate `clickatell-api`, which others wrote.
//!
//! ```text
//! clickatell-client BASE_URL API_KEY TO TEXT
//! ```
//!
//! Exit code 0: taken; 3: refused, with the reason on the standard output; 1: something else.

use std::env;
use std::process::ExitCode;

use clickatell_api::one_api::send_messages::{Request, Response};
use clickatell_api::one_api::{BlockingClient, Channel, Result};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let [base, key, to, text] = words.as_slice() else {
        eprintln!("clickatell-client BASE_URL API_KEY TO TEXT");
        return ExitCode::FAILURE;
    };
    match send(base, key, to, text) {
        Ok(response) => judge(&response),
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn send(base: &str, key: &str, to: &str, text: &str) -> Result<Response> {
    let client = BlockingClient::builder().hostname(base).api_key(key).build()?;
    let mut request = Request::new();
    request.add_message(Channel::SMS, to, text)?;
    client.send_messages(request)
}

/// Taken means: no error of the request, and one message with an id and without an error.
fn judge(response: &Response) -> ExitCode {
    let messages = response.messages();
    let error = response.error.as_ref().or(messages.first().and_then(|m| m.error.as_ref()));
    match (error, messages.as_slice()) {
        (Some(error), _) => {
            println!("{error:?}");
            ExitCode::from(3)
        }
        (None, [message]) if !message.message_id().is_empty() => ExitCode::SUCCESS,
        _ => {
            eprintln!("an answer without an id: {response:?}");
            ExitCode::FAILURE
        }
    }
}
