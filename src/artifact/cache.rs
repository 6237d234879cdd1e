//! Blobs that were fetched once, kept by their digests.
//!
//! ```text
//! ~/.cache/modelyard/blobs/
//!   sha256/ab/ab12…        a blob, whole
//!   incoming/              copies on their way, renamed when they are whole
//! ```
//!
//! What was fetched and verified is kept by a hard link to the file it was fetched into, so that
//! a first pull writes its bytes once; a copy is kept where the two are on different disks. Who
//! edits that file in place spoils what is kept, and nothing else: a blob is verified each time
//! that it is taken out, one that isn't what it was is dropped and fetched anew, and what is
//! taken out is a copy. Deleting the folder costs time, never data; so nothing in it is flushed
//! to the disk before its time.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::descriptor::Descriptor;
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
        tracing::warn!(blob = %kept.display(), "was changed or damaged in the cache, and is fetched again");
        // One that can't be removed is found out again the next time.
        let _ = fs::remove_file(kept);
    }

    /// Keeps the verified blob that was fetched into the file at `path`. It blocks.
    ///
    /// # Errors
    /// If there is no room for it, or no leave to write.
    pub(super) fn keep(&self, digest: &Digest, path: &Path) -> Result<(), FileError> {
        let kept = self.path(digest);
        if let Some(folder) = kept.parent() {
            atomic::create_folder(folder)?;
        }
        let linked = fs::hard_link(path, &kept);
        // Another pull may have kept it meanwhile.
        if linked.is_ok() || kept.exists() {
            return Ok(());
        }
        let incoming = self.incoming()?;
        let write = || FileError::at("write", incoming.path());
        let mut from = File::open(path).map_err(FileError::at("read", path))?;
        io::copy(&mut from, &mut incoming.as_file()).map_err(write())?;
        let persisted = incoming.persist(&kept);
        persisted.map_err(|error| FileError::at("write", &kept)(error.error))?;
        Ok(())
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
