//! One person's line in a users file, changed so that everything else stays as it was written.

use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value};

use super::{PhoneNumber, Record};

/// A users file as an admin wrote it.
pub struct UsersFile {
    document: DocumentMut,
    /// Whether lines end as on Windows, which the editor does not keep.
    has_crlf: bool,
}

impl UsersFile {
    /// Reads it.
    ///
    /// # Errors
    /// In words, when it is not TOML.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed: Result<DocumentMut, toml_edit::TomlError> = text.parse();
        let document = parsed.map_err(|error| error.message().to_owned())?;
        let ends = text.matches('\n').count();
        Ok(Self { document, has_crlf: ends > 0 && text.matches("\r\n").count() == ends })
    }

    /// Gives `user` this record: a line that is there keeps its place, its comment and its form.
    pub fn set(&mut self, user: &str, record: &Record) {
        if let Some(table) = self.document.get_mut(user).and_then(Item::as_table_like_mut) {
            return fill(table, record);
        }
        let value = match record {
            Record { phones, language: None, provider: None, voice: false }
                if phones.len() == 1 =>
            {
                Value::from(phones[0].as_e164())
            }
            _ => {
                let mut table = InlineTable::new();
                fill(&mut table, record);
                Value::InlineTable(table)
            }
        };
        let is_first = self.document.is_empty();
        replace(self.document.as_table_mut(), user, value);
        let head = self.document.trailing().as_str().unwrap_or_default().trim_end().to_owned();
        if is_first && !head.is_empty() {
            // A file of comments only: they are about all who are to come, and stay above them.
            self.document.set_trailing("");
            self.put_above(user, head + "\n\n");
        }
    }

    /// Whether it has a line of `user`.
    pub fn holds(&self, user: &str) -> bool {
        self.document.contains_key(user)
    }

    /// Takes the line of `user` away, with the comments right above it, and says whether there was one.
    /// Comments with an empty line below them are about more than this person and stay.
    pub fn remove(&mut self, user: &str) -> bool {
        let names: Vec<_> = self.document.iter().map(|(name, _)| name.to_owned()).collect();
        let Some(place) = names.iter().position(|name| name == user) else { return false };
        let above = self.above(user);
        let stays = above.rfind("\n\n").map(|end| above[..end + 2].to_owned()).unwrap_or_default();
        self.document.remove(user);
        match names.get(place + 1).filter(|_| !stays.is_empty()) {
            Some(next) => self.put_above(next, stays),
            None if !stays.is_empty() => {
                let end = stays + self.document.trailing().as_str().unwrap_or_default();
                self.document.set_trailing(end);
            }
            None => {}
        }
        true
    }

    /// The blanks and comments before a line or a table.
    fn above(&self, name: &str) -> String {
        let decor = match self.document.get(name) {
            Some(Item::Table(table)) => Some(table.decor()),
            _ => self.document.as_table().key(name).map(toml_edit::Key::leaf_decor),
        };
        let above = decor.and_then(|decor| decor.prefix()).and_then(|prefix| prefix.as_str());
        above.unwrap_or_default().to_owned()
    }

    fn put_above(&mut self, name: &str, text: String) {
        let text = text + &self.above(name);
        match self.document.get_mut(name) {
            Some(Item::Table(table)) => table.decor_mut().set_prefix(text),
            _ => {
                if let Some(mut key) = self.document.as_table_mut().key_mut(name) {
                    key.leaf_decor_mut().set_prefix(text);
                }
            }
        }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let text = self.document.to_string();
        if self.has_crlf { text.replace('\n', "\r\n") } else { text }
    }
}

/// A file that holds one record.
///
/// # Errors
/// In words, when `old` is not TOML.
pub fn own_file(old: &str, record: &Record) -> Result<String, String> {
    let mut file = UsersFile::parse(old)?;
    fill(file.document.as_table_mut(), record);
    Ok(file.text())
}

fn fill(table: &mut dyn TableLike, record: &Record) {
    let phones: Array = record.phones.iter().map(PhoneNumber::as_e164).collect();
    replace(table, "phones", Value::Array(phones));
    for (key, value) in [("language", &record.language), ("provider", &record.provider)] {
        match value {
            Some(value) => replace(table, key, Value::from(value.as_str())),
            None => drop(table.remove(key)),
        }
    }
    match record.voice {
        true => replace(table, "voice", Value::from(true)),
        false => drop(table.remove("voice")),
    }
}

