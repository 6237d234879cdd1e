//! Registries that fail, refuse, lie or are none.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use modelyard::artifact::descriptor::{IMAGE_INDEX, IMAGE_MANIFEST, digest_of};
use modelyard::artifact::{Descriptor, ManifestKey, Store, StoreError};
use modelyard::platform::progress::Silent;
use modelyard::platform::retry::Retryable;
use modelyard::record::Fault;

use super::{absent, store, tag};
use crate::harness::{Answer, Front};

pub(super) fn repository(front: &Front) -> Arc<dyn Store> {
    store(&format!("{}/a/b", front.host()))
}

fn latest() -> ManifestKey {
    ManifestKey::Tag(tag("latest"))
}

/// The error that `front` leads to, as a user sees it.
fn told(front: &Front, error: &StoreError) -> String {
    let mut text = format!("{} {:?}: {error}", error.code(), error.class());
    if let Some(source) = std::error::Error::source(error) {
        text.push_str(&format!(": {source}"));
    }
    text.replace(&front.host(), "[host]")
        .replace(&absent().to_string(), "[digest]")
}

/// What each question comes to, where every one of them is answered in the same way.
async fn asked_everything(answer: Answer) -> Vec<String> {
    let front = Front::alone();
    for method in ["GET", "HEAD", "PUT", "POST"] {
        front.always(method, "/v2/", answer.clone());
    }
    let store = repository(&front);
    let bytes = Bytes::from_static(b"{}");
    let blob = Descriptor::of("a/b", &bytes);
    let name = tag("latest");
    let errors = [
        store.resolve(&latest()).await.err(),
        store.manifest(&ManifestKey::Digest(absent())).await.err(),
        store.has_blob(&absent()).await.err(),
        store.blob(&blob).await.err(),
        store.tags().await.err(),
        store.referrers(&absent(), None).await.err(),
        store.put_blob(&blob, &bytes, &Silent).await.err(),
        store.put_manifest("a/b", bytes, Some(&name)).await.err(),
    ];
    let errors = errors.into_iter().map(|error| match error {
        Some(error) => told(&front, &error),
        None => "NO ERROR".to_owned(),
    });
    errors.collect()
}

fn error_body(code: &str) -> String {
    format!("{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"says the registry\"}}]}}")
}

#[tokio::test]
async fn every_refusal_is_an_error_whatever_is_asked() {
    let json = "application/json";
    for (answer, code) in [
        (
            Answer::body(401, json, error_body("UNAUTHORIZED")),
            "store-unauthorized",
        ),
        (
            Answer::body(403, json, error_body("DENIED")),
            "store-forbidden",
        ),
        (
            Answer::body(429, json, error_body("TOOMANYREQUESTS")),
            "store-throttled",
        ),
        (
            Answer::body(500, json, error_body("UNKNOWN")),
            "store-failed",
        ),
        (
            Answer::body(502, "text/html", "<html>Bad gateway"),
            "store-failed",
        ),
        (Answer::body(507, json, ""), "store-failed"),
        (Answer::html(), "store-answer"),
        (
            Answer::body(404, "text/html", "<html>Not found"),
            "store-answer",
        ),
        (Answer::Nothing, "store-unreachable"),
        (
            Answer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            "store-unreachable",
        ),
    ] {
        let errors = asked_everything(answer.clone()).await;
        for error in &errors {
            assert!(error.starts_with(code), "{answer:?}: {errors:#?}");
        }
    }
}

