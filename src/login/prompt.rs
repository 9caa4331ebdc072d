//! What is said at the prompt.
//!
//! Plain ASCII, because sshd does not know the client's character set and ssh shows other bytes as
//! octal. One prompt holds everything, because sshd shows information only together with a prompt.
//! The first line has at most 54 columns (ssh puts `(user@host) ` before it) and all of it at most
//! 512 bytes (`PAM_MAX_MSG_SIZE`); a test holds every text to that.

use std::time::Duration;

use super::code::Reference;
use crate::limits::in_words;

/// What can be typed, and the words around it, for one person.
#[derive(Debug, Clone, Copy)]
pub struct Prompts {
    /// Whether `o` leads anywhere.
    pub other_phone: bool,
    /// How many digits a code has.
    pub digits: u8,
    /// Whether the code shall confirm a number that was just given.
    pub confirming: bool,
}

impl Prompts {
    /// Before a message is sent, where this is asked for: see `Host::announce`.
    #[must_use]
    pub fn announcement(self, ending: &str) -> String {
        format!("A code goes to the phone ending in {ending}.")
    }

    /// Nothing is sent before the person asks for it.
    #[must_use]
    pub fn ask_first(self, ending: &str) -> String {
        let other = if self.other_phone { "\no for the other phone: " } else { "" };
        let end = if self.other_phone { "," } else { ": " };
        format!("Enter sends a code to the phone ending in {ending}{end}{other}")
    }

    /// The first message is on its way.
    #[must_use]
    pub fn sent(self, ending: &str, reference: &Reference) -> String {
        self.with_ask(&format!("SMS sent to the phone ending in {ending}.\nReference: {reference}"))
    }

    /// A further message is on its way.
    #[must_use]
    pub fn resent(self, ending: &str, reference: &Reference) -> String {
        self.with_ask(&format!(
            "New SMS sent to the phone ending in {ending}.\n\
             Reference: {reference}. Earlier codes no longer work."
        ))
    }

    /// A message may be on its way.
    #[must_use]
    pub fn uncertain(self, reference: &Reference) -> String {
        self.with_ask(&format!(
            "The SMS may be late: the provider did not confirm it.\nReference: {reference}"
        ))
    }

    /// A wrong code, and how many tries are left: at least one.
    #[must_use]
    pub fn wrong(self, left: usize, reference: &Reference) -> String {
        self.with_ask(&if left == 1 {
            format!(
                "Wrong code. One try left, then this login ends.\n\
                 Use the SMS with reference {reference}."
            )
        } else {
            format!("Wrong code. {left} tries left.\nUse the SMS with reference {reference}.")
        })
    }

    /// The code came too late.
    #[must_use]
    pub fn expired(self) -> String {
        self.with_ask("That code has expired. Type r for a new one.")
    }

    /// Nothing was typed.
    #[must_use]
    pub fn empty(self, reference: &Reference) -> String {
        self.with_ask(&format!("Nothing was typed.\nUse the SMS with reference {reference}."))
    }

    /// Asked for another message too soon.
    #[must_use]
    pub fn too_early(self, wait: Duration, reference: &Reference) -> String {
        self.with_ask(&format!(
            "Please wait {} before asking for another SMS.\n\
             The code with reference {reference} is still valid.",
            in_words(wait)
        ))
    }

    /// Asked for more messages than one login may have.
    #[must_use]
    pub fn no_more(self, reference: &Reference) -> String {
        self.with_ask(&format!(
            "No more SMS in this login.\nUse the SMS with reference {reference}."
        ))
    }

    /// Asked for more messages than may be sent for now.
    #[must_use]
    pub fn no_more_for_now(self, wait: Duration, reference: &Reference) -> String {
        self.with_ask(&format!(
            "No more SMS for now. Try r again in {}.\n\
             The code with reference {reference} is still valid.",
            in_words(wait)
        ))
    }

    /// What was typed has the shape of a backup code and is none.
    #[must_use]
    pub fn no_backup_code(self, reference: &Reference) -> String {
        self.with_ask(&format!(
            "That is no backup code, or it was used before.\n\
             Use the SMS with reference {reference}."
        ))
    }

    /// A further message could not be sent, and the one before still counts.
    #[must_use]
    pub fn not_resent(self, reference: &Reference) -> String {
        self.with_ask(&format!(
            "No new SMS could be sent.\nThe code with reference {reference} is still valid."
        ))
    }

    /// `o` was typed and there is no other phone.
    #[must_use]
    pub fn no_other_phone(self, reference: &Reference) -> String {
        self.with_ask(&format!(
            "No other phone is stored for this account.\nUse the SMS with reference {reference}."
        ))
    }

    /// `?` was typed.
    #[must_use]
    pub fn help(self, reference: &Reference, has_backup: bool) -> String {
        let other = if self.other_phone { "o: send a code to your other phone.\n" } else { "" };
        let not_yours = match self.confirming {
            true => "Not your number? Type n.",
            false => "Not your number? Call your administrator.",
        };
        let backup = if has_backup { "A backup code works here, too.\n" } else { "" };
        self.with_ask(&format!(
            "An SMS with a {digits}-digit code went to your phone.\n\
             Type the code of the SMS with reference {reference} and press Enter.\n\
             r: send a new code. {other}{backup}\
             No SMS? Check the signal, wait a minute, then type r.\n\
             {not_yours}",
            digits = self.digits,
        ))
    }

    /// No code can help any more; at least one of the two ways out is open.
    #[must_use]
    pub fn dead_end(self, said: &str, has_backup: bool, other_phone: bool) -> String {
        let ways = match (has_backup, other_phone) {
            (true, true) => "Backup code, o for the other phone,",
            (true, false) => "Backup code,",
            (false, _) => "o for the other phone,",
        };
        format!("{said}\n{ways} or Enter to give up: ")
    }

