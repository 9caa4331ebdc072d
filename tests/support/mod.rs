//! What tests stand on: a private machine, a person, a PAM application, a pretend gateway.

#![allow(dead_code)]

pub mod gateway;
pub mod log;
pub mod machine;
pub mod pam;
pub mod person;
pub mod process;
