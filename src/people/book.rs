//! The places where numbers are kept, for the admin who changes them.
//!
//! A person who is in one of them is changed there, since the first that knows them has them; a new one
//! goes into the folder where the configuration names one or there is no file, else into the file. What
//! is written is written beside the old file and renamed over it, so that a login sees the old or the
//! new one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::edit::{self, UsersFile};
use super::{Places, Record, enrolled, file, folder};
use crate::config::file::{LARGE, SMALL, Trust, list_toml, read};
use crate::config::model::UsersRules;
use crate::config::source::Sources;
use crate::state::{Alone, Durability, Places as State, Store};
use crate::sys::{self, Replacement};

/// A person in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is kept.
    pub record: Record,
    /// The file in which it stands.
    pub path: PathBuf,
    /// Whether the person gave the number at a login.
    pub enrolled: bool,
}

/// All places, held by one process at a time.
pub struct Book {
    places: Places,
    state: State,
    has_file: bool,
    has_folder: bool,
    _lock: Alone,
}

impl Book {
    /// Opens the places of a configuration, and waits for another process that changes them.
    ///
    /// # Errors
    /// In words, when they cannot be used.
    pub fn open(rules: &UsersRules, config: &Path) -> Result<Self, String> {
        let places = Places::of(rules, config);
        let has_file = places.file.try_exists().map_err(|error| about(&places.file, &error))?;
        let has_folder = folder::is_there(&places.folder, places.folder_is_named, Trust::Root)
            .map_err(|e| format!("{e}; make it with `mkdir -m 700 {}`", places.folder.display()))?;
        Ok(Self { places, state: State::default(), has_file, has_folder, _lock: lock()? })
    }

    /// What is kept of `user`, by the place that a login would take it from.
    ///
    /// # Errors
    /// In words, when a place cannot be read.
    pub fn find(&self, user: &str) -> Result<Option<Entry>, String> {
        if let Some(record) = self.in_file(user)? {
            return Ok(Some(entry(record, &self.places.file)));
        }
        if self.has_folder {
            let own = folder::open(&self.places.folder, user, Trust::Root);
            if let Some(sources) = own.map_err(|error| error.to_string())? {
                let record = sources.parse().map_err(|error| error.to_string())?;
                return Ok(Some(entry(record, &self.own_file(user))));
            }
        }
        let record = enrolled::find(&self.state, user).map_err(|error| error.to_string())?;
        let path = self.state.lib.clone();
        Ok(record.map(|record| Entry { record, path, enrolled: true }))
    }

    /// Everybody, by name.
    ///
    /// # Errors
    /// In words, when a place cannot be read.
    pub fn everyone(&self) -> Result<BTreeMap<String, Entry>, String> {
        let mut all = BTreeMap::new();
        // The last place first, so that those before it win.
        for user in enrolled::names(&self.state).map_err(|error| error.to_string())? {
            let found = enrolled::find(&self.state, &user).map_err(|error| error.to_string())?;
            let path = self.state.lib.clone();
            all.extend(found.map(|record| (user, Entry { record, path, enrolled: true })));
        }
        if self.has_folder {
            let paths = list_toml(&self.places.folder, Trust::Root).map_err(|e| e.to_string())?;
            for path in paths {
                let sources = folder::read(&path, Trust::Root).map_err(|e| e.to_string())?;
                let record = sources.parse().map_err(|error| error.to_string())?;
                all.insert(folder::name_of(&path), entry(record, &path));
            }
        }
        if let Some(sources) = self.file()? {
            let listed = file::all(&sources).map_err(|error| error.to_string())?;
            all.extend(listed.into_iter().map(|(u, record)| (u, entry(record, &self.places.file))));
        }
        Ok(all)
    }

