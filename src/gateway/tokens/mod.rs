//! Who may ask: tokens of applications, each for some deployments and for some time.
//!
//! A token is `modelyard_ID_SECRET`: an id of 16 hexadecimal digits and a secret of 32 random bytes
//! in base64url. It is shown once, when it is made. What is kept is a file of the owner's, written
//! whole or not at all:
//!
//! ```json
//! {"tokens": [{"id": "5f3a…", "application": "line-3", "deployments": ["digits"],
//!              "hash": "sha256:…", "createdAt": "2026-11-01T09:30:00Z",
//!              "expiresAt": "2027-11-01T09:30:00Z", "revokedAt": null}]}
//! ```
//!
//! The hash is a plain SHA-256 of the secret: it has 256 random bits, which nobody guesses however
//! fast the hash is. No `deployments` means all of them. A server sees changes of the file within
//! two seconds.

mod store;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use store::{NewToken, Tokens, TokensError, create, list, place, revoke};

use super::refusal::Refusal;
use crate::record::{Digest, Name};

/// What every token begins with, so that those who look for leaked secrets can find it.
const PREFIX: &str = "modelyard_";

/// How a request is let in.
#[derive(Debug, Clone)]
pub enum Access {
    /// Anybody may ask anything.
    Open,
    /// Whoever shows a token that is good for it.
    Tokens(Arc<Tokens>),
}

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Token {
    /// What it is called; part of the token itself.
    pub id: String,
    /// Who shows it.
    pub application: Name,
    /// For which deployments it is good; all where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployments: Option<Vec<Name>>,
    /// SHA-256 of its secret part.
    pub hash: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is good no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Since when it is good no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// Who asks.
#[derive(Debug)]
pub(super) enum Asker {
    Anybody,
    Application(Token),
}

impl Access {
    /// Open where it was told so, or where only this machine can ask.
    pub fn of(address: SocketAddr, is_told_open: bool, tokens: Arc<Tokens>) -> Self {
        if is_told_open || address.ip().is_loopback() {
            return Self::Open;
        }
        Self::Tokens(tokens)
    }

    /// Who sends a request.
    ///
    /// # Errors
    /// There is no token, or none that is good.
    pub(super) fn admit(&self, headers: &HeaderMap, now: Timestamp) -> Result<Asker, Refusal> {
        let Self::Tokens(tokens) = self else {
            return Ok(Asker::Anybody);
        };
        let header = headers.get(AUTHORIZATION).ok_or(Refusal::NoToken)?;
        let shown = header.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let shown = shown.ok_or(Refusal::NoToken)?;
        let unknown = Refusal::BadToken("not known here");
        let Some((id, secret)) = split(shown) else {
            return Err(unknown);
        };
        let Some(token) = tokens.find(id) else {
            return Err(unknown);
        };
        if !is_same(&token.hash, &hash(secret)) {
            return Err(unknown);
        }
        if token.revoked_at.is_some() {
            return Err(Refusal::BadToken("revoked"));
        }
        if token.expires_at.is_some_and(|expires| expires <= now) {
            return Err(Refusal::BadToken("expired"));
        }
        Ok(Asker::Application(token))
    }
}

impl Asker {
    /// Whether it may ask of a deployment.
    ///
    /// # Errors
    /// Its token is for others.
    pub(super) fn may_ask(&self, deployment: &Name) -> Result<(), Refusal> {
        match self {
            Self::Application(token) if !token.is_for(deployment) => Err(Refusal::OtherScope {
                application: token.application.as_str().to_owned(),
                deployment: deployment.as_str().to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

impl Token {
    /// Whether it is good for a deployment.
    pub fn is_for(&self, deployment: &Name) -> bool {
        let only = self.deployments.as_ref();
        only.is_none_or(|deployments| deployments.contains(deployment))
    }
}

/// A token's id and its secret.
fn split(token: &str) -> Option<(&str, &str)> {
    token.strip_prefix(PREFIX)?.split_once('_')
}

fn hash(secret: &str) -> Digest {
    Digest::from_bytes(Sha256::digest(secret).into())
}

/// Compares in a time that doesn't tell where they differ.
fn is_same(one: &Digest, other: &Digest) -> bool {
    let pairs = one.as_bytes().iter().zip(other.as_bytes());
    pairs.fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}

/// A new token's id and secret; `None` if the machine has no randomness to give.
fn draw() -> Option<(String, String)> {
    let id = getrandom::u64().ok()?;
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).ok()?;
    Some((format!("{id:016x}"), BASE64_URL_SAFE_NO_PAD.encode(secret)))
}
