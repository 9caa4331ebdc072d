//! What goes over the line: one request, one outcome, both small, both with a version.
//!
//! A frame is `PSMS`, a version byte and a kind byte, then fields: each a length of two bytes,
//! big-endian, and that many bytes. The end of the stream ends the frame, and a frame that is not
//! exactly its fields is refused.
//!
//! Version 1 is a message to send and its outcome. Version 2 adds the provider that is tried first, and
//! what an admin's program asks for; version 3 calls in which the code is read aloud, and codes that the
//! provider makes and judges; version 4 limits that hosts share, and
//! whom a directory knows. A frame says the lowest version that has
//! what it holds, so that a module and a helper of neighbouring releases understand each other while both
//! are being upgraded.

mod directory;
mod fields;
mod frame;
mod limits;

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::delivery::{Fate, Finding, Judgement, Outcome};
use crate::people::PhoneNumber;
use crate::people::directory::Purpose;
use crate::secret::Secret;
pub use directory::{decode_answer, encode_answer, encode_find};
use fields::Fields;
use frame::floor_char_boundary;
pub use frame::{Malformed, read_frame};
pub use limits::{decode_decision, encode_decision, encode_limits};

/// Longest frame, in bytes.
pub const LONGEST: usize = 8 << 10;
/// Longest explanation in an outcome, in bytes.
const LONGEST_DETAIL: usize = 2 << 10;

const MAGIC: &[u8; 4] = b"PSMS";
/// What has always been there.
const FIRST: u8 = 1;
/// A provider of the person's own; what an admin asks for.
const SECOND: u8 = 2;
/// A call; a code that the provider judges.
const THIRD: u8 = 3;
/// What the store of shared limits is asked; a person in a directory.
const FOURTH: u8 = 4;
const SEND: u8 = b'S';
const CALL: u8 = b'C';
const CHECK: u8 = b'K';
const PROBE: u8 = b'P';
const FOLLOW: u8 = b'W';
const BALANCE: u8 = b'B';
const FIND: u8 = b'F';
const LOOK: u8 = b'G';
const APPROVE: u8 = b'Y';
const REHEARSE: u8 = b'H';
const KEEP: u8 = b'E';
const OUTCOME: u8 = b'O';
/// An outcome whose code the provider judges.
const JUDGED: u8 = b'V';
const JUDGEMENT: u8 = b'J';
const LIMITS: u8 = b'L';
const DECISION: u8 = b'D';
const ANSWER: u8 = b'A';
#[cfg(feature = "helper")]
const REPORT: u8 = b'R';

/// What the module wants sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The configuration that names the providers.
    pub config: PathBuf,
    /// Time for all providers together.
    pub timeout: Duration,
    /// The provider that is meant, or tried first.
    pub provider: Option<String>,
    /// What is wanted.
    pub errand: Errand,
}

/// What the helper is wanted for.
#[derive(Debug, PartialEq, Eq)]
pub enum Errand {
    /// A login's message: the provider is tried first, and the answer is an outcome.
    Send(PhoneNumber, Secret),
    /// A login's code, to be read aloud in a call: the digits, and the tag of the person's language.
    Call(PhoneNumber, Secret, String),
    /// What was typed in a login, to be judged by the provider, which must be named; the answer is a
    /// judgement.
    Check(PhoneNumber, Secret),
    /// An admin's message: only that provider is asked, where one is named, and the answer is a report.
    Probe(PhoneNumber, Secret),
    /// The same, and the time is also for asking what became of it.
    Follow(PhoneNumber, Secret),
    /// How much money is left: likewise.
    Balance,
    /// What the store of shared limits is asked about the account that stands in the provider's place:
    /// the number, where it is about one, and the question. The answer is a decision.
    Limits(Option<PhoneNumber>, String),
    /// An account that is looked for in the directory, and numbers, where it is about some; the answer
    /// is an answer.
    Find(String, Purpose, Vec<PhoneNumber>),
}

/// What an admin's program asks for.
#[cfg(feature = "program")]
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// [`Errand::Probe`]
    Probe(&'a PhoneNumber, &'a Secret),
    /// [`Errand::Follow`]
    Follow(&'a PhoneNumber, &'a Secret),
    /// [`Errand::Balance`]
    Balance,
}

/// The bytes of a request, wiped on drop.
///
/// # Errors
/// When a field is too long for the line.
pub fn encode_request(
    config: &Path,
    timeout: Duration,
    to: &PhoneNumber,
    text: &Secret,
    provider: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    encode_errand(SEND, config, timeout, Some((to, text.expose())), provider, None)
}

/// The bytes of a request for a call, wiped on drop.
///
/// # Errors
/// When a field is too long for the line.
pub fn encode_call(
    config: &Path,
    timeout: Duration,
    to: &PhoneNumber,
    code: &str,
    provider: Option<&str>,
    language: &str,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    encode_errand(CALL, config, timeout, Some((to, code)), provider, Some(language))
}

