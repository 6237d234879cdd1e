//! What points at bytes: their media type, digest and size.
//!
//! ```json
//! {"mediaType":"application/vnd.cncf.model.weight.v1.raw",
//!  "digest":"sha256:…","size":123,
//!  "annotations":{"org.cncf.model.filepath":"model.onnx"}}
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::record::Digest;

/// An image manifest (OCI image-spec 1.1), the form that every artifact has.
pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image index: a list of manifests.
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The media type of [`EMPTY_JSON`], the config of artifacts that have none.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// The bytes of an empty config.
pub const EMPTY_JSON: &[u8] = b"{}";

/// A descriptor (OCI image-spec 1.1, "OCI Content Descriptors").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What kind of bytes they are.
    pub media_type: String,
    /// Their identity.
    pub digest: Digest,
    /// How many they are, in bytes.
    pub size: u64,
    /// What kind of artifact it is, where the bytes are a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What else is said of them, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Describes bytes of this digest and size, with no annotation.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }

    /// Describes `bytes`.
    pub fn of(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(media_type, digest_of(bytes), bytes.len() as u64)
    }

    /// The same with one more annotation.
    #[must_use]
    pub fn annotated(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(name.into(), value.into());
        self
    }
}

/// The SHA-256 of `bytes`.
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}
