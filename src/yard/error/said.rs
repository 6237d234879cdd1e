//! What git says, as it may be shown.

use crate::platform::redact::{self, printable};

/// What git said, without credentials and control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GitError {
    /// What git said.
    pub message: String,
}

impl GitError {
    /// `text` with `url`, should it stand there, as it may be shown.
    pub(in crate::yard) fn about(url: &str, text: &str) -> Self {
        let text = if url.is_empty() {
            text.to_owned()
        } else {
            text.replace(url, &redact::remote(url))
        };
        Self {
            message: printable(text.trim()),
        }
    }
}

impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        Self::about("", error.message())
    }
}
