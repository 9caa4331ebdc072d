//! Files as they are and as they shall be.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One file, before and after; nothing where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where.
    pub path: PathBuf,
    /// What it holds now.
    pub before: Option<String>,
    /// What it shall hold.
    pub after: Option<String>,
    /// Its permissions.
    pub mode: u32,
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
        Ok((before != after).then_some(Self { path, before, after, mode }))
    }

    /// The same for a file that is only root's to read, whatever it was before.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn private(path: impl Into<PathBuf>, after: String) -> Result<Option<Self>, String> {
        let change = Self::to(path, Some(after))?;
        Ok(change.map(|change| Self { mode: 0o600, ..change }))
    }

    /// The way back.
    #[must_use]
    pub fn back(&self) -> Self {
        let Self { path, before, after, mode } = self.clone();
        Self { path, before: after, after: before, mode }
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

    /// Writes what shall be. What somebody has written since `before` was read is kept beside it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn apply(&self) -> Result<(), String> {
        let now = read(&self.path)?;
        if now == self.after {
            return Ok(());
        }
        if let Some(theirs) = now.filter(|now| Some(now) != self.before.as_ref()) {
            let mut saved = self.path.clone().into_os_string();
            saved.push(".pam-sms-saved~");
            write(Path::new(&saved), &theirs, self.mode)?;
        }
        match &self.after {
            Some(text) => write(&self.path, text, self.mode),
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
    let failed: Vec<String> = plan.rev().filter_map(|change| change.back().apply().err()).collect();
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

/// Replaces a file at once: whoever reads it sees the old text or the new one.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let mut new = path.to_owned().into_os_string();
    new.push(".pam-sms-new~");
    let new = PathBuf::from(new);
    // A name that ends in `~` is nobody's profile, service or configuration.
    let written = || {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        }
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    written().map_err(|error| about(path, &error))
}

fn about(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
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
        change.back().apply().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n\ttwo");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(Change::to(&path, Some("one\n\ttwo".to_owned())), Ok(None));

        let new = folder.path().join("new");
        let change = Change::to(&new, Some("x".to_owned())).unwrap().unwrap();
        change.apply().unwrap();
        change.back().apply().unwrap();
        assert!(!new.exists());
    }

    #[test]
    fn what_somebody_else_wrote_is_kept_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sshd");
        fs::write(&path, "old\n").unwrap();
        let change = Change::to(&path, Some("new\n".to_owned())).unwrap().unwrap();
        change.apply().unwrap();
        fs::write(&path, "theirs\n").unwrap();
        change.back().apply().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
        let saved = folder.path().join("sshd.pam-sms-saved~");
        assert_eq!(fs::read_to_string(saved).unwrap(), "theirs\n");
    }
}
