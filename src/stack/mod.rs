//! PAM stacks: which lines libpam runs for a service, and what becomes of a login in them.
//!
//! ```text
//! read.rs      the lines of a service, as libpam collects them from its files
//! control.rs   what a line makes of its module's answer
//! modules.rs   what a module may answer
//! run.rs       all ways through a stack
//! ```
//!
//! For the program only: `authenticate/stack.rs` says why the module has a walk of its own.

pub mod control;
pub mod modules;
mod read;
pub mod run;

use std::fmt;
use std::path::{Path, PathBuf};

pub use read::Folders;

/// What our module's file is called.
pub const OURS: &str = "pam_sms.so";

/// The kinds of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Who somebody is.
    Auth,
    /// Whether they may come in.
    Account,
    /// What a login begins and ends with.
    Session,
    /// A new password.
    Password,
}

impl Kind {
    fn named(word: &str) -> Option<Self> {
        let kinds = [
            ("auth", Self::Auth),
            ("account", Self::Account),
            ("session", Self::Session),
            ("password", Self::Password),
        ];
        kinds.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, kind)| *kind)
    }
}

/// Where a line stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line's number, counted from 1; the first of several that are joined by `\`.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// What libpam cannot use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// The line's number, 0 for the file as a whole.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Fault {
    fn new(place: &Place, what: &'static str) -> Self {
        Self { file: place.file.clone(), line: place.line, what }
    }
}

/// How a module's answer counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// `required`
    Required,
    /// `requisite`
    Requisite,
    /// `sufficient`
    Sufficient,
    /// `optional`
    Optional,
    /// What stands in `[...]`, or what libpam takes for it.
    Table(String),
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => f.write_str("required"),
            Self::Requisite => f.write_str("requisite"),
            Self::Sufficient => f.write_str("sufficient"),
            Self::Optional => f.write_str("optional"),
            Self::Table(words) => write!(f, "[{words}]"),
        }
    }
}

/// One step of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub place: Place,
    /// What kind of line it is.
    pub kind: Kind,
    /// In how many substacks.
    pub level: usize,
    /// What is done.
    pub step: Step,
}

/// What is done in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A module is called.
    Module(Module),
    /// A substack begins.
    Substack,
    /// A line that libpam cannot use: it answers "permission denied". With the reason.
    Broken(Control, Fault),
}

/// A module in a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// How its answer counts.
    pub control: Control,
    /// Its file, as it is written.
    pub path: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Module {
    /// The name of its file.
    #[must_use]
    pub fn name(&self) -> &str {
        Path::new(&self.path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Whether it is ours.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.name() == OURS
    }
}

impl Line {
    /// The module, if one is called here.
    #[must_use]
    pub fn module(&self) -> Option<&Module> {
        match &self.step {
            Step::Module(module) => Some(module),
            _ => None,
        }
    }

    /// Our module, if it is called here.
    #[must_use]
    pub fn ours(&self) -> Option<&Module> {
        self.module().filter(|module| module.is_ours())
    }
}

/// All lines of a service.
#[derive(Debug, Default)]
pub struct Stack {
    /// Its own.
    own: Vec<Line>,
    /// Those of `other`, which count for each kind of which it has none.
    other: Vec<Line>,
    /// Why libpam refuses every login at the service, where it does.
    pub broken: Option<Fault>,
}

impl Stack {
    /// The lines of one kind, in the order in which libpam takes them.
    #[must_use]
    pub fn lines(&self, kind: Kind) -> Vec<&Line> {
        let of = |lines: &'_ [Line]| lines.iter().any(|line| line.kind == kind);
        let lines = if of(&self.own) { &self.own } else { &self.other };
        lines.iter().filter(|line| line.kind == kind).collect()
    }
}
