//! How many messages a text really is.
//!
//! An SMS carries 140 octets. What fits in them depends on the alphabet, and the alphabet is chosen
//! by the worst character: one typographic quote in a text of 100 characters turns it from one
//! message into two, each of them billed, and two messages may arrive apart or in the wrong order.
//! So `pam-sms check` counts the configured text before anybody has to log in with it.
//!
//! The counting is that of 3GPP TS 23.038 (alphabets) and TS 23.040, 9.2.3.24.1 (concatenation).
//! The national language tables of TS 23.038, annex A, are left out on purpose: hardly any provider
//! uses them, and a text counted with them would cost more than was said.

use std::fmt::Write;

/// The GSM 7 bit default alphabet, TS 23.038, 6.2.1, in the order of its codes. The escape at 0x1B
/// is no character and is left out.
const GSM7_BASIC: &str = concat!(
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
);

/// The extension table, TS 23.038, 6.2.1.1: an escape stands before each of these.
const GSM7_EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// What a text costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// The alphabet the whole text is sent in.
    pub alphabet: Alphabet,
    /// Length in the units of that alphabet: septets, or UTF-16 code units.
    pub units: usize,
    /// Messages sent, and billed. An empty text is still one.
    pub count: usize,
}

/// The two alphabets a text can be sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Septets: 160 in a single message, 153 in each part of a longer one.
    Gsm7,
    /// UTF-16 code units: 70 in a single message, 67 in each part of a longer one.
    Ucs2,
}

/// Counts what `text` costs, in the shortest alphabet that holds all of it.
pub fn segments(text: &str) -> Segments {
    let alphabet = if is_gsm7(text) { Alphabet::Gsm7 } else { Alphabet::Ucs2 };
    let widths = text.chars().map(|c| alphabet.width(c));
    let units = widths.clone().sum();
    let count = if units <= alphabet.single() { 1 } else { parts(widths, alphabet.part()) };

    Segments { alphabet, units, count }
}

/// Whether every character of `text` is in the GSM 7 bit alphabet or its extension.
pub fn is_gsm7(text: &str) -> bool {
    text.chars().all(|c| GSM7_BASIC.contains(c) || GSM7_EXTENSION.contains(c))
}

/// `text` as the hexadecimal digits of its UTF-16BE form, which is how gateways with a form or a
/// query string take UCS-2. Where the text holds a code so does this: the caller wipes it.
pub fn ucs2_hex(text: &str) -> String {
    // At its full length from the start: a buffer that grows leaves copies that nobody can wipe.
    let mut hex = String::with_capacity(text.encode_utf16().count() * 4);
    for unit in text.encode_utf16() {
        write!(hex, "{unit:04X}").expect("writing to a String cannot fail");
    }
    hex
}

