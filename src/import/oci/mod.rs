//! Models that are OCI artifacts already: ModelKits, ModelPack, Docker's, and files by oras.
//!
//! ```text
//!  registry.example.com/team/fraud ──tags──▶ versions, aliases
//!       :1.2.0 ──▶ manifest ──┬─ config, Kitfile, annotations ──▶ fields of records
//!                             └─ layers: raw ──▶ a file each
//!                                        tar, tar+gzip, tar+zstd ──▶ unpacked as they come
//! ```
//!
//! - A tag is resolved to a digest first, which is the version's revision, and everything is read
//!   by digest: what is pushed meanwhile changes nothing that is being brought.
//! - Registries are asked with the logins that this program uses everywhere.
//! - What is packed here is packed as everything else: the artifact of the record is ours, of the
//!   same files; one that was published from here has the same digest again.
//!
//! Sources: ModelPack's specification (modelpack/model-spec, "docs/spec.md" and "docs/config.md");
//! KitOps' Kitfile (kitops.org, "Kitfile format") and its media types; OCI image-spec 1.1.

mod config;
mod kitfile;
mod layers;
mod tags;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;

use super::annotations::Told;
use super::unpack::{Archive, Compression};
use super::{
    Candidate, ImportError, Listed, Listing, ModelListed, Opened, Opening, Place, Source,
    SourceArchive, SourceFile,
};
use crate::artifact::descriptor::Descriptor;
use crate::artifact::limits::MAX_MANIFEST_BYTES;
use crate::artifact::store::required_manifest;
use crate::artifact::{Manifest, ManifestKey, Store, StoreError, open as open_store};
use crate::platform::Progress;
use crate::platform::progress::Meter;
use crate::record::kind::SourceType;
use crate::record::{Class, Digest, Fault, OciReference, Repository};
use layers::{Form, Layer};

/// A repository of artifacts, and which of them is meant.
pub(super) struct Oci {
    store: Arc<dyn Store>,
    /// The one that is meant; all versions where none is.
    asked: Option<ManifestKey>,
}

/// Opens the artifact or the repository that `place` means. Nothing is asked of it yet.
///
/// # Errors
/// If it is no reference.
pub(super) fn open(place: &Place, opening: &Opening<'_>) -> Result<Arc<dyn Source>, ImportError> {
    let reference = reference(place, opening)?;
    let asked = match (&reference.digest, &reference.tag) {
        (None, None) => None,
        _ => Some(ManifestKey::of(&reference)),
    };
    let store = open_store(&reference.repository, &opening.stores)?;
    Ok(Arc::new(Oci { store, asked }))
}

/// The reference that `place` means: one in a registry, with or without `oci://` before it, or a
/// folder's path, with or without `oci-layout:` before it; the yard's `ref` is a tag.
pub(super) fn reference(place: &Place, opening: &Opening<'_>) -> Result<OciReference, ImportError> {
    // As a word `oci://…` its scheme is the kind; a URL of the yard's has it still.
    let schemes = ["oci://", "docker://", "//"];
    let at = place.at.as_str();
    let at = schemes.iter().find_map(|scheme| at.strip_prefix(scheme));
    let at = at.unwrap_or(&place.at);
    let text = match at.starts_with(['.', '/', '~']) {
        true => format!("oci-layout:{at}"),
        false => at.to_owned(),
    };
    let parsed = text.parse::<OciReference>();
    let mut reference = parsed.map_err(|error| ImportError::Malformed {
        place: place.to_string(),
        reason: error.reason.to_owned(),
    })?;
    if let (None, None, Some(tag)) = (&reference.tag, &reference.digest, &place.revision) {
        let tag = tag.parse().map_err(|_| ImportError::Malformed {
            place: place.to_string(),
            reason: format!("`{}` is no tag", tag.escape_debug()),
        })?;
        reference.tag = Some(tag);
    }
    reference.repository = reference.repository.resolved(&opening.folder);
    Ok(reference)
}

impl std::fmt::Debug for Oci {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Oci").field(&self.place()).finish()
    }
}

impl Oci {
    /// What the repository is called by itself: the last part of its path.
    fn name(&self) -> String {
        match self.store.repository() {
            Repository::Registry { path, .. } => path.rsplit('/').next().unwrap_or(path).to_owned(),
            Repository::Layout { path } => {
                let name = path.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            }
        }
    }

    /// How versions are called for good: by the repository, or by the folder's name.
    fn stem(&self) -> String {
        match self.store.repository() {
            repository @ Repository::Registry { .. } => repository.to_string(),
            Repository::Layout { .. } => self.name(),
        }
    }

    async fn manifest(&self, digest: Digest) -> Result<Manifest, ImportError> {
        let key = ManifestKey::Digest(digest);
        let (_, bytes) = required_manifest(&*self.store, &key).await?;
        let place = key.place(self.store.repository());
        Manifest::parse(&bytes).map_err(|source| StoreError::Manifest { place, source }.into())
    }

    /// What the artifact says of itself.
    async fn tell(&self, manifest: &Manifest) -> Result<Told, ImportError> {
        let config = self.small(&manifest.config).await?;
        Ok(config::tell(manifest, &config))
    }