/// The bytes of a question whether a code is right, wiped on drop.
///
/// # Errors
/// When a field is too long for the line.
pub fn encode_check(
    config: &Path,
    timeout: Duration,
    to: &PhoneNumber,
    typed: &Secret,
    provider: &str,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    encode_errand(CHECK, config, timeout, Some((to, typed.expose())), Some(provider), None)
}

/// The bytes of what an admin asks for.
///
/// # Errors
/// When a field is too long for the line.
#[cfg(feature = "program")]
pub fn encode_question(
    config: &Path,
    timeout: Duration,
    question: Question<'_>,
    provider: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let (kind, message) = match question {
        Question::Probe(to, text) => (PROBE, Some((to, text.expose()))),
        Question::Follow(to, text) => (FOLLOW, Some((to, text.expose()))),
        Question::Balance => (BALANCE, None),
    };
    encode_errand(kind, config, timeout, message, provider, None)
}

fn encode_errand(
    kind: u8,
    config: &Path,
    timeout: Duration,
    message: Option<(&PhoneNumber, &str)>,
    provider: Option<&str>,
    language: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let message = message.map_or(("", ""), |(to, text)| (to.as_e164(), text));
    encode_fields(kind, config, timeout, message, provider, language)
}

fn encode_fields(
    kind: u8,
    config: &Path,
    timeout: Duration,
    (to, text): (&str, &str),
    provider: Option<&str>,
    language: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    use std::os::unix::ffi::OsStrExt;
    let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX).to_be_bytes();
    let fields = [
        config.as_os_str().as_bytes(),
        &millis,
        to.as_bytes(),
        text.as_bytes(),
        provider.unwrap_or_default().as_bytes(),
        language.unwrap_or_default().as_bytes(),
    ];
    match (kind, provider) {
        (SEND, None) => encode(FIRST, kind, &fields[..4]),
        (CALL, _) => encode(THIRD, kind, &fields),
        (CHECK, _) => encode(THIRD, kind, &fields[..5]),
        (LIMITS | FIND | REHEARSE | LOOK | KEEP | APPROVE, _) => encode(FOURTH, kind, &fields[..5]),
        _ => encode(SECOND, kind, &fields[..5]),
    }
}

/// Reads a request.
///
/// # Errors
/// When the frame is not exactly a request.
pub fn decode_request(frame: &[u8]) -> Result<Request, Malformed> {
    use std::os::unix::ffi::OsStrExt;
    let (version, kind) = head(frame)?;
    let mut fields = match (version, kind) {
        (FIRST, SEND)
        | (SECOND, SEND | PROBE | FOLLOW | BALANCE)
        | (THIRD, CALL | CHECK)
        | (FOURTH, LIMITS | FIND | REHEARSE | LOOK | KEEP | APPROVE) => Fields(&frame[HEAD..]),
        _ => return Err(Malformed("it is of another kind")),
    };
    let config = Path::new(std::ffi::OsStr::from_bytes(fields.take()?)).to_owned();
    let millis = fields.take()?.try_into().map_err(|_| Malformed("the timeout"))?;
    let timeout = Duration::from_millis(u32::from_be_bytes(millis).into());
    let (to, text) = (fields.text()?, Secret::from(fields.text()?.to_owned()));
    let number = || to.parse().map_err(|_| Malformed("the number"));
    let provider = if version == FIRST { "" } else { fields.text()? };
    let errand = match kind {
        SEND => Errand::Send(number()?, text),
        CALL => Errand::Call(number()?, text, fields.text()?.to_owned()),
        CHECK if provider.is_empty() => return Err(Malformed("the provider")),
        CHECK => Errand::Check(number()?, text),
        PROBE => Errand::Probe(number()?, text),
        FOLLOW => Errand::Follow(number()?, text),
        LIMITS => {
            let number = if to.is_empty() { None } else { Some(number()?) };
            Errand::Limits(number, text.expose().to_owned())
        }
        BALANCE => Errand::Balance,
        _ => {
            let purpose = directory::purpose(kind).ok_or(Malformed("the purpose"))?;
            Errand::Find(text.expose().to_owned(), purpose, directory::numbers(to)?)
        }
    };
    fields.end()?;
    let provider = (!provider.is_empty()).then(|| provider.to_owned());
    Ok(Request { config, timeout, provider, errand })
}

/// The bytes of an outcome. A long explanation is cut.
///
/// # Errors
/// When the name of the provider is too long for the line.
pub fn encode_outcome(outcome: &Outcome) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let detail = &outcome.detail[..floor_char_boundary(&outcome.detail, LONGEST_DETAIL)];
    let fields: [&[u8]; 3] =
        [&[letter(FATES, outcome.fate)], outcome.via.as_bytes(), detail.as_bytes()];
    match outcome.judges {
        true => encode(THIRD, JUDGED, &fields),
        false => encode(FIRST, OUTCOME, &fields),
    }
}

