//! `make demo`: one whole login over SSH as a person sees it, in a machine that is gone afterwards.
//!
//! The outbox, a file that only root can read, stands in for the phone.

#![allow(clippy::unwrap_used, dead_code)]

mod support;

use support::machine::{ALICE_PASSWORD, Machine};
use support::person::Person;

fn main() {
    let machine = Machine::new();
    machine.config("");
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam_example("sshd-password");
    let log = machine.log();
    let _sshd = machine.sshd("");

    say("alice logs in to a private sshd. Nothing of this touches the host.");
    let greeting = "RemoteCommand=echo; echo You are $(id -un) on $(hostname).";
    let mut alice = Person::ssh("alice", &["-q", "-o", greeting]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("or ? for help: ");
    let outbox = std::fs::read_to_string("/run/pam-sms/outbox").unwrap();
    let text = outbox.trim_end().splitn(3, ' ').nth(2).unwrap().to_owned();
    let code = text.split(' ').next().unwrap().to_owned();
    alice.type_line(&code);
    let status = alice.gone();

    println!("{}", alice.screen().trim());
    say(&format!("On the phone:  {text}"));
    say(&format!("alice typed:   {code}"));
    say("In the log:");
    println!("    {}", log.wait_for("event=accepted").split_once(": ").unwrap().1);
    assert_eq!(status, 0, "the login failed");
    say("Everything of it is gone now.");
}

fn say(text: &str) {
    println!("\n--- {text}\n");
}
