//! What goes over the line: one request, one outcome, both small, both with a version.
//!
//! A frame is `PSMS`, a version byte and a kind byte, then fields: each a length of two bytes,
//! big-endian, and that many bytes. The end of the stream ends the frame, and a frame that is not
//! exactly its fields is refused.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::delivery::{Fate, Outcome};
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// Longest frame, in bytes.
pub const LONGEST: usize = 8 << 10;
/// Longest explanation in an outcome, in bytes.
const LONGEST_DETAIL: usize = 2 << 10;

const MAGIC: &[u8; 4] = b"PSMS";
const VERSION: u8 = 1;
const SEND: u8 = b'S';
const OUTCOME: u8 = b'O';

/// What the module wants sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The configuration that names the providers.
    pub config: PathBuf,
    /// Time for all providers together.
    pub timeout: Duration,
    /// Where to.
    pub to: PhoneNumber,
    /// What.
    pub text: Secret,
}

/// A frame that is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(&'static str);

/// The bytes of a request, wiped on drop.
///
/// # Errors
/// When a field is too long for the line.
pub fn encode_request(
    config: &Path,
    timeout: Duration,
    to: &PhoneNumber,
    text: &Secret,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    use std::os::unix::ffi::OsStrExt;
    let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    encode(
        SEND,
        &[
            config.as_os_str().as_bytes(),
            &millis.to_be_bytes(),
            to.as_e164().as_bytes(),
            text.expose().as_bytes(),
        ],
    )
}

/// Reads a request.
///
/// # Errors
/// When the frame is not exactly a request.
pub fn decode_request(frame: &[u8]) -> Result<Request, Malformed> {
    use std::os::unix::ffi::OsStrExt;
    let mut fields = Fields::of(frame, SEND)?;
    let config = Path::new(std::ffi::OsStr::from_bytes(fields.take()?)).to_owned();
    let millis = fields.take()?.try_into().map_err(|_| Malformed("the timeout"))?;
    let timeout = Duration::from_millis(u32::from_be_bytes(millis).into());
    let to = fields.text()?.parse().map_err(|_| Malformed("the number"))?;
    let text = Secret::from(fields.text()?.to_owned());
    fields.end()?;
    Ok(Request { config, timeout, to, text })
}

/// The bytes of an outcome. A long explanation is cut.
///
/// # Errors
/// When the name of the provider is too long for the line.
pub fn encode_outcome(outcome: &Outcome) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let detail = &outcome.detail[..floor_char_boundary(&outcome.detail, LONGEST_DETAIL)];
    encode(OUTCOME, &[&[letter(outcome.fate)], outcome.via.as_bytes(), detail.as_bytes()])
}

/// Reads an outcome.
///
/// # Errors
/// When the frame is not exactly an outcome.
pub fn decode_outcome(frame: &[u8]) -> Result<Outcome, Malformed> {
    let mut fields = Fields::of(frame, OUTCOME)?;
    let fate = match fields.take()? {
        [letter] => fate(*letter),
        _ => None,
    };
    let fate = fate.ok_or(Malformed("the fate"))?;
    let via = fields.text()?.to_owned();
    let detail = fields.text()?.to_owned();
    fields.end()?;
    Ok(Outcome { fate, via, detail })
}

/// Reads a frame to the end of the stream, or one byte more than the longest.
///
/// # Errors
/// When reading fails, or takes longer than the stream allows.
pub fn read_frame(stream: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    // The whole capacity at once, so that the buffer never moves and leaves no copy behind.
    let mut frame = Zeroizing::new(Vec::with_capacity(LONGEST + 64));
    stream.take(LONGEST as u64 + 1).read_to_end(&mut frame)?;
    Ok(frame)
}

/// The fates that travel, and their letters. That the helper is broken is never its own word.
const FATES: [(Fate, u8); 6] = [
    (Fate::Accepted, b'A'),
    (Fate::Uncertain, b'U'),
    (Fate::Refused, b'R'),
    (Fate::Failed, b'F'),
    (Fate::OutOfReach, b'O'),
    (Fate::Misconfigured, b'M'),
];

