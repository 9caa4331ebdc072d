//! Many people who log in, and a phone for each.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::thread;

use super::gateway::{Gateway, News, account};
use super::machine::Machine;

/// What [`Client::user`](super::pam::Client::user) calls them, with a number for the `%`.
pub const PERSON: &str = "person%";
/// The phones of all: a line for each message that the gateway took, as the outbox has them.
pub const PHONES: &str = "/run/phones";
/// Limits that let everybody log in as often as the rules can say.
pub const UNLIMITED: &str = "[limits]\nsends_per_user='10000/1s'\nsends_per_number='10000/1s'\n\
    sends_per_host='10000/1s'\nrequests_per_user='10000/1s'\nsends_per_user_day=250\n\
    failures_per_user='10000/1s'\n";
/// How often one of them may log in, which is what a day allows.
pub const LOGINS_EACH: usize = 250;

/// The name of one of them.
pub fn name(index: usize) -> String {
    PERSON.replace('%', &index.to_string())
}

/// Their number.
pub fn number(index: usize) -> String {
    format!("+4915{index:08}")
}

/// Gives that many people an account and a number.
pub fn move_in(machine: &Machine, count: usize) {
    let accounts = (0..count).fold(fs::read_to_string("/etc/passwd").unwrap(), |all, index| {
        let id = 62_000 + index;
        all + &format!("{}:x:{id}:{id}::/nonexistent:/bin/false\n", name(index))
    });
    machine.file("/etc/passwd", accounts, 0o644);
    let users = (0..count).map(|index| format!("{} = '{}'\n", name(index), number(index)));
    machine.users(&users.collect::<String>());
}

/// The table of a provider behind this gateway; what that takes arrives at [`PHONES`].
pub fn phones(machine: &Machine, gateway: &Gateway) -> String {
    machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
    machine.file(PHONES, "", 0o600);
    let phones = OpenOptions::new().append(true).open(PHONES).expect("open the phones");
    let news = gateway.news();
    thread::spawn(move || news.into_iter().for_each(|news| arrive(&phones, news)));
    format!(
        "[[provider]]\nkind='clickatell'\napi_key='{}'\nbase_url='{}'\nca_file='/etc/pam-sms/ca.pem'\n",
        account::CLICKATELL_KEY,
        gateway.base_url()
    )
}

fn arrive(mut phones: &File, news: News) {
    if let News::Accepted(message) = news {
        let line = format!("now {} {}\n", message.to, message.text);
        // A test that is over has no phones any more.
        let _ = phones.write_all(line.as_bytes());
    }
}