    /// Keeps these records, all or, where the users file holds them, none. A number that one of these
    /// people gave themselves is forgotten.
    ///
    /// # Errors
    /// In words, when they cannot be kept.
    pub fn set(&self, records: &[(String, Record)]) -> Result<(), String> {
        let mut users_file = self.users_file()?;
        let mut is_changed = false;
        let mut own_files = Vec::new();
        for (user, record) in records {
            let own = self.own_file(user);
            let into_folder = self.has_folder
                && !users_file.holds(user)
                && (own.exists()
                    || self.places.folder_is_named
                    || !(self.has_file || self.places.file_is_named));
            if into_folder {
                let old = if own.exists() { text(&own, SMALL)? } else { String::new() };
                let new = edit::own_file(&old, record).map_err(|said| about(&own, &said))?;
                own_files.push((own, new));
            } else {
                users_file.set(user, record);
                is_changed = true;
            }
        }
        // Judged as a login would, before anything is written.
        for (path, text) in &own_files {
            let judged: Result<Record, _> = judged(path, text).parse();
            judged.map_err(|error| error.to_string())?;
        }
        if is_changed {
            let text = users_file.text();
            if text.len() as u64 > LARGE {
                let said = "so many people are too many for one file: name a `[users] directory`";
                return Err(about(&self.places.file, &said));
            }
            let sources = judged(&self.places.file, &text);
            let users: Vec<_> = records.iter().map(|(user, _)| user.as_str()).collect();
            file::judge(&sources, &users).map_err(|error| error.to_string())?;
            write(&self.places.file, &text)?;
        }
        for (path, text) in own_files {
            write(&path, &text)?;
        }
        for (user, _) in records {
            enrolled::forget(&self.state, user).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Takes `user` out of every place, and says from which.
    ///
    /// # Errors
    /// In words, when a place cannot be changed.
    pub fn remove(&self, user: &str) -> Result<Vec<String>, String> {
        let mut from = Vec::new();
        if self.has_file {
            let mut file = self.users_file()?;
            if file.remove(user) {
                write(&self.places.file, &file.text())?;
                from.push(format!("the line in {}", self.places.file.display()));
            }
        }
        let own = self.own_file(user);
        if self.has_folder && own.symlink_metadata().is_ok() {
            fs::remove_file(&own).map_err(|error| about(&own, &error))?;
            sync(&self.places.folder).map_err(|error| about(&own, &error))?;
            from.push(own.display().to_string());
        }
        if enrolled::forget(&self.state, user).map_err(|error| error.to_string())? {
            from.push("the number given at a login".to_owned());
        }
        Ok(from)
    }

    fn in_file(&self, user: &str) -> Result<Option<Record>, String> {
        let Some(sources) = self.file()? else { return Ok(None) };
        file::find(&sources, user).map_err(|error| error.to_string())
    }

    fn file(&self) -> Result<Option<Sources>, String> {
        // One that the configuration names and that is not there yet is made by the first person.
        file::open(&self.places.file, false, Trust::Root).map_err(|error| error.to_string())
    }

    fn users_file(&self) -> Result<UsersFile, String> {
        let path = &self.places.file;
        let old = if self.has_file { text(path, LARGE)? } else { String::new() };
        UsersFile::parse(&old).map_err(|said| about(path, &said))
    }

    fn own_file(&self, user: &str) -> PathBuf {
        folder::path_of(&self.places.folder, user)
    }
}

fn entry(record: Record, path: &Path) -> Entry {
    Entry { record, path: path.to_owned(), enrolled: false }
}

fn judged(path: &Path, text: &str) -> Sources {
    Sources::from_text(&path.display().to_string(), text)
}

fn text(path: &Path, limit: u64) -> Result<String, String> {
    let contents = read(path, limit, Trust::Root).map_err(|error| error.to_string())?;
    Ok(contents.text.to_string())
}

/// The lock stands where only root can take it: anybody could hold one on a folder that they can read.
fn lock() -> Result<Alone, String> {
    Store::new(&State::default().lib, Durability::Process).alone("users").map_err(|error| {
        match error {
            error if error.is_busy() => "another pam-sms is changing numbers: try again".to_owned(),
            error => error.to_string(),
        }
    })
}

/// Writes a whole file in the place of another.
fn write(path: &Path, text: &str) -> Result<(), String> {
    // Not `.toml`: a login that lists the folder must not take it for a person.
    let new = path.with_extension("toml.new");
    let how = Replacement { beside: &new, mode: 0o600, owner: Some((0, 0)), is_durable: true };
    sys::replace(path, text, &how).map_err(|error| about(path, &error))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn about(path: &Path, said: &impl ToString) -> String {
    format!("{}: {}", path.display(), said.to_string())
}
