//! Asks whatever speaks the Open Inference Protocol over HTTP: a runtime, or the gateway.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::platform::http::{self, ClientError as NoClient};
use crate::platform::redact::printable;
use crate::platform::retry::Retryable;
use crate::protocol::metadata::{ErrorBody, Model};
use crate::protocol::{Body, INFERENCE_HEADER_CONTENT_LENGTH, ProtocolError, Request, Response};
use crate::record::{Class, Code, Fault};
use crate::target::codes;

/// The largest answer that is read: four times what a request may be.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;
/// In which a gateway tells the version that answers.
const VERSION_STAMP: &str = "modelyard-version";
/// In which a gateway tells the digest of the bytes that answer.
const DIGEST_STAMP: &str = "modelyard-digest";
/// The longest reason that is told of what somebody else answered.
const MAX_REASON_CHARACTERS: usize = 2000;

/// Someone who can be asked for predictions.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<SecretString>,
}

/// An answer, and who gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The answer.
    pub response: Response,
    /// The version that answered, where a gateway tells it.
    pub version: Option<String>,
    /// The digest of the bytes that answered, where a gateway tells it.
    pub digest: Option<String>,
}

/// No answer, or one that is none.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// This machine can't speak HTTP at all.
    #[error(transparent)]
    NoClient(#[from] NoClient),
    /// Nobody is there, or the connection broke.
    #[error("{at} does not answer")]
    Unreachable {
        /// Who was asked.
        at: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It says no.
    #[error("{at} answers {status}: {}", printable(reason))]
    Refused {
        /// Who was asked.
        at: String,
        /// How it says so.
        status: StatusCode,
        /// Why, in its words.
        reason: String,
    },
    /// It answers something that is not of the protocol.
    #[error("{at} answers something else than the Open Inference Protocol")]
    Nonsense {
        /// Who was asked.
        at: String,
        /// What is wrong with it.
        #[source]
        source: ProtocolError,
    },
    /// It says of its model what can't be understood.
    #[error("{at} tells nothing of its model that the Open Inference Protocol knows")]
    NoMetadata {
        /// Who was asked.
        at: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// It answers more than is read.
    #[error("{at} answers more than {MAX_ANSWER_BYTES} bytes")]
    TooLarge {
        /// Who was asked.
        at: String,
    },
    /// The request can't be written.
    #[error(transparent)]
    Unsayable(ProtocolError),
}

impl AskError {
    /// Whether it was answered, and the answer is that the request or the model is wrong.
    pub fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. } | Self::Nonsense { .. } | Self::TooLarge { .. }
        )
    }
}

impl Fault for AskError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoClient(fault) => fault.code(),
            Self::Unreachable { .. } => &codes::RUNTIME_UNREACHABLE,
            Self::Refused { .. } => &codes::PREDICTION_REFUSED,
            Self::Nonsense { .. } | Self::NoMetadata { .. } | Self::TooLarge { .. } => {
                &codes::RUNTIME_NONSENSE
            }
            Self::Unsayable(fault) => fault.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoClient(fault) => return fault.help(),
            Self::Unreachable { .. } => "see that it runs, and what it says in its logs".to_owned(),
            Self::Refused { status, .. } if status.is_client_error() => {
                "see what the model takes by `modelyard show`".to_owned()
            }
            Self::Refused { .. } => "see what it says in its logs".to_owned(),
            Self::Nonsense { .. } | Self::NoMetadata { .. } | Self::TooLarge { .. } => {
                "see that it is a runtime, and no other server at this address".to_owned()
            }
            Self::Unsayable(fault) => return fault.help(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Unreachable { .. } => Class::Transient,
            Self::Refused { status, .. }
                if matches!(
                    *status,
                    StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
                ) =>
            {
                Class::Transient
            }
            _ => Class::Permanent,
        }
    }
}

impl Retryable for AskError {}

