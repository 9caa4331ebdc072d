//! `make demo-shell`: a person logs in by hand, in a machine that is gone afterwards.
//!
//! ssh runs right in this terminal, against a private sshd. The pretend gateway stands in for the
//! provider, and what arrives on the phone is shown in the same terminal as it comes.

#![allow(clippy::unwrap_used, dead_code)]

mod support;

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::mpsc::Receiver;
use std::thread;

use support::foreground::Foreground;
use support::gateway::{Gateway, News, account};
use support::machine::{ALICE_PASSWORD, Machine};

/// Nobody's host key is remembered: the next machine has another one.
const SSH: &str = "ssh -F /dev/null -o LogLevel=ERROR -o StrictHostKeyChecking=no \
                   -o UserKnownHostsFile=/dev/null alice@127.0.0.1";

fn main() -> ExitCode {
    if !io::stdin().is_terminal() {
        eprintln!("demo-shell: needs a terminal to log in from");
        return ExitCode::FAILURE;
    }
    // First of all, so that ^C finds somebody who takes the machine down.
    let foreground = Foreground::take();
    let machine = Machine::new();
    let gateway = Gateway::start();
    furnish(&machine, &gateway);
    let log = machine.log();
    let _sshd = machine.sshd("");
    let news = gateway.news();
    thread::spawn(move || show(&news));

    say(&format!(
        "This is a private sshd; nothing of it touches the host. alice's password is\r\n\
         \"{ALICE_PASSWORD}\". What arrives on her phone shows here. Once in, `sudo id` asks again,\r\n\
         and `exit` or ^C ends it all. To look around as root, in another terminal:\r\n\r\n    \
         nsenter --target {} --mount --net --uts",
        std::process::id()
    ));
    let mut ssh = machine.command("/usr/bin/ssh");
    ssh.args(SSH.split_whitespace().skip(1));
    ssh.env("TERM", env::var_os("TERM").unwrap_or_else(|| "dumb".into()));
    let ended = foreground.run(&mut ssh);

    let said =
        |line: String| line.split_once(": ").map(|(_, said)| said.to_owned()).unwrap_or(line);
    let lines: Vec<String> = log.ours().into_iter().map(said).collect();
    say(&format!("In the log:\r\n\r\n    {}", lines.join("\r\n    ")));
    drop(machine);
    say("Everything of it is gone now.");
    match ended {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo-shell: ssh: {error}");
            ExitCode::FAILURE
        }
    }
}

/// alice has a phone, a provider takes messages for it, and sshd and sudo ask for a code.
fn furnish(machine: &Machine, gateway: &Gateway) {
    machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
    machine.users("alice = \"+4915123456723\"\n");
    machine.config(&format!(
        "[[provider]]\nkind='twilio'\naccount_sid='{}'\nauth_token='{}'\nfrom='{}'\n\
         base_url='{}'\nca_file='/etc/pam-sms/ca.pem'\n",
        account::TWILIO_SID,
        account::TWILIO_TOKEN,
        account::TWILIO_FROM,
        gateway.base_url()
    ));
    machine.pam_example("sshd-password");
    machine.pam_example("sudo");
}

/// Shows what arrives on the phone, until the gateway is gone.
fn show(news: &Receiver<News>) {
    for news in news {
        match news {
            News::Accepted(message) => say(&format!("On the phone:  {}", message.text)),
            News::Refused(why) => say(&format!("The gateway refused: {why}")),
            News::Arrived(_) => {}
        }
    }
}

/// A paragraph. ssh may have the terminal in raw mode, in which a newline goes down and not back;
/// and a window that was closed is no reason to leave the machine behind.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = write!(out, "\r\n--- {text}\r\n\r\n").and_then(|()| out.flush());
}
