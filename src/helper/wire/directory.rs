//! What a directory is asked, and what it says.

use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{
    ANSWER, APPROVE, FIND, FOURTH, Fields, HEAD, KEEP, LONGEST_DETAIL, LOOK, Malformed, REHEARSE,
    encode, encode_fields, floor_char_boundary, head, letter,
};
use crate::people::directory::{Answer, Lookup, Purpose};
use crate::people::{MOST_PHONES, PhoneNumber};

/// The bytes of a question for an account in the directory.
///
/// # Errors
/// When a field is too long for the line.
pub fn encode_find(
    config: &Path,
    timeout: Duration,
    user: &str,
    purpose: Purpose,
    about: &[PhoneNumber],
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let about = joined(about);
    encode_fields(letter(PURPOSES, purpose), config, timeout, (&about, user), None, None)
}

/// The purposes, and the kinds of their frames.
const PURPOSES: &[(Purpose, u8)] = &[
    (Purpose::Login, FIND),
    (Purpose::Rehearsal, REHEARSE),
    (Purpose::Look, LOOK),
    (Purpose::Keep, KEEP),
    (Purpose::Approve, APPROVE),
];

/// The purpose of a frame of this kind.
pub(super) fn purpose(kind: u8) -> Option<Purpose> {
    PURPOSES.iter().find(|row| row.1 == kind).map(|row| row.0)
}

fn joined(phones: &[PhoneNumber]) -> Zeroizing<String> {
    let phones: Vec<_> = phones.iter().map(PhoneNumber::as_e164).collect();
    Zeroizing::new(phones.join(" "))
}

/// Numbers in a field.
///
/// # Errors
/// When one is none, or there are more than anybody may have.
pub(super) fn numbers(field: &str) -> Result<Vec<PhoneNumber>, Malformed> {
    let phones: Result<Vec<_>, _> = field.split_terminator(' ').map(str::parse).collect();
    let phones = phones.ok().filter(|phones| phones.len() <= MOST_PHONES);
    phones.ok_or(Malformed("the number"))
}

/// The bytes of a directory's answer. A long explanation is cut.
///
/// # Errors
/// When the language is too long for the line.
pub fn encode_answer(answer: &Answer) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let cut = |text: &'_ str| text[..floor_char_boundary(text, LONGEST_DETAIL)].to_owned();
    let phones = joined(&answer.phones);
    encode(
        FOURTH,
        ANSWER,
        &[
            &[letter(LOOKUPS, answer.lookup)],
            phones.as_bytes(),
            answer.language.as_deref().unwrap_or_default().as_bytes(),
            cut(&answer.via).as_bytes(),
            cut(&answer.detail).as_bytes(),
            &[u8::from(answer.is_first)],
        ],
    )
}

/// Reads a directory's answer.
///
/// # Errors
/// When the frame is not exactly one, or finds somebody without a number.
pub fn decode_answer(frame: &[u8]) -> Result<Answer, Malformed> {
    let mut fields = match head(frame)? {
        (FOURTH, ANSWER) => Fields(&frame[HEAD..]),
        _ => return Err(Malformed("it is of another kind")),
    };
    let lookup = fields.lettered(LOOKUPS).ok_or(Malformed("the finding"))?;
    let phones = numbers(fields.text()?)?;
    let language = Some(fields.text()?.to_owned()).filter(|tag| !tag.is_empty());
    let (via, detail) = (fields.text()?.to_owned(), fields.text()?.to_owned());
    let is_first = match fields.take()? {
        [0] => false,
        [1] => true,
        _ => return Err(Malformed("whether it is the first")),
    };
    fields.end()?;
    let may_be_first = matches!(lookup, Lookup::Found | Lookup::Failed);
    if (lookup == Lookup::Found) == phones.is_empty() || is_first && !may_be_first {
        return Err(Malformed("the number"));
    }
    Ok(Answer { lookup, phones, is_first, language, via, detail })
}

/// What a directory can say, and the letters.
pub(super) const LOOKUPS: &[(Lookup, u8)] = &[
    (Lookup::Found, b'F'),
    (Lookup::NoNumber, b'N'),
    (Lookup::NoEntry, b'E'),
    (Lookup::OutOfReach, b'O'),
    (Lookup::Failed, b'X'),
];
