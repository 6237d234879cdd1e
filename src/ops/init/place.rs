//! Puts files into a folder, or takes all of them back.

use std::fs;
use std::path::{Path, PathBuf};

use super::InitError;
use super::template::TemplateFile;
use crate::platform::atomic::{self, FileError, Readers, TEMPORARY_PREFIX};
use crate::record::Failure;
use crate::yard::Yard;

/// What one file came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// It was not there.
    Created,
    /// It was there already, with these very bytes.
    Same,
    /// Another file stands there, and was left as it is.
    Kept,
}

/// The files and folders made so far; all are removed again unless [`Placing::keep`] is reached.
#[derive(Debug, Default)]
pub(super) struct Placing {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    repository: Option<PathBuf>,
}

impl Placing {
    /// Makes `folder` and those above it that are missing.
    pub(super) fn folder(&mut self, folder: &Path) -> Result<(), Failure> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).map_err(FileError::at("create the folder", folder))?;
            self.folders.push(folder.to_owned());
        }
        Ok(())
    }

    /// Makes a git repository in `root`, which has none: beside its place first, so that it is
    /// there whole or not at all.
    pub(super) fn repository(&mut self, root: &Path) -> Result<(), Failure> {
        let beside = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .tempdir_in(root)
            .map_err(FileError::at("write in", root))?;
        Yard::create(beside.path())?;
        let git = root.join(".git");
        fs::rename(beside.path().join(".git"), &git).map_err(FileError::at("write", &git))?;
        self.repository = Some(git);
        Ok(atomic::sync_folder(root)?)
    }

    /// Puts `file` under `root`, unless something stands there.
    pub(super) fn file(&mut self, root: &Path, file: &TemplateFile) -> Result<Placed, Failure> {
        let path = root.join(&file.path);
        if let Some(standing) = in_the_way(root, &file.path) {
            return Err(InitError::InTheWay { path: standing }.into());
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) => {
                let same = metadata.is_file()
                    && metadata.len() == file.text.len() as u64
                    && atomic::read_at_most(&path, metadata.len())? == file.text.as_bytes();
                Ok(if same { Placed::Same } else { Placed::Kept })
            }
            Err(_) => {
                self.folder(path.parent().unwrap_or(root))?;
                atomic::write(&path, file.text.as_bytes(), Readers::Umask)?;
                self.files.push(path);
                Ok(Placed::Created)
            }
        }
    }

    /// All went well: nothing is taken back.
    pub(super) fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
        self.repository = None;
    }
}

impl Drop for Placing {
    fn drop(&mut self) {
        // What can't be removed, or was filled by somebody else meanwhile, stays.
        for file in self.files.drain(..).rev() {
            let _ = fs::remove_file(file);
        }
        if let Some(repository) = self.repository.take() {
            let _ = fs::remove_dir_all(repository);
        }
        for folder in self.folders.drain(..).rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The first folder on the way to `path` that is a file or leads elsewhere.
fn in_the_way(root: &Path, path: &str) -> Option<PathBuf> {
    let folders = Path::new(path).parent()?;
    let mut folder = root.to_owned();
    for part in folders.components() {
        folder.push(part);
        match fs::symlink_metadata(&folder) {
            Ok(metadata) if !metadata.is_dir() => return Some(folder),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
    None
}
