//! The result of a run, on the disk.
//!
//! While it grows it is `FILE.partial`, with `FILE.journal` beside it; rows that could not be
//! answered are told in `FILE.errors.jsonl.partial`. Only what the [`Journal`] speaks of counts.
//! At the end the files get their names, the journal goes last, and whoever is killed on the way
//! finds a journal that says that all is there. The lock on `FILE.partial` keeps a second run
//! away.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::ResultError;
use super::format::ResultFormat;
use super::journal::{Column, Journal};
use super::parquet;
use crate::ops::predict::cell::Cell;
use crate::ops::predict::error::{Place, RowError};
use crate::platform::atomic::{self, FileError, sync_folder};
use crate::platform::lock;
use crate::record::{Failure, Fault};

/// A result that grows.
#[derive(Debug)]
pub(super) struct Output {
    places: Places,
    format: ResultFormat,
    partial: File,
    errors: File,
    /// How much of both is written, the journal's or not.
    bytes: u64,
    error_bytes: u64,
    /// Whether a journal is there.
    saved: bool,
}

/// Where everything of a result lies.
#[derive(Debug, Clone)]
struct Places {
    result: PathBuf,
    partial: PathBuf,
    journal: PathBuf,
    errors: PathBuf,
    partial_errors: PathBuf,
}

impl Places {
    fn of(result: &Path) -> Self {
        let beside = |end: &str| {
            let mut name = OsString::from(result);
            name.push(end);
            PathBuf::from(name)
        };
        Self {
            result: result.to_owned(),
            partial: beside(".partial"),
            journal: beside(".journal"),
            errors: beside(".errors.jsonl"),
            partial_errors: beside(".errors.jsonl.partial"),
        }
    }
}

