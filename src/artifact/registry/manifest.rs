//! Manifests in a registry.

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response};
use serde::Deserialize;

use super::access::Action;
use super::answer;
use super::client::Client;
use crate::artifact::descriptor::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST, digest_of};
use crate::artifact::error::StoreError;
use crate::artifact::limits::MAX_MANIFEST_BYTES;
use crate::artifact::store::ManifestKey;
use crate::record::{Digest, Tag};

/// Docker's forms of the two, which registries also give.
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What we take, in the order of liking.
const ACCEPTED: [&str; 4] = [IMAGE_MANIFEST, IMAGE_INDEX, DOCKER_MANIFEST, DOCKER_LIST];

/// The header with the digest of what is answered.
const CONTENT_DIGEST: &str = "Docker-Content-Digest";

/// Finds a manifest by its headers; `None` if the registry says that there is none.
pub(super) async fn resolve(
    client: &Client,
    key: &ManifestKey,
) -> Result<Option<Descriptor>, StoreError> {
    let place = key.place(&client.repository);
    let Some(response) = ask(client, Method::HEAD, key, &place).await? else {
        return Ok(None);
    };
    let headers = response.headers();
    let media_type = media_type(&place, headers)?;
    let said = (content_digest(headers), answer::content_length(headers));
    let (Some(digest), Some(size)) = said else {
        // It may leave them out: then the bytes tell.
        let found = fetch(client, key).await?;
        return Ok(found.map(|(descriptor, _)| descriptor));
    };
    check_digest(&place, key, digest)?;
    Ok(Some(Descriptor::new(media_type, digest, size)))
}

/// Fetches a manifest and verifies its digest; `None` if the registry says that there is none.
pub(super) async fn fetch(
    client: &Client,
    key: &ManifestKey,
) -> Result<Option<(Descriptor, Bytes)>, StoreError> {
    let place = key.place(&client.repository);
    let Some(response) = ask(client, Method::GET, key, &place).await? else {
        return Ok(None);
    };
    let media_type = media_type(&place, response.headers())?;
    let announced = content_digest(response.headers());
    let bytes = answer::body(&place, response, MAX_MANIFEST_BYTES).await?;
    let digest = digest_of(&bytes);
    check_digest(&place, key, digest)?;
    if let Some(expected) = announced.filter(|announced| *announced != digest) {
        return Err(StoreError::Digest {
            place,
            expected,
            actual: digest,
        });
    }
    check_media_type(&place, &media_type, &bytes)?;
    let size = bytes.len() as u64;
    Ok(Some((Descriptor::new(media_type, digest, size), bytes)))
}

/// Puts a manifest under its tag, or under its digest alone.
pub(super) async fn put(
    client: &Client,
    media_type: &str,
    bytes: &Bytes,
    tag: Option<&Tag>,
) -> Result<(Descriptor, Response), StoreError> {
    let descriptor = Descriptor::of(media_type, bytes);
    let key = tag.map_or(ManifestKey::Digest(descriptor.digest), |tag| {
        ManifestKey::Tag(tag.clone())
    });
    let place = key.place(&client.repository);
    let url = client.url(&path_of(&key));
    let response = client
        .send_patiently(&place, Action::Push, || {
            let request = client.request(Method::PUT, url.clone());
            request.header(CONTENT_TYPE, media_type).body(bytes.clone())
        })
        .await
        .map_err(answer::to_what_was_sent)?;
    let response = answer::no_page(&place, response)?;
    let taken = content_digest(response.headers());
    if let Some(actual) = taken.filter(|taken| *taken != descriptor.digest) {
        return Err(StoreError::Digest {
            place,
            expected: descriptor.digest,
            actual,
        });
    }
    Ok((descriptor, response))
}

async fn ask(
    client: &Client,
    method: Method,
    key: &ManifestKey,
    place: &str,
) -> Result<Option<Response>, StoreError> {
    let url = client.url(&path_of(key));
    let asked = client
        .send_patiently(place, Action::Pull, || {
            let request = client.request(method.clone(), url.clone());
            request.header(ACCEPT, ACCEPTED.join(", "))
        })
        .await;
    match asked {
        Ok(response) => Ok(Some(response)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn path_of(key: &ManifestKey) -> String {
    match key {
        ManifestKey::Tag(tag) => format!("manifests/{tag}"),
        ManifestKey::Digest(digest) => format!("manifests/{digest}"),
    }
}

fn content_digest(headers: &HeaderMap) -> Option<Digest> {
    headers.get(CONTENT_DIGEST)?.to_str().ok()?.parse().ok()
}

fn media_type(place: &str, headers: &HeaderMap) -> Result<String, StoreError> {
    let media_type = answer::media_type(headers).unwrap_or("nothing");
    if ACCEPTED.contains(&media_type) {
        return Ok(media_type.to_owned());
    }
    Err(StoreError::Answer {
        place: place.to_owned(),
        reason: format!("it sends `{}` for a manifest", media_type.escape_debug()),
    })
}

/// A header and the bytes themselves must not say different things: a manifest that is read as
/// one type here could be read as another elsewhere (CVE-2021-41190).
fn check_media_type(place: &str, announced: &str, bytes: &[u8]) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        media_type: Option<String>,
    }
    let Ok(Kind {
        media_type: Some(media_type),
    }) = serde_json::from_slice(bytes)
    else {
        return Ok(());
    };
    if media_type == announced {
        return Ok(());
    }
    Err(StoreError::Answer {
        place: place.to_owned(),
        reason: format!(
            "it sends `{}` and calls it `{announced}`",
            media_type.escape_debug()
        ),
    })
}

fn check_digest(place: &str, key: &ManifestKey, actual: Digest) -> Result<(), StoreError> {
    match key {
        ManifestKey::Digest(expected) if *expected != actual => Err(StoreError::Digest {
            place: place.to_owned(),
            expected: *expected,
            actual,
        }),
        _ => Ok(()),
    }
}