fn letter(fate: Fate) -> u8 {
    FATES.iter().find(|row| row.0 == fate).map_or(b'F', |row| row.1)
}

fn fate(letter: u8) -> Option<Fate> {
    FATES.iter().find(|row| row.1 == letter).map(|row| row.0)
}

fn encode(kind: u8, fields: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let size = 6 + fields.iter().map(|field| field.len() + 2).sum::<usize>();
    if size > LONGEST {
        return Err(Malformed("it is too long"));
    }
    let mut frame = Zeroizing::new(Vec::with_capacity(size));
    frame.extend_from_slice(MAGIC);
    frame.extend_from_slice(&[VERSION, kind]);
    for field in fields {
        let length = u16::try_from(field.len()).map_err(|_| Malformed("it is too long"))?;
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(field);
    }
    Ok(frame)
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn of(frame: &'a [u8], kind: u8) -> Result<Self, Malformed> {
        let rest = frame.strip_prefix(MAGIC).ok_or(Malformed("it is no frame"))?;
        match rest {
            _ if frame.len() > LONGEST => Err(Malformed("it is too long")),
            [VERSION, found, fields @ ..] if *found == kind => Ok(Self(fields)),
            [VERSION, ..] => Err(Malformed("it is of another kind")),
            _ => {
                Err(Malformed("it is of another version: module and helper must be of one release"))
            }
        }
    }

    fn take(&mut self) -> Result<&'a [u8], Malformed> {
        let short = Malformed("it is cut short");
        let (length, rest) = self.0.split_first_chunk::<2>().ok_or(short)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (field, rest) = rest.split_at_checked(length).ok_or(short)?;
        self.0 = rest;
        Ok(field)
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.take()?).map_err(|_| Malformed("it is not UTF-8"))
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("something follows it")) }
    }
}

/// `str::floor_char_boundary`, which is younger than the oldest Rust that is supported.
fn floor_char_boundary(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Zeroizing<Vec<u8>> {
        let to = "+4915123456789".parse().unwrap();
        let text = Secret::from("KQ-004217 ваш код".to_owned());
        encode_request(Path::new("/etc/pam-sms/config.toml"), Duration::from_secs(10), &to, &text)
            .unwrap()
    }

    #[test]
    fn a_request_arrives_as_it_was_sent() {
        let arrived = decode_request(&request()).unwrap();
        assert_eq!(arrived.config, Path::new("/etc/pam-sms/config.toml"));
        assert_eq!(arrived.timeout, Duration::from_secs(10));
        assert_eq!(arrived.to.as_e164(), "+4915123456789");
        assert_eq!(arrived.text.expose(), "KQ-004217 ваш код");
    }

    #[test]
    fn every_fate_but_one_arrives_as_it_was_sent() {
        for (fate, _) in FATES {
            let sent = Outcome { fate, via: "twilio".into(), detail: "ü".into() };
            assert_eq!(decode_outcome(&encode_outcome(&sent).unwrap()).unwrap(), sent);
        }
    }

    #[test]
    fn a_long_explanation_is_cut_between_characters() {
        let sent = Outcome::without_provider(Fate::Failed, "ü".repeat(LONGEST));
        let arrived = decode_outcome(&encode_outcome(&sent).unwrap()).unwrap();
        assert_eq!(arrived.detail, "ü".repeat(LONGEST_DETAIL / 2));
    }

    #[test]
    fn no_part_of_a_frame_is_a_frame_and_nothing_may_follow() {
        let frame = request();
        for length in 0..frame.len() {
            assert!(decode_request(&frame[..length]).is_err(), "{length} bytes");
        }
        let mut longer = frame.to_vec();
        longer.push(0);
        assert_eq!(decode_request(&longer), Err(Malformed("something follows it")));
        assert!(decode_outcome(&frame).is_err());
    }

    #[test]
    fn another_version_is_named_as_that() {
        let mut frame = request().to_vec();
        frame[4] = VERSION + 1;
        let said = decode_request(&frame).unwrap_err().to_string();
        assert!(said.contains("another version"), "{said}");
    }
}
