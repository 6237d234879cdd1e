//! A store in memory for this room's tests: one that misbehaves when told to.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::artifact::descriptor::{Descriptor, IMAGE_MANIFEST};
use crate::artifact::{BlobSource, BlobStream, Manifest, ManifestKey, Store, StoreError, Upload};
use crate::platform::progress::Meter;
use crate::record::{Digest, Repository, Tag};

/// One repository, and how many writes were made to it.
pub(super) struct FakeStore {
    repository: Repository,
    pub(super) inside: Mutex<Inside>,
}

#[derive(Default)]
pub(super) struct Inside {
    pub(super) blobs: BTreeMap<Digest, Bytes>,
    pub(super) manifests: BTreeMap<Digest, Bytes>,
    pub(super) tags: BTreeMap<Tag, Digest>,
    pub(super) referrers: Vec<Descriptor>,
    pub(super) writes: usize,
    /// Fails every call that lists referrers or fetches a tag.
    pub(super) away: bool,
    /// What others do just after the write of this number.
    pub(super) meanwhile: BTreeMap<usize, Deed>,
}

pub(super) type Deed = fn(&mut Inside);

impl FakeStore {
    pub(super) fn new() -> Self {
        Self {
            repository: "registry.example.com/acme/vision/digits".parse().unwrap(),
            inside: Mutex::default(),
        }
    }

    /// Puts an artifact to be signed.
    pub(super) fn artifact(&self) -> Descriptor {
        let bytes = Bytes::from_static(b"{\"schemaVersion\":2}");
        self.inside.lock().unwrap().put(IMAGE_MANIFEST, bytes)
    }

    pub(super) fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    fn away(&self) -> StoreError {
        StoreError::Failed {
            place: self.repository.to_string(),
            status: 500,
            retry_after: None,
            detail: None,
        }
    }
}

impl Inside {
    pub(super) fn put(&mut self, media_type: &str, bytes: Bytes) -> Descriptor {
        let descriptor = Descriptor::of(media_type, &bytes);
        self.manifests.insert(descriptor.digest, bytes);
        descriptor
    }

    fn wrote(&mut self) {
        self.writes += 1;
        if let Some(deed) = self.meanwhile.remove(&self.writes) {
            deed(self);
        }
    }

    pub(super) fn put_blob(&mut self, media_type: &str, bytes: Bytes) -> Descriptor {
        let descriptor = Descriptor::of(media_type, &bytes);
        self.blobs.insert(descriptor.digest, bytes);
        descriptor
    }

    pub(super) fn refer(&mut self, manifest: &Manifest) -> Descriptor {
        let mut entry = self.put(IMAGE_MANIFEST, manifest.to_bytes());
        entry.artifact_type.clone_from(&manifest.artifact_type);
        entry.annotations.clone_from(&manifest.annotations);
        self.referrers.push(entry.clone());
        entry
    }
}

#[async_trait]
impl Store for FakeStore {
    fn repository(&self) -> &Repository {
        &self.repository
    }

    async fn resolve(&self, key: &ManifestKey) -> Result<Option<Descriptor>, StoreError> {
        Ok(self.manifest(key).await?.map(|(descriptor, _)| descriptor))
    }

    async fn manifest(&self, key: &ManifestKey) -> Result<Option<(Descriptor, Bytes)>, StoreError> {
        let inside = self.inside();
        let digest = match key {
            ManifestKey::Tag(_) if inside.away => return Err(self.away()),
            ManifestKey::Tag(tag) => inside.tags.get(tag),
            ManifestKey::Digest(digest) => Some(digest),
        };
        let found = digest.and_then(|digest| Some((digest, inside.manifests.get(digest)?)));
        Ok(found.map(|(_, bytes)| (Descriptor::of(IMAGE_MANIFEST, bytes), bytes.clone())))
    }

    async fn put_manifest(
        &self,
        media_type: &str,
        bytes: Bytes,
        tag: Option<&Tag>,
    ) -> Result<Descriptor, StoreError> {
        let mut inside = self.inside();
        let descriptor = inside.put(media_type, bytes);
        if let Some(tag) = tag {
            inside.tags.insert(tag.clone(), descriptor.digest);
        }
        inside.wrote();
        Ok(descriptor)
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(self.inside().blobs.contains_key(digest))
    }

    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn BlobSource,
        _: &dyn Meter,
    ) -> Result<Upload, StoreError> {
        let mut bytes = Vec::new();
        source.open().unwrap().read_to_end(&mut bytes).unwrap();
        let mut inside = self.inside();
        let put = inside.put_blob(&descriptor.media_type, bytes.into());
        assert_eq!(put.digest, descriptor.digest);
        inside.wrote();
        Ok(Upload::Sent)
    }

    async fn blob(&self, descriptor: &Descriptor) -> Result<BlobStream, StoreError> {
        let place = self.repository.to_string();
        let bytes = self.inside().blobs.get(&descriptor.digest).cloned();
        let bytes = bytes.ok_or(StoreError::NotFound {
            place: place.clone(),
        })?;
        let chunks = stream::iter([Ok(bytes)]).boxed();
        Ok(BlobStream::new(descriptor.clone(), place, chunks))
    }

    async fn tags(&self) -> Result<Vec<Tag>, StoreError> {
        Ok(self.inside().tags.keys().cloned().collect())
    }

    async fn referrers(
        &self,
        _: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, StoreError> {
        assert_eq!(artifact_type, None, "cosign's entries may have none");
        let inside = self.inside();
        if inside.away {
            return Err(self.away());
        }
        Ok(inside.referrers.clone())
    }

    async fn put_referrer(&self, _: &str, bytes: Bytes) -> Result<Descriptor, StoreError> {
        let manifest = Manifest::parse(&bytes).expect("what is put is a manifest");
        let mut inside = self.inside();
        let entry = inside.refer(&manifest);
        inside.wrote();
        Ok(entry)
    }
}
