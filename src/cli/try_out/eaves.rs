//! A socket in the place of the log: what is written there is kept to be shown, and passed on.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// Longest line that is kept whole, in bytes.
const LONGEST: usize = 8 << 10;
/// How long the real log may block; the module has less patience.
const PATIENCE: Duration = Duration::from_millis(50);

/// What is heard at the place of the log.
pub struct Eaves {
    heard: Receiver<Heard>,
    /// For telling the listener that all before this has been heard.
    mark: UnixDatagram,
}

enum Heard {
    Line(String),
    Mark,
}

impl Eaves {
    /// Listens at a new socket. Call this while `/dev/log` is still the real one.
    ///
    /// # Errors
    /// When there can be no socket.
    pub fn open(place: &Path) -> io::Result<Self> {
        let real = UnixDatagram::unbound()?;
        real.set_write_timeout(Some(PATIENCE))?;
        let real = real.connect("/dev/log").is_ok().then_some(real);
        let socket = UnixDatagram::bind(place)?;
        // A helper, or whatever else the module starts, writes as the user that it has become.
        fs::set_permissions(place, Permissions::from_mode(0o666))?;
        let mark = UnixDatagram::unbound()?;
        mark.connect(place)?;
        let (tell, heard) = mpsc::channel();
        thread::Builder::new().spawn(move || {
            let mut datagram = vec![0; LONGEST];
            while let Ok(length) = socket.recv(&mut datagram) {
                let line = &datagram[..length];
                if let Some(real) = real.as_ref().filter(|_| length > 0) {
                    // A log that is full loses a line, as it would have without us.
                    let _ = real.send(line);
                }
                let heard = if length == 0 { Heard::Mark } else { Heard::Line(text(line)) };
                if tell.send(heard).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { heard, mark })
    }

    /// The lines that were written since the last call: all of them, because what is sent into a socket
    /// comes out in order, and an empty datagram behind them says that they are through.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.mark.send(&[]).is_err() {
            return lines;
        }
        while let Ok(Heard::Line(line)) = self.heard.recv() {
            lines.push(line);
        }
        lines
    }
}

/// A line without what syslog puts before it: `<86>Nov 24 12:00:00 pam-sms[17]: `.
fn text(datagram: &[u8]) -> String {
    const TIME: usize = "Nov 24 12:00:00 ".len();
    let line = String::from_utf8_lossy(datagram);
    let line = line.trim_end_matches(['\0', '\n']);
    let tagged = line.split_once('>').and_then(|(_, timed)| timed.get(TIME..));
    let text = tagged.and_then(|tagged| tagged.split_once(": ")).map_or(line, |(_, text)| text);
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_line_is_shown_without_what_stands_before_it_and_without_control_characters() {
        for (line, shown) in [
            ("<86>Nov 24 12:00:00 pam-sms[17]: pam_sms(x:auth): a=1\n", "pam_sms(x:auth): a=1"),
            ("<83>Nov  4 12:00:00 pam-sms: PAM says: \u{1b}[2J", "PAM says: ?[2J"),
            ("<83>short", "<83>short"),
            ("", ""),
        ] {
            assert_eq!(text(line.as_bytes()), shown);
        }
    }
}
