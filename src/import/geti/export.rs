//! The zip in which Geti hands a model out: fetched once, and its files read from it.
//!
//! One zip lies on the disk at a time, in a folder that goes with the import; what its entries are
//! called is looked at by who writes them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::artifact::pack::inspect::zip;
use crate::import::{ImportError, MAX_FILES, Opened, SourceFile};
use crate::platform::atomic::FileError;

/// How much of a file is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// How many chunks wait to be taken.
const CHUNKS: usize = 4;

/// A zip that was fetched.
#[derive(Debug, Clone)]
pub(super) struct Export {
    /// What the source calls the version.
    pub(super) reference: String,
    path: PathBuf,
    /// Goes when nobody reads from it any more.
    _folder: Arc<TempDir>,
}

impl Export {
    /// The zip at `path`, in `folder`.
    pub(super) fn new(reference: &str, path: PathBuf, folder: TempDir) -> Self {
        Self {
            reference: reference.to_owned(),
            path,
            _folder: Arc::new(folder),
        }
    }

    /// Its files.
    ///
    /// # Errors
    /// If it is no zip, or has none or too many.
    pub(super) fn files(&self, place: &str) -> Result<Vec<SourceFile>, ImportError> {
        let malformed = |reason: String| ImportError::Malformed {
            place: format!("{} of {place}", self.reference),
            reason,
        };
        let entries = self.entries().map_err(|error| {
            malformed(format!(
                "what is handed out for it is no whole zip: {error}"
            ))
        })?;
        let files: Vec<_> = entries
            .into_iter()
            .filter(|entry| !entry.is_folder())
            .map(|entry| SourceFile {
                key: format!("{}\n{}", self.reference, entry.name),
                size_bytes: Some(entry.whole_bytes()),
                path: entry.name,
                sha256: None,
            })
            .collect();
        match files.len() {
            0 => Err(malformed(
                "the zip that is handed out for it is empty".to_owned(),
            )),
            count if count > MAX_FILES => Err(ImportError::TooLarge {
                place: place.to_owned(),
                limit: MAX_FILES as u64,
                unit: "files in one version",
            }),
            _ => Ok(files),
        }
    }

    fn entries(&self) -> std::io::Result<Vec<zip::Entry>> {
        zip::entries(&mut File::open(&self.path)?)
    }

    /// Begins to read the entry `name` from its beginning.
    ///
    /// # Errors
    /// If it isn't there, or can't be read.
    pub(super) fn open(&self, name: &str, place: &str) -> Result<Opened, ImportError> {
        let failed = || FileError::at("read", self.path.clone());
        let entries = self.entries().map_err(failed())?;
        let entry = entries.into_iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| ImportError::Lacks {
            place: format!("{} of {place}", self.reference),
            what: name.to_owned(),
        })?;
        let size_bytes = entry.whole_bytes();
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = send(&path, &entry, &sender) {
                let error = FileError::at("read", path)(error);
                // Nobody listens where the import was ended.
                let _ = sender.blocking_send(Err(error.into()));
            }
        });
        let bytes = stream::unfold(receiver, |mut receiver| async {
            let chunk = receiver.recv().await?;
            Some((chunk, receiver))
        });
        Ok(Opened {
            from: 0,
            size_bytes: Some(size_bytes),
            bytes: bytes.boxed(),
        })
    }
}

/// Sends the bytes of `entry`: no more than it says that it has, and one that tells.
fn send(
    path: &Path,
    entry: &zip::Entry,
    sender: &mpsc::Sender<Result<Bytes, ImportError>>,
) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    let reader = zip::reader(&mut file, entry)?;
    let reader = reader.ok_or_else(|| {
        std::io::Error::other(format!(
            "{} is packed in a way that is not read",
            entry.name
        ))
    })?;
    let mut reader = reader.take(entry.whole_bytes() + 1);
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let read = reader.by_ref().take(CHUNK_BYTES as u64);
        let mut read = read;
        if read.read_to_end(&mut chunk)? == 0 {
            return Ok(());
        }
        if sender.blocking_send(Ok(chunk.into())).is_err() {
            return Ok(());
        }
    }
}
