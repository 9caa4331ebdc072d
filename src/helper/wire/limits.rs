//! What is asked of the store of shared limits, and what it says.

use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{
    DECISION, FOURTH, Fields, HEAD, LIMITS, LONGEST_DETAIL, Malformed, encode, encode_fields,
    floor_char_boundary, head,
};
use crate::people::PhoneNumber;

/// The bytes of a question to the store of shared limits, wiped on drop.
///
/// # Errors
/// When a field is too long for the line.
pub fn encode_limits(
    config: &Path,
    timeout: Duration,
    user: &str,
    number: Option<&PhoneNumber>,
    what: &str,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let to = number.map_or("", PhoneNumber::as_e164);
    encode_fields(LIMITS, config, timeout, (to, what), Some(user), None)
}

/// The bytes of a decision, which is text.
///
/// # Errors
/// None: it always fits.
pub fn encode_decision(text: &str) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let text = &text[..floor_char_boundary(text, LONGEST_DETAIL)];
    encode(FOURTH, DECISION, &[text.as_bytes()])
}

/// Reads a decision: its text.
///
/// # Errors
/// When the frame is not exactly a decision.
pub fn decode_decision(frame: &[u8]) -> Result<&str, Malformed> {
    let mut fields = match head(frame)? {
        (FOURTH, DECISION) => Fields(&frame[HEAD..]),
        _ => return Err(Malformed("it is of another kind")),
    };
    let text = fields.text()?;
    fields.end()?;
    Ok(text)
}
