//! Where counters stand: in a folder of this host's, or in a store that hosts share.
//!
//! A folder has locks, so a change is read, made and written as the only one at that moment. A store
//! has none: a change is made, and put in the place of what was read if that is still there, else made
//! anew from what is there now. Either way no change is lost, and the code that decides is one.

use zeroize::Zeroizing;

use super::Barrier;
use crate::state::Store;

/// A change of one text: from what is there to what shall be, or nothing where it shall stay. It is
/// made again where another was faster.
pub type Rewrite<'a> =
    &'a mut dyn FnMut(Option<&str>) -> Result<Option<Zeroizing<String>>, Barrier>;

/// What counters are kept on.
#[cfg(feature = "redis")]
pub(super) type Any<'a> = Box<dyn Shelf + 'a>;
/// In the module it is always a folder.
#[cfg(not(feature = "redis"))]
pub(super) type Any<'a> = Store;

/// The shelf that is this folder.
#[cfg(feature = "redis")]
pub(super) fn folder<'a>(store: Store) -> Any<'a> {
    Box::new(store)
}

/// The shelf that is this folder.
#[cfg(not(feature = "redis"))]
pub(super) fn folder(store: Store) -> Store {
    store
}

/// What counters are kept on: texts by name.
pub trait Shelf {
    /// What is kept under `name`, as it is at one moment.
    ///
    /// # Errors
    /// When it is there and cannot be read or believed.
    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, Barrier>;

    /// Changes what is kept under `name`, so that no other change is lost.
    ///
    /// # Errors
    /// When it cannot be changed; that of `change`, if it has one.
    fn rewrite(&self, name: &str, change: Rewrite<'_>) -> Result<(), Barrier>;

    /// Forgets what is kept under `name`, whatever its condition, and says whether there was anything.
    ///
    /// # Errors
    /// When it cannot be removed.
    #[cfg(feature = "redis")]
    fn forget(&self, name: &str) -> Result<bool, Barrier>;

    /// Where the state of `name` stands, for people.
    fn place_of(&self, name: &str) -> String;

    /// What numbers are hashed with, where that is not this host's own key.
    fn key(&self) -> Option<&str> {
        None
    }
}

impl Shelf for Store {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, Barrier> {
        Ok(Self::read(self, name)?)
    }

    fn rewrite(&self, name: &str, change: Rewrite<'_>) -> Result<(), Barrier> {
        self.update(name, |old| change(old).map(|new| ((), new)))
    }

    #[cfg(feature = "redis")]
    fn forget(&self, name: &str) -> Result<bool, Barrier> {
        Ok(Self::forget(self, name)?)
    }

    fn place_of(&self, name: &str) -> String {
        self.path_of(name).display().to_string()
    }
}

#[cfg(feature = "redis")]
impl<S: Shelf + ?Sized> Shelf for &S {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, Barrier> {
        (**self).read(name)
    }

    fn rewrite(&self, name: &str, change: Rewrite<'_>) -> Result<(), Barrier> {
        (**self).rewrite(name, change)
    }

    fn forget(&self, name: &str) -> Result<bool, Barrier> {
        (**self).forget(name)
    }

    fn place_of(&self, name: &str) -> String {
        (**self).place_of(name)
    }

    fn key(&self) -> Option<&str> {
        (**self).key()
    }
}
