//! The English catalogue, read by the compiler: to read it in every login would be a fifth of all that
//! the module does there.

/// The texts in the order of the file, each ended by NUL.
pub(super) const ENGLISH: &str = match std::str::from_utf8(READ.0.split_at(READ.1).0) {
    Ok(texts) => texts,
    Err(_) => panic!("the English catalogue is no UTF-8"),
};

const FILE: &[u8] = include_bytes!("../languages/en.toml");
const READ: ([u8; FILE.len()], usize) = read();

/// The texts, and how many bytes they are. Only what the file needs of TOML is known here: comments on
/// lines of their own, basic strings, and three escapes. A test compares it with all of TOML.
const fn read() -> ([u8; FILE.len()], usize) {
    let mut texts = [0; FILE.len()];
    let (mut length, mut at) = (0, 0);
    let (mut in_text, mut in_comment, mut is_escaped) = (false, false, false);
    while at < FILE.len() {
        let byte = FILE[at];
        let said = match byte {
            b'n' if is_escaped => Some(b'\n'),
            b'"' | b'\\' if is_escaped => Some(byte),
            _ if is_escaped => panic!("an escape that is unknown here"),
            b'\\' if in_text => None,
            // The end of the text; where one begins, nothing is said yet.
            b'"' if in_text => Some(0),
            _ if in_text => Some(byte),
            _ => None,
        };
        if let Some(byte) = said {
            texts[length] = byte;
            length += 1;
        }
        let is_quote = byte == b'"' && !is_escaped && !in_comment;
        is_escaped = byte == b'\\' && in_text && !is_escaped;
        in_text = in_text != is_quote;
        in_comment = !in_text && byte != b'\n' && (in_comment || byte == b'#');
        at += 1;
    }
    (texts, length)
}
