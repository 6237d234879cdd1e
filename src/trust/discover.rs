//! Finding what was signed beside an artifact.
//!
//! Bundles are found among the artifact's referrers by their layer's media type (cosign's own
//! entries in a fallback index carry no artifact type), classic signatures by their tag. Both
//! come from a place where others may write, so number and size are bounded, and each that can't
//! be used is told of as [`Content::Flawed`] and passed over.

use super::classic::{ANNOTATION, CERTIFICATE_ANNOTATION, LAYER_MEDIA_TYPE};
use super::signature::{Content, Flaw, Form, Signature};
use super::{bundle, classic};
use crate::artifact::descriptor::EMPTY;
use crate::artifact::{Descriptor, Manifest, ManifestKey, Store, StoreError};
use crate::record::Digest;

/// The most referrers, and the most classic layers, that are looked at: each costs two requests,
/// and nobody has this many signatures.
pub const MAX_EXAMINED: usize = 100;
/// The largest manifest of a signature; one bundle's has about a thousand bytes.
pub const MAX_MANIFEST_BYTES: u64 = 256 * 1024;
/// The largest bundle or payload: a signature has two thousand bytes, one with a certificate and
/// its log entry ten thousand.
pub const MAX_SIGNATURE_BYTES: u64 = 512 * 1024;

/// What cosign's referrers are annotated with, and registries list them with.
pub(super) const PREDICATE_ANNOTATION: &str = "dev.sigstore.bundle.predicateType";

/// What was found beside a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Each signature, bundles first, usable or not.
    pub signatures: Vec<Signature>,
    /// How many more there are than the [`MAX_EXAMINED`] that were looked at.
    pub unexamined: usize,
}

/// Finds every signature of `subject` in `store`, in both formats.
///
/// # Errors
/// Whatever the store can't tell: an error is never "unsigned". A single signature that is
/// damaged or missing is no error, it is [`Content::Flawed`].
pub async fn signatures(store: &dyn Store, subject: &Digest) -> Result<Found, StoreError> {
    let mut found = Found::default();
    bundles(store, subject, &mut found).await?;
    classics(store, subject, &mut found).await?;
    Ok(found)
}

async fn bundles(store: &dyn Store, subject: &Digest, found: &mut Found) -> Result<(), StoreError> {
    let mut referrers = store.referrers(subject, None).await?;
    referrers.retain(may_be_bundle);
    // Plain signatures first, so that a crowd of attestations can't push them out of sight.
    referrers.sort_by_key(|entry| {
        entry
            .annotations
            .get(PREDICATE_ANNOTATION)
            .map(String::as_str)
            != Some(bundle::PREDICATE)
    });
    found.unexamined += referrers.len().saturating_sub(MAX_EXAMINED);
    for entry in referrers.into_iter().take(MAX_EXAMINED) {
        let at = entry.digest;
        if let Some(content) = usable(bundle_at(store, &entry, subject).await)? {
            let form = Form::Bundle;
            found.signatures.push(Signature { form, at, content });
        }
    }
    Ok(())
}

/// Whether a referrer can be a bundle by what is listed of it.
fn may_be_bundle(entry: &Descriptor) -> bool {
    match entry.artifact_type.as_deref() {
        None | Some("" | EMPTY) => true,
        Some(kind) => kind == bundle::MEDIA_TYPE,
    }
}

/// The bundle in a referrer; `None` if it is something else.
async fn bundle_at(
    store: &dyn Store,
    entry: &Descriptor,
    subject: &Digest,
) -> Result<Option<Content>, Unusable> {
    let bytes = manifest(store, entry).await?;
    let manifest = Manifest::parse(&bytes).map_err(Flaw::unreadable)?;
    let is_bundle = |layer: &&Descriptor| layer.media_type == bundle::MEDIA_TYPE;
    let Some(layer) = manifest.layers.iter().find(is_bundle) else {
        return Ok(None);
    };
    if manifest.layers.len() != 1 {
        return Err(Flaw::Pinned("the number of layers").into());
    }
    let about = manifest.subject.map(|subject| subject.digest);
    if about != Some(*subject) {
        return Err(Flaw::OtherSubject(about.map(|digest| digest.to_string())).into());
    }
    let json = blob(store, layer).await?;
    Ok(Some(bundle::read(&json, subject)))
}

async fn classics(
    store: &dyn Store,
    subject: &Digest,
    found: &mut Found,
) -> Result<(), StoreError> {
    let tag = ManifestKey::Tag(classic::tag(subject));
    let Some((at, bytes)) = store.manifest(&tag).await? else {
        return Ok(());
    };
    let flawed = |flaw| Signature {
        form: Form::Classic,
        at: at.digest,
        content: Content::Flawed(flaw),
    };
    let layers = match Manifest::parse(&bytes) {
        Ok(manifest) => manifest.layers,
        Err(error) => {
            found.signatures.push(flawed(Flaw::unreadable(error)));
            return Ok(());
        }
    };
    let signed = |layer: &Descriptor| layer.media_type == LAYER_MEDIA_TYPE;
    let layers: Vec<_> = layers.into_iter().filter(signed).collect();
    found.unexamined += layers.len().saturating_sub(MAX_EXAMINED);
    for layer in layers.into_iter().take(MAX_EXAMINED) {
        let at = layer.digest;
        if let Some(content) = usable(classic_in(store, &layer, subject).await)? {
            let form = Form::Classic;
            found.signatures.push(Signature { form, at, content });
        }
    }
    Ok(())
}

