//! A place that holds artifacts, whichever kind it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::descriptor::Descriptor;
use super::error::StoreError;
use super::layout::Layout;
use super::registry::Registry;
use super::source::BlobSource;
use super::stream::BlobStream;
use crate::platform::Places;
use crate::platform::progress::Meter;
use crate::platform::retry::Policy;
use crate::record::{Digest, OciReference, Repository, Tag};

/// Which manifest of a repository is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ManifestKey {
    /// What the tag points at now.
    Tag(Tag),
    /// Exactly this one.
    Digest(Digest),
}

/// What came of putting a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// Its bytes were sent.
    Sent,
    /// The store had them, and nothing was sent.
    AlreadyThere,
}

/// One repository: a registry's path, or a layout folder.
///
/// Each call is tried again by the retry policy where that helps, and either did all it says or
/// failed. A call that is dropped half-way leaves at most bytes that nothing points at.
#[async_trait]
pub trait Store: Send + Sync {
    /// Where it is.
    fn repository(&self) -> &Repository;

    /// Finds a manifest; `None` if the store says that it has none such.
    ///
    /// What comes back is what the store claims: [`Self::manifest`] verifies it.
    ///
    /// # Errors
    /// Every answer but "here" and "not there".
    async fn resolve(&self, key: &ManifestKey) -> Result<Option<Descriptor>, StoreError>;

    /// Fetches a manifest, or an index, with its digest verified; `None` as in
    /// [`Self::resolve`].
    ///
    /// # Errors
    /// As [`Self::resolve`]; also if it is larger than
    /// [`MAX_MANIFEST_BYTES`](super::limits::MAX_MANIFEST_BYTES) or not what its digest says.
    async fn manifest(&self, key: &ManifestKey) -> Result<Option<(Descriptor, Bytes)>, StoreError>;

    /// Puts a manifest whose blobs are there, and points `tag` at it.
    ///
    /// A manifest with a subject goes by [`Self::put_referrer`].
    ///
    /// # Errors
    /// If the store doesn't take it.
    async fn put_manifest(
        &self,
        media_type: &str,
        bytes: Bytes,
        tag: Option<&Tag>,
    ) -> Result<Descriptor, StoreError>;

    /// Whether the store has this blob.
    ///
    /// # Errors
    /// Every answer but yes and no.
    async fn has_blob(&self, digest: &Digest) -> Result<bool, StoreError>;

    /// Puts a blob, unless the store has it.
    ///
    /// # Errors
    /// If the store doesn't take it, or the source's bytes are not those that `descriptor` says.
    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn BlobSource,
        meter: &dyn Meter,
    ) -> Result<Upload, StoreError>;

    /// Begins to fetch a blob; its bytes are verified as they are read from the stream.
    ///
    /// # Errors
    /// If the store doesn't give it; "not there" is an error here.
    async fn blob(&self, descriptor: &Descriptor) -> Result<BlobStream, StoreError>;

    /// Goes on with a blob at byte `from`. The parts are put together by whoever asks, and so are
    /// for them to verify.
    ///
    /// # Errors
    /// As [`Self::blob`].
    async fn blob_from(
        &self,
        descriptor: &Descriptor,
        from: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        let whole = self.blob(descriptor).await?.into_chunks();
        let rest = stream::try_unfold((whole, from), |(mut whole, mut skip)| async move {
            while let Some(mut chunk) = whole.try_next().await? {
                let length = chunk.len() as u64;
                if skip < length {
                    let known = usize::try_from(skip).expect("it is less than a chunk's length");
                    return Ok(Some((chunk.split_off(known), (whole, 0))));
                }
                skip -= length;
            }
            Ok(None)
        });
        Ok(rest.boxed())
    }

    /// Every tag, sorted; none for a repository that holds nothing yet.
    ///
    /// # Errors
    /// If the store doesn't tell, or tells more than
    /// [`MAX_TAGS`](super::limits::MAX_TAGS).
    async fn tags(&self) -> Result<Vec<Tag>, StoreError>;

    /// The manifests whose subject is `subject`, as the store claims, of one artifact type or of
    /// all. cosign's own entries may carry no artifact type: ask for all to find those.
    ///
    /// # Errors
    /// Every answer but a list; "unsigned" is only what the store says is so.
    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, StoreError>;

    /// Puts a manifest that has a subject, so that [`Self::referrers`] finds it, here and by any
    /// other client: by the referrers API, or the tag `sha256-<hex>` where there is none.
    ///
    /// # Errors
    /// If it has no subject, or the store doesn't take it.
    async fn put_referrer(&self, media_type: &str, bytes: Bytes) -> Result<Descriptor, StoreError>;
}

/// How stores are opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The folder of Docker's `config.json`, where logins are.
    pub docker_config: PathBuf,
    /// Whether registries are spoken to without TLS: only those on this machine where it isn't
    /// said.
    pub plain_http: Option<bool>,
    /// How often something transient is tried again.
    pub retry: Policy,
}

impl StoreOptions {
    /// The logins of this user, TLS but on this machine, and the common retries.
    pub fn new(places: &Places) -> Self {
        Self {
            docker_config: places.docker_config.clone(),
            plain_http: None,
            retry: Policy::default(),
        }
    }
}

/// Opens a repository. Nothing is asked of it yet.
///
/// # Errors
/// If it is a layout by a relative path, which its caller has to resolve first
/// ([`Repository::resolved`]), or if there can be no HTTP client.
pub fn open(repository: &Repository, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match repository {
        Repository::Layout { path } => Arc::new(Layout::open(path)?),
        Repository::Registry { host, path } => Arc::new(Registry::open(host, path, options)?),
    })
}

/// Fetches a manifest that has to be there.
///
/// # Errors
/// As [`Store::manifest`]; [`StoreError::NotFound`] if there is none, [`StoreError::NoLayout`] if
/// not even the folder is there that it should be in.
pub async fn required_manifest(
    store: &dyn Store,
    key: &ManifestKey,
) -> Result<(Descriptor, Bytes), StoreError> {
    if let Some(found) = store.manifest(key).await? {
        return Ok(found);
    }
    let place = key.place(store.repository());
    Err(match store.repository() {
        // A folder that is not there yet is as good as an empty one, but to who looks for
        // something in it.
        Repository::Layout { path } if !is_there(path).await => {
            let path = path.clone();
            StoreError::NoLayout { path, place }
        }
        _ => StoreError::NotFound { place },
    })
}

async fn is_there(path: &Path) -> bool {
    tokio::fs::try_exists(path).await.unwrap_or(true)
}

impl ManifestKey {
    /// The manifest that `reference` means: by its digest where it has one, else by its tag, else
    /// `latest`.
    pub fn of(reference: &OciReference) -> Self {
        match (&reference.digest, &reference.tag) {
            (Some(digest), _) => Self::Digest(*digest),
            (None, Some(tag)) => Self::Tag(tag.clone()),
            (None, None) => Self::Tag("latest".parse().expect("`latest` is a tag")),
        }
    }

    /// How an error names it in `repository`.
    pub fn place(&self, repository: &Repository) -> String {
        match self {
            Self::Tag(tag) => repository.tagged(tag.clone()).to_string(),
            Self::Digest(digest) => repository.at(*digest).to_string(),
        }
    }
}

/// How an error names a blob of `repository`.
pub(super) fn blob_place(repository: &Repository, digest: &Digest) -> String {
    format!("the blob {}", repository.at(*digest))
}
