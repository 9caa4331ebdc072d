//! A second factor by SMS for Linux logins.
//!
//! After the password or key, a login asks for a single-use code that arrives by SMS. This is the
//! way one login takes through the rooms of this house:
//!
//! ```text
//!  libpam ─▶ pam/            the border: entry points, items, conversation, return codes
//!              │
//!              ▼
//!            authenticate/   arguments, configuration, account, number: the rooms wired together
//!              │
//!              ├─▶ config/   files that are believed, with a place for every error
//!              ├─▶ people/   who has which number; asks the directory through the helper
//!              ▼
//!            login/          the second factor itself: policy, code, prompt, verdict
//!              │  ▲  │
//!              │  │  └─────▶ limits/    what may be sent and tried, across logins; backup codes
//!              │  └───────── message/   the text of the SMS and its segments
//!              ▼
//!            helper/call ══ socketpair ══▶ helper/serve   (another process, unprivileged)
//!                                             │
//!                                             ├─▶ directory/   numbers from LDAP
//!                                             ▼
//!                                          gateway/       providers as data, over HTTPS
//! ```
//!
//! `delivery` names what can become of a message, `audit` writes the log, `secret` keeps what must
//! leave no trace, `state` what must outlive a process, `stack` reads PAM stacks, `sys` makes system calls, `cli` is what an admin types, `proof` says what holds whatever comes in. The module is built without
//! the features `helper` and `program`, so that nothing of the network is in it.

pub mod audit;
pub mod authenticate;
#[cfg(feature = "program")]
pub mod cli;
pub mod config;
pub mod delivery;
#[cfg(feature = "ldap")]
pub mod directory;
#[cfg(feature = "helper")]
pub mod gateway;
pub mod helper;
pub mod limits;
pub mod login;
pub mod message;
pub mod pam;
pub mod people;
#[cfg(all(any(test, fuzzing), feature = "program", feature = "ldap"))]
pub mod proof;
pub mod secret;
#[cfg(feature = "program")]
pub mod stack;
pub mod state;
pub mod sys;
