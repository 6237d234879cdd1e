//! A snapshot of a yard as the files that a check is handed.

use crate::check::{File, Files};
use crate::yard::{Snapshot, YardError};

/// Reads every file of `snapshot` that may be a record; of the others only that they are there.
///
/// It blocks: call it where that is allowed.
///
/// # Errors
/// If git or the disk can't be read. Links and files that are too large are no error here: the
/// check tells of them with their place.
pub fn files(snapshot: &Snapshot) -> Result<Files, YardError> {
    let paths = snapshot.paths()?;
    paths
        .into_iter()
        .map(|path| {
            let file = read(snapshot, &path)?;
            Ok((path, file))
        })
        .collect()
}

fn read(snapshot: &Snapshot, path: &str) -> Result<File, YardError> {
    if !path.ends_with(".yaml") {
        return Ok(File::Unread);
    }
    match snapshot.read(path) {
        Ok(Some(bytes)) => Ok(File::Text(bytes)),
        Ok(None) => Ok(File::Unread),
        Err(YardError::FileTooLarge { size_bytes, .. }) => Ok(File::TooLarge { size_bytes }),
        Err(YardError::NotAFile { .. }) => Ok(File::Link),
        Err(other) => Err(other),
    }
}
