//! What is said at the prompt: which texts of the person's catalogue, and with which values.
//!
//! English is plain ASCII, because sshd does not know the client's character set and ssh shows other
//! bytes as octal in the C locale. One prompt holds everything, because sshd shows information only
//! together with a prompt. The first line has at most 54 columns (ssh puts `(user@host) ` before it)
//! and all of it at most 512 bytes (`PAM_MAX_MSG_SIZE`); a test holds every text of every language to
//! that.

use std::time::Duration;

use super::Way;
use super::catalogue::{Catalogue, Text, fill};
use super::code::Reference;
use crate::limits::{Unit, rounded};
use crate::people::phone::PhoneError;

/// What can be typed, and the words around it, for one person.
#[derive(Debug, Clone, Copy)]
pub struct Prompts<'a> {
    /// The person's language.
    pub texts: &'a Catalogue,
    /// Whether `o` leads anywhere.
    pub other_phone: bool,
    /// Whether `v` calls.
    pub voice: bool,
    /// How many digits a code has.
    pub digits: u8,
    /// Whether the code shall confirm a number that was just given.
    pub confirming: bool,
}

impl Prompts<'_> {
    /// Before a message is sent, where this is asked for: see `Host::announce`.
    #[must_use]
    pub fn announcement(self, ending: &str) -> String {
        self.texts.say(&[Text::Announcement], &[ENDING.is(ending)])
    }

    /// Nothing is sent before the person asks for it.
    #[must_use]
    pub fn ask_first(self, ending: &str) -> String {
        let ask = if self.other_phone { Text::AskFirstOrOther } else { Text::AskFirst };
        self.texts.say(&[self.offer(), &[ask]].concat(), &[ENDING.is(ending)])
    }

    /// The first message is on its way. Here and below, what has no reference cannot name one: a call, or
    /// a code that the provider made.
    #[must_use]
    pub fn sent(self, ending: &str, reference: Option<&Reference>) -> String {
        self.on_its_way(&[Text::Sent], ending, reference, &[])
    }

    /// A further message is on its way, and `replaces` the earlier code or repeats it.
    #[must_use]
    pub fn resent(self, ending: &str, reference: Option<&Reference>, replaces: bool) -> String {
        self.on_its_way(&[Text::Resent], ending, reference, only_newest(replaces))
    }

    /// A message may be on its way.
    #[must_use]
    pub fn uncertain(self, reference: Option<&Reference>) -> String {
        self.on_its_way(&[Text::Uncertain], "", reference, &[])
    }

    /// The phone rings.
    #[must_use]
    pub fn called(self, ending: &str, replaces: bool) -> String {
        self.on_its_way(&[Text::Called], ending, None, only_newest(replaces))
    }

    /// The phone may ring.
    #[must_use]
    pub fn call_uncertain(self, replaces: bool) -> String {
        self.on_its_way(&[Text::CallUncertain], "", None, only_newest(replaces))
    }

    /// A wrong code, and how many tries are left: at least one.
    #[must_use]
    pub fn wrong(self, left: usize, reference: Option<&Reference>) -> String {
        let wrong = if left == 1 { Text::LastTry } else { Text::Wrong };
        self.with_reference(wrong, &left.to_string(), Text::UseReference, reference)
    }

    /// The code came too late.
    #[must_use]
    pub fn expired(self) -> String {
        self.ask_below(&[Text::Expired], &[])
    }

    /// A code that its provider could not be asked about.
    #[must_use]
    pub fn not_checked(self) -> String {
        self.ask_below(&[Text::NotChecked], &[])
    }

    /// Nothing was typed.
    #[must_use]
    pub fn empty(self, reference: Option<&Reference>) -> String {
        self.use_reference(Text::Empty, reference)
    }

    /// Asked for another message too soon.
    #[must_use]
    pub fn too_early(self, wait: Duration, reference: Option<&Reference>) -> String {
        self.still_valid(Text::TooEarly, wait, reference)
    }

    /// Asked for more messages than one login may have.
    #[must_use]
    pub fn no_more(self, reference: Option<&Reference>) -> String {
        self.use_reference(Text::NoMore, reference)
    }

    /// Asked for more messages than may be sent for now.
    #[must_use]
    pub fn no_more_for_now(self, wait: Duration, reference: Option<&Reference>) -> String {
        self.still_valid(Text::NoMoreForNow, wait, reference)
    }

    /// What was typed has the shape of a backup code and is none.
    #[must_use]
    pub fn no_backup_code(self, reference: Option<&Reference>) -> String {
        self.use_reference(Text::NoBackupCode, reference)
    }

    /// The same at a dead end, whose reason was told.
    #[must_use]
    pub fn no_backup_code_at(self, ways: WaysOut) -> String {
        self.dead_end(self.texts.plain(Text::NoBackupCode).to_owned(), ways)
    }

    /// A further message could not be sent, nor a call be made, and the one before still counts.
    #[must_use]
    pub fn not_resent(self, way: Way, reference: Option<&Reference>) -> String {
        let said = if way == Way::Call { Text::NotCalled } else { Text::NotResent };
        self.still_valid(said, Duration::ZERO, reference)
    }

    /// `o` was typed and there is no other phone.
    #[must_use]
    pub fn no_other_phone(self, reference: Option<&Reference>) -> String {
        self.use_reference(Text::NoOtherPhone, reference)
    }

    /// `?` was typed. The question below is short, since all that can be typed was just listed.
    #[must_use]
    pub fn help(self, reference: Option<&Reference>, has_backup: bool) -> String {
        let mut lines = vec![if reference.is_some() { Text::Help } else { Text::HelpNewest }];
        if self.other_phone {
            lines.push(Text::HelpOther);
        }
        if has_backup {
            lines.push(Text::HelpBackup);
        }
        let not_yours = if self.confirming { Text::NotYoursN } else { Text::NotYours };
        // There is no room for both in every script.
        let no_sms = if self.voice { Text::OfferCall } else { Text::HelpNoSms };
        lines.extend([no_sms, not_yours, Text::AskAfterHelp]);
        let digits = self.digits.to_string();
        self.texts.say(&lines, &[DIGITS.is(&digits), REFERENCE.is(letters(reference))])
    }

    /// No code can help any more, or only one that is read aloud.
    #[must_use]
    pub fn dead_end(self, mut said: String, ways: WaysOut) -> String {
        let last = match (ways.backup_code, ways.other_phone) {
            (true, true) => Text::GiveUpBoth,
            (true, false) => Text::GiveUpBackup,
            (false, true) => Text::GiveUpOther,
            (false, false) => Text::PressEnter,
        };
        let call: &[Text] = if ways.call { &[Text::OfferCall] } else { &[] };
        said.push('\n');
        said.push_str(&self.texts.say(&[call, &[last]].concat(), &[]));
        said
    }

    fn on_its_way(
        self,
        said: &[Text],
        ending: &str,
        reference: Option<&Reference>,
        more: &[Text],
    ) -> String {
        let named: &[Text] = if reference.is_some() { &[Text::Reference] } else { &[] };
        let values = [ENDING.is(ending), REFERENCE.is(letters(reference))];
        self.ask_below(&[said, named, more].concat(), &values)
    }

    fn use_reference(self, said: Text, reference: Option<&Reference>) -> String {
        self.with_reference(said, "", Text::UseReference, reference)
    }

    fn still_valid(self, said: Text, wait: Duration, reference: Option<&Reference>) -> String {
        self.with_reference(said, &self.texts.in_words(wait), Text::StillValid, reference)
    }

    /// `named` says which code counts; without a reference it is the newest. No text has two of the
    /// other values, so `value` is whichever it has.
    fn with_reference(
        self,
        said: Text,
        value: &str,
        named: Text,
        reference: Option<&Reference>,
    ) -> String {
        let named = if reference.is_some() { named } else { Text::UseNewest };
        let values = [LEFT.is(value), WAIT.is(value), REFERENCE.is(letters(reference))];
        self.ask_below(&[said, named], &values)
    }

    fn ask_below(self, lines: &[Text], values: &[(&str, &str)]) -> String {
        let ask = match (self.confirming, self.other_phone) {
            (true, _) => Text::AskOrN,
            (false, true) => Text::AskOrOther,
            (false, false) => Text::Ask,
        };
        self.texts.say(&[lines, self.offer(), &[ask]].concat(), values)
    }

    /// The line above a question that offers a call.
    fn offer(self) -> &'static [Text] {
        if self.voice { &[Text::OfferCall] } else { &[] }
    }
}

