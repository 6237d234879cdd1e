//! Who we are to a registry: logins, and the tokens that they are exchanged for.
//!
//! A registry that wants to know answers 401 with a challenge. `Basic` takes user and password as
//! they are. `Bearer` names a token server, which gives a token for one repository and what is to
//! be done in it (distribution, "Token Authentication Specification"; Docker's "OAuth2 Token
//! Authentication" for identity tokens). A token is used until the registry refuses it; then
//! another is asked for, once. Nobody is asked before a registry wants it.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_auth::parser::ChallengeParser;
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::answer;
use super::client::Plain;
use crate::artifact::credentials::{Credentials, Login};
use crate::artifact::error::StoreError;
use crate::artifact::limits::MAX_TOKEN_BYTES;

/// By what name token servers know us.
const CLIENT: &str = "modelyard";

/// What a request does, and so what its token has to allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Action {
    /// Only asks whether the login is good.
    Login,
    /// Reads.
    Pull,
    /// Writes, and reads.
    Push,
}

/// What a registry wants of whom it doesn't know.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
        error: Option<String>,
    },
}

/// The login for one repository, and what was granted for it so far.
#[derive(Debug)]
pub(super) struct Access {
    host: String,
    path: String,
    plain: Plain,
    credentials: Credentials,
    http: reqwest::Client,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// `None` until it was looked for.
    login: Option<Option<Login>>,
    granted: HashMap<Action, HeaderValue>,
}

impl Access {
    pub(super) fn new(
        host: &str,
        path: &str,
        plain: Plain,
        credentials: Credentials,
        http: reqwest::Client,
    ) -> Self {
        Self {
            host: host.to_owned(),
            path: path.to_owned(),
            plain,
            credentials,
            http,
            state: Mutex::default(),
        }
    }

    /// Where plain HTTP is allowed.
    pub(super) fn plain(&self) -> Plain {
        self.plain
    }

    /// The `Authorization` header to send, as far as one was granted.
    pub(super) async fn granted(&self, action: Action) -> Option<HeaderValue> {
        let state = self.state.lock().await;
        let of = |action| state.granted.get(&action).cloned();
        // Who may push may pull.
        of(action).or_else(|| of(Action::Push))
    }

    /// Asks for another `Authorization` header, after `refusal` was the answer to `used`.
    ///
    /// Requests that were refused at the same time ask once: the others get what it brought.
    pub(super) async fn ask(
        &self,
        place: &str,
        action: Action,
        refusal: Response,
        used: Option<HeaderValue>,
    ) -> Result<HeaderValue, StoreError> {
        let mut state = self.state.lock().await;
        if let Some(newer) = state.granted.get(&action)
            && used.as_ref() != Some(newer)
        {
            return Ok(newer.clone());
        }
        if state.login.is_none() {
            state.login = Some(self.credentials.find(&self.host).await?);
        }
        let login = state.login.as_ref().and_then(Option::as_ref);
        let header = match (challenge(refusal.headers()), login) {
            (Some(Challenge::Bearer { .. }), Some(Login::RegistryToken(token)))
                if used.is_none() =>
            {
                bearer(place, token)?
            }
            (
                Some(Challenge::Bearer {
                    realm,
                    service,
                    error,
                }),
                login,
            ) if error.as_deref() != Some("insufficient_scope") => {
                let token = self
                    .token(place, action, &realm, service.as_deref(), login)
                    .await?;
                bearer(place, &token)?
            }
            (Some(Challenge::Basic), Some(Login::Password { username, password }))
                if used.is_none() =>
            {
                // User and password are good for whatever they are good for.
                let header = basic(username, password);
                state.granted.insert(Action::Push, header.clone());
                header
            }
            _ => return Err(self.refusal(place, refusal, login.is_none()).await),
        };
        state.granted.insert(action, header.clone());
        Ok(header)
    }

    /// What it means that even a new token is refused.
    pub(super) async fn refused(&self, place: &str, refusal: Response) -> StoreError {
        let anonymous = !matches!(self.state.lock().await.login, Some(Some(_)));
        self.refusal(place, refusal, anonymous).await
    }

    async fn refusal(&self, place: &str, refusal: Response, anonymous: bool) -> StoreError {
        let lacks_rights = matches!(
            challenge(refusal.headers()),
            Some(Challenge::Bearer { error: Some(error), .. }) if error == "insufficient_scope"
        );
        let detail = answer::detail(refusal).await;
        let place = place.to_owned();
        if lacks_rights && !anonymous {
            return StoreError::Forbidden { place, detail };
        }
        StoreError::Unauthorized {
            place,
            host: self.host.clone(),
            anonymous,
            detail,
        }
    }

