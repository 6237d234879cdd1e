//! A blob on its way into a registry: one `POST` that opens an upload, one `PUT` that sends all of
//! it (OCI distribution-spec 1.1, "Pushing a blob monolithically").

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, Method, RequestBuilder};
use tokio::sync::mpsc;
use url::Url;

use super::access::Action;
use super::answer;
use super::client::Client;
use crate::artifact::descriptor::Descriptor;
use crate::artifact::error::StoreError;
use crate::artifact::source::{BlobSource, chunks_to_send};
use crate::artifact::store::blob_place;
use crate::platform::progress::Meter;

/// No byte taken and no answer given for this long is a connection that stalled. After the last
/// byte a registry may have to hash all of them, or to copy them to where they are stored.
const SILENCE: Duration = Duration::from_secs(10 * 60);

/// How registries call bytes that are not what their digest says.
const REFUSED_BYTES: [&str; 2] = ["DIGEST_INVALID", "SIZE_INVALID"];

/// Sends a blob, again from its beginning where the connection breaks.
pub(super) async fn upload(
    client: &Client,
    descriptor: &Descriptor,
    source: &dyn BlobSource,
    meter: &dyn Meter,
) -> Result<(), StoreError> {
    let changed = || StoreError::SourceChanged {
        place: match source.path() {
            Some(path) => path.display().to_string(),
            None => blob_place(&client.repository, &descriptor.digest),
        },
    };
    // Other bytes of the same length are found by the registry.
    let length = source.path().map(std::fs::metadata).and_then(Result::ok);
    if length.is_some_and(|found| found.len() != descriptor.size) {
        return Err(changed());
    }
    let counted = AtomicU64::new(0);
    let sent = client
        .retry
        .run(|| attempt(client, descriptor, source, meter, &counted))
        .await;
    sent.map_err(|error| match &error {
        StoreError::Failed {
            detail: Some(detail),
            ..
        } if REFUSED_BYTES.iter().any(|code| detail.0.contains(code)) => changed(),
        _ => error,
    })
}

async fn attempt(
    client: &Client,
    descriptor: &Descriptor,
    source: &dyn BlobSource,
    meter: &dyn Meter,
    counted: &AtomicU64,
) -> Result<(), StoreError> {
    let place = blob_place(&client.repository, &descriptor.digest);
    let url = open_upload(client, &place, descriptor).await?;
    let (passed, mut passing) = mpsc::unbounded_channel();
    let sent = client.send(&place, Action::Push, || {
        put(client, url.clone(), descriptor, source, passed.clone())
    });
    let mut sent = std::pin::pin!(sent);
    let mut position = 0;
    loop {
        let step = async {
            tokio::select! {
                result = &mut sent => Some(result),
                Some(bytes) = passing.recv() => {
                    position += bytes;
                    // What an earlier attempt sent has been counted.
                    let before = counted.fetch_max(position, Ordering::Relaxed);
                    meter.advance(position.saturating_sub(before));
                    None
                }
            }
        };
        match tokio::time::timeout(SILENCE, step).await {
            Ok(None) => {}
            Ok(Some(result)) => {
                let answered = result.map_err(|error| upload_lost(&place, error))?;
                return answer::no_page(&place, answered).map(drop);
            }
            Err(_) => {
                let place = place.clone();
                return Err(StoreError::Stalled { place });
            }
        }
    }
}

/// 404 to an upload that was just opened: it says nothing of what the repository has.
fn upload_lost(place: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::NotFound { .. } => StoreError::Failed {
            place: place.to_owned(),
            status: 404,
            retry_after: None,
            detail: None,
        },
        error => error,
    }
}

/// Opens an upload and gives the address that takes the bytes.
async fn open_upload(
    client: &Client,
    place: &str,
    descriptor: &Descriptor,
) -> Result<Url, StoreError> {
    let url = client.url("blobs/uploads/");
    let opened = client
        .send(place, Action::Push, || {
            let request = client.request(Method::POST, url.clone());
            Ok(request.header(CONTENT_LENGTH, 0))
        })
        .await
        .map_err(answer::to_what_was_sent)?;
    let location = opened.headers().get(LOCATION);
    let location = location.and_then(|value| value.to_str().ok());
    let Some(location) = location else {
        return Err(StoreError::Answer {
            place: place.to_owned(),
            reason: "it opens an upload and doesn't say where".to_owned(),
        });
    };
    let mut url = client.follow(place, opened.url(), location)?;
    let digest = descriptor.digest.to_string();
    url.query_pairs_mut().append_pair("digest", &digest);
    Ok(url)
}

fn put(
    client: &Client,
    url: Url,
    descriptor: &Descriptor,
    source: &dyn BlobSource,
    passed: mpsc::UnboundedSender<u64>,
) -> Result<RequestBuilder, StoreError> {
    let (_, chunks) = chunks_to_send(source, descriptor)?;
    let body = chunks.inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            // Nobody counts any more once the answer is here.
            let _ = passed.send(chunk.len() as u64);
        }
    });
    Ok(client
        .upload(Method::PUT, url)
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(CONTENT_LENGTH, descriptor.size)
        .body(Body::wrap_stream(body)))
}