/// The bytes of a judgement. A long explanation is cut.
///
/// # Errors
/// None: it always fits.
pub fn encode_judgement(judgement: &Judgement) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let detail = &judgement.detail[..floor_char_boundary(&judgement.detail, LONGEST_DETAIL)];
    encode(THIRD, JUDGEMENT, &[&[letter(FINDINGS, judgement.finding)], detail.as_bytes()])
}

/// Reads a judgement.
///
/// # Errors
/// When the frame is not exactly a judgement.
pub fn decode_judgement(frame: &[u8]) -> Result<Judgement, Malformed> {
    let mut fields = match head(frame)? {
        (THIRD, JUDGEMENT) => Fields(&frame[HEAD..]),
        _ => return Err(Malformed("it is of another kind")),
    };
    let finding = fields.lettered(FINDINGS).ok_or(Malformed("the finding"))?;
    let detail = fields.text()?.to_owned();
    fields.end()?;
    Ok(Judgement { finding, detail })
}

/// Reads an outcome.
///
/// # Errors
/// When the frame is not exactly an outcome.
pub fn decode_outcome(frame: &[u8]) -> Result<Outcome, Malformed> {
    let judges = match head(frame)? {
        (FIRST, OUTCOME) => false,
        (THIRD, JUDGED) => true,
        _ => return Err(Malformed("it is of another kind")),
    };
    let mut fields = Fields(&frame[HEAD..]);
    let fate = fields.lettered(FATES).ok_or(Malformed("the fate"))?;
    let via = fields.text()?.to_owned();
    let detail = fields.text()?.to_owned();
    fields.end()?;
    Ok(Outcome { fate, via, detail, judges })
}

/// The bytes of a report, which is JSON.
///
/// # Errors
/// When it is too long for the line.
#[cfg(feature = "helper")]
pub fn encode_report(json: &str) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    encode(SECOND, REPORT, &[json.as_bytes()])
}

/// Reads a report: its JSON.
///
/// # Errors
/// When the frame is not exactly a report.
#[cfg(feature = "program")]
pub fn decode_report(frame: &[u8]) -> Result<&str, Malformed> {
    let mut fields = match head(frame)? {
        (SECOND, REPORT) => Fields(&frame[HEAD..]),
        _ => return Err(Malformed("it is of another kind")),
    };
    let json = fields.text()?;
    fields.end()?;
    Ok(json)
}

/// The fates that travel, and their letters. That the helper is broken is never its own word.
const FATES: &[(Fate, u8)] = &[
    (Fate::Accepted, b'A'),
    (Fate::Uncertain, b'U'),
    (Fate::Refused, b'R'),
    (Fate::Failed, b'F'),
    (Fate::OutOfReach, b'O'),
    (Fate::Misconfigured, b'M'),
];

/// The findings, and their letters.
const FINDINGS: &[(Finding, u8)] = &[
    (Finding::Right, b'R'),
    (Finding::Wrong, b'W'),
    (Finding::Gone, b'G'),
    (Finding::Spent, b'S'),
    (Finding::Unknown, b'U'),
    (Finding::Unasked, b'N'),
];

/// Of what does not travel there is none: no reader knows it.
fn letter<T: PartialEq + Copy>(of: &[(T, u8)], word: T) -> u8 {
    of.iter().find(|row| row.0 == word).map_or(b'?', |row| row.1)
}

fn encode(version: u8, kind: u8, fields: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let size = HEAD + fields.iter().map(|field| field.len() + 2).sum::<usize>();
    if size > LONGEST {
        return Err(Malformed("it is too long"));
    }
    let mut frame = Zeroizing::new(Vec::with_capacity(size));
    frame.extend_from_slice(MAGIC);
    frame.extend_from_slice(&[version, kind]);
    for field in fields {
        let length = u16::try_from(field.len()).map_err(|_| Malformed("it is too long"))?;
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(field);
    }
    Ok(frame)
}

/// The bytes of a frame before its fields.
const HEAD: usize = MAGIC.len() + 2;

/// The version and the kind of a frame.
fn head(frame: &[u8]) -> Result<(u8, u8), Malformed> {
    let rest = frame.strip_prefix(MAGIC).ok_or(Malformed("it is no frame"))?;
    match rest {
        _ if frame.len() > LONGEST => Err(Malformed("it is too long")),
        [version @ FIRST..=FOURTH, kind, ..] => Ok((*version, *kind)),
        [FIRST..=FOURTH] => Err(Malformed("it is cut short")),
        _ => Err(Malformed("it is of another version: module and helper must be of one release")),
    }
}

#[cfg(test)]
mod tests;
