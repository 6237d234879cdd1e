//! The git side: snapshots at a commit, changes on a branch, a record's history.
//!
//! A [`Yard`] is an opened git repository whose tree has a `modelyard.yaml` at its root. From it
//! come [`Snapshot`]s, the yard's files as they are in the work tree or at one commit; a
//! [`Catalog`] reads a snapshot's records as types and finds the version that a person means; a
//! [`Change`] becomes one commit on a branch, and [`history`] tells who changed what, and why.
//!
//! # Invariants
//!
//! - The remote's main branch, where there is a remote, is what is; local branches are wishes.
//! - A change never touches the user's work tree, index or checked-out branch. Its objects are
//!   written and flushed first, and a branch is moved to them last, only if it still is where it
//!   was: whoever is killed in between leaves the branch as it was.
//! - Nobody else's commit is overwritten, here or on a remote.
//! - Reading never follows a symbolic link, and every file has a bound.
//!
//! libgit2 blocks, so asynchronous callers wrap what they do here in [`blocking`]; a [`Yard`] is
//! cheap to clone into it.

pub mod begin;
mod brought;
mod catalog;
mod change;
mod credentials;
mod difference;
mod discover;
pub mod edit;
mod error;
pub mod history;
mod identity;
mod mainline;
mod path;
mod push;
mod receipts;
mod remote;
mod request;
mod signing;
mod snapshot;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use git2::Repository as GitRepository;
use tempfile::TempDir;

pub use brought::Brought;
pub use catalog::{Catalog, CatalogError, Resolved, deployment_path, model_path, version_path};
pub use change::{Change, Committed};
pub use error::{Instead, YardError};
pub use push::Pushed;
pub use receipts::Receipt;
pub use remote::Remote;
pub use request::Request;
pub use snapshot::{Entry, MAX_FILE_BYTES, Snapshot};

use crate::platform::{on_blocking_pool, redact};
use crate::record::{Failure, Repository};

/// The file at the root of every yard.
pub const YARD_FILE: &str = "modelyard.yaml";

/// The id of a commit.
pub type CommitId = git2::Oid;

/// An opened yard: a repository, and where it is.
///
/// Clones share one handle, and take turns at it.
#[derive(Clone)]
pub struct Yard {
    inner: Arc<Inner>,
    /// Whether somebody asked that changes go to main itself.
    directly: bool,
    /// Where what can be made anew is kept, if somewhere.
    cache: Option<Arc<Path>>,
}

struct Inner {
    repository: Mutex<GitRepository>,
    place: PathBuf,
    work_tree: Option<PathBuf>,
    /// What a yard was fetched from, and the folder it lies in until it is dropped.
    fetched: Option<(String, TempDir)>,
}

/// Which state of a yard is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The files as they lie in the work tree, committed or not.
    WorkTree,
    /// The remote's main branch as it was last fetched, or the local one where there is no
    /// remote.
    Main,
    /// A commit by anything git knows it by: `HEAD`, `v1`, `publish/vision/digits/1.0.0`,
    /// `4f2c1e9`, `main~2`.
    Commit(String),
}

/// How much of a remote yard is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What is now; where the remote can't give less, everything.
    Tip,
    /// With all its history, for [`history`].
    Everything,
}

impl Yard {
    /// Where it is, for people: its folder, or the URL it was fetched from without credentials.
    pub fn place(&self) -> String {
        match &self.inner.fetched {
            Some((url, _)) => redact::remote(url),
            None => redact::printable(&self.inner.place.display().to_string()),
        }
    }

    /// The same yard, whose changes go to main itself, unless it says that it wants reviews.
    #[must_use]
    pub fn directly(&self) -> Self {
        Self {
            directly: true,
            ..self.clone()
        }
    }

    /// The same yard, of which what can be made anew is kept in the folder `cache`.
    #[must_use]
    pub fn kept_in(&self, cache: &Path) -> Self {
        Self {
            cache: Some(cache.into()),
            ..self.clone()
        }
    }

