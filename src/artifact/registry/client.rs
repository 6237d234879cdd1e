//! One repository of a registry over HTTP: its addresses, and how a request is sent.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::{self, Attempt};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use url::Url;

use super::access::{Access, Action};
use super::answer;
use crate::artifact::credentials::Credentials;
use crate::artifact::error::StoreError;
use crate::artifact::store::StoreOptions;
use crate::platform::retry::Policy;
use crate::platform::{http, redact};
use crate::record::Repository;

/// Blobs may be redirected to where they are stored, and from there once or twice more.
const MAX_REDIRECTS: usize = 5;

/// How often one request may be refused for its token: once for having none, and once for one
/// that ran out.
const MAX_REFUSALS: usize = 2;

/// reqwest counts the time that a request's body takes as time without an answer, so uploads get
/// as long as the largest may need over a slow line; `upload` sees for itself whether one stalls.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What a request is sent with.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) repository: Repository,
    pub(super) retry: Policy,
    /// `https://registry.example.com/v2/acme/models/`
    base: Url,
    http: reqwest::Client,
    uploads: reqwest::Client,
    access: Access,
}

impl Client {
    /// For one repository, or for the registry as a whole where `path` is empty.
    pub(super) fn new(
        host: &str,
        path: &str,
        credentials: Credentials,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let repository = Repository::Registry {
            host: host.to_owned(),
            path: path.to_owned(),
        };
        let plain = Plain(options.plain_http);
        let base = base_url(host, path, plain).ok_or_else(|| StoreError::Answer {
            place: repository.to_string(),
            reason: "its host is not one that can be called".to_owned(),
        })?;
        let follow = redirect::Policy::custom(move |attempt| follow(attempt, plain));
        let http = http::build(http::builder().redirect(follow))?;
        let uploads = http::builder()
            .redirect(redirect::Policy::none())
            .read_timeout(UPLOAD_TIMEOUT);
        Ok(Self {
            repository,
            retry: options.retry,
            base,
            access: Access::new(host, path, plain, credentials, http.clone()),
            http,
            uploads: http::build(uploads)?,
        })
    }

    /// An address of this repository, such as `manifests/1.0.0`.
    pub(super) fn url(&self, rest: &str) -> Url {
        let url = self.base.join(rest);
        url.expect("tags and digests stand in a URL as they are")
    }

    /// Begins a request; [`Self::send`] takes it.
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Begins a request whose body may take its time.
    pub(super) fn upload(&self, method: Method, url: Url) -> RequestBuilder {
        self.uploads.request(method, url)
    }

    /// Sends a request once, asking for a token where the registry wants one, and gives the
    /// answer, unless it is an error's.
    ///
    /// `build` is called anew for each time that it is sent.
    pub(super) async fn send(
        &self,
        place: &str,
        action: Action,
        build: impl Fn() -> Result<RequestBuilder, StoreError>,
    ) -> Result<Response, StoreError> {
        let mut granted = self.access.granted(action).await;
        for _ in 0..MAX_REFUSALS {
            let response = self.send_with(place, build()?, granted.as_ref()).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return answer::check(place, response).await;
            }
            granted = Some(self.access.ask(place, action, response, granted).await?);
        }
        let response = self.send_with(place, build()?, granted.as_ref()).await?;
        match response.status() {
            StatusCode::UNAUTHORIZED => Err(self.access.refused(place, response).await),
            _ => answer::check(place, response).await,
        }
    }

    /// Sends a request, again and again while that helps.
    pub(super) async fn send_patiently(
        &self,
        place: &str,
        action: Action,
        build: impl Fn() -> RequestBuilder,
    ) -> Result<Response, StoreError> {
        self.retry
            .run(|| self.send(place, action, || Ok(build())))
            .await
    }

    async fn send_with(
        &self,
        place: &str,
        request: RequestBuilder,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, StoreError> {
        let (client, request) = request.build_split();
        let mut request = request.map_err(|error| answer::no_answer(place, error))?;
        // An upload may be sent to another host: its address carries what that one needs, and the
        // registry's token is none of its business.
        if let Some(authorization) = authorization
            && self.is_own(request.url())
        {
            request
                .headers_mut()
                .insert(AUTHORIZATION, authorization.clone());
        }
        tracing::debug!(method = %request.method(), url = redact::url(request.url()), "asking");
        let sent = client.execute(request).await;
        let response = sent.map_err(|error| answer::no_answer(place, error))?;
        tracing::debug!(status = response.status().as_u16(), "answered");
        Ok(response)
    }

    /// An address that the registry gave, relative to `from`, if we may go there.
    pub(super) fn follow(&self, place: &str, from: &Url, to: &str) -> Result<Url, StoreError> {
        let url = from.join(to).map_err(|_| StoreError::Answer {
            place: place.to_owned(),
            reason: "it gives an address that is none".to_owned(),
        })?;
        self.access.plain().check(place, &url)?;
        Ok(url)
    }

    /// Whether an address is the registry's own, so that its token may go there.
    fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }
}

