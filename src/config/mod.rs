//! The configuration: found, believed, parsed, checked.
//!
//! ```text
//! file.rs    is this file to be believed?
//! source.rs  several files as one tree, every value with its place
//! value.rs   one value of it, as serde reads it
//! model.rs   what may stand in it, and what stands there if nothing does
//! ```
//!
//! The module reads everything but the providers, whose keys have no business in the memory of
//! sshd; the helper reads the same files again for them.

pub mod file;
pub mod model;
pub mod source;
mod value;

/// Where the configuration is, unless a module argument says otherwise.
pub const DEFAULT_PATH: &str = "/etc/pam-sms/config.toml";
