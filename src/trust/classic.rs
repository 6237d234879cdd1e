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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trust::{Form, Signature, VerifyingKey};

    /// Made by `cosign sign --key cosign.key`, cosign 2.6.5, of [`SUBJECT`].
    const COSIGN_PAYLOAD: &[u8] = include_bytes!("known/cosign2.payload.json");
    const COSIGN_SIGNATURE: &str = "MEYCIQDy24E7diioRtTQMpizx4GovHYUmowGYzp2tmT65P2CSgIhANNzt9h1RtLG\
                                    N4cY5zoN/JWgPbdoYiHk9dyWjqGq4rDh";
    const COSIGN_PUB: &[u8] = include_bytes!("known/cosign.pub");
    const SUBJECT: &str = "sha256:2b6354f66436877a59955b3173bd0e5ced0120571ec6d2789af0b76f11e953be";

    fn subject() -> Digest {
        SUBJECT.parse().unwrap()
    }

    fn signature(payload: &[u8], signature: &str) -> Signature {
        Signature {
            form: Form::Classic,
            at: subject(),
            content: read(payload.to_vec(), signature, &subject()),
        }
    }

    #[test]
    fn what_cosign_signed_verifies_with_its_key_and_no_other() {
        let signed = signature(COSIGN_PAYLOAD, COSIGN_SIGNATURE);
        assert!(signed.is_by(&VerifyingKey::from_pem(COSIGN_PUB).unwrap()));
        assert!(!signed.is_by(&SigningKey::generate().unwrap().verifying_key()));
    }

    #[test]
    fn we_write_what_cosign_writes_byte_for_byte() {
        let repository = "127.0.0.1:39939/acme/digits".parse().unwrap();
        let key = SigningKey::generate().unwrap();
        let layer = write(&subject(), &repository, &key);
        assert_eq!(layer.payload, COSIGN_PAYLOAD);
        assert!(signature(&layer.payload, &layer.signature).is_by(&key.verifying_key()));
    }

    #[test]
    fn a_folders_path_is_not_told_to_others() {
        let repository = "oci-layout:/home/somebody/store".parse().unwrap();
        let key = SigningKey::generate().unwrap();
        let layer = write(&subject(), &repository, &key);
        assert!(
            !String::from_utf8(layer.payload)
                .unwrap()
                .contains("somebody")
        );
    }

    #[test]
    fn nothing_but_a_signature_of_the_subject_counts() {
        let key = SigningKey::generate().unwrap();
        let told = |part: &str, other: &str| {
            let payload = String::from_utf8(COSIGN_PAYLOAD.to_vec()).unwrap();
            assert!(payload.contains(part));
            let payload = payload.replacen(part, other, 1);
            let by = BASE64_STANDARD.encode(key.sign(payload.as_bytes()));
            match signature(payload.as_bytes(), &by).content {
                Content::Flawed(flaw) => flaw.to_string(),
                other => format!("{other:?}"),
            }
        };
        insta::assert_snapshot!(told("2b63", "0000"), @"signs another artifact, sha256:000054f66436877a59955b3173bd0e5ced0120571ec6d2789af0b76f11e953be");
        insta::assert_snapshot!(told("cosign container", "atomic container"), @"the payload's type is not the one that is accepted");
        insta::assert_snapshot!(told("\"type\"", "\"kind\""), @"can't be read: missing field `type` at line 1 column 226");
        let no_base64 = signature(COSIGN_PAYLOAD, "§").content;
        assert!(matches!(no_base64, Content::Flawed(Flaw::Unreadable(_))));
    }

    proptest! {
        #[test]
        fn no_payload_makes_the_reader_panic(
            payload in proptest::collection::vec(any::<u8>(), 0..200),
            by in ".{0,100}",
        ) {
            prop_assert!(matches!(signature(&payload, &by).content, Content::Flawed(_)));
            let content = signature(COSIGN_PAYLOAD, &by).content;
            let key = VerifyingKey::from_pem(COSIGN_PUB).unwrap();
            let signed = Signature { form: Form::Classic, at: subject(), content };
            prop_assert!(!signed.is_by(&key));
        }
    }
}
