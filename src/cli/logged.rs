//! What the log tells of logins so far.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Where syslog daemons write what is LOG_AUTHPRIV.
pub const LOGS: [&str; 2] = ["/var/log/auth.log", "/var/log/secure"];
/// As much of it as is read, from its end: half a million lines of ours.
const LONGEST: u64 = 64 << 20;
/// Longest time for the journal.
const PATIENCE: Duration = Duration::from_secs(30);

/// The log: the `named` file, else what the syslog daemon has, else the journal. Of a log that is longer
/// than 64 MiB only the end. Nothing where there is none.
///
/// # Errors
/// In words, when it cannot be read, or the journal takes longer than 30 seconds.
pub fn read(named: Option<&Path>) -> Result<Option<String>, String> {
    let file = named.or_else(|| LOGS.iter().map(Path::new).find(|path| path.exists()));
    let bytes = match file {
        Some(path) => {
            end_of(path, LONGEST).map(Some).map_err(|why| format!("{}: {why}", path.display()))
        }
        None => journal(),
    };
    Ok(bytes?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The last bytes of a file. The folders of logs are often not root's alone, so it may be anything.
fn end_of(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    file.seek(SeekFrom::Start(meta.len().saturating_sub(longest)))?;
    let mut bytes = Vec::new();
    file.take(longest).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Lines of ours in the journal since the boot.
fn journal() -> Result<Option<Vec<u8>>, String> {
    let journal = Command::new("journalctl")
        .args(["--quiet", "--boot", "--reverse", "--output=cat", "--grep=pam_sms\\("])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut journal = match journal {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        journal => journal.map_err(|error| format!("journalctl: {error}"))?,
    };
    let (tell, told) = mpsc::channel();
    if let Some(output) = journal.stdout.take() {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = output.take(LONGEST).read_to_end(&mut bytes).map(|_| bytes);
            // Nobody listens any more when the time is over.
            let _ = tell.send(read);
        });
    }
    let read = told.recv_timeout(PATIENCE);
    // It is done, or has said enough.
    let _ = journal.kill();
    let _ = journal.wait();
    match read {
        Ok(bytes) => bytes.map(Some).map_err(|error| format!("journalctl: {error}")),
        Err(_) => Err(format!("journalctl takes longer than {} seconds", PATIENCE.as_secs())),
    }
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

    #[test]
    fn only_the_end_of_a_file_is_read_and_nothing_else_than_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.log");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        assert_eq!(end_of(&path, 4).unwrap(), b"two\n");
        assert_eq!(end_of(&path, 400).unwrap(), b"one\ntwo\n");
        for other in [folder.path(), Path::new("/dev/zero")] {
            let said = end_of(other, 4).unwrap_err().to_string();
            assert_eq!(said, "is no regular file", "{}", other.display());
        }
    }
}
