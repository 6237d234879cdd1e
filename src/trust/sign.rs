//! Signing: the same word in both of cosign's formats, beside the artifact.
//!
//! The bundle is a referrer of its own. The classic signature is one more layer of an image that
//! all signers share by its tag: it is read, grown and written back, and read once more, because
//! a registry has no way to say "only if it is still what I read"; a signer who wrote in between
//! is noticed and nothing of theirs is taken away, as far as that can be told. The bundle is
//! written first, because a bundle alone is enough, for cosign 3 as for us.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::discover::{self, PREDICATE_ANNOTATION};
use super::error::TrustError;
use super::key::SigningKey;
use super::signature::{Form, Signature};
use super::{bundle, classic};
use crate::artifact::descriptor::{EMPTY, EMPTY_JSON, IMAGE_MANIFEST};
use crate::artifact::{Descriptor, Manifest, ManifestKey, Store};
use crate::platform::progress::Silent;
use crate::record::Digest;

/// The media type of the config of a classic signature, which is an image by its form.
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// How often the classic image is grown anew because others changed it meanwhile.
const ATTEMPTS: usize = 5;

/// What signing came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// The digest that was signed.
    pub subject: Digest,
    /// The fingerprint of the key that signed it.
    pub key: Digest,
    /// What was written; empty if the key had signed in both formats before.
    pub written: Vec<Form>,
}

impl Signed {
    /// Whether anything was written.
    pub fn is_new(&self) -> bool {
        !self.written.is_empty()
    }
}

/// Signs `subject`, a manifest in `store`, by `key`, in each format in which the key has not
/// signed it yet. Signing again changes nothing.
///
/// # Errors
/// [`TrustError`] if the store can't be read or written, or something that is no signature lies
/// where the classic one belongs. A bundle may then be written and the classic signature not;
/// signing again writes what is missing.
pub async fn sign(
    store: &dyn Store,
    subject: &Descriptor,
    key: &SigningKey,
    now: Timestamp,
) -> Result<Signed, TrustError> {
    let verifying = key.verifying_key();
    let found = discover::signatures(store, &subject.digest).await?;
    let ours = |form| {
        let is_ours = |signature: &Signature| signature.form == form && signature.is_by(&verifying);
        found.signatures.iter().any(is_ours)
    };
    let mut written = Vec::new();
    if !ours(Form::Bundle) {
        put_bundle(store, subject, key, now).await?;
        written.push(Form::Bundle);
    }
    if !ours(Form::Classic) {
        put_classic(store, &subject.digest, key).await?;
        written.push(Form::Classic);
    }
    Ok(Signed {
        subject: subject.digest,
        key: verifying.fingerprint(),
        written,
    })
}

