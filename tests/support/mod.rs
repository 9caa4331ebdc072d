//! What tests stand on: a private machine, a person, a PAM application, a pretend gateway, a real
//! directory.

#![allow(dead_code)]

use std::env;
use std::path::PathBuf;

pub mod books;
pub mod corpus;
pub mod crowd;
pub mod foreground;
pub mod gateway;
pub mod load;
pub mod log;
pub mod machine;
pub mod modem;
pub mod pam;
pub mod person;
pub mod process;
pub mod redis;
pub mod sentinel;
pub mod slapd;

/// An example that cargo builds beside the tests: they are in `target/debug/deps`, it is in
/// `target/debug/examples`.
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let deps = test.parent().expect("a folder of this test");
    let program = deps.with_file_name("examples").join(name);
    assert!(program.exists(), "no {}: run all of `cargo test`", program.display());
    program
}
