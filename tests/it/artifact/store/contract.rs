//! What every store does alike.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{StreamExt, TryStreamExt};
use modelyard::artifact::descriptor::IMAGE_MANIFEST;
use modelyard::artifact::{BlobStream, Descriptor, ManifestKey, Store, StoreError, Upload};
use modelyard::platform::progress::{Meter, Silent};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{absent, put_artifact, put_blob, referrer_to, tag};

/// A kind of store: gives the same repository each time it is asked for the same name.
pub(super) trait Kind {
    fn repository(&self, name: &str) -> Arc<dyn Store>;
}

/// Makes one test for each line of the contract, against the store that the expression starts.
macro_rules! contract {
    ($kind:ident, $start:expr) => {
        mod $kind {
            #[allow(unused_imports)]
            use super::*;

            $crate::artifact::store::contract::contract! { @ $start;
                nothing_is_there_at_first
                a_blob_comes_back_as_it_was_put
                a_blob_is_gone_on_with_where_it_was_cut_off
                a_blob_is_verified_however_it_is_read
                no_bytes_are_a_blob_too
                a_large_file_streams_in_and_out
                bytes_that_changed_are_refused
                lies_about_size_are_found
                a_manifest_comes_back_by_tag_and_by_digest
                a_tag_moves_and_what_it_left_stays
                tags_are_sorted
                referrers_are_found_by_subject_and_type
                what_refers_to_nothing_is_no_referrer
                many_writers_all_end_right
            }
        }
    };
    (@ $start:expr; $($name:ident)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                let kind = $start;
                $crate::artifact::store::contract::$name(&kind).await;
            }
        )+
    };
}
pub(super) use contract;

#[derive(Default)]
struct Count(AtomicU64);

impl Meter for Count {
    fn advance(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::SeqCst);
    }
}

pub(super) async fn nothing_is_there_at_first(kind: &impl Kind) {
    let store = kind.repository("vision/empty");
    let by_digest = ManifestKey::Digest(absent());
    let by_tag = ManifestKey::Tag(tag("latest"));
    assert_eq!(store.resolve(&by_digest).await.unwrap(), None);
    assert_eq!(store.resolve(&by_tag).await.unwrap(), None);
    assert!(store.manifest(&by_digest).await.unwrap().is_none());
    assert!(!store.has_blob(&absent()).await.unwrap());
    assert!(store.tags().await.unwrap().is_empty());
    assert!(store.referrers(&absent(), None).await.unwrap().is_empty());
    let blob = store.blob(&Descriptor::new("a/b", absent(), 1)).await;
    assert!(matches!(blob.err(), Some(StoreError::NotFound { .. })));
}

pub(super) async fn a_blob_comes_back_as_it_was_put(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let bytes = Bytes::from_static(b"weights");
    let descriptor = Descriptor::of("application/octet-stream", &bytes);
    let count = Count::default();
    let first = store.put_blob(&descriptor, &bytes, &count).await.unwrap();
    let second = store.put_blob(&descriptor, &bytes, &count).await.unwrap();
    assert_eq!((first, second), (Upload::Sent, Upload::AlreadyThere));
    assert_eq!(count.0.into_inner(), 7);
    assert!(store.has_blob(&descriptor.digest).await.unwrap());
    let stream = store.blob(&descriptor).await.unwrap();
    assert_eq!(stream.read(7).await.unwrap(), bytes);
    let stream = store.blob(&descriptor).await.unwrap();
    let too_large = stream.read(6).await.unwrap_err();
    assert!(matches!(too_large, StoreError::TooLarge { .. }));
}

pub(super) async fn a_blob_is_gone_on_with_where_it_was_cut_off(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let descriptor = put_blob(&*store, "weights").await;
    for (from, rest) in [(0, "weights"), (3, "ghts"), (7, ""), (9, "")] {
        let chunks = store.blob_from(&descriptor, from).await.unwrap();
        let chunks: Vec<Bytes> = chunks.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), rest.as_bytes(), "from {from}");
    }
}

