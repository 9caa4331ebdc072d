//! What several providers check alike.

use super::Request;

/// The media type has to be this one, with UTF-8 as the only charset that may be named.
pub fn content_type(request: &Request, wanted: &str) -> Result<(), String> {
    let given = request.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
    let (media_type, parameter) = match given.split_once(';') {
        Some((media_type, parameter)) => (media_type.trim_end(), Some(parameter.trim())),
        None => (given.as_str(), None),
    };
    let charset = matches!(parameter, None | Some("charset=utf-8" | "charset=\"utf-8\""));
    if media_type == wanted && charset {
        Ok(())
    } else {
        Err(format!("Content-Type is {given:?} where {wanted} is wanted"))
    }
}

/// The digits of a number in E.164 without its `+`: 7 to 15, the first not 0.
pub fn is_digits(number: &str) -> bool {
    (7..=15).contains(&number.len())
        && !number.starts_with('0')
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number in E.164 with its `+`.
pub fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(is_digits)
}

/// A sender as most networks take it: up to 15 digits, or up to 11 letters, digits and spaces
/// with a letter among them (3GPP TS 23.040, 9.1.2.5).
pub fn is_sender(sender: &str) -> bool {
    let letters = sender.bytes().any(|byte| byte.is_ascii_alphabetic());
    let longest = if letters { 11 } else { 15 };
    !sender.is_empty()
        && sender.len() <= longest
        && sender.bytes().all(|byte| byte.is_ascii_alphanumeric() || (letters && byte == b' '))
}

/// How many septets the text takes in the default alphabet; None when it does not fit in it.
///
/// Written out from 3GPP TS 23.038 (6.2.1) and not taken from the program under test, whose own
/// table this one is held against.
pub fn gsm_septets(text: &str) -> Option<usize> {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                         ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION: &str = "\u{c}^{}\\[~]|€";
    let septets = |letter| match letter {
        _ if BASIC.contains(letter) => Some(1),
        _ if EXTENSION.contains(letter) => Some(2),
        _ => None,
    };
    text.chars().map(septets).sum()
}

/// How many parts a phone network makes of the text.
pub fn parts(text: &str) -> usize {
    let (length, alone, in_parts) = match gsm_septets(text) {
        Some(septets) => (septets, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if length <= alone { 1 } else { length.div_ceil(in_parts) }
}

/// Where the sender has to say which alphabet a text takes: it is said where, and only where, the
/// default one does not do.
pub fn marked(text: &str, as_unicode: bool) -> Result<(), String> {
    match (gsm_septets(text).is_some(), as_unicode) {
        (false, false) => Err("not in the default alphabet, and not marked for it".to_owned()),
        (true, true) => Err("marked as unicode, and in the default alphabet".to_owned()),
        _ => Ok(()),
    }
}

/// A text from UTF-16 in hexadecimal.
pub fn from_ucs2_hex(text: &str) -> Result<String, String> {
    if text.len() % 4 != 0 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("a text that is not hexadecimal UTF-16".to_owned());
    }
    let units = (0..text.len()).step_by(4);
    let units = units.filter_map(|at| u16::from_str_radix(&text[at..at + 4], 16).ok());
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map_err(|_| "half a surrogate pair".to_owned())
}

/// The header of basic authentication, by RFC 7617 in UTF-8. The expected one is made, so that
/// nothing has to be decoded and forgiven.
pub fn basic(user: &str, secret: &str) -> String {
    format!("Basic {}", base64(&format!("{user}:{secret}")))
}

/// RFC 4648, 4.
fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            (bits << 8) | usize::from(group.get(at).copied().unwrap_or_default())
        });
        for at in 0..4 {
            let sextet = ALPHABET[(bits >> (18 - 6 * at)) & 63];
            encoded.push(if at <= group.len() { char::from(sextet) } else { '=' });
        }
    }
    encoded
}
