//! What a line makes of its module's answer.

use super::Control;

/// An answer of a module, by its number in `security/_pam_types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub usize);

/// The names of all answers, each in the place of its number (libpam/pam_tokens.h).
pub const CODES: [&str; 32] = [
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
];

impl Code {
    /// It went well.
    pub const SUCCESS: Self = Self(0);
    /// Our own files are unusable.
    pub const SERVICE_ERR: Self = Self(3);
    /// Also what libpam says where no module says anything.
    pub const PERM_DENIED: Self = Self(6);
    /// A wrong password or code.
    pub const AUTH_ERR: Self = Self(7);
    /// What knows the answer is out of reach.
    pub const AUTHINFO_UNAVAIL: Self = Self(9);
    /// Not an account of this module.
    pub const USER_UNKNOWN: Self = Self(10);
    /// Too many tries.
    pub const MAXTRIES: Self = Self(11);
    /// Nobody to talk to.
    pub const CONV_ERR: Self = Self(19);
    /// The module has no say.
    pub const IGNORE: Self = Self(25);
    /// A panic.
    pub const ABORT: Self = Self(26);
    /// The module's file cannot be loaded.
    pub const MODULE_UNKNOWN: Self = Self(28);

    /// The answer of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        CODES.iter().position(|known| *known == name).map(Self)
    }
}

/// What is done upon an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It does not count.
    Ignore,
    /// It counts, and a success before it is kept.
    Ok,
    /// As `Ok`, and the stack ends.
    Done,
    /// A failure that counts.
    Bad,
    /// As `Bad`, and the stack ends.
    Die,
    /// What was so far is forgotten.
    Reset,
    /// So many lines are stepped over.
    Jump(usize),
}

/// The action for each answer.
pub type Actions = [Action; CODES.len()];

impl Control {
    /// The table of this control.
    #[must_use]
    pub fn actions(&self) -> Actions {
        let (success, ignore, default) = match self {
            Self::Required => (Action::Ok, Action::Ignore, Action::Bad),
            Self::Requisite => (Action::Ok, Action::Ignore, Action::Die),
            Self::Sufficient => (Action::Done, Action::Ignore, Action::Ignore),
            Self::Optional => (Action::Ok, Action::Ignore, Action::Ignore),
            Self::Table(words) => {
                // One slip, and everything is a failure.
                return table(words).unwrap_or([Action::Bad; CODES.len()]);
            }
        };
        let mut actions = [default; CODES.len()];
        for code in ["success", "new_authtok_reqd"].into_iter().filter_map(Code::named) {
            actions[code.0] = success;
        }
        actions[Code::IGNORE.0] = ignore;
        actions
    }

    /// Whether libpam can read it.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        match self {
            Self::Table(words) => table(words).is_some(),
            _ => true,
        }
    }
}

/// `code=action ...`, with blanks anywhere (libpam's `_pam_parse_control`).
fn table(words: &str) -> Option<Actions> {
    let mut actions: [Option<Action>; CODES.len()] = [None; CODES.len()];
    let mut rest = words.trim_start();
    while !rest.is_empty() {
        let all = CODES.iter().enumerate().map(|(index, name)| (Some(index), *name));
        let mut names = all.chain([(None, "default")]);
        let (index, after) =
            names.find_map(|(index, name)| Some((index, rest.strip_prefix(name)?)))?;
        let value = after.trim_start().strip_prefix('=')?.trim_start();
        let (action, after) = action(value)?;
        match index {
            Some(index) => actions[index] = Some(action),
            None => actions.iter_mut().for_each(|known| *known = known.or(Some(action))),
        }
        rest = after.trim_start();
    }
    Some(actions.map(|action| action.unwrap_or(Action::Bad)))
}

fn action(text: &str) -> Option<(Action, &str)> {
    let names = [
        ("ignore", Action::Ignore),
        ("ok", Action::Ok),
        ("done", Action::Done),
        ("bad", Action::Bad),
        ("die", Action::Die),
        ("reset", Action::Reset),
    ];
    let named = names.iter().find_map(|(name, action)| Some((*action, text.strip_prefix(name)?)));
    named.or_else(|| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let lines = number.parse().ok().filter(|lines| *lines > 0)?;
        Some((Action::Jump(lines), rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_jumps_and_blanks_are_read_and_slips_are_failures() {
        let actions = |words: &str| Control::Table(words.to_owned()).actions();
        let read = actions("success = 2 default=ignore\tauth_err=die");
        assert_eq!(read[Code::SUCCESS.0], Action::Jump(2));
        assert_eq!(read[Code::AUTH_ERR.0], Action::Die);
        assert_eq!(read[Code::IGNORE.0], Action::Ignore);
        assert_eq!(actions("success=ok")[Code::IGNORE.0], Action::Bad);
        // The default is for what was not said before it, and may be overruled after it.
        assert_eq!(actions("default=bad ignore=ignore")[Code::IGNORE.0], Action::Ignore);
        for slip in ["succes=ok default=ignore", "success=0", "success", "default=fine", "=ok"] {
            assert_eq!(actions(slip), [Action::Bad; CODES.len()], "{slip}");
            assert!(!Control::Table(slip.to_owned()).is_understood());
        }
    }

    #[test]
    fn requisite_is_what_the_manual_says_it_is() {
        let table = "success=ok new_authtok_reqd=ok ignore=ignore default=die";
        assert_eq!(Control::Requisite.actions(), Control::Table(table.to_owned()).actions());
    }
}
