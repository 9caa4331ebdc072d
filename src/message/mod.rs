//! The text of an SMS: what an admin may write, and what becomes of it.
//!
//! A template is read once, when the configuration is, so that a slip in it is found by `pam-sms
//! check` and not by the first person who waits for a code. Values are put in by name and are never
//! read as templates themselves, so a host or a user called `{code}` is only a strange name.

pub mod segments;

use std::{error::Error, fmt};

use serde::Deserialize;
use zeroize::Zeroizing;

use self::segments::{Segments, segments};

/// The text of an SMS, with names in braces where the values go. It always names the code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Reads a template. `{{` and `}}` stand for the braces themselves.
    ///
    /// # Errors
    ///
    /// Every text that could surprise: see [`TemplateError`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.trim().is_empty() {
            return Err(TemplateError::Empty);
        }
        if let Some((at, c)) = text.char_indices().find(|&(_, c)| c.is_control() && c != '\n') {
            return Err(TemplateError::Control { c, position: position(text, &text[at..]) });
        }

        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            pieces.push(Piece::Text(before.to_owned()));
            let (piece, after) = Piece::at_brace(text, brace)?;
            pieces.push(piece);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));

        let template = Self { pieces };
        if template.uses(Name::Code) { Ok(template) } else { Err(TemplateError::NoCode) }
    }

    /// Puts the values in. Control characters in them are dropped: a newline in a host name must
    /// not begin a second line that looks like ours.
    pub fn render(&self, values: &Values<'_>) -> Zeroizing<String> {
        let minutes = values.minutes.to_string();
        let fragments = || self.pieces.iter().flat_map(|piece| piece.fragments(values, &minutes));

        // Allocated once, at its full length. A buffer that grows is copied, and the copy left
        // behind would hold the code where nothing wipes it.
        let mut text = Zeroizing::new(String::with_capacity(fragments().map(str::len).sum()));
        fragments().for_each(|fragment| text.push_str(fragment));
        text
    }

    /// Whether the text names this value. Without [`Name::Reference`] a person who has three
    /// messages cannot tell which one counts.
    pub fn uses(&self, name: Name) -> bool {
        self.pieces.contains(&Piece::Value(name))
    }

    /// What the text costs with a code of so many digits, and with values of the greatest length
    /// wherever the caller has no say.
    pub fn worst_case(&self, digits: usize, host: &str, user: &str) -> Segments {
        let code = "8".repeat(digits);
        // A reference is two consonants, a lifetime ends at ten minutes (NIST SP 800-63B).
        segments(&self.render(&Values { code: &code, reference: "WW", host, user, minutes: 10 }))
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        Self::parse(&text)
    }
}

/// What is put into a [`Template`]. There is no `Debug`, since the code is among it.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// The digits to be typed.
    pub code: &'a str,
    /// The letters that tell this message from earlier ones; the prompt shows them too.
    pub reference: &'a str,
    /// The host that is logged in to.
    pub host: &'a str,
    /// The account that is logged in to.
    pub user: &'a str,
    /// How long the code is good for, in whole minutes.
    pub minutes: u64,
}

/// A value that a [`Template`] can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// `{code}`, the one that must be there.
    Code,
    /// `{reference}`
    Reference,
    /// `{host}`
    Host,
    /// `{user}`
    User,
    /// `{minutes}`
    Minutes,
}

impl Name {
    /// All names, in the order in which they are listed to people.
    pub const ALL: [Self; 5] = [Self::Code, Self::Reference, Self::Host, Self::User, Self::Minutes];

    /// The name as it is written between the braces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Reference => "reference",
            Self::Host => "host",
            Self::User => "user",
            Self::Minutes => "minutes",
        }
    }

    /// The name somebody probably had in mind: a slip of a letter or two, or a shorter or longer
    /// form, as in `{ref}` and `{hostname}`.
    fn nearest(typed: &str) -> Option<Self> {
        let typed = typed.trim().to_ascii_lowercase();
        if typed.is_empty() {
            return None;
        }
        let distance = |name: &Self| strsim::osa_distance(&typed, name.as_str());
        let kin = |name: &Self| {
            typed.starts_with(name.as_str()) || name.as_str().starts_with(typed.as_str())
        };

        Self::ALL
            .into_iter()
            .min_by_key(distance)
            .filter(|name| distance(name) <= 2)
            .or_else(|| Self::ALL.into_iter().find(kin))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Name),
}

