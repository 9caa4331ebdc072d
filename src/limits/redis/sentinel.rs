//! Sentinels, which know the one of several servers that the others copy.
//!
//! What a sentinel says may be a moment old, so its word is never taken for it: the server says itself
//! what it is when it is connected to. The address that it names is believed as far as a certificate of our
//! authorities goes, and no further.

use std::time::Instant;

use redis::{RedisResult, cmd};

use super::line::{Fault, Line};
use super::settings::{Address, Settings, is_loopback};

/// Where the server is that others copy, by the word of the sentinel at `address`.
///
/// # Errors
/// When it does not say.
pub fn ask(
    address: &Address,
    master: &str,
    settings: &Settings,
    deadline: Instant,
) -> Result<Address, Fault> {
    let mut line = Line::open(address, settings.authorities.as_deref(), deadline)?;
    let mut told = question(&mut line, master);
    // A sentinel that asks nobody for a password need not see ours.
    if told.as_ref().is_err_and(|error| matches!(error.code(), Some("NOAUTH" | "NOPERM"))) {
        let let_in = settings.greeting().exec(&mut line);
        let_in.map_err(|error| line.fault(&error))?;
        told = question(&mut line, master);
    }
    let named = told.map_err(|error| line.fault(&error))?;
    let nobody = || format!("server: it knows no servers by the name `{master}`");
    let (host, port) = named.ok_or_else(|| Fault::Theirs(nobody()))?;
    if !address.is_encrypted && !is_loopback(&host) {
        return Err(Fault::Theirs(format!(
            "server: it names {host}, which is not encrypted: only rediss:// leaves this host"
        )));
    }
    Ok(Address { host, port, ..*address })
}

fn question(line: &mut Line, master: &str) -> RedisResult<Option<(String, u16)>> {
    cmd("SENTINEL").arg("get-master-addr-by-name").arg(master).query(line)
}