impl Output {
    /// Begins the result at `path`, or goes on where the journal is that comes along.
    ///
    /// # Errors
    /// If it is there already and `restart` is not said, or somebody else is at it.
    pub(super) async fn open(
        path: &Path,
        format: ResultFormat,
        restart: bool,
    ) -> Result<(Self, Option<Journal>), Failure> {
        let places = Places::of(path);
        let is_there = || fs::symlink_metadata(&places.result).is_ok();
        if !restart && !places.journal.exists() && is_there() {
            return Err(ResultError::Exists {
                path: path.to_owned(),
            }
            .into());
        }
        let in_use = || ResultError::InUse {
            path: path.to_owned(),
        };
        let partial = lock::take(&places.partial).await?.ok_or_else(in_use)?;
        // Whoever had the lock before may have given the file its final name meanwhile.
        let ours = partial
            .metadata()
            .map_err(FileError::at("read", &places.partial))?
            .ino();
        if fs::metadata(&places.partial).map(|about| about.ino()).ok() != Some(ours) {
            return Err(in_use().into());
        }
        if restart {
            atomic::remove(&places.journal)?;
        }
        let journal = Journal::read(&places.journal)?;
        let errors = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&places.partial_errors);
        let errors = errors.map_err(FileError::at("write", &places.partial_errors))?;
        let mut output = Self {
            format,
            partial,
            errors,
            bytes: journal.as_ref().map_or(0, |journal| journal.bytes),
            error_bytes: journal.as_ref().map_or(0, |journal| journal.error_bytes),
            saved: journal.is_some(),
            places,
        };
        if journal.as_ref().is_none_or(|journal| !journal.whole) {
            output.cut_off()?;
        }
        Ok((output, journal))
    }

    /// Cuts off what the journal does not speak of.
    fn cut_off(&mut self) -> Result<(), Failure> {
        for (file, path, bytes) in [
            (&mut self.partial, &self.places.partial, self.bytes),
            (
                &mut self.errors,
                &self.places.partial_errors,
                self.error_bytes,
            ),
        ] {
            let about = file.metadata().map_err(FileError::at("read", path))?;
            if about.len() < bytes {
                let what = format!("{} is shorter than its journal says", path.display());
                return Err(ResultError::begun_otherwise(what).into());
            }
            file.set_len(bytes).map_err(FileError::at("write", path))?;
            file.seek(SeekFrom::Start(bytes))
                .map_err(FileError::at("write", path))?;
        }
        Ok(())
    }

    /// Writes what stands before the first row.
    pub(super) fn head(&mut self, columns: &[Column]) -> Result<(), FileError> {
        let head = self.format.head(columns);
        self.append(&head)
    }

    /// Writes rows.
    pub(super) fn rows<'a>(
        &mut self,
        columns: &[Column],
        rows: impl Iterator<Item = &'a [Cell]>,
    ) -> Result<(), FileError> {
        let bytes: Vec<u8> = rows.flat_map(|row| self.format.row(columns, row)).collect();
        self.append(&bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.partial
            .write_all(bytes)
            .map_err(FileError::at("write", &self.places.partial))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Writes which row, counted from 1, could not be answered, and why.
    pub(super) fn error(&mut self, row: u64, error: &RowError) -> Result<(), FileError> {
        let mut told = json!({"row": row});
        match &error.place {
            Place::Line(line) => told["line"] = (*line).into(),
            Place::File(path) => told["file"] = path.as_str().into(),
            Place::Row(_) => {}
        }
        if let Some(column) = &error.column {
            told["column"] = column.as_str().into();
        }
        told["code"] = error.code().id.into();
        told["error"] = error.flaw.to_string().into();
        let line = format!("{told}\n");
        let failed = FileError::at("write", &self.places.partial_errors);
        self.errors.write_all(line.as_bytes()).map_err(failed)?;
        self.error_bytes += line.len() as u64;
        Ok(())
    }

    /// Makes all that is written count: first it is flushed, then the journal speaks of it.
    pub(super) fn save(&mut self, journal: &mut Journal) -> Result<(), FileError> {
        for (file, path) in [
            (&self.partial, &self.places.partial),
            (&self.errors, &self.places.partial_errors),
        ] {
            file.sync_data().map_err(FileError::at("write", path))?;
        }
        journal.bytes = self.bytes;
        journal.error_bytes = self.error_bytes;
        journal.write(&self.places.journal)?;
        self.saved = true;
        Ok(())
    }

    /// Gives a result that is whole its name. It may have been broken off in here before.
    pub(super) fn finish(self, journal: &Journal) -> Result<(), Failure> {
        let Places {
            result,
            partial,
            journal: journal_path,
            errors,
            partial_errors,
        } = &self.places;
        if journal.failed > 0 {
            if self.error_bytes > 0 && length(partial_errors) == self.error_bytes {
                rename(partial_errors, errors)?;
            } else {
                atomic::remove(partial_errors)?;
            }
        } else {
            atomic::remove(partial_errors)?;
            // Those of an earlier result, which this one replaces.
            atomic::remove(errors)?;
        }
        // Broken off behind the renaming, there is a new partial file, which is empty.
        if length(partial) == journal.bytes {
            if self.format == ResultFormat::Parquet {
                parquet::write(partial, result, &journal.columns)?;
                atomic::remove(partial)?;
            } else {
                rename(partial, result)?;
            }
        } else {
            atomic::remove(partial)?;
        }
        sync_folder(folder(result))?;
        atomic::remove(journal_path)?;
        Ok(())
    }

    /// Leaves nothing of a run that has done nothing.
    pub(super) fn abandon(self) -> Result<(), FileError> {
        if self.saved {
            return Ok(());
        }
        atomic::remove(&self.places.partial_errors)?;
        atomic::remove(&self.places.partial)
    }

    /// Where the rows are told that could not be answered.
    pub(super) fn errors_path(&self) -> PathBuf {
        self.places.errors.clone()
    }

    /// Whether nothing is written yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |about| about.len())
}

fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    let renamed: io::Result<()> = fs::rename(from, to);
    renamed.map_err(FileError::at("write", to))
}

/// Whether there is a journal of the result at `path`.
pub(super) fn is_begun(path: &Path) -> bool {
    Places::of(path).journal.exists()
}

/// Makes the folder in which `path` is to be.
pub(super) fn make_folder(path: &Path) -> Result<(), FileError> {
    atomic::create_folder(folder(path))
}
