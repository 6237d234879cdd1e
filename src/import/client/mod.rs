//! What sources with an HTTP API are asked with: bounded answers, patience, and what a no means.

mod answer;
mod sending;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::StreamExt;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap,
    HeaderValue, IF_RANGE, LINK, RANGE, RETRY_AFTER,
};
use reqwest::redirect::{self, Attempt};
use reqwest::{ClientBuilder, Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::huggingface::{message, refusal, reset};
use super::states::States;
use super::{ImportError, Opened};
use crate::platform::redact::printable;
use crate::platform::retry::Policy;
use crate::platform::{http, redact};
use answer::{content_range, detail, next_page};

/// The largest answer that is no file: ten thousand versions of MLflow with their tags.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// What an error says stands in its first kilobytes.
const MAX_ERROR_BYTES: usize = 16 << 10;

/// A presigned download redirects once or twice; more is a loop.
const MAX_REDIRECTS: usize = 5;

/// Looks up an environment variable that may hold a secret.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<SecretString>;

/// Who we are to a source.
#[derive(Clone, Default)]
pub(super) enum Credentials {
    /// Nobody.
    #[default]
    None,
    /// `Authorization: Bearer …`.
    Bearer(SecretString),
    /// `Authorization: Basic …`.
    Basic(String, SecretString),
    /// `x-api-key: …`.
    Key(SecretString),
}

/// What a source is asked with.
pub(super) struct Client {
    /// Where the API is; paths are relative to it.
    base: Url,
    /// The source, as errors name it.
    place: String,
    credentials: Credentials,
    variables: &'static [&'static str],
    retry: Policy,
    http: reqwest::Client,
    states: States,
}

