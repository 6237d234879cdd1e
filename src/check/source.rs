//! Where a check finds a yard's files, if it does not need them all.

use std::collections::BTreeSet;
use std::fmt::Debug;

use super::files::{File, Files};

/// The files of a yard at one moment, found when they are asked for.
///
/// This room reads nothing itself; whoever can hands in a [`Source`]. What it can't read it gives
/// as [`File::Unread`], and tells whoever made it.
pub trait Source: Debug + Send + Sync {
    /// What lies directly in `folder`; nothing where there is no such folder.
    fn list(&self, folder: &str) -> Listing;
    /// What is at `path`; `None` where no file is.
    fn file(&self, path: &str) -> Option<File>;
}

/// The names of what lies directly in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The folders.
    pub folders: BTreeSet<String>,
    /// All else.
    pub files: BTreeSet<String>,
}

impl Source for Files {
    fn list(&self, folder: &str) -> Listing {
        let mut listing = Listing::default();
        let below = self.iter().filter_map(|(path, _)| {
            let rest = path.strip_prefix(folder)?;
            rest.strip_prefix('/')
        });
        for rest in below {
            match rest.split_once('/') {
                Some((name, _)) => listing.folders.insert(name.to_owned()),
                None => listing.files.insert(rest.to_owned()),
            };
        }
        listing
    }

    fn file(&self, path: &str) -> Option<File> {
        self.get(path).cloned()
    }
}
