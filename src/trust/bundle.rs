//! cosign's bundle: a Sigstore bundle v0.3 around a DSSE envelope, as cosign 3 writes it.
//!
//! ```json
//! {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
//!  "verificationMaterial": {"publicKey": {"hint": "<base64 of the key's fingerprint>"}},
//!  "dsseEnvelope": {"payload": "…", "payloadType": "application/vnd.in-toto+json",
//!                   "signatures": [{"sig": "…"}]}}
//! ```
//!
//! The payload is an in-toto statement whose subject is the signed manifest's digest and whose
//! predicate, [`PREDICATE`], is empty. The signature is over DSSE's pre-authentication encoding
//! of it. What a reader could be led astray by is pinned: the types of envelope, statement and
//! predicate, one signature, no `keyid`; and the hint is not believed.
//!
//! Sources: Sigstore's protobuf-specs, `sigstore_bundle.proto`; DSSE 1.0; cosign 3.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::json;
use sigstore_types::bundle::VerificationMaterialContent;
use sigstore_types::{Bundle, DsseEnvelope, MediaType, SignatureContent, Statement, pae};

use super::key::SigningKey;
use super::signature::{Content, Flaw};
use crate::record::Digest;

/// The media type of the bundle, of its layer, and of the manifest that carries it.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The predicate of a plain signature.
pub const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The bundle by which `key` signs the manifest with the digest `subject`.
pub(super) fn write(subject: &Digest, key: &SigningKey) -> Vec<u8> {
    let payload = json!({
        "_type": Statement::TYPE_V1,
        "subject": [{"digest": {"sha256": subject.hex()}, "annotations": {}}],
        "predicateType": PREDICATE,
        "predicate": {},
    })
    .to_string();
    let signature = key.sign(&pae(PAYLOAD_TYPE, payload.as_bytes()));
    let hint = BASE64_STANDARD.encode(key.verifying_key().fingerprint().as_bytes());
    json!({
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}},
        "dsseEnvelope": {
            "payload": BASE64_STANDARD.encode(&payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": BASE64_STANDARD.encode(signature)}],
        },
    })
    .to_string()
    .into_bytes()
}

/// What a bundle that refers to `subject` says; its signature is still to be verified.
pub(super) fn read(json: &[u8], subject: &Digest) -> Content {
    let bundle: Bundle = match serde_json::from_slice(json) {
        Ok(bundle) => bundle,
        Err(error) => return Content::Flawed(Flaw::unreadable(error)),
    };
    if bundle.media_type() != MediaType::Bundle0_3 {
        return Content::Flawed(Flaw::Pinned("the bundle's media type"));
    }
    let SignatureContent::DsseEnvelope(envelope) = bundle.content else {
        return Content::Flawed(Flaw::Pinned("the bundle's content"));
    };
    if let Err(flaw) = envelope_as_pinned(&envelope) {
        return Content::Flawed(flaw);
    }
    let statement: Statement = match serde_json::from_slice(envelope.payload.as_bytes()) {
        Ok(statement) => statement,
        Err(error) => return Content::Flawed(Flaw::unreadable(error)),
    };
    if statement.predicate_type != PREDICATE {
        return Content::Attestation(statement.predicate_type);
    }
    if let Err(flaw) = signs(&statement, subject) {
        return Content::Flawed(flaw);
    }
    match bundle.verification_material.content {
        VerificationMaterialContent::PublicKey(_) => Content::Keyed {
            message: envelope.pae(),
            signature: envelope.signature.sig.into_bytes(),
        },
        _ => Content::Keyless,
    }
}

fn envelope_as_pinned(envelope: &DsseEnvelope) -> Result<(), Flaw> {
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(Flaw::Pinned("the envelope's payloadType"));
    }
    if !envelope.signature.keyid.is_empty() {
        return Err(Flaw::Pinned("the envelope's keyid, which has to be empty"));
    }
    Ok(())
}

/// Refuses a statement of another type, or about anything but `subject`.
fn signs(statement: &Statement, subject: &Digest) -> Result<(), Flaw> {
    if statement.type_ != Statement::TYPE_V1 {
        return Err(Flaw::Pinned("the statement's _type"));
    }
    let mut named = statement
        .subject
        .iter()
        .filter_map(|named| named.digest.sha256.as_ref())
        .map(|sha256| Digest::from_bytes(*sha256.as_bytes()));
    let first = named.next();
    if first.as_ref() == Some(subject) || named.any(|digest| digest == *subject) {
        return Ok(());
    }
    Err(Flaw::OtherSubject(first.map(|digest| digest.to_string())))
}