pub(super) async fn a_blob_is_verified_however_it_is_read(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let right = put_blob(&*store, "weights").await;
    let read = store.blob(&right).await.unwrap();
    let read = read.read_by(&Silent, |input| {
        let mut begin = [0; 3];
        input.read_exact(&mut begin).map(|()| begin)
    });
    assert_eq!(&read.await.unwrap().unwrap(), b"wei");
    let chunks = store.blob(&right).await.unwrap().into_chunks();
    let chunks: Vec<Bytes> = chunks.try_collect().await.unwrap();
    assert_eq!(chunks.concat(), b"weights");

    // The same bytes, held against what others should be.
    let wrong = || {
        let bytes = futures_util::stream::iter([Ok(Bytes::from_static(b"weights"))]);
        BlobStream::new(
            Descriptor::of("a/b", b"another"),
            String::new(),
            bytes.boxed(),
        )
    };
    let read = wrong().read_by(&Silent, |_| ()).await;
    assert!(matches!(read, Err(StoreError::Digest { .. })));
    let chunks: Result<Vec<Bytes>, _> = wrong().into_chunks().try_collect().await;
    assert!(matches!(chunks, Err(StoreError::Digest { .. })));
}

pub(super) async fn no_bytes_are_a_blob_too(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let descriptor = put_blob(&*store, "").await;
    assert!(store.has_blob(&descriptor.digest).await.unwrap());
    let stream = store.blob(&descriptor).await.unwrap();
    assert!(stream.read(0).await.unwrap().is_empty());
}

pub(super) async fn a_large_file_streams_in_and_out(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::write(&from, &content).unwrap();
    let descriptor = Descriptor::of("application/octet-stream", &content);
    let (sent, fetched) = (Count::default(), Count::default());
    store.put_blob(&descriptor, &from, &sent).await.unwrap();
    let stream = store.blob(&descriptor).await.unwrap();
    let file = std::fs::File::create(&to).unwrap();
    stream.write_to(file, &to, &fetched).await.unwrap();
    assert!(
        std::fs::read(&to).unwrap() == content,
        "other bytes came back"
    );
    assert_eq!(sent.0.into_inner(), descriptor.size);
    assert_eq!(fetched.0.into_inner(), descriptor.size);
}

pub(super) async fn bytes_that_changed_are_refused(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let was = Descriptor::of("application/octet-stream", b"as described");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    for now in ["AS DESCRIBED", "more than was described"] {
        std::fs::write(&path, now).unwrap();
        let error = store.put_blob(&was, &path, &Silent).await.unwrap_err();
        assert!(
            matches!(error, StoreError::SourceChanged { .. }),
            "{error:?}"
        );
        assert!(!store.has_blob(&was.digest).await.unwrap());
    }
}

pub(super) async fn lies_about_size_are_found(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let truth = put_blob(&*store, "twelve bytes").await;
    for lie in [0, 11, 13, u64::MAX] {
        let descriptor = Descriptor::new("a/b", truth.digest, lie);
        let result = match store.blob(&descriptor).await {
            Ok(stream) => stream.read(u64::MAX).await,
            Err(error) => Err(error),
        };
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::Size { .. }), "{lie}: {error:?}");
    }
}

pub(super) async fn a_manifest_comes_back_by_tag_and_by_digest(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let (put, layer) = put_artifact(&*store, "weights", Some("1.0.0")).await;
    let bytes = super::manifest_of(&layer).to_bytes();
    for key in [
        ManifestKey::Tag(tag("1.0.0")),
        ManifestKey::Digest(put.digest),
    ] {
        assert_eq!(store.resolve(&key).await.unwrap(), Some(put.clone()));
        let found = store.manifest(&key).await.unwrap();
        assert_eq!(found, Some((put.clone(), bytes.clone())));
    }
    let name = tag("1.0.0");
    let again = store.put_manifest(IMAGE_MANIFEST, bytes, Some(&name));
    assert_eq!(again.await.unwrap(), put);
}

