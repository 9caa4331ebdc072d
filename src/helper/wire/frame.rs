//! A frame as a whole: read to its end, and not one of ours.

use std::fmt;
use std::io::{self, Read};

use zeroize::Zeroizing;

use super::LONGEST;

/// A frame that is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub(super) &'static str);

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

/// `str::floor_char_boundary`, which is younger than the oldest Rust that is supported.
pub(super) fn floor_char_boundary(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}
