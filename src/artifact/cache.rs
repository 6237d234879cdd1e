//! Blobs that were fetched once, kept by their digests.
//!
//! ```text
//! ~/.cache/modelyard/blobs/
//!   sha256/ab/ab12…        a blob, whole
//!   incoming/              blobs on their way, renamed when they are verified
//! ```
//!
//! A blob is verified when it comes in, and again each time that it is taken out: one that rotted
//! on the disk is dropped and fetched anew. What is taken out is a copy, so that nobody's later
//! edit reaches what is kept. Deleting the folder costs time, never data; so nothing in it is
//! flushed to the disk before its time.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::descriptor::Descriptor;
use super::error::StoreError;
use super::store::Store;
use crate::platform::atomic::{self, FileError, Readers};
use crate::platform::progress::Meter;
use crate::record::Digest;

/// How much is read at once.
const CHUNK_BYTES: usize = 512 * 1024;

/// What lies in `incoming` for longer was left by a process that was killed.
const ABANDONED_SECONDS: u64 = 24 * 60 * 60;

/// The blobs of one user.
#[derive(Debug, Clone)]
pub struct Cache {
    blobs: PathBuf,
}

impl Cache {
    /// Those in the user's cache folder.
    pub fn new(folder: &Path) -> Self {
        Self {
            blobs: folder.join("blobs"),
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.blobs.join("sha256").join(&hex[..2]).join(hex)
    }

    /// Copies a blob into `to`, which lies at `path`; `false` if it isn't kept here, or no longer
    /// is what it was. It blocks.
    ///
    /// # Errors
    /// If the copy can't be written. What can't be read counts as not kept.
    pub(super) fn copy_out(
        &self,
        descriptor: &Descriptor,
        to: &mut File,
        path: &Path,
        meter: &dyn Meter,
    ) -> Result<bool, FileError> {
        let kept = self.path(&descriptor.digest);
        let Ok(mut from) = File::open(&kept) else {
            return Ok(false);
        };
        if from
            .metadata()
            .is_ok_and(|found| found.len() != descriptor.size)
        {
            self.drop_damaged(&kept);
            return Ok(false);
        }
        let mut hasher = Sha256::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(length @ 1..) = from.read(&mut chunk) {
            hasher.update(&chunk[..length]);
            let written = to.write_all(&chunk[..length]);
            written.map_err(FileError::at("write", path))?;
            meter.advance(length as u64);
        }
        if Digest::from_bytes(hasher.finalize().into()) == descriptor.digest {
            return Ok(true);
        }
        self.drop_damaged(&kept);
        let rewound = to.set_len(0).and_then(|()| to.rewind());
        rewound.map_err(FileError::at("write", path))?;
        Ok(false)
    }

    fn drop_damaged(&self, kept: &Path) {
        tracing::warn!(blob = %kept.display(), "was damaged in the cache, and is fetched again");
        // What can't be removed is replaced when it was fetched.
        let _ = fs::remove_file(kept);
    }

    /// Fetches a blob, keeps it, and gives it opened at its beginning.
    ///
    /// # Errors
    /// The store's, or the disk's.
    pub(super) async fn fill(
        &self,
        store: &dyn Store,
        descriptor: &Descriptor,
        meter: &dyn Meter,
    ) -> Result<File, StoreError> {
        let stream = store.blob(descriptor).await?;
        let incoming = self.incoming()?;
        let path = incoming.path().to_owned();
        let file = incoming.reopen().map_err(FileError::at("write", &path))?;
        let mut file = stream.write_to(file, &path, meter).await?;
        file.rewind().map_err(FileError::at("read", &path))?;
        let kept = self.path(&descriptor.digest);
        if let Some(folder) = kept.parent() {
            atomic::create_folder(folder)?;
        }
        incoming.persist(&kept).map_err(|error| {
            let write = FileError::at("write", &kept);
            StoreError::from(write(error.error))
        })?;
        Ok(file)
    }

    fn incoming(&self) -> Result<NamedTempFile, FileError> {
        let folder = self.blobs.join("incoming");
        atomic::create_folder(&folder)?;
        let file = atomic::temporary_file(&folder, Readers::Umask)?;
        // A file that was just made tells the time.
        if let Ok(now) = file.as_file().metadata().and_then(|found| found.modified()) {
            for old in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let modified = old.metadata().and_then(|found| found.modified());
                let age = modified.map(|modified| now.duration_since(modified));
                if matches!(age, Ok(Ok(age)) if age.as_secs() > ABANDONED_SECONDS) {
                    let _ = fs::remove_file(old.path());
                }
            }
        }
        Ok(file)
    }
}

/// Copies all of `from`, which was just verified, into `to`.
///
/// The kernel does it where it can, and shares the bytes on disks that know how to.
pub(super) fn copy(from: &mut File, to: &mut File, path: &Path) -> Result<(), FileError> {
    let write = || FileError::at("write", path);
    from.rewind().map_err(write())?;
    io::copy(from, to).map(drop).map_err(write())
}
