//! What a forge can fail with.

use std::time::Duration;

use jiff::Timestamp;

use super::{Right, codes};
use crate::platform::http::ClientError;
use crate::platform::retry::Retryable;
use crate::record::kind::ForgeType;
use crate::record::{Class, Code, Failure, Fault};

/// A forge that could not do what was asked.
///
/// `forge` is the yard's page there, and `doing` what was asked, as it stands behind "can't".
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// A forge is named, and nothing tells the yard's page on it.
    #[error("{}", match page {
        Some(page) => format!("{page} is not the page of a repository on {kind}"),
        None => format!("where the yard lies on {kind} is not known"),
    })]
    Unsettled {
        /// The kind of forge.
        kind: ForgeType,
        /// The page that was given.
        page: Option<String>,
    },
    /// No answer, or one that says: not now.
    #[error("{forge} is away: can't {doing}")]
    Away {
        /// The yard's page.
        forge: String,
        /// What was asked.
        doing: &'static str,
        /// What the network said, or the forge.
        #[source]
        source: Reason,
    },
    /// A limit on how often it may be asked.
    #[error("{forge} is asked too often: can't {doing}{}", before(.until.as_ref()))]
    AskedTooOften {
        /// The yard's page.
        forge: String,
        /// What was asked.
        doing: &'static str,
        /// How long it wants us to wait.
        wait: Duration,
        /// Until when, where that is longer than we wait.
        until: Option<Timestamp>,
    },
    /// 401: it doesn't take the token.
    #[error("{forge} does not take the token in {variable}: can't {doing}")]
    TokenRefused {
        /// The yard's page.
        forge: String,
        /// What was asked.
        doing: &'static str,
        /// The variable that had the token.
        variable: &'static str,
        /// What the forge says.
        #[source]
        detail: Option<Detail>,
    },
    /// 403: the token may not do this.
    #[error("the token in {variable} may not {doing} at {forge}")]
    PermissionMissing {
        /// The yard's page.
        forge: String,
        /// The kind of forge.
        kind: ForgeType,
        /// What was asked.
        doing: &'static str,
        /// What it takes.
        right: Right,
        /// The permissions that the forge itself names.
        named: Option<String>,
        /// The variable that had the token.
        variable: &'static str,
        /// Whether that is a job's own token of GitLab's.
        job: bool,
        /// What the forge says.
        #[source]
        detail: Option<Detail>,
    },
    /// 404: it is not there, or the token may not see it.
    #[error("{forge} has no such thing, or hides it from the token in {variable}: can't {doing}")]
    NotFound {
        /// The yard's page.
        forge: String,
        /// The kind of forge.
        kind: ForgeType,
        /// What was asked.
        doing: &'static str,
        /// What it takes.
        right: Right,
        /// The variable that had the token.
        variable: &'static str,
        /// What the forge says.
        #[source]
        detail: Option<Detail>,
    },
    /// Any other word that says no.
    #[error("{forge} refuses to {doing} (HTTP {status})")]
    Refused {
        /// The yard's page.
        forge: String,
        /// What was asked.
        doing: &'static str,
        /// The HTTP status.
        status: u16,
        /// What the forge says.
        #[source]
        detail: Option<Detail>,
    },
    /// An answer that such a forge doesn't give.
    #[error("{forge} answers as no {kind} does: {reason}")]
    Answer {
        /// The yard's page.
        forge: String,
        /// The kind of forge.
        kind: ForgeType,
        /// What is wrong with it.
        reason: String,
    },
    /// The token would travel in clear.
    #[error("a token can't be sent to {forge}, which is not encrypted")]
    Insecure {
        /// The yard's page.
        forge: String,
    },
    /// No HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// What a forge says of its own no, printable and short.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Detail(pub(super) String);

/// Why a forge is away.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The network.
    #[error(transparent)]
    Network(reqwest::Error),
    /// A status such as 502, and what came with it.
    #[error("HTTP {status}{}", .detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    Status {
        /// The HTTP status.
        status: u16,
        /// What the forge says.
        detail: Option<Detail>,
    },
}

fn before(until: Option<&Timestamp>) -> String {
    until.map_or_else(String::new, |until| format!(" before {until:.0}"))
}

impl ForgeError {
    /// The HTTP status of a plain no, or what comes down to one.
    pub(super) const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::NotFound { .. } => Some(404),
            Self::PermissionMissing { .. } => Some(403),
            _ => None,
        }
    }
}

impl Fault for ForgeError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unsettled { .. } => &codes::FORGE_UNKNOWN,
            Self::Away { .. } => &codes::FORGE_AWAY,
            Self::AskedTooOften { .. } => &codes::FORGE_ASKED_TOO_OFTEN,
            Self::TokenRefused { .. } => &codes::FORGE_TOKEN_REFUSED,
            Self::PermissionMissing { .. } => &codes::FORGE_PERMISSION_MISSING,
            Self::NotFound { .. } => &codes::FORGE_NOT_FOUND,
            Self::Refused { .. } => &codes::FORGE_REFUSED,
            Self::Answer { .. } => &codes::FORGE_ANSWER,
            Self::Insecure { .. } => &codes::FORGE_INSECURE,
            Self::Client(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unsettled { kind, .. } => format!(
                "say it in main's modelyard.yaml, as `spec: {{forge: {{type: {kind}, url: \
                 https://git.example.com/acme/yard}}}}`, or by \
                 `--forge {kind}=https://git.example.com/acme/yard`"
            ),
            Self::Away { .. } => {
                "nothing is lost: run the same command again once it is back".to_owned()
            }
            Self::AskedTooOften { .. } => {
                "nothing is lost: run the same command again later, or with another token"
                    .to_owned()
            }
            Self::TokenRefused { variable, .. } => {
                format!("it is wrong, revoked or has run out: put a good one into {variable}")
            }
            Self::PermissionMissing {
                kind,
                right,
                named,
                variable,
                job,
                ..
            } => {
                let needs = match named {
                    Some(named) => format!("the forge names {named}; "),
                    None => String::new(),
                };
                let job = if *job {
                    "a job's own token may read and tell of deployments only: put a project's \
                     token into GITLAB_TOKEN; "
                } else {
                    ""
                };
                format!(
                    "{needs}{job}give the token in {variable} {}",
                    right.on(*kind)
                )
            }
            Self::NotFound {
                kind,
                right,
                variable,
                ..
            } => format!(
                "forges say so, too, of what a token may not see: see that the page is right, and \
                 that the token in {variable} has {}",
                right.on(*kind)
            ),
            Self::Refused { .. } => {
                "see what the forge says above, and whether a rule of the branch forbids it"
                    .to_owned()
            }
            Self::Answer { .. } => {
                "see whether a proxy or a login page answers in its place, and whether \
                 `spec.forge` in modelyard.yaml names the right kind and page"
                    .to_owned()
            }
            Self::Insecure { .. } => "use its https:// address".to_owned(),
            Self::Client(error) => return error.help(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Away { .. } | Self::AskedTooOften { until: None, .. } => Class::Transient,
            Self::AskedTooOften { .. } => Class::Blocked,
            _ => Class::Permanent,
        }
    }
}

impl Retryable for ForgeError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::AskedTooOften { wait, .. } => Some(*wait),
            _ => None,
        }
    }
}

/// How long a forge asked to be left alone, if that is what `failure` tells.
pub fn asked_to_wait(failure: &Failure) -> Option<Duration> {
    let failure: &(dyn std::error::Error + 'static) = &**failure;
    failure.downcast_ref::<ForgeError>()?.retry_after()
}
