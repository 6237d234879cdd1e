//! Packs files and puts them into a store, with no record of them: `modelyard push`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::codes;
use crate::artifact::pack::{LeftOut, PackError, Packed, RoleRule, pack};
use crate::artifact::upload::upload;
use crate::artifact::{ManifestKey, Store, StoreOptions, open};
use crate::platform::Progress;
use crate::record::{Code, Digest, Failure, Fault, OciReference, Tag, Version};

/// What is to be pushed, and where to.
pub struct Request {
    /// The file or folder.
    pub path: PathBuf,
    /// The roles of files whose names and content don't tell them.
    pub roles: Vec<RoleRule>,
    /// The repository, and the tag that shall point at it.
    pub reference: OciReference,
    /// Whether a version's tag may be moved from another artifact.
    pub force: bool,
}

/// What was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pushed {
    /// Where it is, by its tag and its digest.
    pub reference: String,
    /// Its manifest's digest.
    pub digest: Digest,
    /// Its files.
    pub files: Vec<PushedFile>,
    /// How many bytes they are.
    pub total_bytes: u64,
    /// How many of them were sent; the store had the others.
    pub sent_bytes: u64,
    /// What was left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A file that was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PushedFile {
    /// Its path in the artifact.
    pub path: String,
    /// What it is to the model.
    pub role: String,
    /// Its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
}

/// Why nothing was pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// A digest is what comes of pushing, and can't be asked for.
    #[error("{reference} names a digest, which only the files themselves have")]
    Digest {
        /// What was asked for.
        reference: String,
    },
    /// A version's tag that means something else already.
    #[error("{place} is {there} already, and these files are {these}")]
    TagTaken {
        /// The tag.
        place: String,
        /// What it points at.
        there: Digest,
        /// What was to be pushed.
        these: Digest,
    },
}

impl Fault for PushError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Digest { .. } => &codes::PUSH_TO_DIGEST,
            Self::TagTaken { .. } => &codes::TAG_TAKEN,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Digest { .. } => "name a tag, as in `:1.0.0`, or none".to_owned(),
            Self::TagTaken { .. } => {
                "choose another version; whoever pulled this one would get other bytes. `--force` \
                 moves the tag nevertheless"
                    .to_owned()
            }
        })
    }
}

/// Packs and pushes. `reference` has to be absolute, where it is a layout.
///
/// # Errors
/// If something can't be packed or the store doesn't take it; the tag is then as it was.
pub async fn push(
    request: Request,
    stores: &StoreOptions,
    progress: Arc<dyn Progress>,
) -> Result<Pushed, Failure> {
    let Request {
        path,
        roles,
        reference,
        force,
    } = request;
    if reference.digest.is_some() {
        let reference = reference.to_string();
        return Err(PushError::Digest { reference }.into());
    }
    let store = open(&reference.repository, stores)?;
    let packed = packed(path, roles, Arc::clone(&progress)).await?;
    if let Some(tag) = &reference.tag
        && !force
    {
        refuse_moved_version(&*store, tag, packed.digest).await?;
    }
    let sent_bytes = upload(&*store, &packed, &*progress).await?;
    if let Some(tag) = &reference.tag {
        let media_type = packed.descriptor().media_type;
        store
            .put_manifest(&media_type, packed.manifest.clone(), Some(tag))
            .await?;
    }
    let placed = OciReference {
        digest: Some(packed.digest),
        ..reference
    };
    Ok(Pushed {
        reference: placed.to_string(),
        digest: packed.digest,
        files: packed.layers.iter().map(file).collect(),
        total_bytes: packed.total_bytes,
        sent_bytes,
        left_out: packed.left_out,
    })
}

async fn packed(
    path: PathBuf,
    roles: Vec<RoleRule>,
    progress: Arc<dyn Progress>,
) -> Result<Packed, PackError> {
    let packing = tokio::task::spawn_blocking(move || pack(&path, &roles, &*progress));
    match packing.await {
        Ok(packed) => packed,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// A tag such as `latest` is there to be moved; a version never is.
async fn refuse_moved_version(store: &dyn Store, tag: &Tag, these: Digest) -> Result<(), Failure> {
    if tag.as_str().parse::<Version>().is_err() {
        return Ok(());
    }
    let key = ManifestKey::Tag(tag.clone());
    match store.resolve(&key).await? {
        Some(found) if found.digest != these => Err(PushError::TagTaken {
            place: key.place(store.repository()),
            there: found.digest,
            these,
        }
        .into()),
        _ => Ok(()),
    }
}

fn file(layer: &crate::artifact::pack::PackedFile) -> PushedFile {
    PushedFile {
        path: layer.path.to_string(),
        role: layer.role.to_string(),
        digest: layer.descriptor.digest,
        size: layer.descriptor.size,
    }
}

/// `reference` with a relative layout made absolute against `directory`.
pub fn absolute(reference: OciReference, directory: &Path) -> OciReference {
    OciReference {
        repository: reference.repository.resolved(directory),
        ..reference
    }
}