    async fn tell_by(&self, digest: Digest) -> Result<Told, ImportError> {
        let manifest = self.manifest(digest).await?;
        self.tell(&manifest).await
    }

    /// All of a small blob.
    async fn small(&self, descriptor: &Descriptor) -> Result<Bytes, ImportError> {
        let stream = self.store.blob(descriptor).await?;
        Ok(stream.read(MAX_MANIFEST_BYTES).await?)
    }

    async fn layers(&self, listed: &Listed) -> Result<(Manifest, Vec<Layer>), ImportError> {
        let digest = listed
            .revision
            .as_deref()
            .and_then(|text| text.parse().ok());
        let digest: Digest = digest.ok_or_else(|| ImportError::Lacks {
            place: self.place(),
            what: listed.reference.clone(),
        })?;
        let manifest = self.manifest(digest).await?;
        let layers = layers::of(&listed.reference, &manifest)?;
        Ok((manifest, layers))
    }
}

#[async_trait]
impl Source for Oci {
    fn source_type(&self) -> SourceType {
        SourceType::Oci
    }

    fn place(&self) -> String {
        self.store.repository().to_string()
    }

    fn address(&self) -> Option<String> {
        match self.store.repository() {
            repository @ Repository::Registry { .. } => Some(repository.to_string()),
            Repository::Layout { .. } => None,
        }
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        let (versions, left_out) = match &self.asked {
            Some(key) => {
                let (descriptor, _) = required_manifest(&*self.store, key).await?;
                let listed = tags::asked(&self.name(), &self.stem(), key, descriptor.digest);
                (vec![listed], Vec::new())
            }
            None => tags::all(&*self.store, &self.name(), &self.stem()).await?,
        };
        let mut model = ModelListed::default();
        if let Some(newest) = versions
            .last()
            .and_then(|listed| listed.revision.as_deref())
            && let Ok(digest) = newest.parse()
        {
            match self.tell_by(digest).await {
                Ok(told) => model.spec = told.model,
                // What is wrong with this one is told when it is brought.
                Err(error) if error.class() == Class::Permanent => {}
                Err(error) => return Err(error),
            }
        }
        if versions.is_empty() && left_out.is_empty() {
            return Err(ImportError::Lacks {
                place: self.place(),
                what: "tag".to_owned(),
            });
        }
        Ok(Listing {
            models: [(self.name(), model)].into(),
            versions,
            left_out,
            ..Listing::default()
        })
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let (manifest, layers) = self.layers(listed).await?;
        let mut told = self.tell(&manifest).await?;
        tags::remark(listed, &mut told.remarks);
        Ok(Candidate {
            version: told.version,
            card: None,
            unmapped: told.unmapped,
            files: layers::files(layers),
            remarks: told.remarks,
            carrier: None,
        })
    }

    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        let lacks = || ImportError::Lacks {
            place: self.place(),
            what: file.path.clone(),
        };
        let digest = file.sha256.ok_or_else(lacks)?;
        let size_bytes = file.size_bytes.ok_or_else(lacks)?;
        let blob = Descriptor::new(layers::RAW, digest, size_bytes);
        let chunks = match from {
            0 => self.store.blob(&blob).await?.into_chunks(),
            // Its digest is held against the whole when it is packed.
            from => self.store.blob_from(&blob, from).await?,
        };
        Ok(Opened {
            from,
            size_bytes: Some(size_bytes),
            bytes: chunks.map(|chunk| Ok(chunk?)).boxed(),
        })
    }

    async fn unpack(
        &self,
        archive: &SourceArchive,
        folder: &Path,
        meter: &dyn Meter,
    ) -> Result<(), ImportError> {
        let layer = Layer::of_key(&archive.key, archive.size_bytes);
        let Layer { descriptor, form } = layer.ok_or_else(|| ImportError::Lacks {
            place: self.place(),
            what: archive.name.clone(),
        })?;
        let place = format!("{} of {}", archive.name, self.place());
        let stream = self.store.blob(&descriptor).await?;
        let folder = folder.to_owned();
        let size_bytes = archive.size_bytes;
        stream
            .read_by(meter, move |input| match form {
                Form::File(path) => super::unpack::write(&place, input, &path, &folder),
                Form::Tar(compression) => Archive {
                    place,
                    compression,
                    size_bytes,
                    input,
                }
                .unpack(&folder),
            })
            .await?
    }
}

/// How a blob is compressed that `media_type` says to be a tar; `None` if it says none.
pub(super) fn tar_of(media_type: &str) -> Option<Compression> {
    let (kind, compression) = match media_type.rsplit_once('+') {
        Some((kind, compression)) => (kind, compression),
        // Docker's own word for it.
        None => match media_type.strip_suffix(".gzip") {
            Some(kind) => (kind, "gzip"),
            None => (media_type, ""),
        },
    };
    if !kind.ends_with(".tar") {
        return None;
    }
    match compression {
        "" => Some(Compression::None),
        "gzip" => Some(Compression::Gzip),
        "zstd" => Some(Compression::Zstd),
        _ => None,
    }
}
