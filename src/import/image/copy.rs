//! From where an image lies into another store, with no byte landing in between.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::holder::Holder;
use super::manifest::{Stored, all};
use crate::artifact::descriptor::Descriptor;
use crate::artifact::{BlobSource, Store};
use crate::import::ImportError;
use crate::platform::Progress;
use crate::record::Tag;

/// How many chunks wait between the two.
const CHUNKS_AHEAD: usize = 4;

/// Puts the image `top` with everything that it is made of into `to`, byte for byte, under `tag`.
///
/// # Errors
/// If something can't be had, isn't what its digest says, or isn't taken.
pub(super) async fn copy(
    holder: &Arc<Holder>,
    top: &Stored,
    to: &dyn Store,
    tag: &Tag,
    progress: &dyn Progress,
) -> Result<(), ImportError> {
    let (manifests, blobs) = all(holder, top).await?;
    for descriptor in blobs {
        let digest = descriptor.digest.to_string();
        let meter = progress.begin(&digest, descriptor.size);
        let passing = Passing {
            holder: Arc::clone(holder),
            descriptor: descriptor.clone(),
            runtime: Handle::current(),
        };
        to.put_blob(&descriptor, &passing, &*meter).await?;
    }
    for (descriptor, bytes) in manifests {
        let tag = (descriptor.digest == top.0.digest).then_some(tag);
        to.put_manifest(&descriptor.media_type, bytes, tag).await?;
    }
    Ok(())
}

/// A blob on its way through.
struct Passing {
    holder: Arc<Holder>,
    descriptor: Descriptor,
    runtime: Handle,
}

impl BlobSource for Passing {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        let (holder, descriptor) = (Arc::clone(&self.holder), self.descriptor.clone());
        self.runtime.spawn(async move {
            let mut chunks = match holder.blob(&descriptor).await {
                Ok(stream) => stream.into_chunks(),
                Err(error) => {
                    let _ = sender.send(Err(io::Error::other(error))).await;
                    return;
                }
            };
            while let Some(chunk) = chunks.next().await {
                // Whoever reads no more has a reason of its own.
                if sender.send(chunk.map_err(io::Error::other)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Box::new(Received {
            chunks: receiver,
            rest: Bytes::new(),
        }))
    }
}

/// What a task sends, read where it is allowed to block.
struct Received {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    rest: Bytes,
}

impl Read for Received {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.rest = chunk?,
                None => return Ok(0),
            }
        }
        let length = self.rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.advance(length);
        Ok(length)
    }
}
