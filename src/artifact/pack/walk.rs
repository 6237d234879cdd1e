//! Which files of a folder are packed.

use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::claims::Claims;
use super::error::PackError;
use super::left_out::{Ignores, LeftOut};
use super::path::FilePath;
use crate::artifact::limits::MAX_LAYERS;
use crate::platform::atomic::FileError;

/// The most files and folders that are looked at, left-out ones included, so that a wrong path
/// (`/`, a home) ends soon.
pub(super) const MAX_ENTRIES: usize = 200_000;

/// A file to pack.
#[derive(Debug)]
pub(super) struct Found {
    /// Where it lies in the artifact.
    pub(super) path: FilePath,
    /// Where it lies on the disk.
    pub(super) source: PathBuf,
}

/// What there is to pack, sorted by path, and what is left out.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) files: Vec<Found>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Finds the files below the folder `root`, or just the file `root`.
///
/// # Errors
/// [`PackError`] for the first entry that can neither be packed nor is left out.
pub(super) fn walk(root: &Path) -> Result<Walked, PackError> {
    let metadata = fs::metadata(root).map_err(FileError::at("read", root))?;
    let mut walked = if metadata.is_dir() {
        folder(root)?
    } else {
        let name = root.file_name().unwrap_or(root.as_os_str());
        refuse_special(root, metadata.file_type())?;
        Walked {
            files: vec![Found {
                path: relative(Path::new(name), root)?,
                source: root.to_owned(),
            }],
            left_out: Vec::new(),
        }
    };
    if walked.files.is_empty() {
        return Err(PackError::Empty {
            path: root.to_owned(),
            left_out: walked.left_out.len(),
        });
    }
    walked.files.sort_by(|one, other| one.path.cmp(&other.path));
    let mut claims = Claims::default();
    for file in &walked.files {
        claims.claim(&file.path)?;
    }
    Ok(walked)
}

fn folder(root: &Path) -> Result<Walked, PackError> {
    let real_root = fs::canonicalize(root).map_err(FileError::at("read", root))?;
    let mut ignores = Ignores::new(root);
    let mut walked = Walked {
        files: Vec::new(),
        left_out: Vec::new(),
    };
    let mut entries = WalkDir::new(root).sort_by_file_name().into_iter();
    let mut seen = 0;
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| unreadable(root, error))?;
        seen += 1;
        if seen > MAX_ENTRIES {
            return Err(PackError::TooManyEntries);
        }
        // The root may be a link: whoever names it means the folder.
        let is_root = entry.depth() == 0;
        let is_folder = is_root || entry.file_type().is_dir();
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let why = if is_root {
            None
        } else {
            ignores.leaves_out(entry.path(), entry.depth(), is_folder)
        };
        if let Some(why) = why {
            let slash = if is_folder { "/" } else { "" };
            let path = format!("{}{slash}", below.display());
            walked.left_out.push(LeftOut { path, why });
            if is_folder {
                entries.skip_current_dir();
            }
            continue;
        }
        if is_folder {
            ignores.enter(entry.path(), entry.depth())?;
            continue;
        }
        let file = found(&entry, below, &real_root)?;
        walked.files.push(file);
        if walked.files.len() > MAX_LAYERS {
            return Err(PackError::TooManyFiles);
        }
    }
    Ok(walked)
}

fn found(entry: &DirEntry, below: &Path, real_root: &Path) -> Result<Found, PackError> {
    let path = relative(below, entry.path())?;
    let source = if entry.path_is_symlink() {
        followed(entry.path(), real_root)?
    } else {
        refuse_special(entry.path(), entry.file_type())?;
        entry.path().to_owned()
    };
    Ok(Found { path, source })
}

/// The file within the folder that the link at `path` leads to.
///
/// Such a file is packed as if it stood in the link's place: not every system can make links, and
/// an artifact without them can't lead anywhere.
fn followed(path: &Path, real_root: &Path) -> Result<PathBuf, PackError> {
    let target = fs::read_link(path).map_err(FileError::at("read", path))?;
    let refused = |reason| PackError::Link {
        path: path.to_owned(),
        target: target.clone(),
        reason,
    };
    // Whatever hinders (nothing there, a loop, no permission), there is no file to pack.
    let real = fs::canonicalize(path).map_err(|_| refused("where nothing can be read"))?;
    if !real.starts_with(real_root) {
        return Err(refused("out of the folder"));
    }
    let metadata = fs::metadata(&real).map_err(FileError::at("read", path))?;
    if metadata.is_dir() {
        return Err(refused("a folder"));
    }
    refuse_special(path, metadata.file_type())?;
    Ok(real)
}

fn refuse_special(path: &Path, kind: FileType) -> Result<(), PackError> {
    if kind.is_file() {
        return Ok(());
    }
    Err(PackError::Special {
        path: path.to_owned(),
        kind: name_of(kind),
    })
}

#[cfg(unix)]
fn name_of(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn name_of(_kind: FileType) -> &'static str {
    "a device"
}

/// `below` as an artifact's path, with `/` between its parts whatever the system writes there.
fn relative(below: &Path, whole: &Path) -> Result<FilePath, PackError> {
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    let parts = parts.ok_or_else(|| PackError::NotUtf8 {
        path: whole.to_owned(),
    })?;
    Ok(parts.join("/").parse()?)
}

fn unreadable(root: &Path, error: walkdir::Error) -> FileError {
    let path = error.path().unwrap_or(root).to_owned();
    let source = error
        .into_io_error()
        .unwrap_or_else(|| std::io::Error::other("it leads back to itself"));
    FileError::at("read", path)(source)
}
