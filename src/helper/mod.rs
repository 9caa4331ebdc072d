//! The two ends of the line between the module and its helper.
//!
//! The module, root inside sshd, writes one request and reads one outcome ([`call`]); the helper
//! reads its configuration as root, gives root up, enters a jail and only then sends ([`serve`]). What goes over
//! the line is bounded and checked on both sides ([`wire`]): the network speaks to the helper only.

pub mod call;
#[cfg(feature = "helper")]
pub mod jail;
#[cfg(feature = "helper")]
pub mod serve;
pub mod wire;
