//! Real registries: with the referrers API and without, open and behind both kinds of login.

use std::path::PathBuf;
use std::sync::Arc;

use modelyard::artifact::{Store, StoreError};
use tempfile::TempDir;

use super::contract::{Kind, contract};
use super::store_with;
use crate::harness::Login;
use crate::harness::registry::{Distribution, Referrers, TokenServer, Tokens};

/// A registry, and a Docker configuration with its login.
struct Behind<R> {
    registry: R,
    host: String,
    docker: TempDir,
}

impl<R> Behind<R> {
    fn new(registry: R, host: String) -> Self {
        let docker = tempfile::tempdir().unwrap();
        let auth = login().basic();
        let auth = auth.strip_prefix("Basic ").unwrap();
        let config = format!("{{\"auths\":{{\"{host}\":{{\"auth\":\"{auth}\"}}}}}}");
        std::fs::write(docker.path().join("config.json"), config).unwrap();
        Self {
            registry,
            host,
            docker,
        }
    }

    fn docker(&self) -> PathBuf {
        self.docker.path().to_owned()
    }
}

impl<R> Kind for Behind<R> {
    fn repository(&self, name: &str) -> Arc<dyn Store> {
        store_with(&format!("{}/{name}", self.host), &self.docker())
    }
}

fn login() -> Login {
    Login::new("tester", "correct horse")
}

fn open() -> Behind<Distribution> {
    let registry = Distribution::start();
    let host = registry.host();
    Behind::new(registry, host)
}

fn basic() -> Behind<Distribution> {
    let registry = Distribution::builder().basic(&login()).start();
    let host = registry.host();
    Behind::new(registry, host)
}

fn bearer(tokens: Tokens) -> Behind<Distribution> {
    let registry = Distribution::builder().bearer(tokens).start();
    let host = registry.host();
    Behind::new(registry, host)
}

fn referrers() -> Behind<Referrers> {
    let registry = Referrers::basic(&login());
    let host = registry.host();
    Behind::new(registry, host)
}

contract!(distribution_with_basic_login, basic());
contract!(distribution_with_tokens, bearer(Tokens::to(&login())));
contract!(registry_with_referrers, referrers());

#[tokio::test]
async fn a_token_that_ran_out_is_asked_for_again() {
    let kind = bearer(Tokens::to(&login()).dead_on_arrival(1));
    super::put_artifact(&*kind.repository("vision/digits"), "weights", Some("1.0.0")).await;
    let given = kind.registry.tokens().map(TokenServer::given);
    // One to see whether the blob is there, dead; one in its place; one to push.
    assert_eq!(given, Some(3));
}

#[tokio::test]
async fn who_has_no_login_is_told_to_log_in() {
    for kind in [basic(), bearer(Tokens::to(&login()))] {
        let store = super::store(&format!("{}/vision/digits", kind.host));
        let error = store.tags().await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Unauthorized { anonymous: true, host, .. } if *host == kind.host),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_stranger_may_pull_where_that_is_open_and_not_push() {
    let kind = bearer(Tokens::to(&login()).anonymous_pull());
    let (put, _) = super::put_artifact(&*kind.repository("a/b"), "weights", Some("1.0.0")).await;
    let stranger = super::store(&format!("{}/a/b", kind.host));
    let key = modelyard::artifact::ManifestKey::Tag(super::tag("1.0.0"));
    assert_eq!(stranger.resolve(&key).await.unwrap(), Some(put));
    let bytes = super::manifest_of(&modelyard::artifact::Descriptor::of("a/b", b"x")).to_bytes();
    let error = stranger.put_manifest("a/b", bytes, None).await.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Unauthorized {
                anonymous: true,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_registry_that_only_reads_says_so() {
    let registry = Distribution::builder().read_only().start();
    let store = super::store(&format!("{}/a/b", registry.host()));
    let bytes = bytes::Bytes::from_static(b"x");
    let descriptor = modelyard::artifact::Descriptor::of("a/b", &bytes);
    let silent = modelyard::platform::progress::Silent;
    let error = store
        .put_blob(&descriptor, &bytes, &silent)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Failed { status: 405, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn bytes_tampered_with_in_the_registry_are_refused() {
    let kind = open();
    let store = kind.repository("a/b");
    let (manifest, layer) = super::put_artifact(&*store, "weights", Some("1.0.0")).await;
    std::fs::write(kind.registry.blob(&layer.digest.to_string()), "WEIGHTS").unwrap();
    let error = store.blob(&layer).await.unwrap().read(7).await.unwrap_err();
    assert!(matches!(error, StoreError::Digest { .. }), "{error:?}");
    let path = kind.registry.blob(&manifest.digest.to_string());
    let bytes = std::fs::read_to_string(&path)
        .unwrap()
        .replace("a test", "A TEST");
    std::fs::write(&path, bytes).unwrap();
    let key = modelyard::artifact::ManifestKey::Digest(manifest.digest);
    let error = store.manifest(&key).await.unwrap_err();
    assert!(matches!(error, StoreError::Digest { .. }), "{error:?}");
}
