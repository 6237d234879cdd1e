//! Stores: one contract for all of them, and what each does with hostile or failing neighbours.

#[cfg(feature = "real-tools")]
mod broken_connections;
mod contract;
mod faults;
mod layout;
#[cfg(feature = "real-tools")]
mod others;
#[cfg(feature = "real-tools")]
mod registry;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use modelyard::artifact::descriptor::{EMPTY, EMPTY_JSON, IMAGE_MANIFEST};
use modelyard::artifact::{Descriptor, Manifest, Store, StoreOptions, open};
use modelyard::platform::progress::Silent;
use modelyard::platform::retry::Policy;
use modelyard::record::{Digest, Tag};

/// Tries as often as users do, and waits for next to nothing.
fn options(docker_config: &Path) -> StoreOptions {
    StoreOptions {
        docker_config: docker_config.to_owned(),
        plain_http: None,
        retry: Policy {
            first_wait: Duration::from_millis(1),
            ..Policy::default()
        },
    }
}

/// Opens a repository by its reference, with no login.
fn store(repository: &str) -> Arc<dyn Store> {
    store_with(repository, Path::new("/nowhere"))
}

/// Opens a repository with the logins of this Docker configuration.
fn store_with(repository: &str, docker_config: &Path) -> Arc<dyn Store> {
    open(&repository.parse().unwrap(), &options(docker_config)).unwrap()
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// A manifest of one layer.
fn manifest_of(layer: &Descriptor) -> Manifest {
    Manifest {
        schema_version: 2,
        media_type: IMAGE_MANIFEST.to_owned(),
        artifact_type: Some("application/vnd.example.test".to_owned()),
        config: Descriptor::of(EMPTY, EMPTY_JSON),
        layers: vec![layer.clone()],
        subject: None,
        annotations: [("from".to_owned(), "a test".to_owned())].into(),
    }
}

/// Puts an artifact of one layer with this content, and gives its descriptor and its layer's.
async fn put_artifact(
    store: &dyn Store,
    content: &str,
    name: Option<&str>,
) -> (Descriptor, Descriptor) {
    let layer = put_blob(store, content).await;
    put_blob(store, "{}").await;
    let bytes = manifest_of(&layer).to_bytes();
    let tag = name.map(tag);
    let put = store.put_manifest(IMAGE_MANIFEST, bytes, tag.as_ref());
    (put.await.unwrap(), layer)
}

async fn put_blob(store: &dyn Store, content: &str) -> Descriptor {
    let descriptor = Descriptor::of("application/octet-stream", content.as_bytes());
    let bytes = Bytes::copy_from_slice(content.as_bytes());
    store.put_blob(&descriptor, &bytes, &Silent).await.unwrap();
    descriptor
}

/// A manifest of this type that refers to `subject`.
fn referrer_to(subject: &Descriptor, artifact_type: &str, note: &str) -> Bytes {
    let mut manifest = manifest_of(&Descriptor::of(EMPTY, EMPTY_JSON));
    manifest.artifact_type = Some(artifact_type.to_owned());
    // go-containerregistry's registry takes this for the type, whatever the other says.
    manifest.config.media_type = artifact_type.to_owned();
    manifest.subject = Some(Descriptor::new(
        IMAGE_MANIFEST,
        subject.digest,
        subject.size,
    ));
    manifest.annotations = [("note".to_owned(), note.to_owned())].into();
    manifest.to_bytes()
}

/// A digest that nothing has.
fn absent() -> Digest {
    Digest::from_bytes([7; 32])
}
