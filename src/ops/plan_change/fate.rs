//! What becomes of the files of a yard.

use serde::{Deserialize, Serialize};

use crate::yard::{Snapshot, YardError};

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// It was not there.
    Added,
    /// Something else is in it.
    Changed,
    /// It is no more.
    Removed,
}

/// The files that are not what they were in `base`, by path; sorted.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) fn fates(base: &Snapshot, head: &Snapshot) -> Result<Vec<(String, Fate)>, YardError> {
    let mut fates = Vec::new();
    for path in head.differing(base)? {
        let fate = match (state(base, &path)?, state(head, &path)?) {
            (old, new) if old == new => continue,
            (State::Absent, _) => Fate::Added,
            (_, State::Absent) => Fate::Removed,
            _ => Fate::Changed,
        };
        fates.push((path, fate));
    }
    Ok(fates)
}

/// What is at a path.
#[derive(PartialEq)]
enum State {
    Absent,
    File(bytes::Bytes),
    /// What is read by nobody: a link, or something too large.
    Other,
}

fn state(snapshot: &Snapshot, path: &str) -> Result<State, YardError> {
    match snapshot.read(path) {
        Ok(Some(bytes)) => Ok(State::File(bytes)),
        Ok(None) => Ok(State::Absent),
        Err(
            YardError::NotAFile { .. } | YardError::FileTooLarge { .. } | YardError::BadPath { .. },
        ) => Ok(State::Other),
        Err(error) => Err(error),
    }
}
