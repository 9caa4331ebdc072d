//! Reading a frame, field by field.

use super::Malformed;

/// The fields of a frame that are still to be read.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next.
    pub(super) fn take(&mut self) -> Result<&'a [u8], Malformed> {
        let short = Malformed("it is cut short");
        let (length, rest) = self.0.split_first_chunk::<2>().ok_or(short)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (field, rest) = rest.split_at_checked(length).ok_or(short)?;
        self.0 = rest;
        Ok(field)
    }

    /// A word that travels as one letter.
    pub(super) fn lettered<T: Copy>(&mut self, of: &[(T, u8)]) -> Option<T> {
        let [letter] = self.take().ok()? else { return None };
        of.iter().find(|row| row.1 == *letter).map(|row| row.0)
    }

    /// The next, which is text.
    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.take()?).map_err(|_| Malformed("it is not UTF-8"))
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("something follows it")) }
    }
}