/// What is left where no code counts and none can be sent; not all of it is said with every dead end.
#[derive(Debug, Clone, Copy, Default)]
pub struct WaysOut {
    /// A backup code.
    pub backup_code: bool,
    /// A code to the other phone.
    pub other_phone: bool,
    /// A call to this phone.
    pub call: bool,
}

fn only_newest(replaces: bool) -> &'static [Text] {
    if replaces { &[Text::OnlyNewest] } else { &[] }
}

fn letters(reference: Option<&Reference>) -> &str {
    reference.map_or("", Reference::as_str)
}

/// What is said without a question for a code: last words, and good news.
impl Catalogue {
    /// Last words: nothing could be sent, and it is not the person's fault.
    #[must_use]
    pub fn no_provider(&self) -> String {
        self.say(&[Text::NoProvider, Text::Later], &[])
    }

    /// Last words: there was no call, and it is not the person's fault.
    #[must_use]
    pub fn not_called(&self) -> String {
        self.say(&[Text::NotCalled, Text::Later], &[])
    }

    /// Last words: as many messages as one login may have.
    #[must_use]
    pub fn no_more(&self) -> String {
        self.say(&[Text::NoMore, Text::LogInAgain], &[])
    }

    /// Last words: as many messages as may be sent for now.
    #[must_use]
    pub fn throttled(&self, wait: Duration) -> String {
        self.say(&[Text::Throttled], &[WAIT.is(&self.in_words(wait))])
    }

