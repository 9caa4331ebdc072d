//! Sends one message as a login does: through the helper that is shipped.
//!
//! ```text
//! send HELPER CONFIG NUMBER TEXT [call | check PROVIDER]
//! ```
//!
//! For `make conformance`, which compares our requests with those of other people's software.

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use pam_sms::delivery::Fate;
use pam_sms::helper::call::Helper;
use pam_sms::login::code::Code;
use pam_sms::login::language::Language;
use pam_sms::login::ports::Delivery;
use pam_sms::secret::Secret;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let [program, config, number, text, way @ ..] = words.as_slice() else {
        eprintln!("send HELPER CONFIG NUMBER TEXT [call | check PROVIDER]");
        return ExitCode::FAILURE;
    };
    let number = match number.parse() {
        Ok(number) => number,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut helper = Helper {
        program: Path::new(program),
        config: Path::new(config),
        timeout: Duration::from_secs(10),
        provider: None,
        language: Language::ENGLISH,
    };
    let text = Secret::from(text.clone());
    let outcome = match way {
        // The text is what was typed.
        [check, provider] if check == "check" => {
            let judged = helper.check(&number, &text, provider);
            println!("{:?} {}", judged.finding, judged.detail);
            return ExitCode::SUCCESS;
        }
        // A fresh code is read.
        [call] if call == "call" => match Code::random(6) {
            Ok(code) => helper.call(&number, &code),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        },
        _ => helper.deliver(&number, &text),
    };
    println!("{:?} {} {}", outcome.fate, outcome.via, outcome.detail);
    if outcome.fate == Fate::Accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
