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
        return Err(Flaw::Pinned("the envelope's keyid"));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::trust::{Form, Signature, VerifyingKey};

    /// Made by `cosign sign --key cosign.key`, cosign 3.1.3, of [`SUBJECT`].
    const COSIGN_BUNDLE: &[u8] = include_bytes!("known/cosign3.bundle.json");
    const COSIGN_PUB: &[u8] = include_bytes!("known/cosign.pub");
    const SUBJECT: &str = "sha256:2b6354f66436877a59955b3173bd0e5ced0120571ec6d2789af0b76f11e953be";

    fn subject() -> Digest {
        SUBJECT.parse().unwrap()
    }

    fn signature(json: &[u8]) -> Signature {
        Signature {
            form: Form::Bundle,
            at: subject(),
            content: read(json, &subject()),
        }
    }

    /// A bundle of ours with something changed before it is signed.
    fn forged(key: &SigningKey, change: impl FnOnce(&mut Value, &mut String)) -> Vec<u8> {
        let mut bundle: Value = serde_json::from_slice(&write(&subject(), key)).unwrap();
        let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
        let mut payload = String::from_utf8(BASE64_STANDARD.decode(payload).unwrap()).unwrap();
        change(&mut bundle, &mut payload);
        let envelope = &mut bundle["dsseEnvelope"];
        let kind = envelope["payloadType"].as_str().unwrap();
        let signature = key.sign(&pae(kind, payload.as_bytes()));
        envelope["payload"] = BASE64_STANDARD.encode(&payload).into();
        envelope["signatures"][0]["sig"] = BASE64_STANDARD.encode(signature).into();
        bundle.to_string().into_bytes()
    }

    #[test]
    fn what_cosign_signed_verifies_with_its_key_and_no_other() {
        let signed = signature(COSIGN_BUNDLE);
        assert!(signed.is_by(&VerifyingKey::from_pem(COSIGN_PUB).unwrap()));
        assert!(!signed.is_by(&SigningKey::generate().unwrap().verifying_key()));
    }

    #[test]
    fn we_write_what_cosign_writes() {
        let key = SigningKey::generate().unwrap();
        let mut ours: Value = serde_json::from_slice(&write(&subject(), &key)).unwrap();
        let mut theirs: Value = serde_json::from_slice(COSIGN_BUNDLE).unwrap();
        for bundle in [&mut ours, &mut theirs] {
            let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
            let payload = BASE64_STANDARD.decode(payload).unwrap();
            bundle["dsseEnvelope"]["payload"] = serde_json::from_slice(&payload).unwrap();
            bundle["dsseEnvelope"]["signatures"][0]["sig"] = "…".into();
        }
        let hint = theirs["verificationMaterial"]["publicKey"]["hint"].take();
        let cosign = VerifyingKey::from_pem(COSIGN_PUB).unwrap().fingerprint();
        assert_eq!(hint, BASE64_STANDARD.encode(cosign.as_bytes()));
        ours["verificationMaterial"]["publicKey"]["hint"].take();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn nothing_but_a_plain_signature_of_the_subject_counts() {
        let key = SigningKey::generate().unwrap();
        let told = |change: fn(&mut Value, &mut String)| {
            let signed = signature(&forged(&key, change));
            assert!(!signed.is_by(&key.verifying_key()));
            match signed.content {
                Content::Flawed(flaw) => flaw.to_string(),
                other => format!("{other:?}"),
            }
        };
        assert!(signature(&forged(&key, |_, _| {})).is_by(&key.verifying_key()));
        insta::assert_snapshot!(told(|_, payload| *payload = payload.replace("2b63", "0000")), @"signs another artifact, sha256:000054f66436877a59955b3173bd0e5ced0120571ec6d2789af0b76f11e953be");
        insta::assert_snapshot!(told(|_, payload| *payload = payload.replace("sha256", "sha512")), @"can't be read: Invalid encoding: SHA-512 hash must be 64 bytes, got 32 at line 1 column 141");
        insta::assert_snapshot!(told(|_, payload| *payload = payload.replace("Statement/v1", "Statement/v0.1")), @"the statement's _type is not the one that is accepted");
        insta::assert_snapshot!(told(|_, payload| *payload = payload.replace("cosign/sign/v1", "other/v1")), @r#"Attestation("https://sigstore.dev/other/v1")"#);
        insta::assert_snapshot!(told(|_, payload| *payload = "[]".to_owned()), @"can't be read: invalid length 0, expected struct Statement with 4 elements at line 1 column 2");
        insta::assert_snapshot!(told(|bundle, _| bundle["dsseEnvelope"]["payloadType"] = "text/plain".into()), @"the envelope's payloadType is not the one that is accepted");
        insta::assert_snapshot!(told(|bundle, _| bundle["dsseEnvelope"]["signatures"][0]["keyid"] = "k".into()), @"the envelope's keyid is not the one that is accepted");
        insta::assert_snapshot!(told(|bundle, _| {
            let signatures = bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
            signatures.push(signatures[0].clone());
        }), @"can't be read: DSSE envelope must contain exactly one signature, found 2 at line 1 column 766");
        insta::assert_snapshot!(told(|bundle, _| bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1".into()), @"the bundle's media type is not the one that is accepted");
        insta::assert_snapshot!(told(|bundle, _| {
            bundle["verificationMaterial"] = json!({"certificate": {"rawBytes": "MAA="}});
        }), @"Keyless");
        insta::assert_snapshot!(told(|bundle, _| {
            bundle.as_object_mut().unwrap().remove("verificationMaterial");
        }), @"can't be read: missing field `verificationMaterial` at line 1 column 566");
    }

    #[test]
    fn a_message_signature_is_no_signature_of_an_artifact() {
        let json = json!({
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": ""}},
            "messageSignature": {"signature": "MAA="},
        });
        let content = read(json.to_string().as_bytes(), &subject());
        assert_eq!(
            content,
            Content::Flawed(Flaw::Pinned("the bundle's content"))
        );
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let key = VerifyingKey::from_pem(COSIGN_PUB).unwrap();
        for (part, other) in [("payload\":\"ey", "payload\":\"ez"), ("MEQC", "MEQD")] {
            let text = std::str::from_utf8(COSIGN_BUNDLE).unwrap();
            assert!(text.contains(part));
            assert!(!signature(text.replacen(part, other, 1).as_bytes()).is_by(&key));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_changed_is_not_believed_or_changes_nothing(
            at in 0..COSIGN_BUNDLE.len(),
            put in proptest::collection::vec(any::<u8>(), 0..8),
            cut in 0..8usize,
        ) {
            let signed = |bytes: &[u8]| match signature(bytes).content {
                Content::Keyed { message, .. } => Some(message),
                _ => None,
            };
            let mut bytes = COSIGN_BUNDLE.to_vec();
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, put);
            if signature(&bytes).is_by(&VerifyingKey::from_pem(COSIGN_PUB).unwrap()) {
                prop_assert_eq!(signed(&bytes), signed(COSIGN_BUNDLE));
            }
        }

        #[test]
        fn no_json_makes_the_reader_panic(text in "[\\[\\]{}\":,a-z0-9]{0,200}") {
            let nested = "[".repeat(100_000);
            for json in [text.as_bytes(), nested.as_bytes()] {
                prop_assert!(matches!(read(json, &subject()), Content::Flawed(_)));
            }
        }
    }
}
