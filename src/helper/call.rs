//! The module's end: starts the helper, hands it one request, waits for one outcome, ends it.
//!
//! Whatever goes wrong here is the helper's or the machine's fault and never looks like an outage of
//! a provider: an attacker can kill, starve or stop a process, and must not get in by it.

use std::ffi::CStr;
use std::fs;
use std::io::{self, Read};
use std::net::Shutdown;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::wire;
use crate::audit::Audit;
use crate::config::file::{Trust, check_folder};
use crate::config::model::LimitRules;
use crate::delivery::{Fate, Judgement, Outcome};
use crate::limits::child::{self, Decision};
use crate::limits::{Barrier, fleet};
use crate::login::code::Code;
use crate::login::language::Language;
use crate::login::ports::{Delivery, Event, Journal};
use crate::people::PhoneNumber;
use crate::people::directory::{Answer, Purpose};
use crate::secret::Secret;
use crate::sys;
use crate::sys::child::Child;

/// How much longer than its own time the helper may take before it is killed.
const GRACE: Duration = Duration::from_secs(1);

/// All of the helper's environment: that of the host is the caller's under su and sudo
/// (`SSL_CERT_FILE`, `http_proxy`). One silent name server must not eat the time of all providers.
const ENVIRONMENT: &CStr = c"RES_OPTIONS=timeout:1 attempts:1";

/// The helper, as a way to deliver.
#[derive(Debug)]
pub struct Helper<'a> {
    /// The program.
    pub program: &'a Path,
    /// The configuration it shall read.
    pub config: &'a Path,
    /// Time for all providers together.
    pub timeout: Duration,
    /// The provider that is tried first, where the person has one of their own.
    pub provider: Option<&'a str>,
    /// What a call is held in.
    pub language: Language,
}

impl Delivery for Helper<'_> {
    fn deliver(&mut self, number: &PhoneNumber, text: &Secret) -> Outcome {
        self.outcome_of(wire::encode_request(
            self.config,
            self.timeout,
            number,
            text,
            self.provider,
        ))
    }

    fn call(&mut self, number: &PhoneNumber, code: &Code) -> Outcome {
        let language = self.language.tag();
        self.outcome_of(wire::encode_call(
            self.config,
            self.timeout,
            number,
            code.expose(),
            self.provider,
            language,
        ))
    }

    fn check(&mut self, number: &PhoneNumber, typed: &Secret, provider: &str) -> Judgement {
        let request = wire::encode_check(self.config, self.timeout, number, typed, provider);
        let said = |reason: &str| format!("helper {}: {reason}", self.program.display());
        // Whatever is wrong with the helper, it never says that a code is right.
        let started = match self.start(request) {
            Ok(started) => started,
            Err(reason) => return Judgement::unasked(said(&reason)),
        };
        match started.frame() {
            // Once it has asked, only root and the kernel can end it, and what the provider said reaches
            // nobody: no guess is gained.
            Ok(None) => Judgement::unasked(said(DIED)),
            Ok(Some(frame)) => wire::decode_judgement(&frame)
                .unwrap_or_else(|error| Judgement::unknown(said(&not_understood(&error)))),
            Err(reason) => Judgement::unknown(said(&reason)),
        }
    }
}

impl Helper<'_> {
    fn outcome_of(&self, request: Result<Zeroizing<Vec<u8>>, wire::Malformed>) -> Outcome {
        let said = |reason| format!("helper {}: {reason}", self.program.display());
        match self.start(request) {
            Err(reason) => Outcome::without_provider(Fate::NotStarted, said(reason)),
            Ok(started) => started.outcome().unwrap_or_else(|reason| {
                Outcome::without_provider(Fate::HelperBroken, said(reason))
            }),
        }
    }

    /// Asks for an account in the directory. Whatever is wrong with the helper, the directory was not
    /// out of reach, nor does it know nobody.
    #[must_use]
    pub fn find(&self, user: &str, purpose: Purpose, about: &[PhoneNumber]) -> Answer {
        let answer = self
            .start(wire::encode_find(self.config, self.timeout, user, purpose, about))
            .and_then(Started::answer)
            .and_then(|frame| wire::decode_answer(&frame).map_err(|error| not_understood(&error)));
        answer.unwrap_or_else(|reason| {
            Answer::failed(format!("helper {}: {reason}", self.program.display()))
        })
    }

    /// Asks what an admin wants to know. Only `provider` is asked, where one is named.
    ///
    /// # Errors
    /// In words, when the helper cannot be asked.
    #[cfg(feature = "program")]
    pub fn ask(
        &self,
        question: wire::Question<'_>,
    ) -> Result<crate::gateway::report::Report, String> {
        let said = |reason| format!("helper {}: {reason}", self.program.display());
        let request = wire::encode_question(self.config, self.timeout, question, self.provider);
        let frame = self.start(request).and_then(Started::answer).map_err(said)?;
        let report = wire::decode_report(&frame).map_err(|error| error.to_string());
        let report =
            report.and_then(|json| serde_json::from_str(json).map_err(|error| error.to_string()));
        report.map_err(|error| said(format!("its answer is not understood: {error}")))
    }

    fn start(
        &self,
        request: Result<Zeroizing<Vec<u8>>, wire::Malformed>,
    ) -> Result<Started, String> {
        let program = check_program(self.program)?;
        let request = request.map_err(|error| format!("the request cannot be sent: {error}"))?;
        let (line, theirs) =
            UnixStream::pair().map_err(|error| format!("no line to it: {error}"))?;
        let child = Child::start(&program, ENVIRONMENT, theirs.into())
            .map_err(|error| format!("cannot be started: {error}"))?;
        let deadline = Instant::now() + self.timeout + GRACE;
        Ok(Started { line, request, deadline, _child: child })
    }
}

