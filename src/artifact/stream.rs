//! Blobs on their way: chunks that are hashed and counted while they pass.
//!
//! Reading, hashing and writing a file happen on the blocking pool, a bounded number of chunks
//! ahead of or behind the network, so that neither waits for the other and memory stays bounded.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream::{BoxStream, Stream, StreamExt};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::descriptor::Descriptor;
use super::error::StoreError;
use super::source::BlobSource;
use crate::platform::atomic::FileError;
use crate::platform::progress::Meter;
use crate::record::Digest;

/// How much of a file is read at once: large enough that the calls cost nothing, small enough
/// that some transfers at once stay within some megabytes.
const CHUNK_BYTES: usize = 512 * 1024;

/// How many chunks wait between the network and the disk.
const CHUNKS_AHEAD: usize = 4;

/// A blob's bytes as a store gives them, verified by whichever way they are taken.
pub struct BlobStream {
    descriptor: Descriptor,
    place: String,
    chunks: BoxStream<'static, Result<Bytes, StoreError>>,
}

impl BlobStream {
    /// The bytes `chunks`, which claim to be what `descriptor` says, from `place`.
    pub fn new(
        descriptor: Descriptor,
        place: String,
        chunks: BoxStream<'static, Result<Bytes, StoreError>>,
    ) -> Self {
        Self {
            descriptor,
            place,
            chunks,
        }
    }

    /// What the bytes have to be.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Takes all of a small blob, of at most `limit_bytes`, into memory.
    ///
    /// # Errors
    /// The transfer's; [`StoreError::TooLarge`], [`StoreError::Size`] or [`StoreError::Digest`]
    /// if the bytes are not what they should be.
    pub async fn read(mut self, limit_bytes: u64) -> Result<Bytes, StoreError> {
        if self.descriptor.size > limit_bytes {
            return Err(StoreError::TooLarge {
                place: self.place,
                unit: "bytes",
                limit: limit_bytes,
            });
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = self.chunks.next().await {
            bytes.extend_from_slice(&chunk?);
            self.not_longer(bytes.len() as u64)?;
        }
        self.whole(bytes.len() as u64, super::descriptor::digest_of(&bytes))?;
        Ok(bytes.freeze())
    }

    /// The bytes as they come. An error comes last where they were not what they should be: what
    /// came before it is then of no worth.
    pub fn into_chunks(self) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let begun = Some((self, Sha256::new(), 0));
        let chunks = futures_util::stream::try_unfold(begun, |state| async {
            let Some((mut stream, mut hasher, length)) = state else {
                return Ok(None);
            };
            let Some(chunk) = stream.chunks.next().await.transpose()? else {
                let digest = Digest::from_bytes(hasher.finalize().into());
                stream.whole(length, digest)?;
                return Ok(None);
            };
            let length = length + chunk.len() as u64;
            stream.not_longer(length)?;
            hasher.update(&chunk);
            Ok(Some((chunk, Some((stream, hasher, length)))))
        });
        chunks.boxed()
    }

