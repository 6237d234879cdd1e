//! From a store, or the cache before it, into a staging folder.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::cache::Cache;
use super::descriptor::Descriptor;
use super::error::StoreError;
use super::pack::LayerFile;
use super::place::Staging;
use super::store::Store;
use crate::platform::Progress;
use crate::platform::atomic::FileError;
use crate::platform::progress::Meter;
use crate::platform::redact::printable;
use crate::record::Digest;

/// How many blobs are on their way at once: enough to keep network, hashing and disk busy on the
/// machines that models are pulled to, few enough for any registry's limit.
const AT_ONCE: usize = 4;

/// A file to fetch, and the store that has it.
#[derive(Clone)]
pub struct Wanted {
    /// Where its blob lies.
    pub store: Arc<dyn Store>,
    /// The file.
    pub file: LayerFile,
}

/// Where a file's bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The store sent them.
    Store,
    /// They were kept from an earlier time.
    Cache,
}

/// Puts every file of `wanted` into `staging`, verified, and tells where each came from, in their
/// order.
///
/// # Errors
/// The first that can't be had; what is staged then is of no use.
pub async fn fetch(
    wanted: &[Wanted],
    staging: &Staging,
    cache: Option<&Cache>,
    progress: &dyn Progress,
) -> Result<Vec<Origin>, StoreError> {
    // The same bytes under several paths are fetched once.
    let mut groups: HashMap<(Digest, u64), Vec<usize>> = HashMap::new();
    for (index, wanted) in wanted.iter().enumerate() {
        let descriptor = &wanted.file.descriptor;
        let key = (descriptor.digest, descriptor.size);
        groups.entry(key).or_default().push(index);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort();
    let fetched: Vec<(Vec<usize>, Origin)> = stream::iter(groups)
        .map(|group| async move {
            let first = &wanted[group[0]];
            let others = group[1..].iter().map(|&index| &wanted[index].file);
            let origin = fetch_one(first, others.collect(), staging, cache, progress).await?;
            Ok::<_, StoreError>((group, origin))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let mut origins = vec![Origin::Cache; wanted.len()];
    for (group, origin) in fetched {
        for index in group {
            origins[index] = origin;
        }
    }
    Ok(origins)
}

async fn fetch_one(
    wanted: &Wanted,
    others: Vec<&LayerFile>,
    staging: &Staging,
    cache: Option<&Cache>,
    progress: &dyn Progress,
) -> Result<Origin, StoreError> {
    let LayerFile {
        path,
        descriptor,
        mode,
        ..
    } = &wanted.file;
    let meter: Arc<dyn Meter> = progress.begin(path.as_str(), descriptor.size).into();
    let (place, file) = staging.create(path, *mode)?;
    let mut copies = vec![];
    for other in others {
        copies.push(staging.create(&other.path, other.mode)?);
    }
    let mut file = file;
    if let Some(cache) = cache {
        let found;
        (found, file) = from_cache(cache, descriptor, &place, file, &meter).await?;
        if found {
            copy_all(file, copies).await?;
            return Ok(Origin::Cache);
        }
    }
    let stream = wanted.store.blob(descriptor).await?;
    file = stream.write_to(file, &place, &*meter).await?;
    if let Some(cache) = cache {
        keep(cache, descriptor.digest, place.clone()).await;
    }
    copy_all(file, copies).await?;
    Ok(Origin::Store)
}

async fn from_cache(
    cache: &Cache,
    descriptor: &Descriptor,
    place: &Path,
    mut file: File,
    meter: &Arc<dyn Meter>,
) -> Result<(bool, File), FileError> {
    let (cache, descriptor, place) = (cache.clone(), descriptor.clone(), place.to_owned());
    let meter = Arc::clone(meter);
    blocking(move || {
        let found = cache.copy_out(&descriptor, &mut file, &place, &*meter)?;
        Ok((found, file))
    })
    .await
}

/// Keeps what was just fetched, for the next time. Whoever has no room or no leave for a cache is
/// told, and has the file nevertheless.
async fn keep(cache: &Cache, digest: Digest, path: PathBuf) {
    let cache = cache.clone();
    let kept = blocking(move || cache.keep(&digest, &path)).await;
    if let Err(error) = kept {
        let why = printable(&format!("{error}: {}", error.source));
        tracing::warn!(
            "not kept in the cache: {why}; `--no-cache` does without it, and MODELYARD_CACHE names \
             another folder"
        );
    }
}

/// Fills the copies of a file that was just verified.
async fn copy_all(mut file: File, copies: Vec<(PathBuf, File)>) -> Result<(), FileError> {
    if copies.is_empty() {
        return Ok(());
    }
    blocking(move || {
        for (path, mut copy) in copies {
            let write = || FileError::at("write", &path);
            file.rewind().map_err(write())?;
            io::copy(&mut file, &mut copy).map_err(write())?;
        }
        Ok(())
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    tokio::task::spawn_blocking(work)
        .await
        .expect("reading and writing files does not panic")
}
