//! What is to be done with staged files, written down before it is done.
//!
//! ```text
//! defects/                         the user's folder
//!   notes.txt                      a file of the user's
//!   model.onnx                     the old one, until the new one is renamed over it
//!   .modelyard-pull-x7/
//!     files/model.onnx             the new one
//!     old/model.onnx               the old one once more, by a hard link
//!     journal.json                 {"direction":"forth","files":[{"path":"model.onnx","replaces":true}]}
//! ```
//!
//! Once the journal is there, whoever finds it can bring the folder to the new state by nothing
//! but renames within one disk. Where one of them fails the journal is turned `back`, and from
//! then on leads to the old state. Both ways can be begun again at any point.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::PlaceError;
use super::staging::{self, FILES, Staging};
use crate::artifact::limits::MAX_JOURNAL_BYTES;
use crate::artifact::pack::FilePath;
use crate::platform::atomic::{self, FileError, Readers};

const JOURNAL: &str = "journal.json";
const OLD: &str = "old";

/// Files that are on their way into a folder.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    staging: PathBuf,
    _lock: File,
    plan: Plan,
}

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    direction: Direction,
    files: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Forth,
    Back,
}

#[derive(Debug, Serialize, Deserialize)]
struct Step {
    /// Read with the same care as an artifact's: anybody can lay a folder of this name there.
    #[serde(with = "path_as_text")]
    path: FilePath,
    /// Whether a file stands there, which is kept in `old`.
    replaces: bool,
}

/// Whether a staging folder has a journal.
pub(super) fn is_in(staging: &Path) -> bool {
    staging.join(JOURNAL).exists()
}

/// Brings to their ends the pulls that were killed in `folder`.
pub(super) fn recover(folder: &Path) -> Result<(), PlaceError> {
    for (staging, lock) in staging::abandoned(folder)? {
        if !is_in(&staging) {
            staging::remove(&staging)?;
            continue;
        }
        let path = staging.join(JOURNAL);
        let bytes = atomic::read_at_most(&path, MAX_JOURNAL_BYTES)?;
        let plan = serde_json::from_slice(&bytes)
            .map_err(|error| FileError::at("read", &path)(error.into()))?;
        tracing::warn!(folder = %folder.display(), "brings an interrupted pull to its end");
        let journal = Journal {
            folder: folder.to_owned(),
            staging,
            _lock: lock,
            plan,
        };
        journal.carry_out()?;
    }
    Ok(())
}

impl Journal {
    /// Keeps what is to be replaced, and writes down what is to be done.
    pub(super) fn begin(
        folder: &Path,
        staging: Staging,
        paths: &[&FilePath],
    ) -> Result<Self, PlaceError> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let replaces = keep_old(folder, staging.path(), path)?;
            files.push(Step {
                path: (*path).clone(),
                replaces,
            });
        }
        let plan = Plan {
            direction: Direction::Forth,
            files,
        };
        plan.write(staging.path())?;
        let (staging, lock) = staging.keep();
        Ok(Self {
            folder: folder.to_owned(),
            staging,
            _lock: lock,
            plan,
        })
    }

    /// Does what is written down; where that fails, undoes it and tells why.
    pub(super) fn carry_out(mut self) -> Result<(), PlaceError> {
        let mut failed = None;
        if self.plan.direction == Direction::Forth
            && let Err(error) = self.go_forth()
        {
            self.plan.direction = Direction::Back;
            self.plan.write(&self.staging)?;
            failed = Some(error);
        }
        if self.plan.direction == Direction::Back {
            self.go_back()?;
        }
        atomic::sync_folder(&self.folder)?;
        self.end()?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    fn go_forth(&self) -> Result<(), FileError> {
        for step in &self.plan.files {
            let to = step.path.below(&self.folder);
            if let Some(above) = to.parent() {
                atomic::create_folder(above)?;
            }
            // One that isn't there any more was renamed before we were killed.
            rename(&step.path.below(&self.staging.join(FILES)), &to)?;
        }
        Ok(())
    }

    fn go_back(&self) -> Result<(), FileError> {
        for step in self.plan.files.iter().rev() {
            let place = step.path.below(&self.folder);
            if step.replaces {
                rename(&step.path.below(&self.staging.join(OLD)), &place)?;
            } else if !step.path.below(&self.staging.join(FILES)).exists() {
                unless_missing(fs::remove_file(&place), &place)?;
                self.remove_empty_folders(&place);
            }
        }
        Ok(())
    }

    /// Removes the folders above `place` that we made: those that are empty now.
    fn remove_empty_folders(&self, place: &Path) {
        let above = place.ancestors().skip(1);
        for folder in above.take_while(|folder| *folder != self.folder) {
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }

    /// Forgets the journal first: what is left then is only rubbish.
    fn end(&self) -> Result<(), FileError> {
        let journal = self.staging.join(JOURNAL);
        unless_missing(fs::remove_file(&journal), &journal)?;
        staging::remove(&self.staging)
    }
}

impl Plan {
    fn write(&self, staging: &Path) -> Result<(), FileError> {
        let bytes = serde_json::to_vec(self).expect("a plan's keys are strings");
        atomic::write(&staging.join(JOURNAL), &bytes, Readers::Umask)
    }
}

mod path_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::FilePath;

    pub(super) fn serialize<S: Serializer>(
        path: &FilePath,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(path.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<FilePath, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Keeps the file that stands at `path`, if one does.
fn keep_old(folder: &Path, staging: &Path, path: &FilePath) -> Result<bool, FileError> {
    let place = path.below(folder);
    if fs::symlink_metadata(&place).is_err() {
        return Ok(false);
    }
    let old = path.below(&staging.join(OLD));
    if let Some(above) = old.parent() {
        atomic::create_folder(above)?;
    }
    // Some disks know no hard links.
    fs::hard_link(&place, &old)
        .or_else(|_| fs::copy(&place, &old).map(drop))
        .map_err(FileError::at("keep a copy of", &place))?;
    Ok(true)
}

fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    unless_missing(fs::rename(from, to), to)
}

fn unless_missing(result: io::Result<()>, path: &Path) -> Result<(), FileError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::at("write", path)(error))
        }
        _ => Ok(()),
    }
}
