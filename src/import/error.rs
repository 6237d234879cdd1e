//! Why a source can't be imported from.

use std::time::Duration;

use crate::artifact::StoreError;
use crate::artifact::pack::UnpackError;
use crate::platform::atomic::FileError;
use crate::platform::http::ClientError;
use crate::platform::retry::Retryable;
use crate::record::{Class, Code, Fault};

use super::codes;

/// What the other side said of its no, short and without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail(pub String);

/// Why a source can't be imported from.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No answer, or one that says to come back.
    #[error("{place} can't be reached to {doing}{}", said(detail.as_ref()))]
    Away {
        /// The source.
        place: String,
        /// What was asked for, as it stands behind "to".
        doing: String,
        /// What it said.
        detail: Option<Detail>,
        /// How long it wants us to wait.
        retry_after: Option<Duration>,
        /// Why not.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// It wants a token, or another one.
    #[error("{place} doesn't let us {doing}{}", said(detail.as_ref()))]
    Unauthorized {
        /// The source.
        place: String,
        /// What was asked for, as it stands behind "us".
        doing: String,
        /// The variables that can have a token for it.
        variables: &'static [&'static str],
        /// What it said.
        detail: Option<Detail>,
    },
    /// It says no.
    #[error("{place} refuses to {doing}: {status}{}", said(detail.as_ref()))]
    Refused {
        /// The source.
        place: String,
        /// What was asked for.
        doing: String,
        /// The status of HTTP.
        status: u16,
        /// What it said.
        detail: Option<Detail>,
    },
    /// It doesn't have it.
    #[error("{place} has no {what}")]
    Lacks {
        /// The source.
        place: String,
        /// What was looked for.
        what: String,
    },
    /// It is open to those alone who accept its conditions.
    #[error("{place} is gated{}", said(detail.as_ref()))]
    Gated {
        /// The source, which is the page with the conditions.
        place: String,
        /// The variables that can have a token for it.
        variables: &'static [&'static str],
        /// What it said.
        detail: Option<Detail>,
    },
    /// It isn't there, or we may not know that it is.
    #[error("there is no {place}, or it is private")]
    Hidden {
        /// The source.
        place: String,
        /// The variables that can have a token for it.
        variables: &'static [&'static str],
    },
    /// A file that only says where its content is.
    #[error("{file} of {place} is a pointer of Git LFS, and not the file that it stands for")]
    Pointer {
        /// The source.
        place: String,
        /// The file.
        file: String,
    },
    /// What it says can't be understood.
    #[error("{place} can't be read: {reason}")]
    Malformed {
        /// The source, or the file, and the place in it where there is one.
        place: String,
        /// Why not.
        reason: String,
    },
    /// It has more than can be read.
    #[error("{place} has more than {limit} {unit}")]
    TooLarge {
        /// The source, or the file.
        place: String,
        /// The most that is read.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// A file that isn't what the source said of it.
    #[error("{file} of {place} is not what it was said to be: {reason}")]
    Changed {
        /// The source.
        place: String,
        /// The file.
        file: String,
        /// In what it differs.
        reason: String,
    },
    /// A program of the user's, with which it is read, isn't there or doesn't do it.
    #[error("{place} can't be read: {reason}")]
    Program {
        /// The source.
        place: String,
        /// What it is about the program.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// A file here can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// There can be no HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A registry or a layout doesn't give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that can be in no artifact, or two that can't be in one.
    #[error("{place} can't be unpacked")]
    Unpack {
        /// The artifact, or the layer.
        place: String,
        /// Why not.
        #[source]
        source: UnpackError,
    },
}

fn said(detail: Option<&Detail>) -> String {
    detail
        .map(|Detail(text)| format!(": {text}"))
        .unwrap_or_default()
}

impl Fault for ImportError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Away { .. } => &codes::SOURCE_AWAY,
            Self::Unauthorized { .. } => &codes::SOURCE_UNAUTHORIZED,
            Self::Refused { .. } => &codes::SOURCE_REFUSED,
            Self::Lacks { .. } => &codes::SOURCE_LACKS,
            Self::Gated { .. } => &codes::SOURCE_GATED,
            Self::Hidden { .. } => &codes::SOURCE_LACKS,
            Self::Pointer { .. } => &codes::SOURCE_FILE_POINTER,
            Self::Malformed { .. } => &codes::SOURCE_MALFORMED,
            Self::TooLarge { .. } => &codes::SOURCE_TOO_LARGE,
            Self::Changed { .. } => &codes::SOURCE_FILE_CHANGED,
            Self::Program { .. } => &codes::SOURCE_PROGRAM,
            Self::File(error) => error.code(),
            Self::Client(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Unpack { source, .. } => source.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Away { .. } => {
                "see whether it runs and can be reached from here; the same command goes on from \
                 where it was"
                    .to_owned()
            }
            Self::Unauthorized { variables, .. } => {
                format!("set {} to a token that may read it", variables.join(" or "))
            }
            Self::Refused { .. } => "see what it says, and in its own log".to_owned(),
            Self::Lacks { .. } => {
                "see with --list what it has; the same command goes on from where it was".to_owned()
            }
            Self::Gated {
                place, variables, ..
            } => format!(
                "accept its conditions at {place}, and set {} to a token of who accepted them",
                variables.join(" or ")
            ),
            Self::Hidden { variables, .. } => format!(
                "see whether its name is right; if it is private, set {} to a token that may read \
                 it",
                variables.join(" or ")
            ),
            Self::Pointer { .. } => "run `git lfs pull` there, then import again".to_owned(),
            Self::Malformed { .. } => {
                "see whether it is the kind of source that was said".to_owned()
            }
            Self::TooLarge { unit, .. } if unit.ends_with("decompressed") => {
                "don't use it unless whoever made it can explain why so little becomes so much"
                    .to_owned()
            }
            Self::TooLarge { .. } => "choose less of it with --select".to_owned(),
            Self::Changed { .. } => {
                "import again when nobody writes to it; what was complete is kept".to_owned()
            }
            Self::Program { help, .. } => help.clone(),
            Self::File(error) => return error.help(),
            Self::Client(error) => return error.help(),
            Self::Store(error) => return error.help(),
            Self::Unpack { source, .. } => return source.help(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Away { .. } => Class::Transient,
            Self::File(error) => error.class(),
            Self::Client(error) => error.class(),
            Self::Store(error) => error.class(),
            _ => Class::Permanent,
        }
    }
}

impl Retryable for ImportError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Away { retry_after, .. } => *retry_after,
            Self::Store(error) => error.retry_after(),
            _ => None,
        }
    }
}