/// The helper, as a way to the limits that hosts share.
#[derive(Debug)]
pub struct Fleet<'a> {
    /// The helper; its time is that of one decision.
    pub helper: Helper<'a>,
    /// Where it is told that this host counts alone; what an admin types says so itself.
    pub audit: Option<Audit>,
}

impl<'a> Fleet<'a> {
    /// By the rules of a configuration; nothing, where they name no store.
    #[must_use]
    pub fn of(
        rules: &LimitRules,
        program: &'a Path,
        config: &'a Path,
        audit: Option<Audit>,
    ) -> Option<Box<dyn fleet::Fleet + 'a>> {
        if !rules.store.0 {
            return None;
        }
        let (timeout, provider, language) = (rules.store_timeout.get(), None, Language::default());
        let helper = Helper { program, config, timeout, provider, language };
        Some(Box::new(Self { helper, audit }))
    }
}

impl fleet::Fleet for Fleet<'_> {
    fn ask(&self, user: &str, number: Option<&PhoneNumber>, what: &str) -> Decision {
        let Helper { program, config, timeout, .. } = self.helper;
        let request = wire::encode_limits(config, timeout, user, number, what);
        let said = self.helper.start(request).and_then(Started::answer).and_then(|frame| {
            let text = wire::decode_decision(&frame).map_err(|error| not_understood(&error))?;
            Ok(child::decode(text))
        });
        // A helper that is broken is not a store that is out of reach: whoever calls su could break it.
        said.unwrap_or_else(|reason| {
            Err(Barrier::Unusable(format!("helper {}: {reason}", program.display())))
        })
    }

    fn warn(&self, reason: &str) {
        if let Some(audit) = &self.audit {
            audit.clone().record(Event::Warning, &[("reason", reason)]);
        }
    }
}

/// A helper that runs, and ends with this value.
struct Started {
    line: UnixStream,
    request: Zeroizing<Vec<u8>>,
    deadline: Instant,
    _child: Child,
}

/// Where a program is that is started as root, without links: none that others could have changed or put in
/// another's place.
///
/// # Errors
/// In words, when it is missing, or it or a folder above it is not root's alone.
pub fn check_program(program: &Path) -> Result<PathBuf, String> {
    let program = fs::canonicalize(program).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "does not exist: install the package pam-sms, or correct \
                                    helper= in the PAM stack"
            .to_owned(),
        _ => error.to_string(),
    })?;
    let meta = fs::metadata(&program).map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("is not a regular file".to_owned());
    }
    if meta.uid() != 0 || meta.mode() & 0o022 != 0 {
        let mode = meta.mode() & 0o7777;
        return Err(format!(
            "belongs to uid {} and has mode {mode:04o}: run `chown root` and `chmod 755` on it",
            meta.uid()
        ));
    }
    // Whoever may write to one of them may move what is below it out of the way.
    for folder in program.ancestors().skip(1) {
        check_folder(folder, Trust::Root).map_err(|error| {
            let (place, said) = (format!("{}: ", folder.display()), error.to_string());
            said.strip_prefix(&place).unwrap_or(&said).to_owned()
        })?;
    }
    Ok(program)
}

impl Started {
    /// What became of the message.
    fn outcome(self) -> Result<Outcome, String> {
        wire::decode_outcome(&self.answer()?).map_err(|error| not_understood(&error))
    }

    /// Hands over the request and waits for the answer.
    fn answer(self) -> Result<Zeroizing<Vec<u8>>, String> {
        self.frame()?.ok_or_else(|| DIED.to_owned())
    }

    /// The same; nothing from a helper that died.
    fn frame(self) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        match self.exchange() {
            Ok(frame) => Ok(Some(frame).filter(|frame| !frame.is_empty())),
            // Whether that is noticed while sending or while reading is chance, and no news to an admin.
            Err(error) if is_hung_up(&error) => Ok(None),
            Err(error) => Err(lost(&error)),
        }
    }

    fn exchange(self) -> io::Result<Zeroizing<Vec<u8>>> {
        let Self { line, request, deadline, _child } = self;
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        line.set_write_timeout(Some(left))?;
        sys::send_all(&line, &request)?;
        line.shutdown(Shutdown::Write)?;
        wire::read_frame(Until { line, deadline })
    }
}

/// What is said of a helper that hung up.
const DIED: &str = "died without an answer";

fn not_understood(error: &wire::Malformed) -> String {
    format!("its answer is not understood: {error}")
}

fn is_hung_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected
    )
}

/// Why the line to a helper that lives gave out.
fn lost(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            "did not answer in time and was killed".to_owned()
        }
        _ => format!("cannot be spoken to: {error}"),
    }
}

/// A stream with one deadline for all reads together, so that a byte now and then does not help.
struct Until {
    line: UnixStream,
    deadline: Instant,
}

impl Read for Until {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.line.set_read_timeout(Some(left))?;
        match self.line.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::ErrorKind::TimedOut.into())
            }
            other => other,
        }
    }
}
