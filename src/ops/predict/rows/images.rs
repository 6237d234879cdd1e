//! Images as rows: each file is one, told by its path within the folder.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use walkdir::{DirEntry, WalkDir};

use super::{ReadRow, Row};
use crate::ops::predict::cell::Cell;
use crate::ops::predict::error::{Flaw, Place, RowError, TableError};
use crate::record::Failure;

/// The ends of the names of images.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

/// What there is in a folder.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// How large the images are together.
    pub(super) bytes: u64,
    /// How many files are none.
    pub(super) left_alone: u64,
    images: u64,
}

/// Counts the images at `path`, a folder or one image.
pub(super) fn find(path: &Path, name: &str) -> Result<Found, Failure> {
    let mut found = Found::default();
    for entry in walk(path) {
        let entry = entry.map_err(|source| TableError::Folder {
            path: path.to_owned(),
            source,
        })?;
        if entry.file_type().is_dir() {
            continue;
        }
        if is_image(&entry) {
            found.images += 1;
            found.bytes += entry.metadata().map_or(0, |about| about.len());
        } else {
            found.left_alone += 1;
        }
    }
    if found.images == 0 {
        return Err(TableError::Empty {
            file: name.to_owned(),
            what: "images",
        }
        .into());
    }
    Ok(found)
}

/// Every file, in an order that is the same each time.
fn walk(path: &Path) -> WalkDir {
    WalkDir::new(path).follow_links(true).sort_by_file_name()
}

/// Whether it is called an image, or was named by itself.
fn is_image(entry: &DirEntry) -> bool {
    let extension = entry
        .path()
        .extension()
        .and_then(|extension| extension.to_str());
    entry.file_type().is_file()
        && (entry.depth() == 0
            || extension.is_some_and(|found| {
                EXTENSIONS
                    .iter()
                    .any(|known| found.eq_ignore_ascii_case(known))
            }))
}

pub(super) struct Reader {
    folder: PathBuf,
    walk: walkdir::IntoIter,
    bytes: u64,
}

impl Reader {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            folder: path.to_owned(),
            walk: walk(path).into_iter(),
            bytes: 0,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<ReadRow>, Failure> {
        let entry = loop {
            match self.walk.next() {
                None => return Ok(None),
                Some(Ok(entry)) if is_image(&entry) => break entry,
                Some(Ok(_)) => {}
                Some(Err(source)) => {
                    return Err(TableError::Folder {
                        path: self.folder.clone(),
                        source,
                    }
                    .into());
                }
            }
        };
        // An image that is named by itself lies in its folder.
        let beneath = match entry.depth() {
            0 => Path::new(entry.file_name()),
            _ => entry
                .path()
                .strip_prefix(&self.folder)
                .unwrap_or(entry.path()),
        };
        let Some(path) = beneath.to_str() else {
            let place = Place::File(beneath.to_string_lossy().into_owned());
            return Ok(Some(Err(RowError {
                place,
                column: None,
                flaw: Flaw::NotUtf8,
            })));
        };
        let about = entry.metadata().ok();
        let bytes = about.as_ref().map_or(0, std::fs::Metadata::len);
        self.bytes += bytes;
        let changed =
            about.and_then(|about| about.modified().ok()?.duration_since(UNIX_EPOCH).ok());
        let changed = changed.unwrap_or_default();
        let cells = vec![
            Cell::Text(path.to_owned()),
            // What tells that another image lies at this path by now.
            Cell::Unsigned(bytes),
            Cell::Unsigned(changed.as_secs()),
            Cell::Unsigned(changed.subsec_nanos().into()),
        ];
        Ok(Some(Ok(Row {
            place: Place::File(path.to_owned()),
            cells,
        })))
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes
    }
}
