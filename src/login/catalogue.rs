//! All that is said in one language: the texts of a catalogue, looked up and filled in.
//!
//! English is compiled in and always there; the others are files of the same form
//! (`languages/*.toml`), which are installed beside the module and read when somebody needs them.
//! docs/architecture.md says why. A test holds each to English: the same names, the same values.

mod original;

use std::borrow::Cow;

use super::language::Language;
use crate::config::source::{ConfigError, Sources};
use crate::message::{Template, TemplateError};

/// The enum and the names from one list, so that they cannot differ. The names are one text: a table
/// of them would be three times as large in a module that is loaded at any address.
macro_rules! texts {
    ($($text:ident $name:literal)*) => {
        /// A text; what it says in English stands in `languages/en.toml`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Text { $($text),* }

        impl Text {
            const NAMES: &'static str = concat!($($name, " "),*);
        }
    };
}

texts! {
    Sms "sms"
    Seconds "seconds"
    Minutes "minutes"
    Hours "hours"
    Ask "ask"
    AskOrOther "ask_or_other"
    AskOrN "ask_or_n"
    AskAfterHelp "ask_after_help"
    AskFirst "ask_first"
    AskFirstOrOther "ask_first_or_other"
    AskNumber "ask_number"
    GiveUpBackup "give_up_backup"
    GiveUpOther "give_up_other"
    GiveUpBoth "give_up_both"
    PressEnter "press_enter"
    Announcement "announcement"
    Sent "sent"
    Resent "resent"
    Called "called"
    CallUncertain "call_uncertain"
    NotCalled "not_called"
    OfferCall "offer_call"
    Spoken "spoken"
    Uncertain "uncertain"
    NotResent "not_resent"
    Reference "reference"
    OnlyNewest "only_newest"
    UseReference "use_reference"
    UseNewest "use_newest"
    StillValid "still_valid"
    TooEarly "too_early"
    NoMore "no_more"
    NoMoreForNow "no_more_for_now"
    NoOtherPhone "no_other_phone"
    Wrong "wrong"
    LastTry "last_try"
    Expired "expired"
    Empty "empty"
    NotChecked "not_checked"
    NoBackupCode "no_backup_code"
    BackupCodeAccepted "backup_code_accepted"
    Help "help"
    HelpNewest "help_newest"
    HelpOther "help_other"
    HelpBackup "help_backup"
    HelpNoSms "help_no_sms"
    NotYours "not_yours"
    NotYoursN "not_yours_n"
    NoNumber "no_number"
    OnlyForCodes "only_for_codes"
    BadNumber "bad_number"
    NumberCountry "number_country"
    NumberLength "number_length"
    NumberCharacters "number_characters"
    NumberElsewhere "number_elsewhere"
    NumberSaved "number_saved"
    NoProvider "no_provider"
    Later "later"
    LogInAgain "log_in_again"
    Throttled "throttled"
    Locked "locked"
    Closed "closed"
    Unlock "unlock"
    TooManyTries "too_many_tries"
    Refused "refused"
    Call "call"
    Unusable "unusable"
}

/// The texts of one language.
#[derive(Debug)]
pub struct Catalogue {
    /// Which one that is.
    pub language: Language,
    /// In the order of [`Text`], each ended by NUL, which none of them holds.
    texts: Cow<'static, str>,
    sms: Template,
}

impl Catalogue {
    /// The catalogue that is always there.
    #[must_use]
    pub fn english() -> Self {
        let texts = Cow::Borrowed(original::ENGLISH);
        Self::of(texts).expect("the English message has a place for the code, a test says so")
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// When it is no TOML, lacks a text, or holds one that a terminal could take for a command.
    pub fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let table = sources.merged()?;
        let mut texts = String::new();
        for name in Text::NAMES.split_ascii_whitespace() {
            let text = table.get(name).and_then(|value| value.get_ref().as_str());
            let is_plain = |text: &&str| !text.contains(|c: char| c.is_control() && c != '\n');
            let text = text.filter(is_plain);
            let text = text.ok_or_else(|| sources.error(format!("there is no text `{name}`")))?;
            texts.push_str(text);
            texts.push('\0');
        }
        Self::of(texts.into()).map_err(|error| sources.error(error.to_string()))
    }

    fn of(texts: Cow<'static, str>) -> Result<Self, TemplateError> {
        let sms = Template::parse(text_of(&texts, Text::Sms))?;
        Ok(Self { language: Language::ENGLISH, texts, sms })
    }

    /// What an SMS says where the configuration has no text.
    #[must_use]
    pub fn sms(&self) -> &Template {
        &self.sms
    }

    /// What a voice reads: the code digit by digit, with the pauses that commas make.
    #[cfg(feature = "helper")]
    #[must_use]
    pub fn spoken(&self, code: &str) -> crate::secret::Secret {
        let digits = code.len() * 3;
        let mut apart = zeroize::Zeroizing::new(String::with_capacity(digits));
        for digit in code.chars() {
            if !apart.is_empty() {
                apart.push_str(", ");
            }
            apart.push(digit);
        }
        // Allocated once, so that no copy is left behind.
        let text = self.plain(Text::Spoken);
        let mut spoken = zeroize::Zeroizing::new(String::with_capacity(text.len() + digits));
        fill(text, &[("code", &apart)], &mut spoken);
        crate::secret::Secret::from(spoken)
    }

    /// These texts, each on a line of its own, with the values in the places of their names.
    #[must_use]
    pub fn say(&self, lines: &[Text], values: &[(&str, &str)]) -> String {
        let mut said = String::new();
        for line in lines {
            if !said.is_empty() {
                said.push('\n');
            }
            fill(self.plain(*line), values, &mut said);
        }
        said
    }

    /// A text without any value.
    #[must_use]
    pub fn plain(&self, text: Text) -> &str {
        text_of(&self.texts, text)
    }
}

fn text_of(texts: &str, text: Text) -> &str {
    texts.split('\0').nth(text as usize).unwrap_or_default()
}

/// Adds `text` to `said`, with the values in the places of their names.
pub(super) fn fill(text: &str, values: &[(&str, &str)], said: &mut String) {
    let mut pieces = text.split('{');
    said.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => said.push_str(value),
            // Nothing that is shipped has one: a test would see the brace.
            None => said.push('{'),
        }
        said.push_str(rest);
    }
}

#[cfg(test)]
pub(in crate::login) mod tests;