impl Piece {
    /// Reads what begins with the brace at the start of `brace`, a tail of `text`, and returns it
    /// with all that follows.
    fn at_brace<'a>(text: &str, brace: &'a str) -> Result<(Self, &'a str), TemplateError> {
        for (doubled, literal) in [("{{", "{"), ("}}", "}")] {
            if let Some(after) = brace.strip_prefix(doubled) {
                return Ok((Self::Text(literal.to_owned()), after));
            }
        }
        let Some(inside) = brace.strip_prefix('{') else {
            return Err(TemplateError::StrayBrace { position: position(text, brace) });
        };
        // A second opening brace or the end of the line means that the first was forgotten.
        match inside.split_once('}') {
            Some((typed, after)) if !typed.contains(['{', '\n']) => Name::ALL
                .into_iter()
                .find(|name| name.as_str() == typed)
                .map(|name| (Self::Value(name), after))
                .ok_or_else(|| TemplateError::UnknownName { typed: typed.to_owned() }),
            _ => Err(TemplateError::UnclosedBrace { position: position(text, brace) }),
        }
    }

    /// What the piece becomes, in as many fragments as are left once control characters are cut
    /// out of a value. The newlines of the template itself stay.
    fn fragments<'a>(
        &'a self,
        values: &Values<'a>,
        minutes: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let (text, unwanted): (&str, fn(char) -> bool) = match self {
            Self::Text(text) => (text, |_| false),
            Self::Value(Name::Code) => (values.code, char::is_control),
            Self::Value(Name::Reference) => (values.reference, char::is_control),
            Self::Value(Name::Host) => (values.host, char::is_control),
            Self::Value(Name::User) => (values.user, char::is_control),
            Self::Value(Name::Minutes) => (minutes, char::is_control),
        };
        text.split(unwanted)
    }
}

/// Where `tail` begins in `text`, in characters from 1, as an editor counts.
fn position(text: &str, tail: &str) -> usize {
    text[..text.len() - tail.len()].chars().count() + 1
}

/// Why a text is no [`Template`]. Positions count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// There is nothing in it.
    Empty,
    /// `{code}` is missing, without which the message is of no use.
    NoCode,
    /// A name that nothing stands for.
    UnknownName {
        /// What stands between the braces.
        typed: String,
    },
    /// A `{` without its `}`.
    UnclosedBrace {
        /// Where the `{` stands.
        position: usize,
    },
    /// A `}` without its `{`.
    StrayBrace {
        /// Where the `}` stands.
        position: usize,
    },
    /// A control character other than a newline: phones show them in ways nobody can foresee.
    Control {
        /// The character.
        c: char,
        /// Where it stands.
        position: usize,
    },
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the text is empty"),
            Self::NoCode => f.write_str("the text must hold {code}"),
            Self::UnknownName { typed } => {
                write!(f, "the text names {{{typed}}}, which is not known")?;
                if let Some(name) = Name::nearest(typed) {
                    write!(f, "; did you mean {{{}}}?", name.as_str())?;
                }
                let known = Name::ALL.map(|name| format!("{{{}}}", name.as_str()));
                write!(f, " (known: {})", known.join(", "))
            }
            Self::UnclosedBrace { position } => write!(
                f,
                "the {{ at character {position} is not closed: write {{{{ for a brace in the text"
            ),
            Self::StrayBrace { position } => write!(
                f,
                "the }} at character {position} closes nothing: write }}}} for a brace in the text"
            ),
            Self::Control { c, position } => write!(
                f,
                "the text holds the control character U+{:04X} at character {position}: \
                 only newlines can be sent",
                u32::from(*c)
            ),
        }
    }
}

impl Error for TemplateError {}

#[cfg(test)]
mod tests;