pub(super) async fn a_tag_moves_and_what_it_left_stays(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let (one, _) = put_artifact(&*store, "one", Some("latest")).await;
    let (two, _) = put_artifact(&*store, "two", Some("latest")).await;
    let latest = store.resolve(&ManifestKey::Tag(tag("latest"))).await;
    assert_eq!(latest.unwrap(), Some(two));
    let left = store.resolve(&ManifestKey::Digest(one.digest)).await;
    assert_eq!(left.unwrap(), Some(one));
}

pub(super) async fn tags_are_sorted(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    for name in ["b", "1.0.0", "a"] {
        put_artifact(&*store, "weights", Some(name)).await;
    }
    put_artifact(&*store, "untagged", None).await;
    let tags = store.tags().await.unwrap();
    assert_eq!(tags, [tag("1.0.0"), tag("a"), tag("b")]);
}

pub(super) async fn referrers_are_found_by_subject_and_type(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let (subject, _) = put_artifact(&*store, "signed", Some("1.0.0")).await;
    let (other, _) = put_artifact(&*store, "unsigned", Some("1.1.0")).await;
    put_blob(&*store, "{}").await;
    let (signature, bill) = ("application/x-signature", "application/x-bill");
    for (artifact_type, note) in [(signature, "one"), (signature, "two"), (bill, "three")] {
        let bytes = referrer_to(&subject, artifact_type, note);
        let put = store.put_referrer(IMAGE_MANIFEST, bytes).await.unwrap();
        assert_eq!(put.annotations["note"], note);
    }
    let all = store.referrers(&subject.digest, None).await.unwrap();
    assert_eq!(all.len(), 3);
    let found = store
        .referrers(&subject.digest, Some(signature))
        .await
        .unwrap();
    let mut notes: Vec<_> = found
        .iter()
        .map(|entry| &*entry.annotations["note"])
        .collect();
    notes.sort_unstable();
    assert_eq!(notes, ["one", "two"]);
    for entry in &found {
        let key = ManifestKey::Digest(entry.digest);
        assert!(store.manifest(&key).await.unwrap().is_some());
    }
    assert!(
        store
            .referrers(&other.digest, None)
            .await
            .unwrap()
            .is_empty()
    );
}

pub(super) async fn what_refers_to_nothing_is_no_referrer(kind: &impl Kind) {
    let store = kind.repository("vision/digits");
    let layer = put_blob(&*store, "weights").await;
    let bytes = super::manifest_of(&layer).to_bytes();
    let error = store.put_referrer(IMAGE_MANIFEST, bytes).await.unwrap_err();
    assert!(matches!(error, StoreError::NoSubject { .. }));
}

/// Each writer opens the store itself, as processes on different machines do.
pub(super) async fn many_writers_all_end_right(kind: &impl Kind) {
    const WRITERS: usize = 6;
    let store = kind.repository("vision/digits");
    let (subject, _) = put_artifact(&*store, "signed", None).await;
    put_blob(&*store, "{}").await;
    let writers = (0..WRITERS).map(|writer| {
        let store = kind.repository("vision/digits");
        let subject = subject.clone();
        tokio::spawn(async move {
            put_artifact(
                &*store,
                &format!("of {writer}"),
                Some(&format!("tag-{writer}")),
            )
            .await;
            let bytes = referrer_to(&subject, "application/x-signature", &format!("{writer}"));
            store.put_referrer(IMAGE_MANIFEST, bytes).await.unwrap();
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let tags = store.tags().await.unwrap();
    let written = tags.iter().filter(|tag| tag.as_str().starts_with("tag-"));
    assert_eq!(written.count(), WRITERS);
    let found = store.referrers(&subject.digest, None).await.unwrap();
    assert_eq!(found.len(), WRITERS);
}