async fn put_bundle(
    store: &dyn Store,
    subject: &Descriptor,
    key: &SigningKey,
    now: Timestamp,
) -> Result<(), TrustError> {
    let layer = bundle::write(&subject.digest, key);
    let created = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let annotations = [
        ("dev.sigstore.bundle.content", "dsse-envelope"),
        (PREDICATE_ANNOTATION, bundle::PREDICATE),
        ("org.opencontainers.image.created", &created),
    ];
    let manifest = Manifest {
        schema_version: 2,
        media_type: IMAGE_MANIFEST.to_owned(),
        artifact_type: Some(bundle::MEDIA_TYPE.to_owned()),
        config: put_blob(store, EMPTY, Bytes::from_static(EMPTY_JSON)).await?,
        layers: vec![put_blob(store, bundle::MEDIA_TYPE, layer.into()).await?],
        subject: Some(Descriptor::new(
            &subject.media_type,
            subject.digest,
            subject.size,
        )),
        annotations: annotations
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    store
        .put_referrer(IMAGE_MANIFEST, manifest.to_bytes())
        .await?;
    Ok(())
}

/// Adds a layer to the image of classic signatures, until it is there and stays.
async fn put_classic(
    store: &dyn Store,
    subject: &Digest,
    key: &SigningKey,
) -> Result<(), TrustError> {
    let tag = classic::tag(subject);
    let signed = classic::write(subject, store.repository(), key);
    let layer = put_blob(store, classic::LAYER_MEDIA_TYPE, signed.payload.into()).await?;
    let layer = layer.annotated(classic::ANNOTATION, signed.signature);
    for _ in 0..ATTEMPTS {
        let before = classic_image(store, subject).await?;
        if before
            .as_ref()
            .is_some_and(|image| image.layers.contains(&layer))
        {
            return Ok(());
        }
        let image = grown(store, before.clone(), layer.clone()).await?;
        // Whoever wrote while the config went up is read anew rather than written over.
        if classic_image(store, subject).await? == before {
            let bytes = image.to_bytes();
            store
                .put_manifest(IMAGE_MANIFEST, bytes, Some(&tag))
                .await?;
        }
    }
    match classic_image(store, subject).await? {
        Some(image) if image.layers.contains(&layer) => Ok(()),
        _ => Err(TrustError::Contended {
            place: store.repository().tagged(tag).to_string(),
        }),
    }
}

/// The image of classic signatures as it is now, if there is one.
async fn classic_image(
    store: &dyn Store,
    subject: &Digest,
) -> Result<Option<Manifest>, TrustError> {
    let tag = classic::tag(subject);
    let key = ManifestKey::Tag(tag.clone());
    let Some((_, bytes)) = store.manifest(&key).await? else {
        return Ok(None);
    };
    let manifest = Manifest::parse(&bytes).map_err(|source| TrustError::TagTaken {
        place: store.repository().tagged(tag).to_string(),
        source,
    })?;
    Ok(Some(manifest))
}

/// The image with one more layer, and a config that lists its layers, for cosign reads that
/// before it adds one of its own. Layers are not compressed, so each is its own diffId.
async fn grown(
    store: &dyn Store,
    image: Option<Manifest>,
    layer: Descriptor,
) -> Result<Manifest, TrustError> {
    let (mut layers, subject, annotations) = match image {
        Some(image) => (image.layers, image.subject, image.annotations),
        None => Default::default(),
    };
    layers.push(layer);
    let digests: Vec<_> = layers.iter().map(|layer| layer.digest).collect();
    let config = json!({
        "architecture": "",
        "os": "",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": digests},
    });
    Ok(Manifest {
        schema_version: 2,
        media_type: IMAGE_MANIFEST.to_owned(),
        artifact_type: None,
        config: put_blob(store, IMAGE_CONFIG, config.to_string().into()).await?,
        layers,
        subject,
        annotations,
    })
}

async fn put_blob(
    store: &dyn Store,
    media_type: &str,
    bytes: Bytes,
) -> Result<Descriptor, TrustError> {
    let descriptor = Descriptor::of(media_type, &bytes);
    store.put_blob(&descriptor, &bytes, &Silent).await?;
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::StoreError;
    use crate::trust::fake::{FakeStore, Inside};
    use crate::trust::signatures;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// Adds somebody else's layer to the classic image, as a careless signer would: in place of
    /// whatever is there.
    fn careless(inside: &mut Inside, keep: bool) {
        let subject = Descriptor::of(IMAGE_MANIFEST, b"{\"schemaVersion\":2}");
        let tag = classic::tag(&subject.digest);
        let key = SigningKey::generate().unwrap();
        let repository = "registry.example.com/acme".parse().unwrap();
        let layer = classic::write(&subject.digest, &repository, &key);
        let blob = inside.put_blob(classic::LAYER_MEDIA_TYPE, layer.payload.into());
        let there = inside.tags.get(&tag).filter(|_| keep);
        let there = there.map(|digest| Manifest::parse(&inside.manifests[digest]).unwrap());
        let mut layers = there.map(|image| image.layers).unwrap_or_default();
        layers.push(blob.annotated(classic::ANNOTATION, layer.signature));
        let image = Manifest {
            schema_version: 2,
            media_type: IMAGE_MANIFEST.to_owned(),
            artifact_type: None,
            config: inside.put_blob(IMAGE_CONFIG, Bytes::from_static(b"{}")),
            layers,
            subject: None,
            annotations: [("kept".to_owned(), "yes".to_owned())].into(),
        };
        let image = inside.put(IMAGE_MANIFEST, image.to_bytes());
        inside.tags.insert(tag, image.digest);
    }

    async fn forms(store: &FakeStore, subject: &Digest, key: &SigningKey) -> Vec<Form> {
        let found = signatures(store, subject).await.unwrap();
        let key = key.verifying_key();
        let ours = found.signatures.iter().filter(|found| found.is_by(&key));
        ours.map(|signature| signature.form).collect()
    }

    #[tokio::test]
    async fn both_formats_are_written_once_and_signing_again_writes_nothing() {
        let store = FakeStore::new();
        let subject = store.artifact();
        let key = SigningKey::generate().unwrap();
        let first = sign(&store, &subject, &key, NOW).await.unwrap();
        assert_eq!(first.written, [Form::Bundle, Form::Classic]);
        assert_eq!(forms(&store, &subject.digest, &key).await, first.written);
        let writes = store.inside().writes;
        let again = sign(&store, &subject, &key, NOW).await.unwrap();
        assert!(!again.is_new());
        assert_eq!(store.inside().writes, writes);
    }

    #[tokio::test]
    async fn a_missing_format_is_written_and_the_other_left_alone() {
        let store = FakeStore::new();
        let subject = store.artifact();
        let key = SigningKey::generate().unwrap();
        sign(&store, &subject, &key, NOW).await.unwrap();
        store.inside().tags.clear();
        let again = sign(&store, &subject, &key, NOW).await.unwrap();
        assert_eq!(again.written, [Form::Classic]);
        assert_eq!(store.inside().referrers.len(), 1);
    }

    #[tokio::test]
    async fn a_layer_is_added_beside_those_of_others_even_if_they_write_meanwhile() {
        let store = FakeStore::new();
        let subject = store.artifact();
        let key = SigningKey::generate().unwrap();
        careless(&mut store.inside(), false);
        // After our config went up, and after our image did.
        store
            .inside()
            .meanwhile
            .insert(5, |inside| careless(inside, true));
        store
            .inside()
            .meanwhile
            .insert(7, |inside| careless(inside, false));
        sign(&store, &subject, &key, NOW).await.unwrap();
        assert_eq!(
            forms(&store, &subject.digest, &key).await,
            [Form::Bundle, Form::Classic]
        );
        let image = classic_image(&store, &subject.digest)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            image.layers.len(),
            2,
            "theirs, that took ours away, and ours again"
        );
        assert_eq!(image.annotations["kept"], "yes");
        let config = &store.inside().blobs[&image.config.digest];
        let config: serde_json::Value = serde_json::from_slice(config).unwrap();
        let layers: Vec<_> = image.layers.iter().map(|layer| layer.digest).collect();
        assert_eq!(config["rootfs"]["diff_ids"], json!(layers));
    }

    #[tokio::test]
    async fn others_who_never_stop_are_told_of() {
        let store = FakeStore::new();
        let subject = store.artifact();
        for write in 5..30 {
            store
                .inside()
                .meanwhile
                .insert(write, |inside| careless(inside, false));
        }
        let key = SigningKey::generate().unwrap();
        let failed = sign(&store, &subject, &key, NOW).await.unwrap_err();
        assert!(matches!(failed, TrustError::Contended { .. }));
    }

    #[tokio::test]
    async fn something_else_under_the_tag_is_not_written_over() {
        let store = FakeStore::new();
        let subject = store.artifact();
        let tag = classic::tag(&subject.digest);
        let other = store
            .inside()
            .put(IMAGE_MANIFEST, Bytes::from_static(b"<html>"));
        store.inside().tags.insert(tag.clone(), other.digest);
        let key = SigningKey::generate().unwrap();
        let failed = sign(&store, &subject, &key, NOW).await.unwrap_err();
        assert!(matches!(failed, TrustError::TagTaken { .. }));
        assert_eq!(store.inside().tags[&tag], other.digest);
    }

    #[tokio::test]
    async fn a_store_that_does_not_answer_gets_nothing_written() {
        let store = FakeStore::new();
        let subject = store.artifact();
        store.inside().away = true;
        let key = SigningKey::generate().unwrap();
        let failed = sign(&store, &subject, &key, NOW).await.unwrap_err();
        assert!(matches!(
            failed,
            TrustError::Store(StoreError::Failed { .. })
        ));
        assert_eq!(store.inside().writes, 0);
    }
}
