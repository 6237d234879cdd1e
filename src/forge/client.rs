//! One client for all forges: bounded answers, limits heeded, and what a no means.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::redirect::{self, Attempt};
use reqwest::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::answer::{detail, has_next, limit, named};
use super::error::{Detail, Reason};
use super::{Address, ForgeError, Options, Right, Token};
use crate::platform::redact::printable;
use crate::platform::retry::Policy;
use crate::platform::{Clock, http, redact};
use crate::record::kind::ForgeType;

/// A hundred comments of GitHub's longest, 64 KiB of text, in JSON with all that is around them.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// What an error says stands in its first kilobytes.
const MAX_ERROR_BYTES: usize = 16 << 10;

/// Pages of a hundred that are turned: a thread of a thousand comments is searched to its end.
const MAX_PAGES: usize = 10;

/// One call, from the first byte to the last. A forge that is slower is away.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A renamed repository redirects once; more is a loop.
const MAX_REDIRECTS: usize = 3;

/// A call to a forge.
pub(super) struct Call {
    /// GET, POST, …
    pub(super) method: Method,
    /// The segments of its path below the API, each as it is: they are escaped here.
    pub(super) path: Vec<String>,
    /// Its query.
    pub(super) query: Vec<(&'static str, String)>,
    /// What is sent.
    pub(super) body: Option<Value>,
    /// What it does, as it stands behind "can't".
    pub(super) doing: &'static str,
    /// What it needs the token to be allowed.
    pub(super) right: Right,
}

impl Call {
    /// A call of this method; `path` is relative to the API and has no segment that holds a `/`.
    pub(super) fn new(method: Method, path: &str, doing: &'static str, right: Right) -> Self {
        Self {
            method,
            path: path.split('/').map(str::to_owned).collect(),
            query: Vec::new(),
            body: None,
            doing,
            right,
        }
    }

    /// With one more segment, whatever is in it.
    pub(super) fn at(mut self, segment: &(impl ToString + ?Sized)) -> Self {
        self.path.push(segment.to_string());
        self
    }

