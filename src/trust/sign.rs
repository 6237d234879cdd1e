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