impl Client {
    /// Asks at `address`, past any proxy, by a connection of its own each time: who answers there
    /// may be another one by the next.
    ///
    /// # Errors
    /// If this machine can't speak HTTP.
    pub fn direct(address: SocketAddr) -> Result<Self, AskError> {
        let builder = http::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none());
        let base = format!("http://{address}/v2/");
        Ok(Self {
            http: http::build(builder)?,
            base: Url::parse(&base).expect("an address makes a URL"),
            token: None,
        })
    }

    /// Asks the gateway at `url`, showing it `token`.
    ///
    /// # Errors
    /// If this machine can't speak HTTP.
    pub fn gateway(url: &Url, token: Option<SecretString>) -> Result<Self, AskError> {
        let mut base = url.clone();
        base.set_path(&format!("{}/v2/", url.path().trim_end_matches('/')));
        Ok(Self {
            http: http::build(http::builder())?,
            base,
            token,
        })
    }

    /// Whether it is ready to answer; an error if it is not.
    ///
    /// # Errors
    /// [`AskError`], transient as long as it may still become ready.
    pub async fn ready(&self) -> Result<(), AskError> {
        self.ask(self.http.get(self.at("health/ready"))).await?;
        Ok(())
    }

    /// What it says of `model`.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn metadata(&self, model: &str) -> Result<Model, AskError> {
        let at = self.at(&format!("models/{model}"));
        let (_, bytes) = self.ask(self.http.get(at.clone())).await?;
        let at = at.to_string();
        serde_json::from_slice(&bytes).map_err(|source| AskError::NoMetadata { at, source })
    }

    /// Asks `model` for a prediction: as JSON, which everybody reads, and with raw bytes where
    /// JSON can't say a number.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn infer(&self, model: &str, request: &Request) -> Result<Response, AskError> {
        Ok(self.answer(model, request).await?.response)
    }

    /// The same, with what a gateway tells of who answers.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn answer(&self, model: &str, request: &Request) -> Result<Answered, AskError> {
        let at = self.at(&format!("models/{model}/infer"));
        let body = request.to_body(false).or_else(|_| request.to_body(true));
        let body = body.map_err(AskError::Unsayable)?;
        let mut asking = self.http.post(at.clone());
        asking = asking.header(CONTENT_TYPE, body.content_type());
        if let Some(length) = body.header_length {
            asking = asking.header(INFERENCE_HEADER_CONTENT_LENGTH, length);
        }
        let (headers, bytes) = self.ask(asking.body(body.bytes)).await?;
        let header_length = headers.get(INFERENCE_HEADER_CONTENT_LENGTH);
        let header_length = header_length.and_then(|length| length.to_str().ok()?.parse().ok());
        let body = Body {
            bytes,
            header_length,
        };
        let at = at.to_string();
        let response = Response::parse(&body);
        let told = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
        Ok(Answered {
            response: response.map_err(|source| AskError::Nonsense { at, source })?,
            version: told(VERSION_STAMP),
            digest: told(DIGEST_STAMP),
        })
    }

    fn at(&self, path: &str) -> Url {
        self.base
            .join(path)
            .expect("names of models are words of a path")
    }

    /// The headers and the body of an answer that says yes.
    async fn ask(
        &self,
        mut asking: reqwest::RequestBuilder,
    ) -> Result<(HeaderMap, Bytes), AskError> {
        if let Some(token) = &self.token {
            asking = asking.bearer_auth(token.expose_secret());
        }
        let unreachable = |source: reqwest::Error| AskError::Unreachable {
            at: self.base.to_string(),
            source: source.without_url(),
        };
        let response = asking.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let at = response.url().to_string();
        let mut stream = response.bytes_stream();
        let mut bytes = BytesMut::new();
        while let Some(part) = stream.next().await {
            let part = part.map_err(unreachable)?;
            if part.len() > MAX_ANSWER_BYTES - bytes.len() {
                return Err(AskError::TooLarge { at });
            }
            bytes.extend_from_slice(&part);
        }
        if status.is_success() {
            return Ok((headers, bytes.freeze()));
        }
        let reason = reason(&bytes);
        Err(AskError::Refused { at, status, reason })
    }
}

/// What a refusal says, as the protocol has it or as it is.
fn reason(bytes: &[u8]) -> String {
    let said = match serde_json::from_slice(bytes) {
        Ok(ErrorBody { error }) => error,
        Err(_) => String::from_utf8_lossy(bytes).trim().to_owned(),
    };
    if said.is_empty() {
        return "no reason is told".to_owned();
    }
    said.chars().take(MAX_REASON_CHARACTERS).collect()
}