    /// Exchanges the login, or none, for a token.
    async fn token(
        &self,
        place: &str,
        action: Action,
        realm: &str,
        service: Option<&str>,
        login: Option<&Login>,
    ) -> Result<SecretString, StoreError> {
        let realm = Url::parse(realm).map_err(|_| StoreError::Answer {
            place: place.to_owned(),
            reason: "the address of its token server is none".to_owned(),
        })?;
        self.plain.check(place, &realm)?;
        let mut fields = Vec::new();
        fields.extend(service.map(|service| ("service", service.to_owned())));
        fields.extend(self.scope(action).map(|scope| ("scope", scope)));
        let place = format!("the login server of {}", self.host);
        let sent = self.token_request(realm, fields, login).send().await;
        let response = sent.map_err(|error| answer::no_answer(&place, error))?;
        if response.status() == reqwest::StatusCode::UNAUTHORIZED {
            return Err(self.refusal(&place, response, login.is_none()).await);
        }
        let response = answer::check(&place, response).await?;
        let body = answer::body(&place, response, MAX_TOKEN_BYTES).await?;
        token_in(&body).ok_or_else(|| StoreError::Answer {
            place,
            reason: "no token is in its answer".to_owned(),
        })
    }

    fn token_request(
        &self,
        mut realm: Url,
        mut fields: Vec<(&'static str, String)>,
        login: Option<&Login>,
    ) -> RequestBuilder {
        if let Some(Login::IdentityToken(token)) = login {
            fields.push(("client_id", CLIENT.to_owned()));
            fields.push(("grant_type", "refresh_token".to_owned()));
            fields.push(("refresh_token", token.expose_secret().to_owned()));
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            return self
                .http
                .post(realm)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body);
        }
        realm.query_pairs_mut().extend_pairs(fields);
        let request = self.http.get(realm);
        match login {
            Some(Login::Password { username, password }) => {
                request.basic_auth(username, Some(password.expose_secret()))
            }
            _ => request,
        }
    }

    fn scope(&self, action: Action) -> Option<String> {
        let actions = match action {
            Action::Login => return None,
            Action::Pull => "pull",
            Action::Push => "pull,push",
        };
        Some(format!("repository:{}:{actions}", self.path))
    }
}

/// The challenge that we can answer; `Bearer` before `Basic`.
fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let mut basic = None;
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let Ok(text) = value.to_str() else { continue };
        for challenge in ChallengeParser::new(text).map_while(Result::ok) {
            let parameter = |wanted: &str| {
                let mut all = challenge.params.iter();
                let (_, value) = all.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
                Some(value.to_unescaped())
            };
            if challenge.scheme.eq_ignore_ascii_case("bearer")
                && let Some(realm) = parameter("realm")
            {
                return Some(Challenge::Bearer {
                    realm,
                    service: parameter("service"),
                    error: parameter("error"),
                });
            }
            if challenge.scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Challenge::Basic);
            }
        }
    }
    basic
}

fn token_in(body: &[u8]) -> Option<SecretString> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<SecretString>,
        access_token: Option<SecretString>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    answer.token.or(answer.access_token)
}

fn bearer(place: &str, token: &SecretString) -> Result<HeaderValue, StoreError> {
    secret_header(&format!("Bearer {}", token.expose_secret())).ok_or_else(|| StoreError::Answer {
        place: place.to_owned(),
        reason: "its token has characters that no token has".to_owned(),
    })
}

fn basic(username: &str, password: &SecretString) -> HeaderValue {
    let login = STANDARD.encode(format!("{username}:{}", password.expose_secret()));
    secret_header(&format!("Basic {login}")).expect("base64 is a header's text")
}

/// A header that is never printed.
fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        challenge(&headers)
    }

    #[test]
    fn bearer_is_preferred_and_its_parameters_are_read() {
        let bearer = "Bearer realm=\"https://auth.example.com/token\",service=\"r\",\
            scope=\"repository:a/b:pull,push\",error=\"invalid_token\"";
        let expected = Challenge::Bearer {
            realm: "https://auth.example.com/token".to_owned(),
            service: Some("r".to_owned()),
            error: Some("invalid_token".to_owned()),
        };
        assert_eq!(read(&["Basic realm=\"x\"", bearer]), Some(expected));
        assert_eq!(read(&["basic realm=x"]), Some(Challenge::Basic));
        assert_eq!(read(&["Negotiate"]), None);
        assert_eq!(read(&["Bearer"]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn a_token_is_found_under_both_its_names_and_never_shown() {
        let token = token_in(b"{\"access_token\":\"s3cret\",\"expires_in\":60}").unwrap();
        assert_eq!(token.expose_secret(), "s3cret");
        let header = bearer("r", &token).unwrap();
        assert!(!format!("{header:?} {token:?}").contains("s3cret"));
        assert!(token_in(b"{\"error\":\"no\"}").is_none());
    }
}
