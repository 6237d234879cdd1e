//! Why a request is not answered as asked, and how that is told.
//!
//! Each refusal has an HTTP status, a stable code and a way out. Those that are the fault of what
//! serves, and not of who asks, count as its errors.

use std::fmt;
use std::io;
use std::time::Duration;

use hyper::StatusCode;
use serde::Serialize;

use super::codes;
use crate::protocol::fit::Misfit;
use crate::protocol::{self, ProtocolError};
use crate::record::{Class, Code, Fault, with_causes};

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("nothing is deployed at `{}`", .0.escape_debug())]
    NoSuchRoute(String),
    #[error("`{deployment}` does not serve version `{}`", version.escape_debug())]
    NoSuchVersion { deployment: String, version: String },
    #[error("`{0}` has no new version to look at")]
    NoPreview(String),
    #[error("`{0}` is not answered here")]
    Method(hyper::Method),
    #[error("`{name}` has to be {wanted}, and is `{}`", found.escape_debug())]
    Header {
        name: &'static str,
        wanted: &'static str,
        found: String,
    },
    #[error("the body is encoded as `{}`", .0.escape_debug())]
    Encoding(String),
    #[error("the request is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the request's body did not come within {0:?}")]
    TooSlow(Duration),
    #[error("the request's body broke off")]
    BrokenOff(#[source] hyper::Error),
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error(transparent)]
    Misfit(#[from] Misfit),
    #[error("{0} requests wait already")]
    QueueFull(usize),
    #[error("no replica had a place for it within {0:?}")]
    NoPlace(Duration),
    #[error("the server holds as many bytes of requests as it may")]
    MemoryFull,
    #[error("nothing of `{deployment}` was ready within {waited:?}")]
    NothingReady {
        deployment: String,
        waited: Duration,
    },
    #[error("{instance} takes no connections")]
    Unreachable {
        instance: String,
        #[source]
        source: io::Error,
    },
    #[error("{instance} broke off before its answer was whole")]
    Died {
        instance: String,
        #[source]
        source: hyper::Error,
    },
    #[error("{instance} did not answer within {waited:?}")]
    TooLate { instance: String, waited: Duration },
    #[error("{instance} answered with more than {most} bytes")]
    AnswerTooLarge { instance: String, most: u64 },
    #[error("{instance} did not answer with one of the protocol: {why}")]
    Nonsense { instance: String, why: String },
    #[error("a token is needed")]
    NoToken,
    #[error("the token is {0}")]
    BadToken(&'static str),
    #[error("the token of `{application}` is not for `{deployment}`")]
    OtherScope {
        application: String,
        deployment: String,
    },
}

/// What a refusal looks like: the protocol's `error`, and beside it what a machine can match.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    error: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Refusal {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Header { .. } | Self::BrokenOff(_) | Self::Misfit(_) => StatusCode::BAD_REQUEST,
            Self::Protocol(error) => match error.side() {
                protocol::Side::Request => StatusCode::BAD_REQUEST,
                protocol::Side::Answer => StatusCode::BAD_GATEWAY,
            },
            Self::NoToken | Self::BadToken(_) => StatusCode::UNAUTHORIZED,
            Self::OtherScope { .. } => StatusCode::FORBIDDEN,
            Self::NoSuchRoute(_) | Self::NoSuchVersion { .. } | Self::NoPreview(_) => {
                StatusCode::NOT_FOUND
            }
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::QueueFull(_) | Self::NoPlace(_) | Self::MemoryFull => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::NothingReady { .. } | Self::Unreachable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Died { .. } | Self::AnswerTooLarge { .. } | Self::Nonsense { .. } => {
                StatusCode::BAD_GATEWAY
            }
            Self::TooLate { .. } => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// When trying again makes sense, in seconds.
    pub(super) const fn retry_after(&self) -> Option<&'static str> {
        match self {
            Self::QueueFull(_) | Self::NoPlace(_) | Self::MemoryFull => Some("1"),
            Self::NothingReady { .. } | Self::Unreachable { .. } => Some("5"),
            _ => None,
        }
    }

    /// Whether the client's body may be left unread on the connection, which then has to close.
    pub(super) const fn closes(&self) -> bool {
        matches!(
            self,
            Self::TooLarge(_) | Self::TooSlow(_) | Self::BrokenOff(_)
        )
    }

    /// Whether it is the fault of what serves.
    pub(super) const fn is_of_the_instance(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Died { .. }
                | Self::TooLate { .. }
                | Self::AnswerTooLarge { .. }
                | Self::Nonsense { .. }
        )
    }

    pub(super) fn told(&self) -> Told {
        Told {
            error: with_causes(self),
            code: self.code().id,
            help: self.help(),
        }
    }
}