async fn classic_in(
    store: &dyn Store,
    layer: &Descriptor,
    subject: &Digest,
) -> Result<Option<Content>, Unusable> {
    let certified = layer.annotations.get(CERTIFICATE_ANNOTATION);
    if certified.is_some_and(|certificate| !certificate.is_empty()) {
        return Ok(Some(Content::Keyless));
    }
    let Some(signature) = layer.annotations.get(ANNOTATION) else {
        return Err(Flaw::Pinned("the annotation with the signature").into());
    };
    let payload = blob(store, layer).await?;
    Ok(Some(classic::read(payload, signature, subject)))
}

/// Why one signature can't be had: by its own fault, or by the store's.
enum Unusable {
    Flawed(Flaw),
    Store(StoreError),
}

impl From<Flaw> for Unusable {
    fn from(flaw: Flaw) -> Self {
        Self::Flawed(flaw)
    }
}

impl From<StoreError> for Unusable {
    /// Bytes that are missing or not what they should be are this signature's own fault; all else
    /// is the store's, and says nothing about who signed.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } => Self::Flawed(Flaw::Missing),
            StoreError::Digest { .. }
            | StoreError::Size { .. }
            | StoreError::TooLarge { .. }
            | StoreError::Manifest { .. } => Self::Flawed(Flaw::unreadable(error)),
            error => Self::Store(error),
        }
    }
}

/// Turns one signature's own fault into what is told of it, and lets the store's pass.
fn usable(content: Result<Option<Content>, Unusable>) -> Result<Option<Content>, StoreError> {
    match content {
        Ok(content) => Ok(content),
        Err(Unusable::Flawed(flaw)) => Ok(Some(Content::Flawed(flaw))),
        Err(Unusable::Store(error)) => Err(error),
    }
}

async fn manifest(store: &dyn Store, entry: &Descriptor) -> Result<bytes::Bytes, Unusable> {
    bounded(entry.size, MAX_MANIFEST_BYTES)?;
    let key = ManifestKey::Digest(entry.digest);
    let (_, bytes) = store.manifest(&key).await?.ok_or(Flaw::Missing)?;
    bounded(bytes.len() as u64, MAX_MANIFEST_BYTES)?;
    Ok(bytes)
}

async fn blob(store: &dyn Store, layer: &Descriptor) -> Result<Vec<u8>, Unusable> {
    bounded(layer.size, MAX_SIGNATURE_BYTES)?;
    let stream = store.blob(layer).await?;
    Ok(stream.read(MAX_SIGNATURE_BYTES).await?.to_vec())
}