impl Client {
    /// A client for the source `place` whose API is at `base`; `variables` are those that can
    /// have its token, for errors to name.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub(super) fn new(
        place: &str,
        base: Url,
        credentials: Credentials,
        variables: &'static [&'static str],
        retry: Policy,
    ) -> Result<Self, ImportError> {
        Self::over(http::builder(), place, base, credentials, variables, retry)
    }

    /// The same with a builder of its own, for what is not as everywhere: certificates, proxies.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn over(
        builder: ClientBuilder,
        place: &str,
        base: Url,
        credentials: Credentials,
        variables: &'static [&'static str],
        retry: Policy,
    ) -> Result<Self, ImportError> {
        // The HTTP client takes an `Authorization` off where the host is another, and no other
        // header: with one it goes nowhere else.
        let follow: fn(Attempt<'_>) -> redirect::Action = match credentials {
            Credentials::Key(_) => follow_at_home,
            _ => follow,
        };
        let builder = builder.redirect(redirect::Policy::custom(follow));
        Ok(Self {
            base,
            place: place.to_owned(),
            credentials,
            variables,
            retry,
            http: http::build(builder)?,
            states: States::default(),
        })
    }

    /// How often something transient is tried again.
    pub(super) const fn retry(&self) -> Policy {
        self.retry
    }

    /// Gets JSON from `path`, whose segments are escaped here; tried again where that helps.
    ///
    /// # Errors
    /// [`ImportError`]; `doing` stands in it behind "to".
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        doing: &str,
    ) -> Result<T, ImportError> {
        let bytes = self.small(path, query, doing).await?;
        self.understood(&bytes, doing)
    }

    /// Gets a page of a list from `url`, and tells where the next one is: `Link: <…>; rel="next"`
    /// (RFC 8288), which has to be at the API's own origin.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        url: &Url,
        doing: &str,
    ) -> Result<(T, Option<Url>), ImportError> {
        let (bytes, headers) = self.retry.run(|| self.get(url, doing)).await?;
        let next = headers.get_all(LINK).iter();
        let mut next = next.filter_map(|link| next_page(link.to_str().ok()?));
        let next = next.next().map(|next| url.join(next));
        let next = next.transpose().ok().flatten();
        if next
            .as_ref()
            .is_some_and(|next| next.origin() != self.base.origin())
        {
            return Err(ImportError::Malformed {
                place: self.place.clone(),
                reason: format!("to {doing} it sends us to another host"),
            });
        }
        Ok((self.understood(&bytes, doing)?, next))
    }

    fn understood<T: DeserializeOwned>(&self, bytes: &[u8], doing: &str) -> Result<T, ImportError> {
        serde_json::from_slice(bytes).map_err(|error| {
            let reason = if bytes.trim_ascii_start().starts_with(b"<") {
                "it is a page for people, as of a login before it".to_owned()
            } else {
                error.to_string()
            };
            ImportError::Malformed {
                place: self.place.clone(),
                reason: printable(&format!(
                    "its answer to {doing} is not understood: {reason}"
                )),
            }
        })
    }

    /// Gets all of a small file from `path`, of at most 64 MiB; tried again where that helps.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(super) async fn small(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        doing: &str,
    ) -> Result<Bytes, ImportError> {
        self.small_at(&self.url(path, query), doing).await
    }

    /// The same at a URL of its own; the credentials go only to the API's own origin.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(super) async fn small_at(&self, url: &Url, doing: &str) -> Result<Bytes, ImportError> {
        let (bytes, _) = self.retry.run(|| self.get(url, doing)).await?;
        Ok(bytes)
    }

    /// Begins to read a file at byte `from`, once: who fetches it tries again.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(super) async fn open(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        from: u64,
        doing: &str,
    ) -> Result<Opened, ImportError> {
        self.open_at(self.url(path, query), from, doing).await
    }

    /// The same at a URL of its own; the credentials go only to the API's own origin.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(super) async fn open_at(
        &self,
        url: Url,
        from: u64,
        doing: &str,
    ) -> Result<Opened, ImportError> {
        self.open_with(url, HeaderMap::new(), from, doing).await
    }

    /// The same with headers that the source said to send there, which stand before our own.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(super) async fn open_with(
        &self,
        url: Url,
        headers: HeaderMap,
        from: u64,
        doing: &str,
    ) -> Result<Opened, ImportError> {
        match self.begin(url.clone(), headers.clone(), from, doing).await {
            // What came is all of it, or it became shorter: read anew, its size tells which.
            Err(ImportError::Refused { status: 416, .. }) if from > 0 => {
                self.begin(url, headers, 0, doing).await
            }
            begun => begun,
        }
    }

    async fn begin(
        &self,
        url: Url,
        headers: HeaderMap,
        from: u64,
        doing: &str,
    ) -> Result<Opened, ImportError> {
        // Compressed on the way, a length would not be the file's.
        let plain = || {
            let request = self.request(Method::GET, url.clone());
            let request = request.header(ACCEPT_ENCODING, "identity");
            request.headers(headers.clone())
        };
        let mut request = plain();
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
            if let Some(state) = self.states.begun(&url) {
                request = request.header(IF_RANGE, state);
            }
        }
        let mut response = self.send(request, doing).await?;
        let changed = self.states.hear(&url, &response);
        if changed && response.status() == StatusCode::PARTIAL_CONTENT {
            // It didn't heed what it was told, and what it sends is the end of something else.
            response = self.send(plain(), doing).await?;
            self.states.hear(&url, &response);
        }
        Ok(self.opened(response, from, doing))
    }

    fn opened(&self, response: Response, from: u64, doing: &str) -> Opened {
        let partial = response.status() == StatusCode::PARTIAL_CONTENT;
        let headers = response.headers();
        let length: Option<u64> = header(headers, CONTENT_LENGTH.as_str());
        let (from, size_bytes) = if partial {
            let begins = headers
                .get(CONTENT_RANGE)
                .and_then(|range| range.to_str().ok());
            let (begins, whole) = begins.and_then(content_range).unwrap_or((from, None));
            (begins, whole.or_else(|| Some(begins + length?)))
        } else {
            (0, length)
        };
        let (place, doing) = (self.place.clone(), doing.to_owned());
        let bytes = response.bytes_stream();
        let bytes = bytes.map(move |chunk| {
            chunk.map_err(|error| ImportError::Away {
                place: place.clone(),
                doing: doing.clone(),
                detail: None,
                retry_after: None,
                source: Some(error.without_url()),
            })
        });
        Opened {
            from,
            size_bytes,
            bytes: bytes.boxed(),
        }
    }

    /// The URL of `path`, whose segments are escaped here.
    pub(super) fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("a source is at http:// or https://")
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        tracing::debug!(url = redact::url(&url), "asking the source");
        let ours = url.origin() == self.base.origin();
        let request = self.http.request(method, url);
        match &self.credentials {
            Credentials::Bearer(token) if ours => {
                let value = format!("Bearer {}", token.expose_secret());
                match HeaderValue::from_str(&value) {
                    Ok(mut value) => {
                        value.set_sensitive(true);
                        request.header(AUTHORIZATION, value)
                    }
                    Err(_) => request,
                }
            }
            Credentials::Basic(user, password) if ours => {
                request.basic_auth(user, Some(password.expose_secret()))
            }
            Credentials::Key(key) if ours => match HeaderValue::from_str(key.expose_secret()) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    request.header("x-api-key", value)
                }
                Err(_) => request,
            },
            _ => request,
        }
    }

    /// Posts JSON of `media_type` to `path`, and gets JSON; tried again where that helps, so it
    /// has to be a question that changes nothing.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        path: &[&str],
        media_type: &'static str,
        question: &Value,
        doing: &str,
    ) -> Result<T, ImportError> {
        let url = self.url(path, &[]);
        let asked = || async {
            let request = self.request(Method::POST, url.clone());
            let request = request
                .header(CONTENT_TYPE, media_type)
                .header(ACCEPT, media_type)
                .body(question.to_string());
            self.answer(request, doing).await
        };
        let (bytes, _) = self.retry.run(asked).await?;
        self.understood(&bytes, doing)
    }

    async fn get(&self, url: &Url, doing: &str) -> Result<(Bytes, HeaderMap), ImportError> {
        let request = self.request(Method::GET, url.clone());
        self.answer(request, doing).await
    }

    async fn answer(
        &self,
        request: RequestBuilder,
        doing: &str,
    ) -> Result<(Bytes, HeaderMap), ImportError> {
        let response = self.send(request, doing).await?;
        let headers = response.headers().clone();
        let (bytes, whole) = http::read_at_most(response, MAX_ANSWER_BYTES)
            .await
            .map_err(|error| self.away(doing, error))?;
        if !whole {
            return Err(ImportError::TooLarge {
                place: self.place.clone(),
                limit: MAX_ANSWER_BYTES as u64,
                unit: "bytes in an answer",
            });
        }
        Ok((bytes, headers))
    }

    async fn send(&self, request: RequestBuilder, doing: &str) -> Result<Response, ImportError> {
        let response = request.send().await;
        let response = response.map_err(|error| self.away(doing, error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.no(doing, response).await)
    }

    fn away(&self, doing: &str, error: reqwest::Error) -> ImportError {
        ImportError::Away {
            place: self.place.clone(),
            doing: doing.to_owned(),
            detail: None,
            retry_after: None,
            source: Some(error.without_url()),
        }
    }

    /// What a no means.
    async fn no(&self, doing: &str, response: Response) -> ImportError {
        let status = response.status();
        let headers = response.headers();
        if let Some(refusal) = refusal(&self.place, doing, self.variables, headers) {
            return refusal;
        }
        let retry_after = header(headers, RETRY_AFTER.as_str()).map(Duration::from_secs);
        let retry_after = retry_after.or_else(|| reset(headers));
        let said = message(headers);
        let (body, _) = http::read_at_most(response, MAX_ERROR_BYTES)
            .await
            .unwrap_or_default();
        let (place, doing) = (self.place.clone(), doing.to_owned());
        let detail = detail(&body).or(said);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ImportError::Unauthorized {
                place,
                doing,
                variables: self.variables,
                detail,
            },
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => ImportError::Away {
                place,
                doing,
                detail,
                retry_after,
                source: None,
            },
            status if status.is_server_error() => ImportError::Away {
                place,
                doing,
                detail,
                retry_after,
                source: None,
            },
            status => ImportError::Refused {
                place,
                doing,
                status: status.as_u16(),
                detail,
            },
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.place)
    }
}

fn header<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[derive(Debug, thiserror::Error)]
#[error("it redirects too often")]
struct TooFar;

/// Downloads redirect to where the bytes lie. The credentials don't go along: reqwest leaves them
/// out where the host is another.
fn follow(attempt: Attempt<'_>) -> redirect::Action {
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error(TooFar);
    }
    attempt.follow()
}

/// The same, as long as the host is the one that was asked.
fn follow_at_home(attempt: Attempt<'_>) -> redirect::Action {
    let origin = attempt.url().origin();
    match attempt.previous().iter().all(|url| url.origin() == origin) {
        true => follow(attempt),
        false => attempt.stop(),
    }
}