impl Alphabet {
    /// Units in a message that stands alone: 140 octets.
    fn single(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units in a part of a longer message: 140 octets less the 6 that say which part it is.
    fn part(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    /// Units that `c` takes, which must not be torn apart: an escape and its character, or the two
    /// halves of a surrogate pair.
    fn width(self, c: char) -> usize {
        match self {
            Self::Gsm7 if GSM7_EXTENSION.contains(c) => 2,
            Self::Gsm7 => 1,
            Self::Ucs2 => c.len_utf16(),
        }
    }
}

/// Fills parts of `room` units one after the other. A character that no longer fits begins the next
/// part, so a part may end one unit short.
fn parts(widths: impl Iterator<Item = usize>, room: usize) -> usize {
    let (count, _) = widths.fold((1, 0), |(count, used), width| {
        if used + width <= room { (count, used + width) } else { (count + 1, width) }
    });
    count
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[track_caller]
    fn check(text: &str, alphabet: Alphabet, units: usize, count: usize) {
        assert_eq!(segments(text), Segments { alphabet, units, count });
    }

    #[test]
    fn the_tables_hold_127_and_10_characters_and_none_twice() {
        assert_eq!(GSM7_BASIC.chars().count(), 127);
        assert_eq!(GSM7_EXTENSION.chars().count(), 10);
        let all: HashSet<char> = GSM7_BASIC.chars().chain(GSM7_EXTENSION.chars()).collect();
        assert_eq!(all.len(), 137);
    }

    #[test]
    fn the_basic_table_is_in_the_order_of_its_codes() {
        // One character of each row; those behind the escape (0x1B) stand one place early.
        let code = |c| GSM7_BASIC.chars().position(|each| each == c);
        assert_eq!(code('Ç'), Some(0x09));
        assert_eq!(code('Ξ'), Some(0x1a));
        assert_eq!(code('É'), Some(0x1f - 1));
        assert_eq!(code(' '), Some(0x20 - 1));
        assert_eq!(code('0'), Some(0x30 - 1));
        assert_eq!(code('¡'), Some(0x40 - 1));
        assert_eq!(code('§'), Some(0x5f - 1));
        assert_eq!(code('¿'), Some(0x60 - 1));
        assert_eq!(code('à'), Some(0x7f - 1));
    }

    #[test]
    fn an_empty_text_is_one_message() {
        check("", Alphabet::Gsm7, 0, 1);
    }

    #[test]
    fn septets_are_160_alone_and_153_in_parts() {
        check(&"a".repeat(160), Alphabet::Gsm7, 160, 1);
        check(&"a".repeat(161), Alphabet::Gsm7, 161, 2);
        check(&"a".repeat(306), Alphabet::Gsm7, 306, 2);
        check(&"a".repeat(307), Alphabet::Gsm7, 307, 3);
    }

    #[test]
    fn code_units_are_70_alone_and_67_in_parts() {
        check(&"ж".repeat(70), Alphabet::Ucs2, 70, 1);
        check(&"ж".repeat(71), Alphabet::Ucs2, 71, 2);
        check(&"ж".repeat(134), Alphabet::Ucs2, 134, 2);
        check(&"ж".repeat(135), Alphabet::Ucs2, 135, 3);
    }

    #[test]
    fn an_escape_is_not_torn_from_its_character() {
        // 306 septets would be two parts, were it not for the escape at the end of the first.
        let torn = format!("{}{{{}", "a".repeat(152), "b".repeat(152));
        check(&torn, Alphabet::Gsm7, 306, 3);
        let whole = format!("{}{{{}", "a".repeat(151), "b".repeat(153));
        check(&whole, Alphabet::Gsm7, 306, 2);
    }

    #[test]
    fn a_surrogate_pair_is_not_split() {
        let split = format!("{}🔑{}", "ж".repeat(66), "ж".repeat(66));
        check(&split, Alphabet::Ucs2, 134, 3);
        let whole = format!("{}🔑{}", "ж".repeat(65), "ж".repeat(67));
        check(&whole, Alphabet::Ucs2, 134, 2);
    }

    #[test]
    fn an_extension_character_counts_twice() {
        check("5 €", Alphabet::Gsm7, 4, 1);
        check(&"€".repeat(80), Alphabet::Gsm7, 160, 1);
        check(&"€".repeat(81), Alphabet::Gsm7, 162, 2);
    }

    #[test]
    fn one_character_outside_changes_the_alphabet_of_the_whole_text() {
        check(&format!("{}’", "a".repeat(70)), Alphabet::Ucs2, 71, 2);
    }

    #[test]
    fn gsm7_has_characters_that_surprise() {
        for inside in ["Ç", "ß", "Ω", "@", "\n", "{|}~^[]\\"] {
            assert!(is_gsm7(inside), "{inside:?}");
        }
        for outside in ["`", "ç", "ё", "Ж", "\u{a0}", "“", "–", "\t", "\u{1b}", "🔑"] {
            assert!(!is_gsm7(outside), "{outside:?}");
        }
    }

    #[test]
    fn ucs2_is_big_endian_upper_case_hex() {
        assert_eq!(ucs2_hex(""), "");
        assert_eq!(ucs2_hex("7ж"), "00370436");
        assert_eq!(ucs2_hex("🔑"), "D83DDD11");
    }
}
