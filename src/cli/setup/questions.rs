//! What is asked at the terminal.

use crate::cli::terminal::{self, say};
use crate::secret::Secret;

/// How often a question is asked again.
const TRIES: u8 = 5;

/// The person at the terminal, if there is one.
pub struct Questions {
    /// Whether they want to be asked.
    pub asks: bool,
}

impl Questions {
    /// One line; `flag` is what answers it otherwise.
    ///
    /// # Errors
    /// When nobody is there, or nothing is said.
    pub fn ask(&self, question: &str, flag: &str) -> Result<String, String> {
        self.ask_until(question, flag, |typed| match typed {
            "" => Err("nothing was typed".to_owned()),
            typed => Ok(typed.to_owned()),
        })
    }

    /// One line that `judge` likes.
    ///
    /// # Errors
    /// When nobody is there, or it never does.
    pub fn ask_until<T>(
        &self,
        question: &str,
        flag: &str,
        judge: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, String> {
        self.is_there(flag)?;
        for _ in 0..TRIES {
            match judge(read(&format!("{question}: "))?.trim()) {
                Ok(answer) => return Ok(answer),
                Err(reason) => say(format_args!("{reason}.")),
            }
        }
        Err("no answer that could be used".to_owned())
    }

    /// One line that is not shown while it is typed.
    ///
    /// # Errors
    /// When nobody is there, or nothing is said.
    pub fn ask_secret(&self, question: &str, flag: &str) -> Result<Secret, String> {
        self.is_there(flag)?;
        for _ in 0..TRIES {
            let typed = rpassword::prompt_password(format!("{question} (not shown): "))
                .map_err(|error| error.to_string())?;
            if !typed.trim().is_empty() {
                return Ok(Secret::from(typed.trim().to_owned()));
            }
            say("nothing was typed.");
        }
        Err("no answer that could be used".to_owned())
    }

    /// One of several, by its number or its name.
    ///
    /// # Errors
    /// When nobody is there, or none is chosen.
    pub fn choose(
        &self,
        question: &str,
        flag: &str,
        choices: &[(&str, &str)],
    ) -> Result<String, String> {
        self.is_there(flag)?;
        say(question);
        for (index, (name, about)) in choices.iter().enumerate() {
            say(format_args!("{:3}  {name:22} {about}", index + 1));
        }
        self.ask_until("Number or name", flag, |typed| {
            let by_number =
                typed.parse::<usize>().ok().and_then(|n| choices.get(n.checked_sub(1)?));
            let found = by_number.or_else(|| choices.iter().find(|(name, _)| *name == typed));
            found.map(|(name, _)| (*name).to_owned()).ok_or("that is not in the list".to_owned())
        })
    }

    /// Goes on only with a yes, where somebody wants to be asked.
    ///
    /// # Errors
    /// When the answer is no, or nobody is there.
    pub fn confirm(&self, question: &str) -> Result<(), String> {
        if !self.asks {
            return Ok(());
        }
        self.is_there("--yes")?;
        match read(&format!("{question} [Y/n] "))?.trim() {
            "" | "y" | "Y" | "yes" => Ok(()),
            _ => Err("nothing is changed".to_owned()),
        }
    }

    fn is_there(&self, flag: &str) -> Result<(), String> {
        match self.asks && terminal::is_there() {
            true => Ok(()),
            false => Err(format!("nobody is there to ask: say {flag}")),
        }
    }
}

fn read(prompt: &str) -> Result<String, String> {
    let typed = terminal::ask(prompt).map_err(|error| error.to_string())?;
    typed.ok_or_else(|| "the terminal is gone; nothing is changed".to_owned())
}
