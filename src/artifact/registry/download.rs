//! A blob on its way out of a registry, taken up again where the connection broke.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};

use super::access::Action;
use super::answer;
use super::client::Client;
use crate::artifact::descriptor::Descriptor;
use crate::artifact::error::StoreError;
use crate::artifact::store::blob_place;
use crate::artifact::stream::BlobStream;

/// A download that is under way.
struct Download {
    client: Arc<Client>,
    descriptor: Descriptor,
    place: String,
    response: Option<Response>,
    /// How many bytes were handed on.
    position: u64,
    /// How many bytes are to come once more, from a server that only begins at the beginning.
    skip: u64,
    /// How many connections broke since the last byte.
    broken: u32,
}

/// Begins to fetch a blob.
pub(super) async fn download(
    client: &Arc<Client>,
    descriptor: &Descriptor,
) -> Result<BlobStream, StoreError> {
    let mut download = Download::of(client, descriptor, 0);
    download.response = Some(download.ask().await?);
    let place = download.place.clone();
    Ok(BlobStream::new(
        descriptor.clone(),
        place,
        download.chunks(),
    ))
}

/// Goes on with a blob at byte `from`.
pub(super) async fn go_on(
    client: &Arc<Client>,
    descriptor: &Descriptor,
    from: u64,
) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
    // No server gives the part behind the end.
    if from >= descriptor.size {
        return Ok(stream::empty().boxed());
    }
    let mut download = Download::of(client, descriptor, from);
    download.response = Some(download.ask().await?);
    Ok(download.chunks())
}

impl Download {
    /// One that has not begun, and will at byte `position`.
    fn of(client: &Arc<Client>, descriptor: &Descriptor, position: u64) -> Self {
        Self {
            client: Arc::clone(client),
            descriptor: descriptor.clone(),
            place: blob_place(&client.repository, &descriptor.digest),
            response: None,
            position,
            skip: 0,
            broken: 0,
        }
    }

    /// What comes, until its end or until it fails for good.
    fn chunks(self) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let chunks = stream::unfold(Some(self), |download| async {
            let mut download = download?;
            match download.next().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(download))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        chunks.boxed()
    }

    /// The next chunk; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        loop {
            let response = match &mut self.response {
                Some(response) => response,
                None => {
                    let response = self.ask().await?;
                    self.response.insert(response)
                }
            };
            match response.chunk().await {
                Ok(Some(mut chunk)) => {
                    let known = usize::try_from(self.skip).unwrap_or(usize::MAX);
                    let known = chunk.split_to(known.min(chunk.len()));
                    self.skip -= known.len() as u64;
                    if !chunk.is_empty() {
                        self.position += chunk.len() as u64;
                        self.broken = 0;
                        return Ok(Some(chunk));
                    }
                }
                Ok(None) if self.position >= self.descriptor.size => return Ok(None),
                Ok(None) => self.broke(None)?,
                Err(error) => self.broke(Some(error))?,
            }
        }
    }

    /// Counts a broken connection; fails if nothing came over the last ones.
    fn broke(&mut self, error: Option<reqwest::Error>) -> Result<(), StoreError> {
        tracing::debug!(self.place, self.position, ?error, "the connection broke");
        self.response = None;
        self.broken += 1;
        if self.broken < self.client.retry.attempts {
            return Ok(());
        }
        Err(StoreError::Truncated {
            place: self.place.clone(),
            expected: self.descriptor.size,
            actual: self.position,
            source: error.map(reqwest::Error::without_url),
        })
    }

    /// Asks for the bytes from our position on.
    async fn ask(&mut self) -> Result<Response, StoreError> {
        let url = self
            .client
            .url(&format!("blobs/{}", self.descriptor.digest));
        let response = self
            .client
            .send_patiently(&self.place, Action::Pull, || {
                let request = self.client.request(Method::GET, url.clone());
                match self.position {
                    0 => request,
                    // With its end, without which some registries don't understand it.
                    position => {
                        let last = self.descriptor.size.saturating_sub(1);
                        request.header(RANGE, format!("bytes={position}-{last}"))
                    }
                }
            })
            .await?;
        self.check_length(&response)?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            self.skip = self.position;
            return Ok(response);
        }
        self.skip = 0;
        let range = response.headers().get(CONTENT_RANGE);
        let range = range.and_then(|range| range.to_str().ok()).unwrap_or("");
        if !range.starts_with(&format!("bytes {}-", self.position)) {
            return Err(StoreError::Answer {
                place: self.place.clone(),
                reason: "it sends another part than was asked for".to_owned(),
            });
        }
        Ok(response)
    }

    /// Fails at once where another length is announced than the blob has.
    fn check_length(&self, response: &Response) -> Result<(), StoreError> {
        let Some(announced) = answer::content_length(response.headers()) else {
            return Ok(());
        };
        let skipped = match response.status() {
            StatusCode::PARTIAL_CONTENT => self.position,
            _ => 0,
        };
        let actual = skipped.saturating_add(announced);
        if actual == self.descriptor.size {
            return Ok(());
        }
        let place = self.place.clone();
        if answer::is_html(response.headers()) {
            let reason = answer::WEB_PAGE.to_owned();
            return Err(StoreError::Answer { place, reason });
        }
        Err(StoreError::Size {
            place,
            expected: self.descriptor.size,
            actual,
        })
    }
}