    /// Last words: as many wrong codes as the account may have for now.
    #[must_use]
    pub fn locked(&self, wait: Duration) -> String {
        self.say(&[Text::Locked, Text::Unlock], &[WAIT.is(&self.in_words(wait))])
    }

    /// Last words: as many wrong codes as the account may have at all.
    #[must_use]
    pub fn closed(&self) -> String {
        self.say(&[Text::Closed, Text::Unlock], &[])
    }

    /// Last words: this number takes no messages.
    #[must_use]
    pub fn refused(&self, ending: &str) -> String {
        self.say(&[Text::Refused, Text::Call], &[ENDING.is(ending)])
    }

    /// Last words: as many wrong codes as one login may have.
    #[must_use]
    pub fn too_many_tries(&self) -> String {
        self.say(&[Text::TooManyTries, Text::LogInAgain], &[])
    }

    /// Last words: the provider's own limit of tries, until a new code can be had.
    #[must_use]
    pub fn spent(&self, wait: Duration) -> String {
        self.say(&[Text::Locked, Text::Later], &[WAIT.is(&self.in_words(wait))])
    }

    /// Last words: the provider that makes the codes could not say whether one is right.
    #[must_use]
    pub fn not_checked(&self) -> String {
        self.say(&[Text::Unusable, Text::Later], &[])
    }

    /// Last words: there is no number to send to.
    #[must_use]
    pub fn unenrolled(&self) -> String {
        self.say(&[Text::NoNumber, Text::Call], &[])
    }

    /// Last words: configuration, state or helper are unusable; the log says which.
    #[must_use]
    pub fn unusable(&self) -> String {
        self.say(&[Text::Unusable, Text::Call], &[])
    }

    /// What sshd needs after last words, since it shows nothing without a prompt.
    #[must_use]
    pub fn press_enter(&self) -> &str {
        self.plain(Text::PressEnter)
    }

    /// Good to know: that one is used up.
    #[must_use]
    pub fn backup_code_accepted(&self, left: usize) -> String {
        self.say(&[Text::BackupCodeAccepted], &[LEFT.is(&left.to_string())])
    }

    /// Whoever has no number is asked for it.
    #[must_use]
    pub fn ask_number(&self) -> String {
        self.say(&[Text::NoNumber, Text::OnlyForCodes, Text::AskNumber], &[])
    }

    /// What was given is no number that a code can go to; `reason` is one of the `number_` texts.
    #[must_use]
    pub fn ask_number_again(&self, reason: Text) -> String {
        self.say(&[Text::BadNumber, reason, Text::AskNumber], &[])
    }

    /// Good to know: the number was confirmed.
    #[must_use]
    pub fn number_saved(&self, ending: &str) -> String {
        self.say(&[Text::NumberSaved, Text::NotYours], &[ENDING.is(ending)])
    }

    /// A time as people say it. One language has six forms for it, and most of those that have more
    /// than two write a sign that never changes, as in `15 min`.
    fn in_words(&self, span: Duration) -> String {
        let (count, unit) = rounded(span);
        let forms = self.plain(match unit {
            Unit::Second => Text::Seconds,
            Unit::Minute => Text::Minutes,
            Unit::Hour => Text::Hours,
        });
        let form = match forms.split_once('|') {
            Some((one, _)) if count == 1 => one,
            Some((_, other)) => other,
            None => forms,
        };
        let mut words = String::new();
        fill(form, &[("count", &count.to_string())], &mut words);
        words
    }
}

/// What is wrong with a number, in the few kinds that people can do something about.
#[must_use]
pub fn about(error: &PhoneError) -> Text {
    match error {
        PhoneError::NoPlus
        | PhoneError::DoubleZero
        | PhoneError::LeadingZero
        | PhoneError::TrunkZero
        | PhoneError::BracketedZero => Text::NumberCountry,
        PhoneError::TooShort { .. } | PhoneError::TooLong { .. } => Text::NumberLength,
        _ => Text::NumberCharacters,
    }
}

/// The name of a value, as the catalogues write it between braces.
struct Name(&'static str);

const ENDING: Name = Name("ending");
const REFERENCE: Name = Name("reference");
const LEFT: Name = Name("left");
const WAIT: Name = Name("wait");
const DIGITS: Name = Name("digits");

impl Name {
    fn is(self, value: &str) -> (&'static str, &str) {
        (self.0, value)
    }
}

#[cfg(test)]
mod tests;
