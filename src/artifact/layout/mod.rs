//! An OCI image layout on disk: the store that needs no server.
//!
//! It is a plain layout (OCI image-spec 1.1, "OCI Image Layout"), so that skopeo, oras and crane
//! read it and we read theirs. Two processes that write at once both end right: blobs are whole
//! or not there, and `index.json` is changed under a lock.

mod folder;

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;

use self::folder::Folder;
use super::descriptor::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST, digest_of};
use super::error::StoreError;
use super::index::Index;
use super::limits::MAX_MANIFEST_BYTES;
use super::referrers;
use super::source::{BlobSource, chunks_to_send};
use super::store::{ManifestKey, Store, Upload, blob_place};
use super::stream::{BlobStream, chunks_of};
use crate::platform::atomic::FileError;
use crate::platform::progress::Meter;
use crate::record::{Digest, Repository, Tag};

/// One layout folder.
#[derive(Debug)]
pub struct Layout {
    repository: Repository,
    folder: Folder,
}

impl Layout {
    /// The layout at `path`, which is made by the first write if it isn't there.
    ///
    /// # Errors
    /// [`StoreError::RelativeLayout`] if the path is relative.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        if path.is_relative() {
            return Err(StoreError::RelativeLayout { path });
        }
        Ok(Self {
            repository: Repository::Layout { path: path.clone() },
            folder: Folder(path),
        })
    }

    /// Runs what blocks where it may.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder, &Repository) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (folder, repository) = (self.folder.clone(), self.repository.clone());
        tokio::task::spawn_blocking(move || work(&folder, &repository))
            .await
            .expect("reading and writing files does not panic")
    }
}

#[async_trait]
impl Store for Layout {
    fn repository(&self) -> &Repository {
        &self.repository
    }

    async fn resolve(&self, key: &ManifestKey) -> Result<Option<Descriptor>, StoreError> {
        let key = key.clone();
        self.blocking(move |folder, repository| {
            Ok(find(folder, repository, &key)?.map(|(descriptor, _)| descriptor))
        })
        .await
    }

    async fn manifest(&self, key: &ManifestKey) -> Result<Option<(Descriptor, Bytes)>, StoreError> {
        let key = key.clone();
        self.blocking(move |folder, repository| {
            let found = find(folder, repository, &key)?;
            found
                .map(|(descriptor, bytes)| {
                    verify(&descriptor, &bytes, &key.place(repository))?;
                    Ok((descriptor, bytes.into()))
                })
                .transpose()
        })
        .await
    }

    async fn put_manifest(
        &self,
        media_type: &str,
        bytes: Bytes,
        tag: Option<&Tag>,
    ) -> Result<Descriptor, StoreError> {
        let descriptor = Descriptor::of(media_type, &bytes);
        let (entry, tag) = (descriptor.clone(), tag.cloned());
        self.blocking(move |folder, _| {
            folder.put_bytes(&entry.digest, &bytes)?;
            folder.change_index(|index| index.put(&entry, tag.as_ref()))
        })
        .await?;
        Ok(descriptor)
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, StoreError> {
        let digest = *digest;
        self.blocking(move |folder, _| Ok(folder.blob_size(&digest)?.is_some()))
            .await
    }

    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn BlobSource,
        meter: &dyn Meter,
    ) -> Result<Upload, StoreError> {
        let digest = descriptor.digest;
        let size = self
            .blocking(move |folder, _| folder.blob_size(&digest))
            .await?;
        // A blob of another size was damaged: it is replaced.
        if size == Some(descriptor.size) {
            return Ok(Upload::AlreadyThere);
        }
        if let Some(file) = source.settled().map(Path::to_owned)
            && self
                .blocking(move |folder, _| folder.adopt(&file, &digest))
                .await?
        {
            meter.advance(descriptor.size);
            return Ok(Upload::Sent);
        }
        let temporary = self.blocking(|folder, _| folder.temporary_file()).await?;
        let path = temporary.path().to_owned();
        let file = temporary.reopen().map_err(FileError::at("write", &path))?;
        let (place, chunks) = chunks_to_send(source, descriptor)?;
        BlobStream::new(descriptor.clone(), place, chunks)
            .write_to(file, &path, meter)
            .await
            .map_err(StoreError::of_source)?;
        self.blocking(move |folder, _| folder.keep(temporary, &digest))
            .await?;
        Ok(Upload::Sent)
    }

    async fn blob(&self, descriptor: &Descriptor) -> Result<BlobStream, StoreError> {
        let digest = descriptor.digest;
        let place = blob_place(&self.repository, &digest);
        let size = self
            .blocking(move |folder, _| folder.blob_size(&digest))
            .await?;
        let Some(size) = size else {
            return Err(StoreError::NotFound { place });
        };
        if size != descriptor.size {
            return Err(StoreError::Size {
                place,
                expected: descriptor.size,
                actual: size,
            });
        }
        let path = self.folder.blob_path(&digest);
        let chunks = chunks_of(&path).map_err(FileError::at("read", &path))?;
        let chunks = chunks
            .map(move |chunk| Ok(chunk.map_err(FileError::at("read", &path))?))
            .boxed();
        Ok(BlobStream::new(descriptor.clone(), place, chunks))
    }

