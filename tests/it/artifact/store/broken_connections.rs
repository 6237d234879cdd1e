//! Connections to a real registry that break in the middle.

use std::sync::Arc;

use bytes::Bytes;
use modelyard::artifact::{Descriptor, Store, StoreError};
use modelyard::platform::progress::Silent;

use super::faults::repository;
use crate::harness::registry::Distribution;
use crate::harness::{Answer, Front};

/// A megabyte in a registry, behind a front, and the store as seen through that.
async fn megabyte() -> (Distribution, Front, Arc<dyn Store>, Descriptor, Bytes) {
    let registry = Distribution::start();
    let front = Front::before(&registry.host());
    let store = repository(&front);
    let bytes: Bytes = (0..250_000_u32).flat_map(u32::to_le_bytes).collect();
    let descriptor = Descriptor::of("a/b", &bytes);
    store.put_blob(&descriptor, &bytes, &Silent).await.unwrap();
    (registry, front, store, descriptor, bytes)
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke_off() {
    let (_registry, front, store, descriptor, bytes) = megabyte().await;
    front.always("GET", "/blobs/", Answer::CutAfter(300_000));
    let fetched = store.blob(&descriptor).await.unwrap().read(u64::MAX).await;
    assert!(fetched.unwrap() == bytes, "other bytes came");
    assert_eq!(front.count("GET", "/blobs/"), 4);
    assert_eq!(
        front.carried("range"),
        [
            "bytes=300000-999999",
            "bytes=600000-999999",
            "bytes=900000-999999"
        ]
    );
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_begins_again() {
    let (_registry, front, store, descriptor, bytes) = megabyte().await;
    front
        .always("GET", "/blobs/", Answer::body(200, "a/b", &bytes))
        .times(1, "GET", "/blobs/", Answer::CutAfter(300_000));
    let fetched = store.blob(&descriptor).await.unwrap().read(u64::MAX).await;
    assert!(fetched.unwrap() == bytes, "other bytes came");
    assert_eq!(front.count("GET", "/blobs/"), 2);
}

#[tokio::test]
async fn a_connection_that_only_breaks_is_given_up() {
    let (_registry, front, store, descriptor, _) = megabyte().await;
    front.always("GET", "/blobs/", Answer::CutAfter(0));
    let error = store.blob(&descriptor).await.unwrap().read(u64::MAX).await;
    assert!(
        matches!(error, Err(StoreError::Truncated { actual: 0, .. })),
        "{error:?}"
    );
    assert_eq!(front.count("GET", "/blobs/"), 4);
}

#[tokio::test]
async fn an_upload_that_breaks_is_sent_again() {
    let (registry, front, store, ..) = megabyte().await;
    let bytes = Bytes::from_static(b"weights");
    let descriptor = Descriptor::of("a/b", &bytes);
    front.times(1, "PUT", "/blobs/", Answer::status(500)).times(
        1,
        "POST",
        "/blobs/",
        Answer::Nothing,
    );
    store.put_blob(&descriptor, &bytes, &Silent).await.unwrap();
    assert!(registry.blob(&descriptor.digest.to_string()).is_file());
    front.always("PUT", "/blobs/", Answer::status(507));
    let bytes = Bytes::from_static(b"more");
    let descriptor = Descriptor::of("a/b", &bytes);
    let error = store
        .put_blob(&descriptor, &bytes, &Silent)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Failed { status: 507, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_flipped_bit_on_the_way_is_found() {
    let (_registry, front, store, descriptor, _) = megabyte().await;
    front.always("GET", "/blobs/", Answer::Tampered);
    let error = store.blob(&descriptor).await.unwrap().read(u64::MAX).await;
    assert!(matches!(error, Err(StoreError::Digest { .. })), "{error:?}");
}