    /// Where what can be made anew is kept, if somewhere.
    pub fn cache(&self) -> Option<&Path> {
        self.cache.as_deref()
    }

    /// The folder of its checked-out files; `None` for a bare or fetched one.
    pub fn work_tree(&self) -> Option<&Path> {
        self.inner.work_tree.as_deref()
    }

    /// What a command reads when nobody says which state: the work tree, or main where there is
    /// none.
    pub fn at_hand(&self) -> Revision {
        if self.inner.work_tree.is_some() {
            Revision::WorkTree
        } else {
            Revision::Main
        }
    }

    /// `repository` with a relative layout made absolute against the work tree.
    ///
    /// # Errors
    /// [`YardError::RelativeStore`] for a relative layout where there is no work tree.
    pub fn store(&self, repository: &Repository) -> Result<Repository, YardError> {
        match (repository, self.work_tree()) {
            (_, Some(work_tree)) => Ok(repository.resolved(work_tree)),
            (Repository::Layout { path }, None) if path.is_relative() => {
                Err(YardError::RelativeStore {
                    store: repository.to_string(),
                    place: self.place(),
                })
            }
            (other, None) => Ok(other.clone()),
        }
    }

    fn git(&self) -> MutexGuard<'_, GitRepository> {
        // A panic elsewhere leaves the handle as good as it was: it holds no state of ours.
        let lock = self.inner.repository.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Yard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Yard({})", self.place())
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::WorkTree => "the work tree",
            Self::Main => "main",
            Self::Commit(text) => text,
        })
    }
}

/// Does `work`, which calls libgit2 and so blocks, off the asynchronous threads.
///
/// # Errors
/// What `work` fails with.
pub async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Failure>
where
    T: Send + 'static,
    E: Into<Failure> + Send + 'static,
{
    on_blocking_pool(work).await.map_err(Into::into)
}

/// The codes of this room.
pub mod codes {
    crate::codes! {
        NO_REPOSITORY = "no-repository";
        NO_YARD = "no-yard";
        REPOSITORY_NOT_OWNED = "repository-not-owned";
        REPOSITORY_UNREADABLE = "repository-unreadable";
        NO_WORK_TREE = "no-work-tree";
        NO_COMMITS = "no-commits";
        NO_MAIN_BRANCH = "no-main-branch";
        UNKNOWN_REVISION = "unknown-revision";
        OBJECT_MISSING = "object-missing";
        NOT_A_FILE = "not-a-file";
        FILE_TOO_LARGE = "file-too-large";
        BAD_PATH = "bad-path";
        RELATIVE_STORE = "relative-store";
        NO_IDENTITY = "no-identity";
        COMMIT_NOT_SIGNED = "commit-not-signed";
        REVIEW_WANTED = "review-wanted";
        BRANCH_CHECKED_OUT = "branch-checked-out";
        BRANCH_HAS_OTHER_WORK = "branch-has-other-work";
        BRANCH_IN_THE_WAY = "branch-in-the-way";
        BRANCH_MOVED_ON = "branch-moved-on";
        CHANGED_MEANWHILE = "changed-meanwhile";
        LOCAL_CHANGES = "local-changes";
        MAIN_DIVERGED = "main-diverged";
        REMOTE_HAS_NO_MAIN = "remote-has-no-main";
        REMOTE_UNREACHABLE = "remote-unreachable";
        REMOTE_UNAUTHORIZED = "remote-unauthorized";
        PUSH_REFUSED = "push-refused";
        NO_GIT_PROGRAM = "no-git-program";
        GIT_FAILED = "git-failed";
        GIT_LOCKED = "git-locked";
        NO_SUCH_MODEL = "no-such-model";
        NO_SUCH_VERSION = "no-such-version";
        NO_SUCH_ALIAS = "no-such-alias";
        NOTHING_RELEASED = "nothing-released";
        NO_SUCH_RECORD = "no-such-record";
        MALFORMED_RECORD = "malformed-record";
        NOT_EDITED = "not-edited";
    }
}
