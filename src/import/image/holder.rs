//! Where an image lies: in a registry, a layout, or an archive of this machine.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::archive::Archive;
use crate::artifact::descriptor::Descriptor;
use crate::artifact::index::Index;
use crate::artifact::limits::{MAX_LAYOUT_INDEX_BYTES, MAX_MANIFEST_BYTES};
use crate::artifact::store::required_manifest;
use crate::artifact::stream::BlobStream;
use crate::artifact::{ManifestKey, Store};
use crate::import::ImportError;
use crate::platform::atomic;
use crate::record::{Digest, OciReference, Repository};

/// Where an image lies, and which it is there.
pub(super) enum Holder {
    /// In a registry or a layout.
    Store {
        /// The repository.
        store: Arc<dyn Store>,
        /// What is meant in it; where nothing is said `latest`, or the only one of a layout.
        key: Option<ManifestKey>,
    },
    /// In an archive.
    Archive(Box<Archive>),
}

impl Holder {
    /// Where it is, as people write it.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Store { store, .. } => store.repository().to_string(),
            Self::Archive(archive) => archive.place(),
        }
    }

    /// The repository that others can have it from.
    pub(super) fn repository(&self) -> Option<&Repository> {
        match self {
            Self::Store { store, .. } => {
                let repository = store.repository();
                matches!(repository, Repository::Registry { .. }).then_some(repository)
            }
            Self::Archive(_) => None,
        }
    }

    /// The manifest or index that is meant.
    ///
    /// # Errors
    /// If there is none, or it can't be had.
    pub(super) async fn top(&self) -> Result<(Descriptor, Bytes), ImportError> {
        match self {
            Self::Store {
                store,
                key: Some(key),
            } => Ok(required_manifest(&**store, key).await?),
            Self::Store { store, key: None } => {
                let latest = ManifestKey::of(&OciReference {
                    repository: store.repository().clone(),
                    tag: None,
                    digest: None,
                });
                let only = match store.repository() {
                    Repository::Layout { path } => only(path)?,
                    Repository::Registry { .. } => None,
                };
                let key = only.map_or(latest, ManifestKey::Digest);
                Ok(required_manifest(&**store, &key).await?)
            }
            Self::Archive(archive) => archive.top(),
        }
    }

    /// The manifest or index of this digest.
    ///
    /// # Errors
    /// If there is none, or it can't be had.
    pub(super) async fn manifest(
        &self,
        digest: Digest,
    ) -> Result<(Descriptor, Bytes), ImportError> {
        match self {
            Self::Store { store, .. } => {
                Ok(required_manifest(&**store, &ManifestKey::Digest(digest)).await?)
            }
            Self::Archive(archive) => archive.manifest(digest).await,
        }
    }

    /// A blob, whose bytes are verified as they are read.
    ///
    /// # Errors
    /// If there is none, or it can't be had.
    pub(super) async fn blob(&self, descriptor: &Descriptor) -> Result<BlobStream, ImportError> {
        match self {
            Self::Store { store, .. } => Ok(store.blob(descriptor).await?),
            Self::Archive(archive) => archive.blob(descriptor),
        }
    }

    /// All of a small blob.
    ///
    /// # Errors
    /// As [`Self::blob`], and if it isn't small.
    pub(super) async fn small(&self, descriptor: &Descriptor) -> Result<Bytes, ImportError> {
        Ok(self
            .blob(descriptor)
            .await?
            .read(MAX_MANIFEST_BYTES)
            .await?)
    }
}

/// The only image of the layout at `path`, which may have no tag.
fn only(path: &Path) -> Result<Option<Digest>, ImportError> {
    let bytes = atomic::read_if_there(&path.join("index.json"), MAX_LAYOUT_INDEX_BYTES)?;
    // What is wrong with it is told when it is read as a layout.
    let index = bytes.and_then(|bytes| Index::parse(&bytes).ok());
    let entries = index.iter().flat_map(Index::entries);
    let mut digests: Vec<_> = entries.map(|entry| entry.digest).collect();
    digests.dedup();
    Ok(match digests.as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}
