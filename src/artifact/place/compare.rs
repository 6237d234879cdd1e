//! What stands where a file would go.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::error::PlaceError;
use crate::artifact::pack::LayerFile;
use crate::platform::atomic::FileError;
use crate::record::Digest;

/// How much of a file is read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// What stands where a file would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Missing,
    /// The same bytes.
    Same,
    /// Other bytes, or a link.
    Different,
}

/// What stands in the place of `file` below `folder`.
pub(super) fn state(folder: &Path, file: &LayerFile) -> Result<State, PlaceError> {
    for above in file.path.folders() {
        let path = folder.join(above);
        match look(&path)? {
            None => return Ok(State::Missing),
            Some(found) if found.is_dir() => {}
            Some(found) => {
                return Err(PlaceError::InTheWay {
                    path,
                    found: kind(&found),
                    wanted: "a folder",
                });
            }
        }
    }
    let path = file.path.below(folder);
    match look(&path)? {
        None => Ok(State::Missing),
        Some(found) if found.is_dir() => Err(PlaceError::InTheWay {
            path,
            found: kind(&found),
            wanted: "a file",
        }),
        Some(found) if found.is_file() && found.len() == file.descriptor.size => {
            if digest(&path)? == file.descriptor.digest {
                return Ok(State::Same);
            }
            Ok(State::Different)
        }
        Some(_) => Ok(State::Different),
    }
}

/// What is at `path` itself: a link is one.
fn look(path: &Path) -> Result<Option<Metadata>, PlaceError> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::at("read", path)(error).into()),
    }
}

fn kind(found: &Metadata) -> &'static str {
    if found.is_dir() {
        "a folder"
    } else if found.is_symlink() {
        "a link"
    } else {
        "a file"
    }
}

fn digest(path: &Path) -> Result<Digest, FileError> {
    let read = || FileError::at("read", path);
    let mut file = File::open(path).map_err(read())?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = file.read(&mut chunk).map_err(read())?;
        if length == 0 {
            return Ok(Digest::from_bytes(hasher.finalize().into()));
        }
        hasher.update(&chunk[..length]);
    }
}
