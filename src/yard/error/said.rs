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

    /// What to do about it where nothing more is known: libgit2 passes on what the operating
    /// system said, and only as text.
    pub(super) fn way_out(&self) -> &'static str {
        let says = |text: &str| self.message.contains(text);
        if says("No space left on device") || says("quota exceeded") {
            "free some space on the repository's disk and try again"
        } else if says("Read-only file system") {
            "work in a clone on a disk that can be written"
        } else if says("Permission denied") {
            "check who owns the repository's files, and who may write there"
        } else {
            "see what `git fsck` and `git status` say"
        }
    }
}

impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        Self::about("", error.message())
    }
}