impl Fault for Refusal {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoSuchRoute(_) | Self::Method(_) => &codes::NO_SUCH_ROUTE,
            Self::NoSuchVersion { .. } | Self::NoPreview(_) => &codes::VERSION_NOT_SERVED,
            Self::Header { .. } | Self::BrokenOff(_) => &protocol::codes::INVALID_REQUEST,
            Self::Encoding(_) => &codes::REQUEST_ENCODED,
            Self::TooLarge(_) => &codes::REQUEST_TOO_LARGE,
            Self::TooSlow(_) => &codes::REQUEST_TOO_SLOW,
            Self::Protocol(error) => error.code(),
            Self::Misfit(misfit) => misfit.code(),
            Self::QueueFull(_) | Self::NoPlace(_) | Self::MemoryFull => &codes::QUEUE_FULL,
            Self::NothingReady { .. } => &codes::NOTHING_READY,
            Self::Unreachable { .. } | Self::Died { .. } => &codes::REPLICA_BROKEN,
            Self::TooLate { .. } => &codes::REPLICA_TOO_LATE,
            Self::AnswerTooLarge { .. } => &codes::ANSWER_TOO_LARGE,
            Self::Nonsense { .. } => &protocol::codes::INVALID_ANSWER,
            Self::NoToken | Self::BadToken(_) => &codes::TOKEN_REFUSED,
            Self::OtherScope { .. } => &codes::TOKEN_SCOPE,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::NoSuchRoute(_) => "`modelyard status` lists what is deployed, with its paths",
            Self::NoSuchVersion { .. } => "leave the version out, or see `modelyard status`",
            Self::NoPreview(_) => "leave `modelyard-preview` out",
            Self::Method(_) => "post predictions, and get everything else",
            Self::Header { .. } => "send the length of the body's JSON part in bytes",
            Self::Encoding(_) => "send the body as it is",
            Self::TooLarge(_) => "split the batch",
            Self::TooSlow(_) => "send the body at once",
            Self::BrokenOff(_) => "send as many bytes as `Content-Length` says",
            Self::Protocol(error) => return error.help(),
            Self::Misfit(misfit) => return misfit.help(),
            Self::QueueFull(_) | Self::NoPlace(_) | Self::MemoryFull => {
                "wait as `Retry-After` says, send less at once, or raise `replicas`"
            }
            Self::NothingReady { .. } => "`modelyard status` tells why",
            Self::Unreachable { .. } | Self::Died { .. } | Self::TooLate { .. } => {
                "`modelyard logs` tells what it was doing; if nothing was changed by it, try again"
            }
            Self::AnswerTooLarge { .. } => "split the batch",
            Self::Nonsense { .. } => "`modelyard logs` tells what it was doing",
            Self::NoToken => {
                "send `Authorization: Bearer TOKEN`; `modelyard token create` makes one"
            }
            Self::BadToken(_) => "make a new one with `modelyard token create`",
            Self::OtherScope { .. } => {
                "make one that is, with `modelyard token create --deployment`"
            }
        };
        Some(help.to_owned())
    }

    fn class(&self) -> Class {
        match self {
            Self::QueueFull(_) | Self::NoPlace(_) | Self::MemoryFull | Self::Unreachable { .. } => {
                Class::Transient
            }
            Self::NothingReady { .. } => Class::Blocked,
            _ => Class::Permanent,
        }
    }
}

impl Told {
    /// The code of what it tells.
    pub(super) const fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} [{}]", self.error, self.code)
    }
}