    async fn tags(&self) -> Result<Vec<Tag>, StoreError> {
        self.blocking(|folder, _| Ok(folder.index()?.tags())).await
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, StoreError> {
        let subject = *subject;
        let mut found = self
            .blocking(move |folder, repository| scan(folder, repository, &subject))
            .await?;
        found.retain(|entry| referrers::is_wanted(entry, artifact_type));
        Ok(found)
    }

    async fn put_referrer(&self, media_type: &str, bytes: Bytes) -> Result<Descriptor, StoreError> {
        let (_, descriptor) = referrers::describe(&self.repository, media_type, &bytes)?;
        self.put_manifest(media_type, bytes, None).await?;
        Ok(descriptor)
    }
}

/// The manifest and its bytes as they lie there, not yet verified.
fn find(
    folder: &Folder,
    repository: &Repository,
    key: &ManifestKey,
) -> Result<Option<(Descriptor, Vec<u8>)>, StoreError> {
    let index = folder.index()?;
    let listed = match key {
        ManifestKey::Tag(tag) => match index.tagged(tag) {
            Some(entry) => Some(entry),
            None => return Ok(None),
        },
        ManifestKey::Digest(digest) => index.with_digest(digest),
    };
    let digest = match (&listed, key) {
        (Some(entry), _) => entry.digest,
        (None, ManifestKey::Digest(digest)) => *digest,
        (None, ManifestKey::Tag(_)) => return Ok(None),
    };
    let place = || key.place(repository);
    match (listed, folder.blob(&digest, MAX_MANIFEST_BYTES)?) {
        (Some(_), Some(bytes)) if bytes.len() as u64 > MAX_MANIFEST_BYTES => {
            Err(StoreError::TooLarge {
                place: place(),
                unit: "bytes",
                limit: MAX_MANIFEST_BYTES,
            })
        }
        (Some(entry), Some(bytes)) => Ok(Some((entry, bytes))),
        (Some(entry), None) => Err(StoreError::NotFound {
            place: blob_place(repository, &entry.digest),
        }),
        // Nested in an index that another tool wrote; or no manifest at all.
        (None, Some(bytes)) => Ok(media_type_of(&bytes).map(|media_type| {
            let size = bytes.len() as u64;
            (Descriptor::new(media_type, digest, size), bytes)
        })),
        (None, None) => Ok(None),
    }
}

/// What kind of manifest or index the bytes are, if they are one.
fn media_type_of(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        schema_version: u32,
        media_type: Option<String>,
    }
    if bytes.len() as u64 > MAX_MANIFEST_BYTES {
        return None;
    }
    let kind: Kind = serde_json::from_slice(bytes).ok()?;
    (kind.schema_version == 2).then(|| kind.media_type.unwrap_or_else(|| IMAGE_MANIFEST.to_owned()))
}

fn verify(descriptor: &Descriptor, bytes: &[u8], place: &str) -> Result<(), StoreError> {
    let actual = digest_of(bytes);
    if actual != descriptor.digest {
        return Err(StoreError::Digest {
            place: place.to_owned(),
            expected: descriptor.digest,
            actual,
        });
    }
    if bytes.len() as u64 != descriptor.size {
        return Err(StoreError::Size {
            place: place.to_owned(),
            expected: descriptor.size,
            actual: bytes.len() as u64,
        });
    }
    Ok(())
}

/// Every manifest of the index whose subject is `subject`, and what a copied registry's list says.
///
/// One that can't be read is passed over with a warning: it must not hide the others, and whoever
/// needs it will find it missing.
fn scan(
    folder: &Folder,
    repository: &Repository,
    subject: &Digest,
) -> Result<Vec<Descriptor>, StoreError> {
    let index = folder.index()?;
    let mut found: Vec<Descriptor> = Vec::new();
    let copied = index.tagged(&referrers::fallback_tag(subject));
    if let Some(list) = copied.filter(|entry| entry.media_type == IMAGE_INDEX)
        && let Some(bytes) = folder.blob(&list.digest, MAX_MANIFEST_BYTES)?
        && let Ok(list) = Index::parse(&bytes)
    {
        found.extend(list.entries());
    }
    for entry in index.entries() {
        if found.iter().any(|other| other.digest == entry.digest) {
            continue;
        }
        let bytes = folder.blob(&entry.digest, MAX_MANIFEST_BYTES)?;
        match bytes.as_deref().and_then(referrers::read) {
            Some(read) if read.subject() == Some(*subject) => found.push(read.describe(entry)),
            Some(_) => {}
            None => tracing::warn!(
                manifest = blob_place(repository, &entry.digest),
                "a manifest is damaged or missing: run `modelyard inspect` on it"
            ),
        }
        referrers::bounded(&found, repository, subject)?;
    }
    Ok(found)
}
