//! `make bench`: what a login costs, beside those of other modules and in the same rounds, so that what else
//! the machine does meets all of them alike. Figures are medians; those to compare are the ratios.
//!
//! | row | what |
//! | --- | --- |
//! | permit | pam_permit: the floor |
//! | google | pam_google_authenticator, where it is installed: a scratch code |
//! | skipped | ours, for somebody whom the policy spares |
//! | outbox | ours, a code by the outbox: without TLS |
//! | floor | `floor.c`: the least that C with OpenSSL can do for a code by that API, and for nothing else |
//! | sent | ours, a code by Clickatell's API over TLS from a gateway on this machine |

#![allow(clippy::unwrap_used, dead_code)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use support::gateway::{Gateway, account};
use support::machine::{Machine, NO_LIMITS};
use support::pam::{Client, Run};

/// Where modules of other packages are.
const MODULES: &str = "/usr/lib/x86_64-linux-gnu/security";
const OUTBOX: &str = "/run/pam-sms/outbox";
/// One of the codes with which Google's module can be passed once; the file is written anew each time.
const SCRATCH: &str = "12345678";

fn main() {
    let number = |name: &str, otherwise| {
        env::var(name).map_or(otherwise, |text| text.parse().unwrap_or(otherwise))
    };
    let (rounds, people) = (number("BENCH_ROUNDS", 40), number("BENCH_USERS", 100_000));
    compare(rounds);
    look_ups(rounds, people);
}

/// Each peer once in each round.
fn compare(rounds: usize) {
    let machine = Machine::new();
    let gateway = Gateway::start();
    machine.users("alice = \"+4915123456723\"\n");
    machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
    let ours = |name: &str, more: String| {
        machine.file(format!("/etc/bench/{name}.toml"), NO_LIMITS.to_owned() + &more, 0o600);
        let module = format!("auth requisite pam_sms.so config=/etc/bench/{name}.toml\n");
        machine.pam(name, &(module + "auth required pam_permit.so\n"));
    };
    ours(
        "skipped",
        "[policy]\nskip_users=['alice']\n[users]\nfile='/etc/pam-sms/users.toml'\n".into(),
    );
    ours("outbox", "[users]\nfile='/etc/pam-sms/users.toml'\n".into());
    let provider = format!(
        "[users]\nfile='/etc/pam-sms/users.toml'\n[[provider]]\nkind='clickatell'\napi_key='{}'\n\
         base_url='{}'\nca_file='/etc/pam-sms/ca.pem'\n",
        account::CLICKATELL_KEY,
        gateway.base_url()
    );
    ours("sent", provider);
    machine.pam("permit", "auth required pam_permit.so\n");
    let line = "auth required pam_google_authenticator.so secret=/etc/bench/google user=root\n";
    machine.pam("google", line);

    let floor = format!(
        "auth required {} /etc/pam-sms/ca.pem {} {} 4915123456723\nauth required pam_permit.so\n",
        compiled_floor(),
        gateway.port(),
        account::CLICKATELL_KEY
    );
    machine.pam("floor", &floor);

    let mut peers = vec!["permit", "skipped", "outbox", "floor", "sent"];
    if Path::new(MODULES).join("pam_google_authenticator.so").exists() {
        peers.insert(1, "google");
    }
    let mut taken = vec![Vec::new(); peers.len()];
    for _ in 0..rounds {
        for (peer, taken) in peers.iter().zip(&mut taken) {
            taken.push(once(&machine, &gateway, peer));
        }
    }

    println!(
        "\n{rounds} rounds; medians; a millisecond is of the wall clock, without the conversation\n"
    );
    println!(
        "| login | ms | x permit | x floor | CPU own ms | CPU children ms | CPU x floor |\n\
         | --- | --- | --- | --- | --- | --- | --- |"
    );
    let floor = &taken[peers.len() - 2];
    for (peer, rows) in peers.iter().zip(&taken) {
        let of = |column: usize| median(rows.iter().map(|row| f64::from(row[column]) / 1e3));
        let beside = |others: &[[i32; 3]], cost: fn(&[i32; 3]) -> i32| {
            let of = |row| f64::from(cost(row));
            median(rows.iter().zip(others).map(|(a, b)| of(a) / of(b)))
        };
        let [permit, least] = [&taken[0], floor].map(|others| beside(others, |row| row[0]));
        let cpu = beside(floor, |row| row[1] + row[2]);
        let (wall, own, children) = (of(0), of(1), of(2));
        println!(
            "| {peer} | {wall:.2} | {permit:.2} | {least:.2} | {own:.2} | {children:.2} | {cpu:.2} |"
        );
    }
}