    /// With one more word in its query.
    pub(super) fn with(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// With something to send.
    pub(super) fn sends(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// What a forge is asked with.
pub(super) struct Client {
    pub(super) address: Address,
    pub(super) retry: Policy,
    token: Token,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
}

impl Client {
    pub(super) fn new(
        address: Address,
        token: Token,
        options: &Options,
    ) -> Result<Self, ForgeError> {
        if address.is_open() {
            return Err(ForgeError::Insecure {
                forge: address.to_string(),
            });
        }
        let builder = http::builder()
            .timeout(CALL_TIMEOUT)
            .redirect(redirect::Policy::custom(follow));
        Ok(Self {
            address,
            retry: options.retry,
            token,
            clock: Arc::clone(&options.clock),
            http: http::build(builder)?,
        })
    }

    /// Makes a call once and reads its answer, which is JSON.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, ForgeError> {
        let (body, _) = self.send(call).await?;
        self.read(&body)
    }

    /// Makes a call once; what is answered beside yes is of no matter.
    pub(super) async fn tell(&self, call: Call) -> Result<(), ForgeError> {
        self.send(call).await.map(|_| ())
    }

    /// Who we are, as the forge tells it, if the token may ask: those of apps and of workflows may
    /// not.
    pub(super) async fn me<T: DeserializeOwned>(&self) -> Result<Option<T>, ForgeError> {
        let call = Call::new(Method::GET, "user", "read who it is", Right::Read);
        match self.ask(call).await {
            Ok(me) => Ok(Some(me)),
            Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a call for each page of a list, up to a bound, as long as `wants_more` of what came.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        call: impl Fn() -> Call,
        mut wants_more: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, ForgeError> {
        let mut all = Vec::new();
        for page in 1..=MAX_PAGES {
            let (body, more) = self.send(call().with("page", &page)).await?;
            let mut items: Vec<T> = self.read(&body)?;
            all.append(&mut items);
            if !more || !wants_more(&all) {
                break;
            }
        }
        Ok(all)
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ForgeError> {
        serde_json::from_slice(body).map_err(|error| self.answer(error.to_string()))
    }

    /// An answer that makes no sense.
    pub(super) fn answer(&self, reason: impl Into<String>) -> ForgeError {
        ForgeError::Answer {
            forge: self.address.to_string(),
            kind: self.address.kind,
            reason: printable(&reason.into()),
        }
    }

    fn url(&self, call: &Call) -> Url {
        let mut url = self.address.api.clone();
        url.path_segments_mut()
            .expect("the API is at http:// or https://")
            .pop_if_empty()
            .extend(&call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }

    /// The body of a yes, and whether a further page follows.
    async fn send(&self, call: Call) -> Result<(Bytes, bool), ForgeError> {
        let kind = self.address.kind;
        let url = self.url(&call);
        tracing::debug!(method = %call.method, url = redact::url(&url), "asking the forge");
        let (name, value) = self.token.header(kind);
        let value = HeaderValue::from_str(&value).map_err(|_| self.token_refused(&call, None))?;
        let mut value = value;
        value.set_sensitive(true);
        let mut request = self.http.request(call.method.clone(), url);
        request = request.header(name, value).header(ACCEPT, accepts(kind));
        if kind == ForgeType::Github {
            request = request.header("x-github-api-version", "2022-11-28");
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let response = request.send().await;
        let response = response.map_err(|error| self.away(&call, error))?;
        let status = response.status();
        tracing::debug!(status = status.as_u16(), "the forge answered");
        if !status.is_success() {
            return Err(self.no(&call, response).await);
        }
        let more = has_next(response.headers());
        let (body, whole) = http::read_at_most(response, MAX_ANSWER_BYTES)
            .await
            .map_err(|error| self.away(&call, error))?;
        if !whole {
            let limit = format!("more than {MAX_ANSWER_BYTES} bytes");
            return Err(self.answer(limit));
        }
        Ok((body, more))
    }

    fn away(&self, call: &Call, error: reqwest::Error) -> ForgeError {
        let error = error.without_url();
        if error.is_redirect() {
            let cause = error.source().map(ToString::to_string);
            return self.answer(cause.unwrap_or_else(|| "it redirects".to_owned()));
        }
        ForgeError::Away {
            forge: self.address.to_string(),
            doing: call.doing,
            source: Reason::Network(error),
        }
    }

    fn token_refused(&self, call: &Call, detail: Option<Detail>) -> ForgeError {
        ForgeError::TokenRefused {
            forge: self.address.to_string(),
            doing: call.doing,
            variable: self.token.variable,
            detail,
        }
    }

    /// What a no means.
    async fn no(&self, call: &Call, response: Response) -> ForgeError {
        let status = response.status();
        let headers = response.headers().clone();
        let (body, _) = http::read_at_most(response, MAX_ERROR_BYTES)
            .await
            .unwrap_or_default();
        let detail = detail(&headers, &body);
        if let Some(wait) = limit(status, &headers, detail.as_ref(), self.clock.now()) {
            return self.too_often(call, wait);
        }
        let (forge, kind) = (self.address.to_string(), self.address.kind);
        let Call { doing, right, .. } = *call;
        match status {
            StatusCode::UNAUTHORIZED if !self.token.is_of_a_job() => {
                self.token_refused(call, detail)
            }
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => ForgeError::PermissionMissing {
                forge,
                kind,
                doing,
                right,
                named: named(&headers),
                variable: self.token.variable,
                job: self.token.is_of_a_job(),
                detail,
            },
            StatusCode::NOT_FOUND => ForgeError::NotFound {
                forge,
                kind,
                doing,
                right,
                variable: self.token.variable,
                detail,
            },
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                ForgeError::Away {
                    forge,
                    doing,
                    source: Reason::Status {
                        status: status.as_u16(),
                        detail,
                    },
                }
            }
            status => ForgeError::Refused {
                forge,
                doing,
                status: status.as_u16(),
                detail,
            },
        }
    }

    fn too_often(&self, call: &Call, wait: Duration) -> ForgeError {
        let beyond = wait > self.retry.longest_wait;
        ForgeError::AskedTooOften {
            forge: self.address.to_string(),
            doing: call.doing,
            wait,
            until: beyond
                .then(|| self.clock.now().saturating_add(wait).ok())
                .flatten(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.address.kind, self.address)
    }
}

const fn accepts(kind: ForgeType) -> &'static str {
    match kind {
        ForgeType::Github => "application/vnd.github+json",
        _ => "application/json",
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it redirects to another place")]
struct Elsewhere;

/// A token goes to one origin; a forge that moved says so by its new address there.
fn follow(attempt: Attempt<'_>) -> redirect::Action {
    let same = attempt
        .previous()
        .first()
        .is_some_and(|first| first.origin() == attempt.url().origin());
    if same && attempt.previous().len() <= MAX_REDIRECTS {
        attempt.follow()
    } else {
        attempt.error(Elsewhere)
    }
}
