//! What `pam-client` has printed, as a test wants it.

use std::time::Duration;

/// What happened in a run; results are those of its last login, messages those of all.
#[derive(Debug, Default)]
pub struct Run {
    /// What pam_authenticate returned.
    pub result: i32,
    /// What pam_acct_mgmt returned, if it was asked for and reached.
    pub acct: Option<i32>,
    /// What pam_setcred returned, if it was asked for and reached.
    pub setcred: Option<i32>,
    /// What pam_authenticate returned in each login, in the order of their ends.
    pub results: Vec<i32>,
    /// With [`Client::times`]: how many descriptors, threads and children there were more after
    /// the last login than before the first.
    pub left: Option<[i32; 3]>,
    /// And by how much the limit of open files was higher.
    pub lifted: Option<i32>,
    /// Kilobytes of its own after the first round and after each tenth of all.
    pub memory: Vec<i32>,
    /// And how many mappings.
    pub mappings: Vec<i32>,
    /// And how many bytes of its heaps are somebody's.
    pub allocated: Vec<i32>,
    /// How many mappings were our module's when all handles of libpam had been closed.
    pub still_loaded: Option<i32>,
    /// With `--took`: microseconds on the clock, of the processor, and of the children's.
    pub took: Option<[i32; 3]>,
    /// All prompts.
    pub prompts: Vec<String>,
    /// All information messages.
    pub infos: Vec<String>,
    /// All error messages.
    pub errors: Vec<String>,
    /// Everything it printed, messages escaped.
    pub stdout: String,
    /// What it, its helper or valgrind complained about.
    pub stderr: String,
    /// The exit status, which is `result` unless another program ran the client.
    pub status: Option<i32>,
    /// From start to end.
    pub elapsed: Duration,
}

impl Run {
    /// From its standard output; nothing where that has no result.
    pub(super) fn from_lines(lines: &[String]) -> Option<Self> {
        let result = lines.iter().rev().find(|line| line.starts_with("result "))?;
        Some(Self {
            result: field(result, "authenticate").expect("authenticate is always called"),
            acct: field(result, "acct"),
            setcred: field(result, "setcred"),
            results: all_results(lines),
            left: fields(lines, "left ", ["fds", "threads", "children"]),
            lifted: field_of(lines, "left ", "limit"),
            memory: row(lines, "memory "),
            mappings: row(lines, "mappings "),
            allocated: row(lines, "allocated "),
            still_loaded: field_of(lines, "loaded=", "loaded"),
            took: fields(lines, "took ", ["wall", "own", "children"]),
            prompts: messages(lines, "prompt-"),
            infos: messages(lines, "info"),
            errors: messages(lines, "error"),
            stdout: lines.join("\n"),
            ..Self::default()
        })
    }
}

/// The texts of the messages of one kind.
pub(super) fn messages(lines: &[String], kind: &str) -> Vec<String> {
    let texts = lines.iter().filter(|line| line.starts_with(kind));
    texts.map(|line| unescape(line.split_once(' ').map_or("", |(_, text)| text))).collect()
}

/// Undoes what the client does to a message to fit it into a line.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                other => other.unwrap_or('\\'),
            },
            other => other,
        });
    }
    plain
}

/// The results of all logins.
fn all_results(lines: &[String]) -> Vec<i32> {
    let results = lines.iter().filter(|line| line.starts_with("result "));
    results.filter_map(|line| field(line, "authenticate")).collect()
}

/// All numbers of the line that begins so.
fn row(lines: &[String], begins: &str) -> Vec<i32> {
    let row = lines.iter().find_map(|line| line.strip_prefix(begins)).unwrap_or_default();
    row.split(' ').filter_map(|number| number.parse().ok()).collect()
}

/// A number of the last line that begins so.
fn field_of(lines: &[String], begins: &str, name: &str) -> Option<i32> {
    field(lines.iter().rev().find(|line| line.starts_with(begins))?, name)
}

/// The numbers of the last line that begins so.
fn fields(lines: &[String], begins: &str, names: [&str; 3]) -> Option<[i32; 3]> {
    let line = lines.iter().rev().find(|line| line.starts_with(begins))?;
    Some(names.map(|name| field(line, name).unwrap_or(i32::MAX)))
}

/// The number in ` name=NUMBER`.
fn field(line: &str, name: &str) -> Option<i32> {
    let value = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    value.parse().ok()
}
