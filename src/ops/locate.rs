//! From what a person writes to the manifest that is meant.
//!
//! A text that begins as an OCI reference does names a manifest in a store, which is asked what
//! its tag points at now. Every other one is looked up in the yard, whose record says the digest.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::artifact::Descriptor;
use crate::artifact::store::{ManifestKey, Store, StoreOptions, open, required_manifest};
use crate::record::reference::ReferenceError;
use crate::record::repository::{OciReferenceError, is_oci_reference};
use crate::record::{Code, Failure, Fault, ModelReference, OciReference};
use crate::yard::{Catalog, Resolved, Yard, blocking};

/// What a person can mean by a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A manifest in a store, whatever a yard says of it.
    Oci(OciReference),
    /// A version of one of the yard's models.
    Model(ModelReference),
}

/// A manifest, and the store that it lies in.
pub struct Located {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The manifest, with the digest that its bytes have.
    pub manifest: Descriptor,
    /// The manifest's bytes.
    pub bytes: Bytes,
    /// The version whose artifact it is, where it was looked up in a yard.
    pub version: Option<Resolved>,
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub enum NoReference {
    /// It begins as an OCI reference and is none.
    Oci(#[from] OciReferenceError),
    /// It does not, and is no version of a model either.
    Model(#[from] ReferenceError),
}

impl NoReference {
    fn fault(&self) -> &dyn Fault {
        match self {
            Self::Oci(fault) => fault,
            Self::Model(fault) => fault,
        }
    }
}

impl Fault for NoReference {
    fn code(&self) -> &'static Code {
        self.fault().code()
    }

    fn help(&self) -> Option<String> {
        self.fault().help()
    }
}

impl std::str::FromStr for Reference {
    type Err = NoReference;

    fn from_str(text: &str) -> Result<Self, NoReference> {
        if is_oci_reference(text) {
            return Ok(Self::Oci(text.parse()?));
        }
        Ok(Self::Model(text.parse()?))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oci(reference) => reference.fmt(formatter),
            Self::Model(reference) => reference.fmt(formatter),
        }
    }
}

/// Finds the manifest that `reference` means in a store; a relative layout is one in `directory`.
///
/// # Errors
/// The store's; [`StoreError::NotFound`](crate::artifact::StoreError::NotFound) if it has none
/// such.
pub async fn in_store(
    reference: &OciReference,
    directory: &Path,
    options: &StoreOptions,
) -> Result<Located, Failure> {
    let store = open(&reference.repository.resolved(directory), options)?;
    let key = ManifestKey::of(reference);
    let (manifest, bytes) = required_manifest(store.as_ref(), &key).await?;
    Ok(Located {
        store,
        manifest,
        bytes,
        version: None,
    })
}

/// Finds the manifest of the version that `reference` means by the yard's records.
///
/// # Errors
/// If the yard has no such version, or the store not its artifact.
pub async fn in_yard(
    reference: &ModelReference,
    catalog: &Catalog,
    options: &StoreOptions,
) -> Result<Located, Failure> {
    let (catalog, reference) = (catalog.clone(), reference.clone());
    let yard: Yard = catalog.repository().clone();
    let version = blocking(move || catalog.resolve(&reference)).await?;
    of_version(&yard, version, options).await
}

/// Finds the manifest of `version`, which was looked up in `yard`.
///
/// # Errors
/// If the store can't be asked, or has no such artifact.
pub(super) async fn of_version(
    yard: &Yard,
    version: Resolved,
    options: &StoreOptions,
) -> Result<Located, Failure> {
    let artifact = &version.record.spec.artifact;
    let store = open(&yard.store(&artifact.repository)?, options)?;
    let key = ManifestKey::Digest(artifact.digest);
    let (manifest, bytes) = required_manifest(store.as_ref(), &key).await?;
    Ok(Located {
        store,
        manifest,
        bytes,
        version: Some(version),
    })
}

impl Located {
    /// The manifest's place by its digest, as errors and results name it.
    pub fn place(&self) -> OciReference {
        self.store.repository().at(self.manifest.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_stores_or_the_yards_by_how_it_begins() {
        for text in [
            "oci-layout:./store/a:1",
            "localhost/a/b:1",
            "r.example.com/a@sha256:",
        ] {
            assert!(!matches!(text.parse(), Ok(Reference::Model(_))), "{text}");
        }
        for text in [
            "vision/digits",
            "vision/digits:champion",
            "vision/digits:^1.2",
        ] {
            assert!(matches!(text.parse(), Ok(Reference::Model(_))), "{text}");
        }
    }
}
