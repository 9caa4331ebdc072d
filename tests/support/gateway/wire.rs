//! As much HTTP/1.1 as a gateway needs (RFC 9112), written by hand.
//!
//! A ready-made server would forgive what a test has to notice, and could not be made to send
//! half an answer. So this one reads what the standard allows and nothing else.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write};

/// Longest request or header line, in bytes with its end.
const LONGEST_LINE: u64 = 8 * 1024;
/// Most header lines in one request.
const MOST_HEADERS: usize = 64;
/// Longest body, in bytes: a text message never comes near it.
const LONGEST_BODY: usize = 256 * 1024;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The target up to the question mark, still percent-encoded.
    pub path: String,
    /// The target after the question mark, still percent-encoded.
    pub query: Option<String>,
    /// In the order they came, names as they were spelled.
    pub headers: Vec<(String, String)>,
    /// The body, with any chunking removed.
    pub body: Vec<u8>,
    /// Which connection it came on, counted from 0: the same number means keep-alive was used.
    pub connection: usize,
    /// Whether the client allows another request on this connection.
    pub keep_alive: bool,
}

impl Request {
    /// The header of this name, whatever its case; two of one name are no header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The body for reading in a failure message.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One answer to be sent.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    pub fn new(status: u16, content_type: &'static str, body: impl Into<String>) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.into() }
    }

    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Why there is no request to answer.
#[derive(Debug)]
pub enum Trouble {
    /// The client is gone, or the connection was hung up from here.
    Gone,
    /// What arrived is not HTTP, in words.
    Malformed(String),
}

impl From<io::Error> for Trouble {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

type Parsed<T> = Result<T, Trouble>;

fn malformed<T>(why: impl Into<String>) -> Parsed<T> {
    Err(Trouble::Malformed(why.into()))
}

/// Reads the next request of a connection, whole.
pub fn read_request(from: &mut impl BufRead, connection: usize) -> Parsed<Request> {
    let first = read_line(from)?;
    let (method, target, version) = split_request_line(&first)?;
    let headers = read_headers(from)?;
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target.to_owned(), None),
    };
    let mut request = Request {
        method: method.to_owned(),
        path,
        query,
        headers,
        body: Vec::new(),
        connection,
        keep_alive: version == "HTTP/1.1",
    };
    if version == "HTTP/1.1" && request.header("Host").is_none_or(str::is_empty) {
        return malformed("not exactly one Host header");
    }
    if request.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        request.keep_alive = false;
    }
    request.body = read_body(from, &request)?;
    Ok(request)
}

fn split_request_line(line: &str) -> Parsed<(&str, &str, &str)> {
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return malformed(format!("request line {line:?}"));
    };
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return malformed(format!("method {method:?}"));
    }
    if !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return malformed(format!("request target {target:?}"));
    }
    if version != "HTTP/1.1" && version != "HTTP/1.0" {
        return malformed(format!("version {version:?}"));
    }
    Ok((method, target, version))
}

fn read_headers(from: &mut impl BufRead) -> Parsed<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(from)?;
        if line.is_empty() {
            return Ok(headers);
        }
        if headers.len() == MOST_HEADERS {
            return malformed("too many headers");
        }
        let Some((name, value)) = line.split_once(':') else {
            return malformed(format!("header {line:?}"));
        };
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return malformed(format!("header name {name:?}"));
        }
        headers.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
}

/// The body by whichever of the two lengths is given; both at once is how requests are smuggled.
fn read_body(from: &mut impl BufRead, request: &Request) -> Parsed<Vec<u8>> {
    let named = |name: &str| {
        request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).count()
    };
    match (named("Content-Length"), named("Transfer-Encoding")) {
        (0, 0) => Ok(Vec::new()),
        (1, 0) => {
            let length = request.header("Content-Length").unwrap_or_default();
            read_exactly(from, parse_length(length, 10)?)
        }
        (0, 1) => match request.header("Transfer-Encoding") {
            Some(coding) if coding.eq_ignore_ascii_case("chunked") => read_chunks(from),
            coding => malformed(format!("transfer encoding {coding:?}")),
        },
        _ => malformed("more than one length for the body"),
    }
}

fn read_chunks(from: &mut impl BufRead) -> Parsed<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(from)?;
        let size = line.split(';').next().unwrap_or_default();
        let size = parse_length(size.trim_end(), 16)?;
        if size == 0 {
            // Trailers: read as headers are, and of no use here.
            read_headers(from)?;
            return Ok(body);
        }
        if body.len() + size > LONGEST_BODY {
            return malformed("the body is too long");
        }
        body.extend(read_exactly(from, size)?);
        if !read_line(from)?.is_empty() {
            return malformed("a chunk is longer than it says");
        }
    }
}

fn parse_length(text: &str, radix: u32) -> Parsed<usize> {
    // Only digits: the standard library would take a sign too.
    let digits = !text.is_empty() && text.chars().all(|digit| digit.is_digit(radix));
    match usize::from_str_radix(text, radix) {
        Ok(length) if digits && length <= LONGEST_BODY => Ok(length),
        _ => malformed(format!("length {text:?}")),
    }
}

fn read_exactly(from: &mut impl BufRead, length: usize) -> Parsed<Vec<u8>> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// One line without its end, which has to be CR LF; only printable ASCII and tabs in it.
fn read_line(from: &mut impl BufRead) -> Parsed<String> {
    let mut line = Vec::new();
    from.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(Trouble::Gone);
    }
    let Some(text) = line.strip_suffix(b"\r\n") else {
        return malformed(format!("line end of {:?}", String::from_utf8_lossy(&line)));
    };
    if !text.iter().all(|&byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
        return malformed(format!("bytes in {:?}", String::from_utf8_lossy(text)));
    }
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// Sends an answer; `keep_alive` says whether another request may follow.
pub fn write_answer(to: &mut impl Write, answer: &Answer, keep_alive: bool) -> io::Result<()> {
    let mut bytes = head(answer, &format!("Content-Length: {}", answer.body.len()), keep_alive);
    bytes.push_str(&answer.body);
    to.write_all(bytes.as_bytes())?;
    to.flush()
}

/// The status line and the headers, with `length` as the line that says how the body ends.
pub fn head(answer: &Answer, length: &str, keep_alive: bool) -> String {
    let Answer { status, content_type, headers, .. } = answer;
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(*status));
    let mut line = |text: std::fmt::Arguments| {
        // Writing to a String cannot fail.
        let _ = head.write_fmt(text);
        head.push_str("\r\n");
    };
    line(format_args!("Content-Type: {content_type}"));
    line(format_args!("{length}"));
    for (name, value) in headers {
        line(format_args!("{name}: {value}"));
    }
    if !keep_alive {
        line(format_args!("Connection: close"));
    }
    line(format_args!(""));
    head
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        207 => "Multi-Status",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        // The standard lets the phrase be empty, and clients have to live with that.
        _ => "",
    }
}
