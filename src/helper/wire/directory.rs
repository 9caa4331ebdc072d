//! What a directory is asked, and what it says.

use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{
    ANSWER, APPROVE, FIND, FOURTH, Fields, HEAD, LONGEST_DETAIL, LOOK, Malformed, encode,
    encode_fields, floor_char_boundary, head, letter,
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
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let kind = match purpose {
        Purpose::Login => FIND,
        Purpose::Look => LOOK,
        Purpose::Approve => APPROVE,
    };
    encode_fields(kind, config, timeout, ("", user), None, None)
}

/// The bytes of a directory's answer. A long explanation is cut.
///
/// # Errors
/// When the language is too long for the line.
pub fn encode_answer(answer: &Answer) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let cut = |text: &'_ str| text[..floor_char_boundary(text, LONGEST_DETAIL)].to_owned();
    let phones: Vec<_> = answer.phones.iter().map(PhoneNumber::as_e164).collect();
    let phones = Zeroizing::new(phones.join(" "));
    encode(
        FOURTH,
        ANSWER,
        &[
            &[letter(LOOKUPS, answer.lookup)],
            phones.as_bytes(),
            answer.language.as_deref().unwrap_or_default().as_bytes(),
            cut(&answer.via).as_bytes(),
            cut(&answer.detail).as_bytes(),
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
    let mut phones = Vec::new();
    for phone in fields.text()?.split_terminator(' ') {
        phones.push(phone.parse().map_err(|_| Malformed("the number"))?);
    }
    let language = Some(fields.text()?.to_owned()).filter(|tag| !tag.is_empty());
    let (via, detail) = (fields.text()?.to_owned(), fields.text()?.to_owned());
    fields.end()?;
    if (lookup == Lookup::Found) == phones.is_empty() || phones.len() > MOST_PHONES {
        return Err(Malformed("the number"));
    }
    Ok(Answer { lookup, phones, language, via, detail })
}

/// What a directory can say, and the letters.
pub(super) const LOOKUPS: &[(Lookup, u8)] = &[
    (Lookup::Found, b'F'),
    (Lookup::NoNumber, b'N'),
    (Lookup::NoEntry, b'E'),
    (Lookup::OutOfReach, b'O'),
    (Lookup::Failed, b'X'),
];
