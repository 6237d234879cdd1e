//! Putting an artifact's files into a user's folder: all of them or none.
//!
//! Files are staged first, in a folder `.modelyard-pull-*` of their own, whole and verified. Then
//! they get their places:
//!
//! - A folder that isn't there, or is empty, becomes the staged one by a single rename. Nothing
//!   of the user's is at stake, so nobody waits for the disk: what a loss of power in the next
//!   seconds takes away, the next pull into it finds missing.
//! - Into a folder with other files they are renamed one by one, after all of them were flushed
//!   to the disk, since they may replace others. What is to be done is written down before (`journal`), so that whoever is killed in the middle leaves a folder that the
//!   next pull into it brings to its end before it does anything else. Every single file is the
//!   old one or the new one at any time.
//!
//! Nobody else's file is deleted, and none is overwritten unless its owner says so. Links in the
//! folder are never followed. Everything here blocks.

mod compare;
mod error;
mod journal;
mod staging;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub use compare::State;
pub use error::PlaceError;
pub use staging::Staging;

use self::journal::Journal;
use super::pack::{FilePath, LayerFile};
use crate::platform::atomic::{self, FileError};

/// A folder that files are to be put into.
#[derive(Debug)]
pub struct Destination {
    folder: PathBuf,
    form: Form,
    /// Held while we look at the folder and change it.
    _lock: Option<File>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It isn't there, or is empty, and can be replaced as a whole.
    Whole,
    /// It is filled, or has to stay the folder that it is.
    Filled,
}

impl Destination {
    /// Looks at `folder`, and brings to its end what a killed pull began there.
    ///
    /// `current` is where the user stands: that folder is never replaced by another one, empty
    /// or not.
    ///
    /// # Errors
    /// [`PlaceError::NotAFolder`], [`PlaceError::Busy`], or that it can't be read.
    pub fn prepare(folder: &Path, current: &Path) -> Result<Self, PlaceError> {
        // What is left beside it is in nobody's way; whoever can't look there needs not.
        let _ = staging::sweep(parent_of(folder));
        let found = match fs::metadata(folder) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    folder: folder.to_owned(),
                    form: Form::Whole,
                    _lock: None,
                });
            }
            Err(error) => return Err(FileError::at("read", folder)(error).into()),
        };
        if !found.is_dir() {
            return Err(PlaceError::NotAFolder {
                path: folder.to_owned(),
            });
        }
        // Its own name, so that its parent is found, and no link to it is replaced.
        let read = FileError::at("read", folder);
        let folder = folder.canonicalize().map_err(read)?;
        let lock = lock(&folder)?;
        journal::recover(&folder)?;
        let stays = current
            .canonicalize()
            .is_ok_and(|current| current == folder);
        let form = if stays || is_mounted(&folder) || !is_empty(&folder)? {
            Form::Filled
        } else {
            Form::Whole
        };
        Ok(Self {
            folder,
            form,
            _lock: Some(lock),
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells of each file whether it is there already; every byte of those is read.
    ///
    /// # Errors
    /// [`PlaceError::Reserved`] for a name of ours; [`PlaceError::InTheWay`] if something else stands in a file's place or above it, which no
    /// user's word removes.
    pub fn compare(&self, files: &[LayerFile]) -> Result<Vec<State>, PlaceError> {
        for file in files {
            if file.path.as_str().starts_with(staging::PREFIX) {
                return Err(PlaceError::Reserved {
                    name: file.path.to_string(),
                });
            }
        }
        let states = files.iter();
        states
            .map(|file| compare::state(&self.folder, file))
            .collect()
    }

    /// A folder to stage files in, on the same disk.
    ///
    /// # Errors
    /// If none can be made.
    pub fn stage(&mut self) -> Result<Staging, PlaceError> {
        if self.form == Form::Whole {
            let parent = parent_of(&self.folder);
            atomic::create_folder(parent)?;
            match Staging::begin(parent) {
                Ok(staging) => return Ok(staging),
                // An empty folder of ours in a place that isn't: a mount, another's home.
                Err(_) if self.folder.is_dir() => self.form = Form::Filled,
                Err(error) => return Err(error),
            }
        }
        Staging::begin(&self.folder)
    }

    /// Puts the staged files, which are `paths`, into their places.
    ///
    /// # Errors
    /// The first file's that can't be put there; then all is as it was before.
    pub fn place(&self, staging: Staging, paths: &[&FilePath]) -> Result<(), PlaceError> {
        if self.form == Form::Filled {
            staging.flush()?;
            return Journal::begin(&self.folder, staging, paths)?.carry_out();
        }
        if self.replace(&staging)? {
            return Ok(());
        }
        // Somebody filled it meanwhile.
        Err(PlaceError::Filled {
            path: self.folder.clone(),
        })
    }

    /// Makes the staged folder the one; `false` if that is no longer missing or empty.
    fn replace(&self, staging: &Staging) -> Result<bool, PlaceError> {
        if let Ok(found) = fs::metadata(&self.folder) {
            let mode = fs::set_permissions(staging.files(), found.permissions());
            mode.map_err(FileError::at("write", staging.files()))?;
        }
        match fs::rename(staging.files(), &self.folder) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(FileError::at("write", &self.folder)(error).into()),
        }
    }
}

/// Takes the folder for us alone.
fn lock(folder: &Path) -> Result<File, PlaceError> {
    let opened = File::open(folder).map_err(FileError::at("open", folder))?;
    match opened.try_lock() {
        Ok(()) => Ok(opened),
        Err(fs::TryLockError::WouldBlock) => Err(PlaceError::Busy {
            path: folder.to_owned(),
        }),
        Err(fs::TryLockError::Error(error)) => Err(FileError::at("lock", folder)(error).into()),
    }
}

fn is_empty(folder: &Path) -> Result<bool, PlaceError> {
    let mut entries = fs::read_dir(folder).map_err(FileError::at("read", folder))?;
    Ok(entries.next().is_none())
}

/// Whether another disk begins here, so that nothing can be renamed to it.
fn is_mounted(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
        device(folder) != device(parent_of(folder))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        false
    }
}

fn parent_of(folder: &Path) -> &Path {
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
