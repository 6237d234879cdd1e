//! What a store can fail with.
//!
//! Each variant is one thing that the caller can do: wait and try again, log in, choose another
//! reference, call whoever runs the store.

use std::path::PathBuf;
use std::time::Duration;

use super::codes;
use super::credentials::CredentialsError;
use super::manifest::ManifestError;
use crate::platform::atomic::FileError;
use crate::platform::http::ClientError;
use crate::platform::retry::Retryable;
use crate::record::{Class, Code, Digest, Fault};

/// A store that could not do what was asked.
///
/// `place` names the repository, tag or digest that it was about.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer: it is away, or the connection broke and did not come back.
    #[error("can't reach {place}")]
    Unreachable {
        /// What was asked for.
        place: String,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// The connection ended before all was sent.
    #[error("{place} ended after {actual} of {expected} bytes")]
    Truncated {
        /// What was asked for.
        place: String,
        /// The size that it has, in bytes.
        expected: u64,
        /// How many bytes came.
        actual: u64,
        /// What the network said, if it said something.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The connection stands, and nothing moves.
    #[error("{place} neither takes bytes nor answers")]
    Stalled {
        /// What was sent.
        place: String,
    },
    /// 401: it wants a login, or doesn't take ours.
    #[error("{place} {}", if *anonymous { "wants a login" } else { "does not take the stored login" })]
    Unauthorized {
        /// What was asked for.
        place: String,
        /// The registry's host.
        host: String,
        /// Whether we have no login for it.
        anonymous: bool,
        /// What the registry says.
        #[source]
        detail: Option<Detail>,
    },
    /// 403: the login may not do this.
    #[error("{place} is not open to this login")]
    Forbidden {
        /// What was asked for.
        place: String,
        /// What the registry says.
        #[source]
        detail: Option<Detail>,
    },
    /// 404, where something has to be.
    #[error("{place} is not there")]
    NotFound {
        /// What was asked for.
        place: String,
    },
    /// 404 to something that was sent: nobody is there to take it.
    #[error("{place} can't be put there: the registry has no such repository")]
    NoRepository {
        /// What was sent.
        place: String,
    },
    /// 429: too many requests.
    #[error("{place} is asked too often")]
    Throttled {
        /// What was asked for.
        place: String,
        /// How long it wants us to wait.
        retry_after: Option<Duration>,
        /// What the registry says.
        #[source]
        detail: Option<Detail>,
    },
    /// Any other status that says no.
    #[error("{place} answers with HTTP {status}")]
    Failed {
        /// What was asked for.
        place: String,
        /// The HTTP status.
        status: u16,
        /// How long it wants us to wait.
        retry_after: Option<Duration>,
        /// What the registry says.
        #[source]
        detail: Option<Detail>,
    },
    /// An answer that no registry gives: HTML, a header missing, another form.
    #[error("{place} answers as no registry does: {reason}")]
    Answer {
        /// What was asked for.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Plain HTTP to another machine, which nobody asked for.
    #[error("{place} leads to {url}, which is not encrypted")]
    Insecure {
        /// What was asked for.
        place: String,
        /// Where it leads, without credentials.
        url: String,
    },
    /// Other bytes than those that were asked for.
    #[error(
        "the bytes of {place} are not the ones that were asked for: expected {expected}, got {actual}"
    )]
    Digest {
        /// What was asked for.
        place: String,
        /// The digest that they should have.
        expected: Digest,
        /// The digest that they have.
        actual: Digest,
    },
    /// More or fewer bytes than was said.
    #[error("{place} has {actual} bytes where {expected} were expected")]
    Size {
        /// What was asked for.
        place: String,
        /// How many bytes it should have.
        expected: u64,
        /// How many bytes it has, or at least has.
        actual: u64,
    },
    /// A file that is no longer what it was when its digest was taken.
    #[error("{place} changed while it was being published")]
    SourceChanged {
        /// The file, or what else the bytes were taken from.
        place: String,
    },
    /// A manifest that should be about another one, and isn't.
    #[error("{place} has no subject, and so refers to nothing")]
    NoSubject {
        /// Which one.
        place: String,
    },
    /// More than is ever read.
    #[error("{place} has more than the {limit} {unit} that are read")]
    TooLarge {
        /// What was asked for.
        place: String,
        /// `bytes`, `tags`, `referrers`.
        unit: &'static str,
        /// How many are read.
        limit: u64,
    },
    /// A manifest that can't be used.
    #[error("{place} can't be used")]
    Manifest {
        /// Which one.
        place: String,
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// A file was read or written in vain.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder that is no layout, or one of another version.
    #[error("{} is not an OCI layout: {reason}", path.display())]
    NotALayout {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No folder where the layout should be.
    #[error("{place} is not there: there is no folder {}", path.display())]
    NoLayout {
        /// The folder.
        path: PathBuf,
        /// What was asked for.
        place: String,
    },
    /// A relative layout, and nothing that it is relative to.
    #[error("the store `oci-layout:{}` is relative to a yard's work tree, and there is none here", path.display())]
    RelativeLayout {
        /// The path as it was given.
        path: PathBuf,
    },
    /// Others changed the list of referrers again and again.
    #[error("the signatures of {place} are being changed by others")]
    Contended {
        /// Whose referrers.
        place: String,
        /// How long to wait until it shows whether our entry stays.
        settling: Duration,
    },
    /// The stored logins can't be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// There can be no HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// What a registry says in an error's body: its own code and message, or the first words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the registry says: {0}")]
pub struct Detail(pub String);

impl StoreError {
    /// The same, where the bytes came from a file of the user's and not from a store.
    pub(super) fn of_source(self) -> Self {
        match self {
            Self::Digest { place, .. } | Self::Size { place, .. } => Self::SourceChanged { place },
            other => other,
        }
    }
}

impl Fault for StoreError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unreachable { .. } | Self::Truncated { .. } | Self::Stalled { .. } => {
                &codes::STORE_UNREACHABLE
            }
            Self::Unauthorized { .. } => &codes::STORE_UNAUTHORIZED,
            Self::Forbidden { .. } => &codes::STORE_FORBIDDEN,
            Self::NotFound { .. } => &codes::NOT_IN_STORE,
            Self::Throttled { .. } => &codes::STORE_THROTTLED,
            Self::Failed { .. } => &codes::STORE_FAILED,
            Self::Answer { .. } | Self::Insecure { .. } => &codes::STORE_ANSWER,
            Self::Digest { .. } => &codes::DIGEST_MISMATCH,
            Self::Size { .. } => &codes::SIZE_MISMATCH,
            Self::SourceChanged { .. } => &codes::SOURCE_CHANGED,
            Self::NoSubject { .. } => &codes::INVALID_MANIFEST,
            Self::TooLarge { .. } => &codes::TOO_LARGE,
            Self::Manifest { source, .. } => source.code(),
            Self::File(error) => error.code(),
            Self::NotALayout { .. } => &codes::STORE_WRONG,
            Self::RelativeLayout { .. } | Self::NoLayout { .. } | Self::NoRepository { .. } => {
                &codes::STORE_MISSING
            }
            Self::Contended { .. } => &codes::STORE_CONTENDED,
            Self::Credentials(error) => error.code(),
            Self::Client(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { source, .. } if source.is_connect() => {
                "check the registry's name and that it runs; one without TLS needs `--plain-http`"
                    .to_owned()
            }
            Self::Unreachable { .. } | Self::Truncated { .. } | Self::Stalled { .. } => {
                "check the network and try again; what was fetched already is kept".to_owned()
            }
            Self::Unauthorized { host, .. } => format!("log in by `modelyard login {host}`"),
            Self::Forbidden { .. } => {
                "ask whoever runs the registry for access, or log in as somebody else".to_owned()
            }
            Self::NotFound { .. } => {
                "check the reference; `modelyard tags` lists what a repository has".to_owned()
            }
            Self::NoRepository { .. } => "check its name; where repositories or their projects \
                don't come by themselves, make it in the registry first"
                .to_owned(),
            Self::NoLayout { .. } => "a store in a folder is only where it was filled: bring its \
                folder here, publish to it, or use a registry"
                .to_owned(),
            Self::Throttled { .. } => "wait a while and try again; a login often raises the \
                registry's limit"
                .to_owned(),
            Self::Failed { status, .. } if *status >= 500 => {
                "try again later, or ask whoever runs the registry".to_owned()
            }
            Self::Failed { .. } | Self::Answer { .. } => {
                "check that the address is a registry's, and no proxy or web page stands before it"
                    .to_owned()
            }
            Self::Insecure { .. } => {
                "use a registry with TLS, or allow it by `--plain-http`".to_owned()
            }
            Self::Digest { .. } | Self::Size { .. } => {
                "don't use it: it was damaged or changed after it was published; nothing of it \
                 was kept"
                    .to_owned()
            }
            Self::SourceChanged { .. } => {
                "wait until nothing writes to the files any more, and try again".to_owned()
            }
            Self::NoSubject { .. } => "put it as a manifest of its own".to_owned(),
            Self::TooLarge { .. } => "check that the reference names a model's artifact".to_owned(),
            Self::Manifest { source, .. } => return source.help(),
            Self::File(error) => return error.help(),
            Self::NotALayout { .. } => {
                "name the folder of an OCI image layout 1.0, or one that doesn't exist yet"
                    .to_owned()
            }
            Self::RelativeLayout { .. } => {
                "run it in the yard's work tree, or name the store by its whole path".to_owned()
            }
            Self::Contended { .. } => "try again in a moment".to_owned(),
            Self::Credentials(error) => return error.help(),
            Self::Client(error) => return error.help(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Unreachable { .. } | Self::Truncated { .. } | Self::Throttled { .. } => {
                Class::Transient
            }
            Self::Contended { .. } | Self::Stalled { .. } => Class::Transient,
            // 501, 505 and 506 say that it never will.
            Self::Failed {
                status: 408 | 425 | 500 | 502..=504 | 507..=599,
                ..
            } => Class::Transient,
            Self::File(error) => error.class(),
            _ => Class::Permanent,
        }
    }
}

impl Retryable for StoreError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Failed { retry_after, .. } => *retry_after,
            Self::Contended { settling, .. } => Some(*settling),
            _ => None,
        }
    }
}
