//! A folder in which files are made ready.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::PlaceError;
use crate::artifact::pack::{FilePath, Mode};
use crate::platform::atomic::{self, FileError};

/// What the names of staging folders begin with.
pub(super) const PREFIX: &str = ".modelyard-pull-";

/// The folder in it that has the files, at their paths.
pub(super) const FILES: &str = "files";

/// A folder `.modelyard-pull-*` with files to come. It is gone when this is dropped.
#[derive(Debug)]
pub struct Staging {
    folder: TempDir,
    files: PathBuf,
    /// Held as long as somebody is at work in it: without a holder it is abandoned.
    lock: File,
}

impl Staging {
    /// Makes one in `parent`.
    pub(super) fn begin(parent: &Path) -> Result<Self, PlaceError> {
        loop {
            let write = || FileError::at("write in", parent);
            let folder = tempfile::Builder::new()
                .prefix(PREFIX)
                .tempdir_in(parent)
                .map_err(write())?;
            let lock = File::open(folder.path()).map_err(write())?;
            lock.lock().map_err(write())?;
            let files = folder.path().join(FILES);
            match fs::create_dir(&files) {
                Ok(()) => {
                    return Ok(Self {
                        folder,
                        files,
                        lock,
                    });
                }
                // Another pull took it for abandoned before we held it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(write()(error).into()),
            }
        }
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the files are made ready.
    pub fn files(&self) -> &Path {
        &self.files
    }

    /// Makes the empty file `path`, with its folders, and gives its place.
    ///
    /// # Errors
    /// If it can't be made, or is there.
    pub fn create(&self, path: &FilePath, mode: Mode) -> Result<(PathBuf, File), FileError> {
        let place = path.below(&self.files);
        if let Some(folder) = place.parent() {
            atomic::create_folder(folder)?;
        }
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(mode.bits());
        }
        #[cfg(not(unix))]
        let _ = mode;
        let file = options
            .open(&place)
            .map_err(FileError::at("write", &place))?;
        Ok((place, file))
    }

    /// Flushes the files and their names to the disk.
    pub(super) fn flush(&self) -> Result<(), PlaceError> {
        for entry in walkdir::WalkDir::new(&self.files) {
            let entry = entry.map_err(|error| {
                let read = FileError::at("read", &self.files);
                read(error.into())
            })?;
            let path = entry.path();
            if entry.file_type().is_dir() {
                atomic::sync_folder(path)?;
            } else {
                let file = File::options().write(true).open(path);
                let flushed = file.and_then(|file| file.sync_all());
                flushed.map_err(FileError::at("write", path))?;
            }
        }
        Ok(())
    }

    /// Leaves the folder where it is: its journal says what becomes of it.
    pub(super) fn keep(self) -> (PathBuf, File) {
        (self.folder.keep(), self.lock)
    }
}

/// The staging folders in `parent` that nobody is at work in.
pub(super) fn abandoned(parent: &Path) -> Result<Vec<(PathBuf, File)>, FileError> {
    let read = || FileError::at("read", parent);
    let mut found = Vec::new();
    for entry in fs::read_dir(parent).map_err(read())? {
        let entry = entry.map_err(read())?;
        let ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if ours
            && is_folder
            && let Ok(folder) = File::open(entry.path())
            && folder.try_lock().is_ok()
        {
            found.push((entry.path(), folder));
        }
    }
    Ok(found)
}

/// Removes what killed pulls left in `parent`.
pub(super) fn sweep(parent: &Path) -> Result<(), FileError> {
    for (folder, _lock) in abandoned(parent)? {
        // With a journal it belongs to the folder that it is in, and to the next pull into that.
        if !super::journal::is_in(&folder) {
            remove(&folder)?;
        }
    }
    Ok(())
}

/// Removes a staging folder.
pub(super) fn remove(folder: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::at("remove", folder)(error))
        }
        _ => Ok(()),
    }
}
