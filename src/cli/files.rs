//! Files as they are and as they shall be.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::terminal::complain;
use crate::sys::{self, Replacement};

/// One file, before and after; nothing where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where.
    pub path: PathBuf,
    /// What it holds now.
    pub before: Option<String>,
    /// What it shall hold.
    pub after: Option<String>,
    /// Its permissions then.
    pub mode: u32,
    /// Its permissions now, where they are others.
    #[serde(default)]
    pub mode_before: Option<u32>,
}

impl Change {
    /// From what is there to `after`; nothing, where that is the same.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn to(path: impl Into<PathBuf>, after: Option<String>) -> Result<Option<Self>, String> {
        let path = path.into();
        let before = read(&path)?;
        let mode = fs::metadata(&path).map_or(0o644, |meta| meta.mode() & 0o7777);
        Ok((before != after).then_some(Self { path, before, after, mode, mode_before: None }))
    }

    /// The same for a file that is only root's to read, whatever it was before.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn private(path: impl Into<PathBuf>, after: String) -> Result<Option<Self>, String> {
        let change = Self::to(path, Some(after))?;
        Ok(change.map(|change| Self { mode: 0o600, mode_before: Some(change.mode), ..change }))
    }

    /// The way back.
    #[must_use]
    pub fn back(&self) -> Self {
        let Self { path, before, after, mode, .. } = self.clone();
        let mode_before = self.mode_before.map(|_| mode);
        Self { path, before: after, after: before, mode: self.old_mode(), mode_before }
    }

    fn old_mode(&self) -> u32 {
        self.mode_before.unwrap_or(self.mode)
    }

    /// The difference, for people.
    #[must_use]
    pub fn diff(&self) -> String {
        let path = self.path.display().to_string();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let name = |text: &Option<String>| match text {
            Some(_) => path.clone(),
            None => "/dev/null".to_owned(),
        };
        let (before, after) = (text(&self.before), text(&self.after));
        similar::TextDiff::from_lines(&before, &after)
            .unified_diff()
            .context_radius(2)
            .header(&name(&self.before), &name(&self.after))
            .to_string()
    }

    /// Writes what shall be.
    ///
    /// # Errors
    /// When the file cannot be written, or somebody has written it since `before` was read: what they
    /// meant was not looked at.
    pub fn apply(&self) -> Result<(), String> {
        match read(&self.path)? {
            now if now == self.after => Ok(()),
            now if now == self.before => self.put(&self.after, self.mode),
            _ => Err(format!(
                "{}: somebody has changed it meanwhile: look at it, and run this again",
                self.path.display()
            )),
        }
    }

    /// Writes what was. What somebody has written meanwhile is kept beside it, and said.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take_back(&self) -> Result<(), String> {
        let now = read(&self.path)?;
        if now == self.before {
            return Ok(());
        }
        if let Some(theirs) = now.filter(|now| Some(now) != self.after.as_ref()) {
            let saved = with_ending(&self.path, ".pam-sms-saved~");
            write(&saved, &theirs, self.mode)?;
            complain(format_args!(
                "warning: {} was changed meanwhile; what it held is kept as {}",
                self.path.display(),
                saved.display()
            ));
        }
        self.put(&self.before, self.old_mode())
    }

    fn put(&self, text: &Option<String>, mode: u32) -> Result<(), String> {
        match text {
            Some(text) => write(&self.path, text, mode),
            None => match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(about(&self.path, &error))
                }
                _ => Ok(()),
            },
        }
    }
}

/// Writes all of a plan.
///
/// # Errors
/// At the first file that cannot be written.
pub fn write_all(plan: &[Change]) -> Result<(), String> {
    plan.iter().try_for_each(Change::apply)
}

/// Takes all of a plan back, the last change first, and goes on where one cannot be.
///
/// # Errors
/// With those that cannot.
pub fn take_all_back<'a>(plan: impl DoubleEndedIterator<Item = &'a Change>) -> Result<(), String> {
    let failed: Vec<String> = plan.rev().filter_map(|change| change.take_back().err()).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// The text of a file, nothing where there is none.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(about(path, &error)),
    }
}

/// Replaces a file of the configuration at once: whoever reads it sees the old text or the new one. A link
/// stays one, and the file it leads to keeps its owner.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let owner = fs::metadata(&path).ok().map(|meta| (meta.uid(), meta.gid()));
    put(&path, text, mode, owner)
}

/// The same where the folder may be somebody else's: a link that they have put there is replaced and
/// never followed.
///
/// # Errors
/// When it cannot be written.
pub fn write_anew(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    put(path, text, mode, None)
}

fn put(path: &Path, text: &str, mode: u32, owner: Option<(u32, u32)>) -> Result<(), String> {
    // A name that ends in `~` is nobody's profile, service or configuration.
    let new = with_ending(path, ".pam-sms-new~");
    let written = || {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        }
        sys::replace(path, text, &Replacement { beside: &new, mode, owner, is_durable: true })
    };
    written().map_err(|error| about(path, &error))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(ending);
    path.into()
}

fn about(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    #[test]
    fn a_change_is_made_and_taken_back_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sshd");
        fs::write(&path, "one\n\ttwo").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let change = Change::to(&path, Some("one\nthree\n".to_owned())).unwrap().unwrap();
        change.apply().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\nthree\n");
        change.take_back().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n\ttwo");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(Change::to(&path, Some("one\n\ttwo".to_owned())), Ok(None));

        let new = folder.path().join("new");
        let change = Change::to(&new, Some("x".to_owned())).unwrap().unwrap();
        change.apply().unwrap();
        change.take_back().unwrap();
        assert!(!new.exists());
    }

    #[test]
    fn a_file_that_was_made_private_gets_its_mode_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        fs::write(&path, "old\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let change = Change::private(&path, "key\n".to_owned()).unwrap().unwrap();
        change.apply().unwrap();
        assert_eq!(mode(), 0o600);
        change.take_back().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), mode()), ("old\n".to_owned(), 0o640));
        // The way back is one that can be gone, and has a way back of its own.
        change.apply().unwrap();
        change.back().apply().unwrap();
        assert_eq!(mode(), 0o640);
        change.back().take_back().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), mode()), ("key\n".to_owned(), 0o600));
    }

    #[test]
    fn what_somebody_else_wrote_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sshd");
        fs::write(&path, "old\n").unwrap();
        let change = Change::to(&path, Some("new\n".to_owned())).unwrap().unwrap();
        fs::write(&path, "theirs\n").unwrap();
        let said = change.apply().unwrap_err();
        assert!(said.contains("somebody has changed it meanwhile"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\n");
        change.take_back().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
        let saved = folder.path().join("sshd.pam-sms-saved~");
        assert_eq!(fs::read_to_string(saved).unwrap(), "theirs\n");
    }

    #[test]
    fn a_link_stays_a_link_and_a_file_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&file, "old\n").unwrap();
        // Somebody else's only where root tests.
        let _ = chown(&file, Some(1), Some(1));
        let owner = |meta: fs::Metadata| (meta.uid(), meta.gid());
        let before = owner(fs::metadata(&file).unwrap());
        symlink("real", &link).unwrap();
        Change::to(&link, Some("new\n".to_owned())).unwrap().unwrap().apply().unwrap();
        assert!(link.is_symlink());
        let other = folder.path().join("other");
        symlink("real", &other).unwrap();
        write_anew(&other, "mine\n", 0o644).unwrap();
        assert!(!other.is_symlink());
        assert_eq!(owner(fs::metadata(&file).unwrap()), before);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");
    }
}
