//! Manifests: which blobs make one artifact.
//!
//! ```json
//! {"schemaVersion":2,
//!  "mediaType":"application/vnd.oci.image.manifest.v1+json",
//!  "artifactType":"application/vnd.cncf.model.manifest.v1+json",
//!  "config":{"mediaType":"…","digest":"sha256:…","size":301},
//!  "layers":[{"mediaType":"…","digest":"sha256:…","size":123}],
//!  "subject":{"mediaType":"…","digest":"sha256:…","size":700},
//!  "annotations":{"org.opencontainers.image.created":"…"}}
//! ```
//!
//! A manifest's identity is the digest of its bytes as they came: they are kept beside the parsed
//! form, and never written anew from it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::codes;
use super::descriptor::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST};
use super::limits::{MAX_LAYERS, MAX_MANIFEST_BYTES};
use crate::record::{Code, Fault};

/// An image manifest (OCI image-spec 1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// [`IMAGE_MANIFEST`]; older writers leave it out.
    #[serde(default = "image_manifest")]
    pub media_type: String,
    /// What kind of artifact it is; the config's media type where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What describes the artifact.
    pub config: Descriptor,
    /// The blobs that it is made of, in order.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about: what a signature signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// What else is said of it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Why bytes are no manifest that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// More bytes or layers than any artifact has.
    #[error("the manifest has {actual} {what}, more than the {limit} that are read")]
    TooLarge {
        /// `bytes` or `layers`.
        what: &'static str,
        /// How many there are.
        actual: u64,
        /// How many there may be.
        limit: u64,
    },
    /// Not JSON, or not of a manifest's form.
    #[error("it is not an OCI image manifest")]
    Form(#[source] serde_json::Error),
    /// An image index, a Docker manifest or something else.
    #[error("it is of the type `{}` and not an OCI image manifest", media_type.escape_debug())]
    Type {
        /// What it says it is.
        media_type: String,
    },
    /// A version of the format that we don't know.
    #[error("its schemaVersion is {version}, and only 2 is known")]
    Version {
        /// What it says.
        version: u32,
    },
}

impl Fault for ManifestError {
    fn code(&self) -> &'static Code {
        match self {
            Self::TooLarge { .. } => &codes::TOO_LARGE,
            _ => &codes::INVALID_MANIFEST,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Type { media_type } if media_type == IMAGE_INDEX => {
                "it lists several manifests: name the one that is meant by its digest".to_owned()
            }
            _ => "check with `modelyard inspect` that the reference names a model's artifact"
                .to_owned(),
        })
    }
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] if it is larger than [`MAX_MANIFEST_BYTES`], has more than
    /// [`MAX_LAYERS`] layers, or is no OCI image manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        bounded("bytes", bytes.len(), MAX_MANIFEST_BYTES)?;
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Kind {
            schema_version: u32,
            media_type: Option<String>,
        }
        let kind: Kind = serde_json::from_slice(bytes).map_err(ManifestError::Form)?;
        if let Some(media_type) = kind.media_type.filter(|kind| kind != IMAGE_MANIFEST) {
            return Err(ManifestError::Type { media_type });
        }
        if kind.schema_version != 2 {
            let version = kind.schema_version;
            return Err(ManifestError::Version { version });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(ManifestError::Form)?;
        bounded("layers", manifest.layers.len(), MAX_LAYERS as u64)?;
        Ok(manifest)
    }

    /// Writes it as compact JSON, fields in the order of the specification and annotations
    /// sorted, so that the same manifest always has the same bytes.
    pub fn to_bytes(&self) -> Bytes {
        serde_json::to_vec(self)
            .expect("a manifest's keys are strings")
            .into()
    }

    /// What kind of artifact it is: its own type, or its config's (OCI image-spec 1.1,
    /// "Guidelines for Artifact Usage").
    pub fn kind(&self) -> &str {
        self.artifact_type
            .as_deref()
            .unwrap_or(&self.config.media_type)
    }

    /// Its config and its layers: the blobs that have to be there before it.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.config).chain(&self.layers)
    }
}

fn image_manifest() -> String {
    IMAGE_MANIFEST.to_owned()
}

fn bounded(what: &'static str, actual: usize, limit: u64) -> Result<(), ManifestError> {
    let actual = actual as u64;
    if actual > limit {
        return Err(ManifestError::TooLarge {
            what,
            actual,
            limit,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_and_writes_the_same_bytes() {
        let digest = "0".repeat(64);
        let text = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{IMAGE_MANIFEST}\",\
             \"artifactType\":\"application/vnd.cncf.model.manifest.v1+json\",\
             \"config\":{{\"mediaType\":\"a/b\",\"digest\":\"sha256:{digest}\",\"size\":2}},\
             \"layers\":[{{\"mediaType\":\"c/d\",\"digest\":\"sha256:{digest}\",\"size\":3,\
             \"annotations\":{{\"x\":\"y\"}}}}]}}"
        );
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(manifest.to_bytes(), text.as_bytes());
        assert_eq!(manifest.blobs().count(), 2);
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_the_reason() {
        let index =
            format!("{{\"schemaVersion\":2,\"mediaType\":\"{IMAGE_INDEX}\",\"manifests\":[]}}");
        let negative = "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"digest\":\"sha256:\",\"size\":-1},\"layers\":[]}";
        let huge = vec![b' '; usize::try_from(MAX_MANIFEST_BYTES).unwrap() + 1];
        let reason = |bytes: &[u8]| Manifest::parse(bytes).unwrap_err().to_string();
        insta::assert_snapshot!(reason(b"<html>"), @"it is not an OCI image manifest");
        insta::assert_snapshot!(reason(negative.as_bytes()), @"it is not an OCI image manifest");
        insta::assert_snapshot!(reason(index.as_bytes()), @"it is of the type `application/vnd.oci.image.index.v1+json` and not an OCI image manifest");
        insta::assert_snapshot!(reason(b"{\"schemaVersion\":1}"), @"its schemaVersion is 1, and only 2 is known");
        insta::assert_snapshot!(reason(&huge), @"the manifest has 4194305 bytes, more than the 4194304 that are read");
    }
}
