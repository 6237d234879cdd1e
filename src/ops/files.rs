//! A snapshot of a yard as the files that a check is handed.

use super::cores::Cores;
use crate::check::layout::{Use, use_of};
use crate::check::spread::Spread;
use crate::check::{File, Files};
use crate::yard::{Snapshot, YardError};

/// Reads every file of `snapshot` where a record lies; of the others only that they are there.
///
/// It blocks: call it where that is allowed.
///
/// # Errors
/// If git or the disk can't be read. Links and files that are too large are no error here: the
/// check tells of them with their place.
pub fn files(snapshot: &Snapshot) -> Result<Files, YardError> {
    let read = |path: String| Ok(file(snapshot, &path)?.map(|file| (path, file)));
    let read = Cores.spread(snapshot.paths()?, read).into_iter();
    read.filter_map(Result::transpose).collect()
}

/// What is at `path`; `None` if it went away meanwhile.
pub(super) fn file(snapshot: &Snapshot, path: &str) -> Result<Option<File>, YardError> {
    if !matches!(use_of(path), Use::Record(_)) {
        return Ok(Some(File::Unread));
    }
    match snapshot.read(path) {
        Ok(bytes) => Ok(bytes.map(File::Text)),
        Err(YardError::FileTooLarge { size_bytes, .. }) => Ok(Some(File::TooLarge { size_bytes })),
        Err(YardError::NotAFile { what, .. }) if what.is_link() => Ok(Some(File::Link)),
        Err(YardError::NotAFile { .. } | YardError::BadPath { .. }) => Ok(Some(File::Unread)),
        Err(error) => Err(error),
    }
}
