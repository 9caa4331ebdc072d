//! What a person typed at the prompt, and what is meant by it.
//!
//! People copy codes out of messages: with the reference before them, in groups, with the invisible
//! marks that phones add, in the digits of their own script. All of that is the same code.

use zeroize::Zeroizing;

use super::code::Reference;
use crate::limits::backup;
use crate::secret::Secret;

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing was typed.
    Empty,
    /// `r`: another code, please.
    Resend,
    /// `o`: to the other phone, please.
    OtherPhone,
    /// `n`: that number is not mine, where one is being confirmed.
    NewNumber,
    /// `v`: call, and read the code aloud.
    Call,
    /// `?`: what am I to do?
    Help,
    /// Sixteen letters and digits, ready to be looked up.
    BackupCode(Secret),
    /// sshd answers for a person it will refuse anyway.
    SshdFake,
    /// Anything else is a try, and counts. What is left of it is ready to be compared.
    Try(Secret),
}

impl Answer {
    /// Reads what was typed. `reference` is the one of the message that counts.
    #[must_use]
    pub fn read(typed: &Secret, reference: Option<&Reference>) -> Self {
        if is_sshd_fake(typed.expose().as_bytes()) {
            return Self::SshdFake;
        }
        match typed.expose().trim() {
            "" => Self::Empty,
            "r" | "R" => Self::Resend,
            "o" | "O" => Self::OtherPhone,
            "n" | "N" => Self::NewNumber,
            "v" | "V" => Self::Call,
            "?" => Self::Help,
            text => {
                let plain = plain_digits(text);
                match backup::plain(plain.expose()) {
                    Some(code) => Self::BackupCode(code),
                    None => Self::Try(without_reference(&plain, reference)),
                }
            }
        }
    }
}

/// Whether these are the bytes that sshd puts in the place of the answers of a person it refuses
/// (`auth-pam.c`, `fake_password`): thirteen bytes of junk, repeated and cut to the length of what
/// was typed, so that even one byte of it has to be known.
#[must_use]
pub fn is_sshd_fake(bytes: &[u8]) -> bool {
    const JUNK: &[u8; 13] = b"\x08\n\r\x7fINCORRECT";
    !bytes.is_empty() && bytes.iter().zip(JUNK.iter().cycle()).all(|(byte, junk)| byte == junk)
}

/// Strips what does not belong to a code: blanks, dashes, invisible marks; and writes every script's
/// digits as ASCII. Other characters stay, so that the result cannot match.
fn plain_digits(text: &str) -> Secret {
    // Never longer than what was typed, so the buffer does not move and leaves no copy behind.
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars().filter(|&c| !is_separator(c)) {
        plain.push(decimal_digit(c).unwrap_or(c.to_ascii_uppercase()));
    }
    Secret::from(plain)
}

fn without_reference(plain: &Secret, reference: Option<&Reference>) -> Secret {
    let code = reference.and_then(|reference| plain.expose().strip_prefix(reference.as_str()));
    Secret::from(Zeroizing::new(code.unwrap_or(plain.expose()).to_owned()))
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
            // Zero-width and direction marks, which come along with a copied text.
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The ASCII form of a decimal digit of any script.
fn decimal_digit(c: char) -> Option<char> {
    let point = u32::from(c);
    let zero = ZEROS[..ZEROS.partition_point(|&zero| zero <= point)].last()?;
    char::from_digit(point - zero, 10)
}

/// The zero of each script that has decimal digits; nine more follow each in order
/// (Unicode 14, general category Nd).
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
    0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650,
    0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50,
    0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &str) -> Answer {
        let reference = loop {
            let drawn = Reference::random(None).unwrap();
            if drawn.as_str() == "KQ" {
                break drawn;
            }
        };
        Answer::read(&Secret::from(typed.to_owned()), Some(&reference))
    }

    fn a_try(plain: &str) -> Answer {
        Answer::Try(Secret::from(plain.to_owned()))
    }

    #[test]
    fn commands_are_single_letters() {
        assert_eq!(read("r"), Answer::Resend);
        assert_eq!(read(" R "), Answer::Resend);
        assert_eq!(read("o"), Answer::OtherPhone);
        assert_eq!(read("V"), Answer::Call);
        assert_eq!(read("?"), Answer::Help);
        assert_eq!(read(""), Answer::Empty);
        assert_eq!(read(" \t"), Answer::Empty);
    }

    #[test]
    fn a_code_may_be_typed_as_people_read_it() {
        for typed in [
            "004217",
            " 004217 ",
            "004 217",
            "004-217",
            "KQ-004217",
            "kq004217",
            "KQ 004 217",
            "\u{202a}004217\u{202c}",
            "004\u{a0}217",
            "004\u{2011}217",
            "٠٠٤٢١٧",
            "००४२१७",
            "００４２１７",
        ] {
            assert_eq!(read(typed), a_try("004217"), "{typed:?}");
        }
    }

    #[test]
    fn sixteen_letters_and_digits_are_a_backup_code_even_behind_a_reference() {
        let code = |plain: &str| Answer::BackupCode(Secret::from(plain.to_owned()));
        assert_eq!(read("7k3m-9qxt-00zz-abcd"), code("7k3m9qxt00zzabcd"));
        assert_eq!(read(" KQ3M 9QXT OOZZ ABCD "), code("kq3m9qxt00zzabcd"));
        assert_eq!(read("7k3m-9qxt-00zz-abc"), a_try("7K3M9QXT00ZZABC"));
    }

    #[test]
    fn what_is_no_code_stays_a_try_that_cannot_match() {
        assert_eq!(read("MT-004217"), a_try("MT004217"));
        assert_eq!(read("004217x"), a_try("004217X"));
        assert_eq!(read("0042.17"), a_try("0042.17"));
        assert_eq!(read("rr"), a_try("RR"));
        assert_eq!(read("\u{1b}[2J"), a_try("\u{1b}[2J"));
    }

    #[test]
    fn trap_7_sshds_fake_password_is_known_at_every_length() {
        let junk = b"\x08\n\r\x7fINCORRECT\x08\n\r\x7fINCORRECT\x08\n\r\x7fINCORRECT";
        for length in 1..=junk.len() {
            let fake = String::from_utf8(junk[..length].to_vec()).unwrap();
            assert_eq!(read(&fake), Answer::SshdFake, "{length} bytes");
        }
        assert_eq!(read("\u{8}\n\r\u{7f}INCORRECT!"), a_try("\u{8}\u{7f}INCORRECT!"));
        assert!(!is_sshd_fake(b""));
        assert!(!is_sshd_fake(b"INCORRECT"));
    }
}
