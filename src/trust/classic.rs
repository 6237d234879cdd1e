//! cosign's classic format: a layer of the image tagged `sha256-<hex>.sig`.
//!
//! The layer is the signed payload itself ("simple signing"), byte for byte; the signature stands
//! in the layer's annotation [`ANNOTATION`]. Each signer has a layer of its own.
//!
//! ```json
//! {"critical": {"identity": {"docker-reference": "registry.example.com/acme/vision/digits"},
//!               "image": {"docker-manifest-digest": "sha256:…"},
//!               "type": "cosign container image signature"},
//!  "optional": null}
//! ```
//!
//! `docker-reference` is not compared with anything, as in cosign: a copy in another registry
//! keeps its signatures, and what counts is the digest.
//!
//! Source: cosign's `specs/SIGNATURE_SPEC.md`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Deserialize;
use serde_json::json;

use super::key::SigningKey;
use super::signature::{Content, Flaw};
use crate::record::{Digest, Repository, Tag};

/// The media type of a layer that is a signed payload.
pub const LAYER_MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The layer's annotation with its signature: base64 of DER ECDSA.
pub const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// The layer's annotation with the certificate of a keyless signer.
pub(super) const CERTIFICATE_ANNOTATION: &str = "dev.sigstore.cosign/certificate";
const KIND: &str = "cosign container image signature";

/// The tag under which the signatures of `subject` lie.
pub fn tag(subject: &Digest) -> Tag {
    format!("sha256-{}.sig", subject.hex())
        .parse()
        .expect("hexadecimal digits make a tag")
}

/// A layer: the payload, and the signature for its annotation.
pub(super) struct Layer {
    pub(super) payload: Vec<u8>,
    pub(super) signature: String,
}

/// The layer by which `key` signs `subject` in `repository`.
pub(super) fn write(subject: &Digest, repository: &Repository, key: &SigningKey) -> Layer {
    // A folder's path means nothing to anybody else, and may tell what it should not.
    let reference = match repository {
        Repository::Registry { .. } => repository.to_string(),
        Repository::Layout { .. } => String::new(),
    };
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": subject.to_string()},
            "type": KIND,
        },
        "optional": null,
    })
    .to_string()
    .into_bytes();
    Layer {
        signature: BASE64_STANDARD.encode(key.sign(&payload)),
        payload,
    }
}

/// What a layer under the tag of `subject` says; its signature is still to be verified.
pub(super) fn read(payload: Vec<u8>, signature: &str, subject: &Digest) -> Content {
    #[derive(Deserialize)]
    struct Payload {
        critical: Critical,
    }
    #[derive(Deserialize)]
    struct Critical {
        image: Image,
        #[serde(rename = "type")]
        kind: String,
    }
    #[derive(Deserialize)]
    struct Image {
        #[serde(rename = "docker-manifest-digest")]
        digest: String,
    }
    let critical = match serde_json::from_slice::<Payload>(&payload) {
        Ok(payload) => payload.critical,
        Err(error) => return Content::Flawed(Flaw::unreadable(error)),
    };
    if critical.kind != KIND {
        return Content::Flawed(Flaw::Pinned("the payload's type"));
    }
    if critical.image.digest != subject.to_string() {
        return Content::Flawed(Flaw::OtherSubject(Some(critical.image.digest)));
    }
    match BASE64_STANDARD.decode(signature) {
        Ok(signature) => Content::Keyed {
            message: payload,
            signature,
        },
        Err(error) => Content::Flawed(Flaw::unreadable(error)),
    }
}
