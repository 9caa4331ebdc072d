//! The pretend gateway by itself: for trying the program by hand, and for tests in shell.
//!
//! ```text
//! pretend-gateway [--plain] [--port N] [--ca-out FILE] [--print]
//! pretend-gateway --env
//! ```
//!
//! Prints its base URL when it is ready, then one line of JSON for each message it takes and
//! each request it refuses, until its standard input closes. With `--print` a line with the whole
//! request, credentials included, comes before that. With `--env` it prints the accounts it knows
//! as lines for a shell, and exits.

#![allow(dead_code)]

#[path = "gateway/mod.rs"]
mod gateway;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, process, thread};

use gateway::{Gateway, News, account};
use serde_json::{Value, json};

fn main() -> ExitCode {
    match Arguments::parse(env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pretend-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Arguments {
    plain: bool,
    port: u16,
    ca_out: Option<PathBuf>,
    print: bool,
    env: bool,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--plain" => arguments.plain = true,
                "--print" => arguments.print = true,
                "--env" => arguments.env = true,
                "--port" => {
                    let port = value()?;
                    arguments.port = port.parse().map_err(|_| format!("not a port: {port}"))?;
                }
                "--ca-out" => arguments.ca_out = Some(value()?.into()),
                _ => return Err(format!("unknown argument {word}")),
            }
        }
        Ok(arguments)
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.env {
        for (name, value) in account::ALL {
            // Within single quotes a shell takes everything as it is, but for one.
            say(&format!("{name}='{}'", value.replace('\'', r"'\''")))?;
        }
        return Ok(());
    }

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let gateway = Gateway::start_on(address, !arguments.plain);
    if let Some(file) = &arguments.ca_out {
        fs::write(file, gateway.ca_pem())
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let news = gateway.news();
    say(&gateway.base_url())?;
    thread::spawn(|| {
        // What is typed does not matter, only that there is no more of it.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        process::exit(0);
    });
    news.into_iter()
        .filter(|news| arguments.print || !matches!(news, News::Arrived(_)))
        .try_for_each(|news| say(&as_json(news).to_string()))
}

fn as_json(news: News) -> Value {
    match news {
        News::Arrived(request) => json!({
            "request": {
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "headers": request.headers,
                "body": request.body_text(),
            }
        }),
        News::Accepted(message) => json!({
            "accepted": {
                "format": message.format,
                "to": message.to,
                "text": message.text,
                "from": message.from,
                "credentials": message.credentials,
            }
        }),
        News::Refused(why) => json!({ "refused": why }),
    }
}

/// One line at once, also into a pipe: whoever reads it is waiting for it.
fn say(line: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}
