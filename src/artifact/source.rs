//! Where a blob's bytes are taken from on their way into a store.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};

use super::descriptor::Descriptor;
use super::error::StoreError;
use super::stream::chunks_of;
use crate::platform::atomic::FileError;

/// Bytes that can be read again from their beginning, so that an upload can be tried again.
pub trait BlobSource: Send + Sync {
    /// Begins to read. What is read is verified by the store: a file that changed since it was
    /// described is refused there.
    ///
    /// # Errors
    /// The operating system's, for a file.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;

    /// The file that they lie in, if they lie in one, for errors to name.
    fn path(&self) -> Option<&Path> {
        None
    }

    /// The file that they lie in, if nobody writes to it any more: a store on the same disk may
    /// keep it under a name of its own, and need not read it again.
    fn settled(&self) -> Option<&Path> {
        None
    }
}

impl BlobSource for Bytes {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.clone())))
    }
}

impl BlobSource for PathBuf {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self)?))
    }

    fn path(&self) -> Option<&Path> {
        Some(self)
    }
}

/// A blob's bytes from their source, and how errors name that.
///
/// # Errors
/// If a file can't be opened.
pub(super) fn chunks_to_send(
    source: &dyn BlobSource,
    descriptor: &Descriptor,
) -> Result<(String, BoxStream<'static, Result<Bytes, StoreError>>), StoreError> {
    let place = match source.path() {
        Some(path) => path.display().to_string(),
        None => format!("the blob {}", descriptor.digest),
    };
    let path = PathBuf::from(&place);
    let chunks = chunks_of(source).map_err(FileError::at("read", &path))?;
    let chunks = chunks.map(move |chunk| Ok(chunk.map_err(FileError::at("read", &path))?));
    Ok((place, chunks.boxed()))
}
