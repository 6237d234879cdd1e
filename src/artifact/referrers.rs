//! Manifests about another manifest: signatures, attestations, SBOMs.
//!
//! A registry with the referrers API finds them by their `subject`. One without it keeps, under
//! the tag `sha256-<hex>` of the subject, an index of them that every writer adds to
//! (OCI distribution-spec 1.1, "Referrers Tag Schema"). A layout is searched.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::descriptor::Descriptor;
use super::error::StoreError;
use super::limits::MAX_REFERRERS;
use super::manifest::Manifest;
use crate::record::{Digest, Repository, Tag};

/// What a manifest or an index says of whom it is about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Referrer {
    artifact_type: Option<String>,
    config: Option<Pointer>,
    subject: Option<Pointer>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pointer {
    media_type: String,
    digest: Digest,
}

/// Reads what a manifest or an index says of whom it is about; `None` if it is neither.
pub(super) fn read(bytes: &[u8]) -> Option<Referrer> {
    serde_json::from_slice(bytes).ok()
}

impl Referrer {
    /// The manifest that it is about.
    pub(super) fn subject(&self) -> Option<Digest> {
        self.subject.as_ref().map(|subject| subject.digest)
    }

    /// `entry` with its artifact type and annotations, as the referrers API tells them.
    pub(super) fn describe(self, entry: Descriptor) -> Descriptor {
        Descriptor {
            artifact_type: self
                .artifact_type
                .or_else(|| self.config.map(|config| config.media_type)),
            annotations: self.annotations,
            ..entry
        }
    }
}

/// The subject and the descriptor of a manifest that is to be put as a referrer.
///
/// # Errors
/// [`StoreError::Manifest`] if it is no manifest; [`StoreError::NoSubject`] if it is about none.
pub(super) fn describe(
    repository: &Repository,
    media_type: &str,
    bytes: &[u8],
) -> Result<(Digest, Descriptor), StoreError> {
    let entry = Descriptor::of(media_type, bytes);
    let place = || repository.at(entry.digest).to_string();
    let manifest = Manifest::parse(bytes).map_err(|source| StoreError::Manifest {
        place: place(),
        source,
    })?;
    let kind = manifest.kind().to_owned();
    let Some(subject) = manifest.subject else {
        return Err(StoreError::NoSubject { place: place() });
    };
    let descriptor = Descriptor {
        artifact_type: Some(kind),
        annotations: manifest.annotations,
        ..entry
    };
    Ok((subject.digest, descriptor))
}

/// Whether an entry is of the type that is asked for.
pub(super) fn is_wanted(entry: &Descriptor, artifact_type: Option<&str>) -> bool {
    artifact_type.is_none_or(|wanted| entry.artifact_type.as_deref() == Some(wanted))
}

/// The tag under which a registry without the referrers API keeps the list of `subject`'s.
pub fn fallback_tag(subject: &Digest) -> Tag {
    let tag = format!("sha256-{}", subject.hex());
    tag.parse().expect("letters, digits and a hyphen are a tag")
}

/// Fails if more refer to `subject` than are read.
pub(super) fn bounded(
    found: &[Descriptor],
    repository: &Repository,
    subject: &Digest,
) -> Result<(), StoreError> {
    if found.len() > MAX_REFERRERS {
        return Err(StoreError::TooLarge {
            place: repository.at(*subject).to_string(),
            unit: "referrers",
            limit: MAX_REFERRERS as u64,
        });
    }
    Ok(())
}