    fn with_ask(self, text: &str) -> String {
        if self.confirming {
            return format!("{text}\nCode to confirm this number, or n to change it: ");
        }
        let other = if self.other_phone { " o for the other phone," } else { "" };
        format!("{text}\nCode, r to resend,{other} or ? for help: ")
    }
}

/// Last words: nothing could be sent, and it is not the person's fault.
pub const NO_PROVIDER: &str = "No SMS could be sent. Your phone is not the problem.\n\
                               Try again later or call your administrator.";

/// Last words: as many messages as one login may have.
pub const NO_MORE: &str = "No more SMS in this login.\nLog in again for a new code.";

/// Last words: as many messages as may be sent for now.
#[must_use]
pub fn throttled(wait: Duration) -> String {
    format!(
        "No SMS for now: too many were sent.\nTry again in {}, or call your administrator.",
        in_words(wait)
    )
}

/// Last words: as many wrong codes as the account may have for now.
#[must_use]
pub fn locked(wait: Duration) -> String {
    format!(
        "Too many wrong codes. Locked for {}.\nYour administrator can unlock this account.",
        in_words(wait)
    )
}

/// Last words: as many wrong codes as the account may have at all.
pub const CLOSED: &str = "Too many wrong codes. SMS codes are switched off.\n\
                          Your administrator can unlock this account.";

/// Good to know: that one is used up.
#[must_use]
pub fn backup_code_accepted(left: usize) -> String {
    format!("Backup code accepted. It will not work again. {left} left.")
}

/// Whoever has no number is asked for it.
pub const ASK_NUMBER: &str = "No phone number is stored for this account.\n\
                              It will be used only for login codes.\n\
                              Mobile number with country code, like +49 151 23456789: ";

/// What was given is no number that a code can go to.
#[must_use]
pub fn ask_number_again(reason: &str) -> String {
    format!(
        "That number cannot be used:\n{reason}.\n\
         Mobile number with country code, like +49 151 23456789: "
    )
}

/// Good to know: the number was confirmed.
#[must_use]
pub fn number_saved(ending: &str) -> String {
    format!("Number ending in {ending} saved.\nNot yours? Call your administrator.")
}

/// Last words: this number takes no messages.
#[must_use]
pub fn refused(ending: &str) -> String {
    format!("No SMS can be sent to the phone ending in {ending}.\nCall your administrator.")
}

/// Last words: as many wrong codes as one login may have.
pub const TOO_MANY_TRIES: &str =
    "Too many wrong codes. This login ends.\nLog in again for a new code.";

/// Last words: there is no number to send to.
pub const UNENROLLED: &str =
    "No phone number is stored for this account.\nCall your administrator.";

/// Last words: configuration, state or helper are unusable; the log says which.
pub const UNUSABLE: &str = "The SMS login is out of order.\nCall your administrator.";

/// What sshd needs after last words, since it shows nothing without a prompt.
pub const PRESS_ENTER: &str = "Press Enter to close: ";

#[cfg(test)]
mod tests {
    use super::*;

    fn every_text() -> Vec<String> {
        let reference = Reference::random(None).unwrap();
        let mut all = vec![
            NO_PROVIDER.to_owned(),
            refused("23"),
            TOO_MANY_TRIES.to_owned(),
            UNENROLLED.to_owned(),
            UNUSABLE.to_owned(),
            throttled(Duration::from_secs(86_000)),
            locked(Duration::from_secs(86_000)),
            CLOSED.to_owned(),
            NO_MORE.to_owned(),
            number_saved("23"),
            ASK_NUMBER.to_owned(),
            ask_number_again(&crate::people::phone::PhoneError::BracketedZero.to_string()),
        ];
        let every = [(true, false), (false, false), (false, true)];
        for prompts in
            every.map(|(other_phone, confirming)| Prompts { other_phone, digits: 10, confirming })
        {
            all.extend([
                prompts.announcement("23"),
                prompts.sent("23", &reference),
                prompts.resent("23", &reference),
                prompts.uncertain(&reference),
                prompts.wrong(1, &reference),
                prompts.wrong(9, &reference),
                prompts.expired(),
                prompts.empty(&reference),
                prompts.too_early(Duration::from_millis(599_001), &reference),
                prompts.no_more(&reference),
                prompts.not_resent(&reference),
                prompts.no_other_phone(&reference),
                prompts.no_more_for_now(Duration::from_secs(86_000), &reference),
                prompts.no_backup_code(&reference),
                prompts.help(&reference, true),
                prompts.ask_first("23"),
                prompts.dead_end(&refused("23"), true, true),
                prompts.dead_end(&locked(Duration::from_secs(900)), true, false),
            ]);
        }
        all
    }

    #[test]
    fn texts_fit_every_terminal() {
        for text in every_text() {
            let first = text.lines().next().unwrap();
            assert!(first.len() <= 54, "{} columns: {first}", first.len());
            assert!(text.len() + PRESS_ENTER.len() < 512, "{} bytes: {text}", text.len());
            assert!(
                text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)),
                "not plain ASCII: {text:?}"
            );
        }
    }

    #[test]
    fn seconds_are_rounded_up_and_counted_in_english() {
        let prompts = Prompts { other_phone: false, digits: 6, confirming: false };
        let reference = Reference::random(None).unwrap();
        let wait = |ms| prompts.too_early(Duration::from_millis(ms), &reference);
        assert!(wait(17_001).starts_with("Please wait 18 seconds before"));
        assert!(wait(400).starts_with("Please wait 1 second before"));
    }
}