    /// Has `work` read the blob while it comes, on the blocking pool. It need not read all of it:
    /// what it leaves is read and verified, too. What it makes of bytes that turn out wrong is
    /// dropped.
    ///
    /// # Errors
    /// The transfer's; [`StoreError::Size`] or [`StoreError::Digest`] if the bytes are not what
    /// they should be.
    pub async fn read_by<T: Send + 'static>(
        mut self,
        meter: &dyn Meter,
        work: impl FnOnce(&mut dyn Read) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        let reading = tokio::task::spawn_blocking(move || {
            let mut arriving = Arriving {
                chunks: receiver,
                rest: Bytes::new(),
                hasher: Sha256::new(),
            };
            let made = work(&mut arriving);
            while !arriving.rest().is_empty() {
                arriving.rest.clear();
            }
            (made, Digest::from_bytes(arriving.hasher.finalize().into()))
        });
        let fetched = self.feed(&sender, meter).await;
        drop(sender);
        let (made, digest) = reading.await.expect("reading a blob does not panic");
        self.whole(fetched?, digest)?;
        Ok(made)
    }

    /// Writes the blob to `file`, which lies at `path`, and gives it back when its bytes are
    /// verified. It is neither flushed to the disk nor renamed.
    ///
    /// # Errors
    /// The transfer's and the file's; [`StoreError::Size`] or [`StoreError::Digest`] if the
    /// bytes are not what they should be. The file then holds bytes of no worth.
    pub async fn write_to(
        mut self,
        file: File,
        path: &Path,
        meter: &dyn Meter,
    ) -> Result<File, StoreError> {
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        let writer = tokio::task::spawn_blocking(move || hash_and_write(file, receiver));
        let fetched = self.feed(&sender, meter).await;
        drop(sender);
        let written = writer.await.expect("writing a file does not panic");
        let (file, digest) = written.map_err(FileError::at("write", path))?;
        self.whole(fetched?, digest)?;
        Ok(file)
    }

    /// Passes every chunk on, and gives the number of bytes; stops early if nobody takes them.
    async fn feed(
        &mut self,
        sender: &mpsc::Sender<Bytes>,
        meter: &dyn Meter,
    ) -> Result<u64, StoreError> {
        let mut length = 0;
        while let Some(chunk) = self.chunks.next().await {
            let chunk = chunk?;
            let bytes = chunk.len() as u64;
            length += bytes;
            self.not_longer(length)?;
            if sender.send(chunk).await.is_err() {
                break;
            }
            meter.advance(bytes);
        }
        Ok(length)
    }

    /// Fails as soon as more came than the descriptor says.
    fn not_longer(&self, length: u64) -> Result<(), StoreError> {
        if length > self.descriptor.size {
            return Err(self.wrong_size(length));
        }
        Ok(())
    }

    fn whole(&self, length: u64, digest: Digest) -> Result<(), StoreError> {
        if length != self.descriptor.size {
            return Err(self.wrong_size(length));
        }
        if digest != self.descriptor.digest {
            return Err(StoreError::Digest {
                place: self.place.clone(),
                expected: self.descriptor.digest,
                actual: digest,
            });
        }
        Ok(())
    }

    fn wrong_size(&self, actual: u64) -> StoreError {
        StoreError::Size {
            place: self.place.clone(),
            expected: self.descriptor.size,
            actual,
        }
    }
}

/// Bytes that arrive from a task, hashed as they do.
struct Arriving {
    chunks: mpsc::Receiver<Bytes>,
    rest: Bytes,
    hasher: Sha256,
}

impl Arriving {
    /// What has arrived and is not read yet; nothing at the end.
    fn rest(&mut self) -> &[u8] {
        while self.rest.is_empty() {
            let Some(chunk) = self.chunks.blocking_recv() else {
                break;
            };
            self.hasher.update(&chunk);
            self.rest = chunk;
        }
        &self.rest
    }
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.rest();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.rest.advance(length);
        Ok(length)
    }
}

/// Hashes and writes what comes until nothing more does.
fn hash_and_write(mut file: File, mut chunks: mpsc::Receiver<Bytes>) -> io::Result<(File, Digest)> {
    let mut hasher = Sha256::new();
    while let Some(chunk) = chunks.blocking_recv() {
        hasher.update(&chunk);
        file.write_all(&chunk)?;
    }
    Ok((file, Digest::from_bytes(hasher.finalize().into())))
}

/// The bytes of `source` in chunks, read ahead on the blocking pool.
pub(super) fn chunks_of(
    source: &dyn BlobSource,
) -> io::Result<impl Stream<Item = io::Result<Bytes>> + use<>> {
    let mut reader = source.open()?;
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    tokio::task::spawn_blocking(move || {
        loop {
            let chunk = read_chunk(&mut *reader).transpose();
            let Some(chunk) = chunk else { break };
            let failed = chunk.is_err();
            if sender.blocking_send(chunk).is_err() || failed {
                break;
            }
        }
    });
    Ok(futures_util::stream::unfold(
        receiver,
        |mut receiver| async {
            let chunk = receiver.recv().await?;
            Some((chunk, receiver))
        },
    ))
}

/// The next chunk; `None` at the end.
fn read_chunk(reader: &mut dyn Read) -> io::Result<Option<Bytes>> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    reader.take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok((!chunk.is_empty()).then(|| chunk.into()))
}