#[tokio::test]
async fn errors_say_who_says_what() {
    let json = "application/json";
    let of = async |answer| asked_everything(answer).await.swap_remove(1);
    let unauthorized = of(Answer::body(401, json, error_body("UNAUTHORIZED"))).await;
    insta::assert_snapshot!(unauthorized, @"store-unauthorized Permanent: [host]/a/b@[digest] wants a login: the registry says: UNAUTHORIZED: says the registry");
    let forbidden = of(Answer::body(403, json, error_body("DENIED"))).await;
    insta::assert_snapshot!(forbidden, @"store-forbidden Permanent: [host]/a/b@[digest] is not open to this login: the registry says: DENIED: says the registry");
    let throttled = of(Answer::status(429)).await;
    insta::assert_snapshot!(throttled, @"store-throttled Transient: [host]/a/b@[digest] is asked too often");
    let failed = of(Answer::body(500, "text/plain", "disk \u{1b}[31mfull\n")).await;
    insta::assert_snapshot!(failed, @r#"store-failed Transient: [host]/a/b@[digest] answers with HTTP 500: the registry says: disk \u{1b}[31mfull"#);
    insta::assert_snapshot!(of(Answer::html()).await, @"store-answer Permanent: [host]/a/b@[digest] answers as no registry does: it sends `text/html` for a manifest");
    insta::assert_snapshot!(of(Answer::Nothing).await, @"store-unreachable Transient: can't reach [host]/a/b@[digest]: error sending request");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    for (answer, calls) in [
        (Answer::status(500), 4),
        (Answer::status(503), 4),
        (Answer::status(429), 4),
        (Answer::Nothing, 4),
        (Answer::status(501), 1),
        (Answer::status(403), 1),
        (Answer::status(400), 1),
        (Answer::html(), 1),
    ] {
        let front = Front::alone();
        front.always("GET", "/manifests/", answer.clone());
        repository(&front).manifest(&latest()).await.unwrap_err();
        assert_eq!(front.count("GET", "/manifests/"), calls, "{answer:?}");
    }
}

#[tokio::test]
async fn a_registry_that_comes_back_is_not_even_noticed() {
    let bytes = super::manifest_of(&Descriptor::of("a/b", b"x")).to_bytes();
    let front = Front::alone();
    front
        .always(
            "GET",
            "/manifests/",
            Answer::body(200, IMAGE_MANIFEST, &bytes),
        )
        .times(1, "GET", "/manifests/", Answer::status(503))
        .times(1, "GET", "/manifests/", Answer::Nothing)
        .times(
            1,
            "GET",
            "/manifests/",
            Answer::status(429).with_header("Retry-After", "0"),
        );
    let found = repository(&front).manifest(&latest()).await.unwrap();
    assert_eq!(found.unwrap().1, bytes);
    assert_eq!(front.count("GET", "/manifests/"), 4);
}

#[tokio::test]
async fn the_wait_that_a_registry_asks_for_is_heard() {
    let front = Front::alone();
    let later = Answer::status(429).with_header("Retry-After", "7");
    front.always("GET", "/manifests/", later);
    let mut options = super::options("/nowhere".as_ref());
    options.retry.attempts = 1;
    let repository = format!("{}/a/b", front.host()).parse().unwrap();
    let store = modelyard::artifact::open(&repository, &options).unwrap();
    let error = store.manifest(&latest()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn nobody_there_is_told_with_the_way_out() {
    let gone = Front::alone().host();
    let error = store(&format!("{gone}/a/b")).tags().await.unwrap_err();
    assert_eq!(error.code().id, "store-unreachable");
    insta::assert_snapshot!(error.help().unwrap(), @"check the registry's name and that it runs; one without TLS needs `--plain-http`");
}

#[tokio::test]
async fn a_manifest_of_100_mb_is_not_read() {
    let huge = vec![b' '; 100 << 20];
    let announced = Answer::body(200, IMAGE_MANIFEST, &huge);
    let mut endless = b"HTTP/1.1 200 OK\r\nContent-Type: ".to_vec();
    endless.extend_from_slice(format!("{IMAGE_MANIFEST}\r\n\r\n").as_bytes());
    endless.extend_from_slice(&huge);
    for answer in [announced, Answer::Raw(endless)] {
        let front = Front::alone();
        front.always("GET", "/manifests/", answer);
        let error = repository(&front).manifest(&latest()).await.unwrap_err();
        assert_eq!(
            told(&front, &error),
            "too-large Permanent: [host]/a/b:latest has more than the 4194304 bytes that are read"
        );
    }
}

#[tokio::test]
async fn lies_of_a_manifest_are_found() {
    let bytes = super::manifest_of(&Descriptor::of("a/b", b"x")).to_bytes();
    let truth = Answer::body(200, IMAGE_MANIFEST, &bytes);
    let lied = async |answer: Answer, key: ManifestKey| {
        let front = Front::alone();
        front.always("GET", "/manifests/", answer.clone());
        front.always("HEAD", "/manifests/", answer);
        let error = repository(&front).manifest(&key).await.unwrap_err();
        told(&front, &error)
    };
    let other = ManifestKey::Digest(absent());
    insta::assert_snapshot!(lied(truth.clone(), other).await, @"digest-mismatch Permanent: the bytes of [host]/a/b@[digest] are not the ones that were asked for: expected [digest], got sha256:0810652731a4c17254841d7f9cc58f9049a5073277e1d056f9e716810481a9ac");
    let header = truth.with_header("Docker-Content-Digest", &absent().to_string());
    insta::assert_snapshot!(lied(header, latest()).await, @"digest-mismatch Permanent: the bytes of [host]/a/b:latest are not the ones that were asked for: expected [digest], got sha256:0810652731a4c17254841d7f9cc58f9049a5073277e1d056f9e716810481a9ac");
    let index = Answer::body(200, IMAGE_INDEX, &bytes);
    insta::assert_snapshot!(lied(index, latest()).await, @"store-answer Permanent: [host]/a/b:latest answers as no registry does: it sends `application/vnd.oci.image.manifest.v1+json` and calls it `application/vnd.oci.image.index.v1+json`");
    let json = Answer::body(200, "application/json", &bytes);
    insta::assert_snapshot!(lied(json, latest()).await, @"store-answer Permanent: [host]/a/b:latest answers as no registry does: it sends `application/json` for a manifest");
}

#[tokio::test]
async fn a_digest_that_is_not_the_one_asked_for_is_no_find() {
    let front = Front::alone();
    let answer = Answer::body(200, IMAGE_MANIFEST, "{}")
        .with_header("Docker-Content-Digest", &digest_of(b"{}").to_string());
    front.always("HEAD", "/manifests/", answer);
    let found = repository(&front)
        .resolve(&ManifestKey::Digest(absent()))
        .await;
    assert!(matches!(found, Err(StoreError::Digest { .. })), "{found:?}");
}

#[tokio::test]
async fn what_can_not_tell_the_referrers_is_an_error_and_not_unsigned() {
    let index = |digest| {
        format!(
            "{{\"schemaVersion\":2,\"manifests\":[{{\"mediaType\":\"a\",\"digest\":\"{digest}\",\"size\":1}}]}}"
        )
    };
    let read = async |api: Answer, list: Answer| {
        let front = Front::alone();
        front
            .always("GET", "/referrers/", api)
            .always("GET", "/manifests/sha256-", list);
        repository(&front)
            .referrers(&absent(), None)
            .await
            .map(|found| found.len())
    };
    let none = || Answer::status(404);
    let list = || Answer::body(200, IMAGE_INDEX, index(absent()));
    assert_eq!(read(none(), none()).await.unwrap(), 0);
    assert_eq!(read(none(), list()).await.unwrap(), 1);
    assert_eq!(read(list(), none()).await.unwrap(), 1);
    for (api, list) in [
        (Answer::status(403), list()),
        (Answer::status(500), list()),
        (Answer::html(), list()),
        (Answer::body(200, IMAGE_INDEX, "[]"), list()),
        (none(), Answer::status(403)),
        (none(), Answer::status(429)),
        (none(), Answer::html()),
        (none(), Answer::body(200, IMAGE_INDEX, "[]")),
        (none(), Answer::body(200, IMAGE_MANIFEST, index(absent()))),
    ] {
        let found = read(api.clone(), list.clone()).await;
        assert!(found.is_err(), "{api:?} {list:?}: {found:?}");
    }
}

#[tokio::test]
async fn tags_come_page_by_page_and_a_page_that_repeats_ends_them() {
    let front = Front::alone();
    let page = |tags: &str| Answer::body(200, "application/json", format!("{{\"tags\":{tags}}}"));
    let next = "</v2/a/b/tags/list?last=2>; rel=\"next\"";
    front.always(
        "GET",
        "tags/list?n=",
        page("[\"b\",\"a\"]").with_header("Link", next),
    );
    front.always(
        "GET",
        "tags/list?last=2",
        page("[\"c\"]").with_header("Link", next),
    );
    let tags = repository(&front).tags().await.unwrap();
    assert_eq!(tags, [tag("a"), tag("b"), tag("c")]);
    assert_eq!(front.count("GET", "tags/list"), 3);
    front.always("GET", "tags/list", page("null"));
    assert!(repository(&front).tags().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_login_goes_nowhere_else() {
    let (front, storage) = (Front::alone(), Front::alone());
    let bytes = Bytes::from_static(b"weights");
    let descriptor = Descriptor::of("a/b", &bytes);
    storage
        .always("GET", "/stored", Answer::body(200, "a/b", &bytes))
        .always("PUT", "/upload", Answer::status(201));
    let to = |path: &str| format!("http://{}{path}", storage.host());
    let wants = Answer::status(401).with_header("WWW-Authenticate", "Basic realm=\"test\"");
    front
        .always("HEAD", "/blobs/", Answer::status(404))
        .always(
            "GET",
            "/blobs/",
            Answer::status(307).with_header("Location", &to("/stored")),
        )
        .always(
            "POST",
            "/blobs/",
            Answer::status(202).with_header("Location", &to("/upload?id=1")),
        )
        .times(1, "HEAD", "/blobs/", wants.clone());
    let docker = tempfile::tempdir().unwrap();
    let auth = "dGVzdGVyOnMzY3JldA=="; // tester:s3cret
    let config = format!(
        "{{\"auths\":{{\"{}\":{{\"auth\":\"{auth}\"}}}}}}",
        front.host()
    );
    std::fs::write(docker.path().join("config.json"), config).unwrap();
    let store = super::store_with(&format!("{}/a/b", front.host()), docker.path());
    store.put_blob(&descriptor, &bytes, &Silent).await.unwrap();
    let fetched = store
        .blob(&descriptor)
        .await
        .unwrap()
        .read(7)
        .await
        .unwrap();
    assert_eq!(fetched, bytes);
    // The first request goes without, as nobody had asked.
    assert_eq!(
        front.carried("authorization"),
        vec![format!("Basic {auth}"); 3]
    );
    assert_eq!(storage.requests().len(), 2);
    assert!(storage.carried("authorization").is_empty());
    let upload = storage.requests().remove(0);
    assert_eq!(
        upload,
        format!(
            "PUT /upload?id=1&digest={}",
            descriptor.digest.to_string().replace(':', "%3A")
        )
    );
}

#[tokio::test]
async fn nothing_is_sent_unencrypted_to_another_machine() {
    let front = Front::alone();
    let bytes = Bytes::from_static(b"weights");
    let descriptor = Descriptor::of("a/b", &bytes);
    let away = "http://storage.example.com/upload?token=s3cret";
    front.always(
        "POST",
        "/blobs/",
        Answer::status(202).with_header("Location", away),
    );
    let error = repository(&front)
        .put_blob(&descriptor, &bytes, &Silent)
        .await
        .unwrap_err();
    insta::assert_snapshot!(told(&front, &error).replace(&descriptor.digest.to_string(), "[digest]"), @"store-answer Permanent: the blob [host]/a/b@[digest] leads to http://storage.example.com/upload, which is not encrypted");
    front.always(
        "GET",
        "/blobs/",
        Answer::status(307).with_header("Location", away),
    );
    let error = repository(&front).blob(&descriptor).await.err().unwrap();
    insta::assert_snapshot!(told(&front, &error).replace(&descriptor.digest.to_string(), "[digest]"), @"store-answer Permanent: the blob [host]/a/b@[digest] answers as no registry does: it redirects to an address that is not encrypted");
    let realm = "Bearer realm=\"http://auth.example.com/token\"";
    front.always(
        "GET",
        "/tags/",
        Answer::status(401).with_header("WWW-Authenticate", realm),
    );
    let error = repository(&front).tags().await.unwrap_err();
    insta::assert_snapshot!(told(&front, &error), @"store-answer Permanent: the list of tags of [host]/a/b leads to http://auth.example.com/token, which is not encrypted");
}

#[tokio::test]
async fn a_token_server_that_fails_is_no_wrong_password() {
    for (answer, code) in [
        (Answer::status(401), "store-unauthorized"),
        (Answer::status(403), "store-forbidden"),
        (Answer::status(429), "store-throttled"),
        (Answer::status(500), "store-failed"),
        (Answer::html(), "store-answer"),
        (Answer::body(200, "application/json", "{}"), "store-answer"),
        (
            Answer::body(200, "application/json", vec![b' '; 2 << 20]),
            "too-large",
        ),
        (Answer::Nothing, "store-unreachable"),
    ] {
        let front = Front::alone();
        let realm = format!(
            "Bearer realm=\"http://{}/token\",service=\"s\"",
            front.host()
        );
        let wants = Answer::status(401).with_header("WWW-Authenticate", &realm);
        front
            .always("GET", "/v2/", wants)
            .always("GET", "/token", answer.clone());
        let error = repository(&front).tags().await.unwrap_err();
        assert_eq!(error.code().id, code, "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn a_token_is_asked_for_this_repository_alone() {
    let front = Front::alone();
    let realm = format!(
        "Bearer realm=\"http://{}/token\",service=\"s\"",
        front.host()
    );
    let token = Answer::body(200, "application/json", "{\"token\":\"t1\"}");
    front
        .always(
            "GET",
            "/tags/",
            Answer::body(200, "application/json", "{\"tags\":[\"x\"]}"),
        )
        .always("GET", "/token", token)
        .times(
            1,
            "GET",
            "/tags/",
            Answer::status(401).with_header("WWW-Authenticate", &realm),
        );
    assert_eq!(repository(&front).tags().await.unwrap(), [tag("x")]);
    insta::assert_debug_snapshot!(front.requests(), @r#"
    [
        "GET /v2/a/b/tags/list?n=1000",
        "GET /token?service=s&scope=repository%3Aa%2Fb%3Apull",
        "GET /v2/a/b/tags/list?n=1000",
    ]
    "#);
    assert_eq!(front.carried("authorization"), ["Bearer t1"]);
}
