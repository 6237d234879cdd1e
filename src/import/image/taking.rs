//! The files of a version, taken out of the layers that have them.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use crate::artifact::pack::FilePath;
use crate::import::ImportError;
use crate::import::tar::Kind;
use crate::import::unpack::{Archive, write};
use crate::platform::atomic::{self, FileError};

/// Writes those entries of a layer that are `wanted` to their places below `folder`.
///
/// # Errors
/// If the layer can't be read or hasn't one of them any more, or a file can't be written.
pub(super) fn take(
    archive: Archive<'_>,
    wanted: &HashMap<String, Vec<FilePath>>,
    folder: &Path,
) -> Result<(), ImportError> {
    let place = archive.place.clone();
    let mut found = BTreeSet::new();
    archive.each(|entry, content| {
        let Some([first, others @ ..]) = wanted.get(&entry.path).map(Vec::as_slice) else {
            return Ok(());
        };
        if entry.kind != Kind::File {
            return Ok(());
        }
        // An archive may have one name twice: the later one counts.
        if !found.insert(entry.path.clone()) {
            for path in std::iter::once(first).chain(others) {
                atomic::remove(&path.below(folder))?;
            }
        }
        write(&place, content, first, folder)?;
        for other in others {
            let copy = other.below(folder);
            if let Some(above) = copy.parent() {
                atomic::create_folder(above)?;
            }
            fs::hard_link(first.below(folder), &copy).map_err(FileError::at("write", &copy))?;
        }
        Ok(())
    })?;
    match wanted.keys().find(|path| !found.contains(*path)) {
        None => Ok(()),
        Some(path) => Err(ImportError::Changed {
            place,
            file: path.clone(),
            reason: "it is not there any more".to_owned(),
        }),
    }
}