/// A value in the place of another keeps the blanks and the comment around it.
fn replace(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        _ => drop(table.insert(key, Item::Value(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# our people\n\nbob = { phones = [\"+447700900123\"], language = \"en\" } # on call\n\
                        # the boss\nalice=\"+4915123456789\"   # new phone in May\n\n[carol]\n\
                        phones = [\"+14155550123\"] # hers\n# the end\n";

    fn record(phone: &str, language: Option<&str>) -> Record {
        let language = language.map(str::to_owned);
        Record { language, ..vec![phone.parse().unwrap()].into() }
    }

    fn changed(change: impl FnOnce(&mut UsersFile)) -> String {
        let mut file = UsersFile::parse(FILE).unwrap();
        change(&mut file);
        file.text()
    }

    #[test]
    fn what_is_not_changed_stays_byte_for_byte() {
        assert_eq!(changed(|_| {}), FILE);
        let new = "+4915123456700";
        let text = changed(|file| file.set("alice", &record(new, None)));
        assert_eq!(text, FILE.replace("+4915123456789", new));
        let text = changed(|file| file.set("carol", &record(new, None)));
        assert_eq!(text, FILE.replace("+14155550123", new));
        let text = changed(|file| file.set("bob", &record("+447700900123", Some("en"))));
        assert_eq!(text, FILE);
    }

    #[test]
    fn a_line_becomes_a_table_when_it_must_and_new_lines_stand_before_tables() {
        let text = changed(|file| file.set("alice", &record("+4915123456789", Some("de"))));
        let line =
            "alice={ phones = [\"+4915123456789\"], language = \"de\" }   # new phone in May\n";
        assert!(text.contains(line), "{text}");
        let text = changed(|file| file.set("john doe", &record("+14155550124", None)));
        let (before, after) = text.split_once("\"john doe\" = \"+14155550124\"\n").unwrap();
        assert!(before.contains("alice=") && after.contains("[carol]"), "{text}");
    }

    #[test]
    fn who_is_removed_leaves_nothing_and_the_others_stay() {
        let text = changed(|file| assert!(file.remove("alice")));
        assert!(!text.contains("alice") && !text.contains("new phone"), "{text}");
        assert!(text.contains("on call") && text.contains("# hers\n# the end\n"), "{text}");
        let text = changed(|file| assert!(file.remove("bob")));
        assert_eq!(text, format!("# our people\n\n{}", &FILE[FILE.find("# the boss").unwrap()..]));
        let text = changed(|file| assert!(file.remove("carol")));
        assert!(text.ends_with("# the end\n") && text.contains("the boss"), "{text}");
        assert!(!UsersFile::parse(FILE).unwrap().remove("dave"));
    }

    #[test]
    fn files_are_taken_as_they_are_written() {
        let set = |text: &str, user: &str| {
            let mut file = UsersFile::parse(text).unwrap();
            file.set(user, &record("+4915123456700", None));
            file.text()
        };
        let line = "alice = \"+4915123456700\"";
        for (before, user, after) in [
            ("", "alice", format!("{line}\n")),
            ("bob = \"+14155550123\"", "alice", format!("bob = \"+14155550123\"\n{line}\n")),
            ("# nobody yet\n", "alice", format!("# nobody yet\n\n{line}\n")),
            (
                "alice.phones = [\"+1415555\"] # x\n",
                "alice",
                "alice.phones = [\"+4915123456700\"] # x\n".to_owned(),
            ),
            ("", "john.doe", "\"john.doe\" = \"+4915123456700\"\n".to_owned()),
            (
                "'alice'='+1' # x\r\nbob='+2'\r\n",
                "alice",
                "'alice'=\"+4915123456700\" # x\r\nbob='+2'\r\n".to_owned(),
            ),
            ("alice = 49151\n", "alice", format!("{line}\n")),
        ] {
            assert_eq!(set(before, user), after, "{before:?}");
        }
    }
}
