//! What the log tells of logins so far.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where syslog daemons write what is LOG_AUTHPRIV.
const LOGS: [&str; 2] = ["/var/log/auth.log", "/var/log/secure"];

/// The log: the `named` file, else what the syslog daemon has, else the journal.
///
/// # Errors
/// In words, when there is none or it cannot be read.
pub fn read(named: Option<&Path>) -> Result<String, String> {
    let file = named.or_else(|| LOGS.iter().map(Path::new).find(|path| path.exists()));
    if let Some(path) = file {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let journal = Command::new("journalctl")
        .args(["--quiet", "--boot", "--output=cat", "--grep=pam_sms\\("])
        .output()
        .map_err(|error| format!("no log: neither {} nor journalctl: {error}", LOGS.join(", ")))?;
    Ok(String::from_utf8_lossy(&journal.stdout).into_owned())
}

/// Counts lines of ours by event and service; of a line that somebody forges, at most a wrong count.
#[must_use]
pub fn count(log: &str) -> BTreeMap<(&str, &str), u64> {
    let mut counts = BTreeMap::new();
    for line in log.lines() {
        let Some((_, ours)) = line.split_once("pam_sms(") else { continue };
        let Some((service, rest)) = ours.split_once(":auth): event=") else { continue };
        let event = rest.split(' ').next().unwrap_or_default();
        let plain = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        if plain(service) && plain(event) {
            *counts.entry((event, service)).or_default() += 1;
        }
    }
    counts
}

/// How many messages went out in how many logins. One of which nobody knows is counted as sent.
#[must_use]
pub fn messages(log: &str) -> (u64, u64) {
    let counts = count(log);
    let of = |wanted: &[&str]| {
        let of_event =
            |((event, _), count): (&(&str, &str), &u64)| wanted.contains(event).then_some(*count);
        counts.iter().filter_map(of_event).sum::<u64>()
    };
    let logins = of(&["sent", "uncertain"]);
    (logins + of(&["resent"]), logins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_ours_are_counted_by_event_and_service() {
        let log = "Nov 24 sshd[1]: pam_sms(sshd:auth): event=sent to=*23 user=alice\n\
                   Nov 24 sshd[1]: pam_sms(sshd:auth): event=accepted to=*23 user=alice\n\
                   Nov 24 sudo[2]: pam_sms(sudo:auth): event=sent to=*23 user=alice\n\
                   Nov 24 sudo[2]: pam_sms(sudo:auth): event=resent to=*23 user=alice\n\
                   Nov 24 sshd[3]: pam_sms(sshd:auth): event=sent to=*23 user=\"x event=accepted\"\n\
                   Nov 24 sshd[3]: pam_unix(sshd:auth): event=sent\n\
                   Nov 24 x[3]: pam_sms(\"}\\n:auth): event=sent\n";
        let counts: Vec<_> = count(log).into_iter().collect();
        assert_eq!(
            counts,
            [
                (("accepted", "sshd"), 1),
                (("resent", "sudo"), 1),
                (("sent", "sshd"), 2),
                (("sent", "sudo"), 1),
            ]
        );
        assert_eq!(messages(log), (4, 3));
    }
}