/// Where plain HTTP is allowed: as the user said, or on this machine only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain(pub(super) Option<bool>);

impl Plain {
    fn allows(self, url: &Url) -> bool {
        match self.0 {
            _ if url.scheme() == "https" => true,
            Some(allowed) => allowed && url.scheme() == "http",
            None => url.scheme() == "http" && url.host_str().is_some_and(is_loopback),
        }
    }

    /// Fails if `url` is not encrypted and should be.
    pub(super) fn check(self, place: &str, url: &Url) -> Result<(), StoreError> {
        if self.allows(url) {
            return Ok(());
        }
        Err(StoreError::Insecure {
            place: place.to_owned(),
            url: redact::url(url),
        })
    }
}

/// Whether a host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn base_url(host: &str, path: &str, plain: Plain) -> Option<Url> {
    // Docker Hub is called by another name than it answers to.
    let host = match host {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        host => host,
    };
    let mut url = Url::parse(&format!("http://{host}/v2/")).ok()?;
    let http = plain.allows(&url);
    if !http {
        url = Url::parse(&format!("https://{host}/v2/")).ok()?;
    }
    if path.is_empty() {
        return Some(url);
    }
    url.join(&format!("{path}/")).ok()
}

#[derive(Debug, thiserror::Error)]
#[error("it redirects to an address that is not encrypted")]
struct Downgrade;

#[derive(Debug, thiserror::Error)]
#[error("it redirects more than {MAX_REDIRECTS} times")]
struct Endless;

/// reqwest itself drops the `Authorization` header where a redirect leads to another host.
fn follow(attempt: Attempt<'_>, plain: Plain) -> redirect::Action {
    if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error(Endless)
    } else if plain.allows(attempt.url()) {
        attempt.follow()
    } else {
        attempt.error(Downgrade)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_or_by_wish() {
        let base = |host, plain| base_url(host, "a/b", Plain(plain)).unwrap().to_string();
        for (host, plain, url) in [
            (
                "registry.example.com",
                None,
                "https://registry.example.com/v2/a/b/",
            ),
            (
                "registry.example.com:5000",
                Some(true),
                "http://registry.example.com:5000/v2/a/b/",
            ),
            ("localhost:5000", None, "http://localhost:5000/v2/a/b/"),
            ("127.0.0.2:5000", None, "http://127.0.0.2:5000/v2/a/b/"),
            ("[::1]:5000", None, "http://[::1]:5000/v2/a/b/"),
            (
                "localhost:5000",
                Some(false),
                "https://localhost:5000/v2/a/b/",
            ),
            (
                "localhost.example.com",
                None,
                "https://localhost.example.com/v2/a/b/",
            ),
            (
                "127.0.0.1.example.com",
                None,
                "https://127.0.0.1.example.com/v2/a/b/",
            ),
            ("docker.io", None, "https://registry-1.docker.io/v2/a/b/"),
        ] {
            assert_eq!(base(host, plain), url, "{host} {plain:?}");
        }
    }
}