fn bounded(size_bytes: u64, limit_bytes: u64) -> Result<(), Flaw> {
    if size_bytes > limit_bytes {
        return Err(Flaw::TooLarge { size_bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;
    use crate::artifact::descriptor::IMAGE_MANIFEST;
    use crate::trust::fake::FakeStore;
    use crate::trust::{SigningKey, sign};

    async fn signed() -> (FakeStore, Descriptor, SigningKey) {
        let store = FakeStore::new();
        let subject = store.artifact();
        let key = SigningKey::generate().unwrap();
        sign(&store, &subject, &key, Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        (store, subject, key)
    }

    /// A referrer like a signature's, with these layers.
    fn referrer(store: &FakeStore, subject: &Descriptor, layers: Vec<Descriptor>) -> Descriptor {
        let manifest = Manifest {
            schema_version: 2,
            media_type: IMAGE_MANIFEST.to_owned(),
            artifact_type: None,
            config: Descriptor::of(EMPTY, b"{}"),
            layers,
            subject: Some(subject.clone()),
            annotations: std::collections::BTreeMap::new(),
        };
        let mut inside = store.inside();
        let entry = inside.refer(&manifest);
        // To be met before the good one, as far as the order goes.
        inside.referrers.rotate_right(1);
        entry
    }

    fn layer(store: &FakeStore, bytes: impl Into<Bytes>) -> Descriptor {
        store.inside().put_blob(bundle::MEDIA_TYPE, bytes.into())
    }

    async fn told(store: &FakeStore, subject: &Descriptor) -> Vec<String> {
        let found = signatures(store, &subject.digest).await.unwrap();
        let told = found.signatures.iter().map(|found| match &found.content {
            Content::Flawed(flaw) => flaw.to_string(),
            Content::Keyed { .. } => format!("{:?}", found.form),
            other => format!("{other:?}"),
        });
        told.collect()
    }

    #[tokio::test]
    async fn a_bad_referrer_hides_no_good_one_whatever_is_wrong_with_it() {
        let (store, subject, _) = signed().await;
        let good = layer(
            &store,
            bundle::write(&subject.digest, &SigningKey::generate().unwrap()),
        );
        let other = Descriptor::of(IMAGE_MANIFEST, b"another");
        let stray = layer(
            &store,
            bundle::write(&other.digest, &SigningKey::generate().unwrap()),
        );
        referrer(&store, &subject, vec![layer(&store, "<html>")]);
        referrer(&store, &subject, vec![stray]);
        referrer(&store, &subject, vec![good.clone(), good.clone()]);
        referrer(&store, &other, vec![good.clone()]);
        referrer(
            &store,
            &subject,
            vec![Descriptor::of(bundle::MEDIA_TYPE, b"gone")],
        );
        let large = Descriptor::new(bundle::MEDIA_TYPE, good.digest, MAX_SIGNATURE_BYTES + 1);
        referrer(&store, &subject, vec![large]);
        let lies = Descriptor::new(bundle::MEDIA_TYPE, good.digest, 1);
        referrer(&store, &subject, vec![lies]);
        let gone = referrer(&store, &subject, vec![good]);
        store.inside().manifests.remove(&gone.digest);
        let huge = referrer(&store, &subject, vec![]);
        let at = store
            .inside()
            .referrers
            .iter()
            .position(|entry| entry.digest == huge.digest);
        store.inside().referrers[at.unwrap()].size = MAX_MANIFEST_BYTES + 1;
        insta::assert_snapshot!(told(&store, &subject).await.join("\n"), @r#"
Bundle
is too large to be a signature (262145 bytes)
is listed but not there
can't be read: registry.example.com/acme/vision/digits has 659 bytes where 1 were expected
is too large to be a signature (524289 bytes)
is listed but not there
signs another artifact, sha256:ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5
the number of layers is not the one that is accepted
signs another artifact, sha256:ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5
can't be read: expected value at line 1 column 1
Classic
"#);
    }

    #[tokio::test]
    async fn what_is_no_bundle_is_passed_over_in_silence() {
        let (store, subject, _) = signed().await;
        referrer(
            &store,
            &subject,
            vec![Descriptor::of("application/spdx+json", b"{}")],
        );
        let mut sbom = Descriptor::of(IMAGE_MANIFEST, b"never fetched");
        sbom.artifact_type = Some("application/spdx+json".to_owned());
        store.inside().referrers.push(sbom);
        assert_eq!(told(&store, &subject).await, ["Bundle", "Classic"]);
    }

    #[tokio::test]
    async fn a_crowd_of_attestations_does_not_push_a_signature_out_of_sight() {
        let (store, subject, key) = signed().await;
        let signature = store.inside().referrers.pop().unwrap();
        let mut crowd = Descriptor::of(IMAGE_MANIFEST, b"not there");
        crowd.annotations.insert(
            PREDICATE_ANNOTATION.to_owned(),
            "https://slsa.dev/provenance/v1".to_owned(),
        );
        store.inside().referrers = vec![crowd; MAX_EXAMINED + 5];
        store.inside().referrers.push(signature);
        let found = signatures(&store, &subject.digest).await.unwrap();
        assert!(found.signatures[0].is_by(&key.verifying_key()));
        assert_eq!(found.unexamined, 6);
    }

    #[tokio::test]
    async fn a_damaged_classic_layer_hides_no_other() {
        let (store, subject, key) = signed().await;
        let digest = store.inside().tags[&classic::tag(&subject.digest)];
        let mut image = Manifest::parse(&store.inside().manifests[&digest]).unwrap();
        let good = image.layers[0].clone();
        let mut bare = good.clone();
        bare.annotations.clear();
        let certified = good.clone().annotated(CERTIFICATE_ANNOTATION, "-----BEGIN");
        let gone = Descriptor::of(LAYER_MEDIA_TYPE, b"gone").annotated(ANNOTATION, "MAA=");
        image.layers = vec![bare, certified, gone, good];
        let image = store.inside().put(IMAGE_MANIFEST, image.to_bytes());
        store
            .inside()
            .tags
            .insert(classic::tag(&subject.digest), image.digest);
        store.inside().referrers.clear();
        insta::assert_snapshot!(told(&store, &subject).await.join("\n"), @r#"
the annotation with the signature is not the one that is accepted
Keyless
is listed but not there
Classic
"#);
        let found = signatures(&store, &subject.digest).await.unwrap();
        assert!(
            found
                .signatures
                .iter()
                .any(|found| found.is_by(&key.verifying_key()))
        );
    }

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_never_unsigned() {
        let (store, subject, _) = signed().await;
        store.inside().away = true;
        assert!(signatures(&store, &subject.digest).await.is_err());
    }
}