/// Where `floor.c` is after it was compiled.
fn compiled_floor() -> String {
    let (source, library) = ("benches/floor.c", "target/floor.so");
    let warned = ["-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"];
    let mut compiler = Command::new("cc");
    compiler.args(warned).args(["-o", library, source, "-lpam", "-lssl", "-lcrypto"]);
    assert!(compiler.status().unwrap().success(), "{source} is not compiled");
    fs::canonicalize(library).unwrap().to_str().unwrap().to_owned()
}

/// One login, which must come right.
fn once(machine: &Machine, gateway: &Gateway, peer: &str) -> [i32; 3] {
    let client = Client::new(machine, peer).user("alice").flag("--took");
    let run = match peer {
        "google" => {
            let file = format!(
                "KRSXG5CTMVRXEZLUKRSXG5CTMV\n\" RATE_LIMIT 3 30\n\" TOTP_AUTH\n{SCRATCH}\n"
            );
            let _ = fs::remove_file("/etc/bench/google");
            machine.file("/etc/bench/google", file, 0o400);
            client.answer(&format!("text:{SCRATCH}")).run()
        }
        "outbox" => client.answer(&format!("outbox:{OUTBOX}")).run(),
        "floor" | "sent" => {
            let sent = gateway.messages().len();
            let mut session = client.answer("stdin").spawn();
            session.prompt();
            session.answer_line(&gateway.wait_for_message(sent).code());
            session.finish()
        }
        _ => client.run(),
    };
    took(&run, peer)
}

fn took(run: &Run, what: &str) -> [i32; 3] {
    assert_eq!(run.result, 0, "{what}: {run:?}");
    run.took.expect("--took was asked for")
}

/// A login of one among ten, and among many, in turn.
fn look_ups(rounds: usize, people: usize) {
    let machine = Machine::new();
    let log = machine.log();
    let mut taken = [Vec::new(), Vec::new()];
    for (name, count) in [("few", 10), ("many", people)] {
        let folder = format!("/etc/bench/{name}.users");
        machine.file(format!("{folder}/alice.toml"), "phones = [\"+4915123456723\"]\n", 0o600);
        // Of one file, which makes a million of names cheap.
        for n in 1..count {
            fs::hard_link(format!("{folder}/alice.toml"), format!("{folder}/u{n}.toml")).unwrap();
        }
        let config = format!("{NO_LIMITS}[users]\ndirectory='{folder}'\n");
        machine.file(format!("/etc/bench/{name}.toml"), config, 0o600);
        let module = format!("auth requisite pam_sms.so config=/etc/bench/{name}.toml\n");
        machine.pam(name, &module);
    }
    for _ in 0..rounds {
        for (name, taken) in ["few", "many"].iter().zip(&mut taken) {
            let client = Client::new(&machine, name).user("alice").flag("--took");
            let run = client.answer(&format!("outbox:{OUTBOX}")).run();
            taken.push(took(&run, &format!("{name}: {:?}", log.lines())));
        }
    }
    let [few, many] = &taken;
    let ratio = median(many.iter().zip(few).map(|(a, b)| f64::from(a[0]) / f64::from(b[0])));
    println!(
        "\na login of one among {people} in a folder takes {ratio:.2} times that of one among 10"
    );
}

fn median(of: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = of.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
