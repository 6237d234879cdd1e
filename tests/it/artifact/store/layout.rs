//! Layouts on disk.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use modelyard::artifact::{ManifestKey, Store, StoreError};
use modelyard::record::Fault;
use tempfile::TempDir;

use super::contract::{Kind, contract};
use super::{absent, put_artifact, store, tag};

struct Layouts(TempDir);

impl Layouts {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Kind for Layouts {
    fn repository(&self, name: &str) -> Arc<dyn Store> {
        at(&self.0.path().join(name))
    }
}

fn at(folder: &Path) -> Arc<dyn Store> {
    store(&format!("oci-layout:{}", folder.display()))
}

contract!(layout, Layouts::new());

/// What is said of reading from and writing to what lies at `path`.
async fn said(path: &Path) -> (String, String) {
    let store = at(path);
    let read = store.resolve(&ManifestKey::Tag(tag("latest"))).await;
    let bytes = bytes::Bytes::from_static(b"x");
    let descriptor = modelyard::artifact::Descriptor::of("a/b", &bytes);
    let silent = modelyard::platform::progress::Silent;
    let written = store.put_blob(&descriptor, &bytes, &silent).await;
    let folder = path.parent().unwrap().display().to_string();
    let text = |error: &dyn Fault| {
        let text = format!("{error} [{}]", error.code());
        text.replace(&folder, "…")
    };
    (text(&read.unwrap_err()), text(&written.unwrap_err()))
}

#[tokio::test]
async fn what_is_no_layout_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), "mine").unwrap();
    fs::create_dir(path("other")).unwrap();
    fs::write(path("other/notes.txt"), "mine").unwrap();
    fs::create_dir(path("version")).unwrap();
    fs::write(
        path("version/oci-layout"),
        "{\"imageLayoutVersion\":\"2.0.0\"}",
    )
    .unwrap();
    fs::create_dir(path("garbage")).unwrap();
    fs::write(path("garbage/oci-layout"), "{").unwrap();
    let refused = [
        (
            "file",
            "…/file is not an OCI layout: a file stands in its place [store-wrong]",
        ),
        (
            "other",
            "…/other is not an OCI layout: it has other things in it, and no file `oci-layout` [store-wrong]",
        ),
        (
            "version",
            "…/version is not an OCI layout: it is of version 2.0.0, and only 1.0.0 is known [store-wrong]",
        ),
        (
            "garbage",
            "…/garbage is not an OCI layout: its file `oci-layout` has another form [store-wrong]",
        ),
    ];
    for (name, message) in refused {
        let (read, written) = said(&path(name)).await;
        assert_eq!((read.as_str(), written.as_str()), (message, message));
    }
    assert_eq!(fs::read_dir(path("other")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(path("version")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_broken_index_is_an_error_and_no_empty_store() {
    let layouts = Layouts::new();
    let store = layouts.repository("a");
    put_artifact(&*store, "weights", Some("1.0.0")).await;
    fs::write(layouts.0.path().join("a/index.json"), "[]").unwrap();
    assert!(store.tags().await.is_err());
    assert!(store.referrers(&absent(), None).await.is_err());
    assert!(store.resolve(&ManifestKey::Digest(absent())).await.is_err());
    let bytes = bytes::Bytes::from_static(b"{}");
    let put = store.put_manifest("a/b", bytes, Some(&tag("x"))).await;
    assert!(matches!(put, Err(StoreError::NotALayout { .. })), "{put:?}");
    let left = fs::read(layouts.0.path().join("a/index.json")).unwrap();
    assert_eq!(left, b"[]");
}

#[tokio::test]
async fn tampered_bytes_are_named_by_both_digests() {
    let layouts = Layouts::new();
    let store = layouts.repository("a");
    let (manifest, layer) = put_artifact(&*store, "weights", Some("1.0.0")).await;
    let blob = |digest: &modelyard::record::Digest| {
        layouts.0.path().join("a/blobs/sha256").join(digest.hex())
    };
    fs::write(blob(&layer.digest), "WEIGHTS").unwrap();
    let error = store.blob(&layer).await.unwrap().read(7).await.unwrap_err();
    let actual = modelyard::artifact::descriptor::digest_of(b"WEIGHTS");
    assert_eq!(error.code().id, "digest-mismatch");
    let text = error.to_string();
    assert!(text.contains(&layer.digest.to_string()) && text.contains(&actual.to_string()));
    let mut bytes = fs::read(blob(&manifest.digest)).unwrap();
    bytes.push(b' ');
    fs::write(blob(&manifest.digest), bytes).unwrap();
    let key = ManifestKey::Tag(tag("1.0.0"));
    assert!(matches!(
        store.manifest(&key).await,
        Err(StoreError::Digest { .. })
    ));
}

#[tokio::test]
async fn a_damaged_manifest_hides_no_referrer() {
    let layouts = Layouts::new();
    let store = layouts.repository("a");
    let (subject, _) = put_artifact(&*store, "signed", None).await;
    let (broken, _) = put_artifact(&*store, "broken", None).await;
    let bytes = super::referrer_to(&subject, "application/x-signature", "good");
    store
        .put_referrer(modelyard::artifact::descriptor::IMAGE_MANIFEST, bytes)
        .await
        .unwrap();
    let blobs = layouts.0.path().join("a/blobs/sha256");
    fs::write(blobs.join(broken.digest.hex()), "garbage").unwrap();
    let found = store.referrers(&subject.digest, None).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_relative_layout_has_to_be_resolved_first() {
    let options = super::options(Path::new("/nowhere"));
    let opened = modelyard::artifact::open(&"oci-layout:./store".parse().unwrap(), &options);
    let error = opened.err().unwrap();
    insta::assert_snapshot!(error, @"the store `oci-layout:./store` is relative to a yard's work tree, and there is none here");
}

#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_is_told_and_leaves_nothing() {
    // /dev/full takes no byte, as a full disk does.
    let file = fs::File::options().write(true).open("/dev/full").unwrap();
    let layouts = Layouts::new();
    let store = layouts.repository("a");
    let (_, layer) = put_artifact(&*store, "weights", None).await;
    let stream = store.blob(&layer).await.unwrap();
    let silent = modelyard::platform::progress::Silent;
    let error = stream
        .write_to(file, Path::new("/dev/full"), &silent)
        .await
        .unwrap_err();
    assert_eq!(error.code().id, "file-failed");
    insta::assert_snapshot!(error.help().unwrap(), @"free some space on that disk and try again");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_nobody_writes_to_is_taken_as_it_is() {
    use std::os::unix::fs::MetadataExt as _;

    use modelyard::artifact::pack::{Packed, pack};
    use modelyard::artifact::upload;
    use modelyard::platform::progress::Silent;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("files/model.bin");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "weights").unwrap();
    let mut packed = pack(file.parent().unwrap(), &[], &Silent).unwrap();
    let digest = packed.layers[0].descriptor.digest.hex();
    let blob = |name: &str| {
        let blobs = folder.path().join(name).join("blobs/sha256");
        blobs.join(&digest)
    };
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    let put = async |name: &str, packed: &Packed| {
        let store = at(&folder.path().join(name));
        upload(&*store, packed, &Silent).await
    };

    // Who packed it may write to it.
    assert_eq!(put("copied", &packed).await.unwrap(), 7);
    assert_ne!(inode(&blob("copied")), inode(&file));
    packed.settle();
    assert_eq!(put("taken", &packed).await.unwrap(), 7);
    assert_eq!(inode(&blob("taken")), inode(&file));
    assert_eq!(put("taken", &packed).await.unwrap(), 0);
    // What is damaged is replaced, and doesn't damage what it was taken from.
    fs::remove_file(blob("taken")).unwrap();
    fs::write(blob("taken"), "weight").unwrap();
    assert_eq!(put("taken", &packed).await.unwrap(), 7);
    assert_eq!(fs::read(blob("taken")).unwrap(), b"weights");
    // And somebody did write to it.
    fs::remove_file(&file).unwrap();
    fs::write(&file, "WEIGHTS").unwrap();
    let refused = put("refused", &packed).await.unwrap_err();
    assert!(
        format!("{refused:?}").contains("it changed since it was packed"),
        "{refused:?}"
    );
    assert!(!blob("refused").exists());
}
