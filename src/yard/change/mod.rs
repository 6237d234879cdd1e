//! A change: some files of the yard, made one commit on a branch.
//!
//! ```text
//!            main of the remote ──●──────●  base
//!                                  \      \
//!  the branch, if there is one      ●──────●  the change, as one commit
//! ```
//!
//! A change begins from main as it is on the remote at that moment, or from the local main where
//! there is no remote. Where its branch is there already, from an earlier change or a reviewer's
//! hand, it goes on from there, with main brought in; a branch that main has taken up is begun
//! anew. The work tree, the index and the checked-out branch are not looked at and not touched.
//!
//! In a yard whose `publish.mode` is `direct` the branch is main itself: see [`direct`].

mod commit;
mod direct;
mod start;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;

use super::error::YardError;
use super::identity::Identity;
use super::push::Pushed;
use super::snapshot::{MAX_FILE_BYTES, Snapshot};
use super::{CommitId, Yard, path};
use start::Start;

pub(super) use commit::{for_writing, move_branch, move_reference, write_commit, write_commit_of};

/// Files to write and remove, and the branch they are for.
#[derive(Debug, Clone)]
pub struct Change {
    yard: Yard,
    start: Start,
    files: BTreeMap<String, Option<Bytes>>,
}

/// What a change became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The branch; main's name where it went to main itself.
    pub branch: String,
    /// The commit: the new one, or where nothing changed the one that has it all already.
    pub commit: CommitId,
    /// Main as it was when the change began.
    pub base: CommitId,
    /// The name of main.
    pub main: String,
    /// Whether there was nothing to commit: the branch, or main, has it already.
    pub unchanged: bool,
}

impl Committed {
    /// Whether main had it all already, so that there is no branch and nothing to push.
    pub fn is_on_main(&self) -> bool {
        self.unchanged && self.commit == self.base
    }
}

impl Change {
    /// Begins a change that will be a commit on `branch`, such as
    /// `publish/vision/digits/1.0.0`, having fetched main and that branch. Where main's
    /// `modelyard.yaml` says `publish: {mode: direct}`, it will be one on main itself.
    ///
    /// # Errors
    /// [`YardError::NoIdentity`] before anything else, so that no work is done in vain; then
    /// what fetching fails with, [`YardError::NoCommits`], [`YardError::NoMainBranch`], and
    /// [`YardError::OtherWork`] if the branch can't be gone on with, or, directly on main,
    /// [`YardError::MainDiverged`] if the local main has commits that the remote's lacks.
    pub fn begin(yard: &Yard, branch: &str) -> Result<Self, YardError> {
        Self::begun(yard, branch)
    }

    fn begun(yard: &Yard, branch: &str) -> Result<Self, YardError> {
        let git = yard.reopened()?;
        Identity::of(&git, Timestamp::UNIX_EPOCH)?;
        Ok(Self {
            yard: yard.clone(),
            start: Start::find(&git, yard, branch)?,
            files: BTreeMap::new(),
        })
    }

    /// The yard it is for.
    pub fn yard(&self) -> &Yard {
        &self.yard
    }

    /// The branch it is for; main's name if it is for main itself.
    pub fn branch(&self) -> &str {
        self.start.branch()
    }

    /// Whether it is for main itself, as `publish: {mode: direct}` has it.
    pub fn is_direct(&self) -> bool {
        self.start.on_main
    }

    /// Main as it was when the change began: what rules of trust and immutability are read from.
    ///
    /// # Errors
    /// If git can't be read.
    pub fn base(&self) -> Result<Snapshot, YardError> {
        self.yard.snapshot_at(self.start.base)
    }

    /// The yard as it will be with this change.
    pub fn snapshot(&self) -> Snapshot {
        let begun = Snapshot::of_tree(&self.yard, self.start.base, self.start.tree);
        begun.with(self.files.clone())
    }

    /// Writes `bytes` to `path`, a path in the yard; the same as are there already change
    /// nothing.
    ///
    /// # Errors
    /// [`YardError::BadPath`] and [`YardError::FileTooLarge`].
    pub fn write(&mut self, path: &str, bytes: impl Into<Bytes>) -> Result<(), YardError> {
        path::check(path)?;
        let bytes = bytes.into();
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(YardError::FileTooLarge {
                path: path.to_owned(),
                size_bytes: bytes.len() as u64,
                limit_bytes: MAX_FILE_BYTES,
            });
        }
        self.files.insert(path.to_owned(), Some(bytes));
        Ok(())
    }

    /// Removes the file at `path`, if it is there.
    ///
    /// # Errors
    /// [`YardError::BadPath`].
    pub fn remove(&mut self, path: &str) -> Result<(), YardError> {
        path::check(path)?;
        self.files.insert(path.to_owned(), None);
        Ok(())
    }

    /// The paths it writes and removes, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The same files on what main and the branch are now.
    ///
    /// # Errors
    /// As [`Change::begin`]; [`YardError::ChangedMeanwhile`] if one of its files was changed by
    /// somebody else, so that what was written here may rest on what is no more.
    pub fn begun_again(&self) -> Result<Self, YardError> {
        let mut again = Self::begun(&self.yard, &self.start.wish)?;
        let (before, after) = (self.without_files().snapshot(), again.snapshot());
        let mut paths = Vec::new();
        for (path, bytes) in &self.files {
            let now = after.read(path)?;
            if now != *bytes && now != before.read(path)? {
                paths.push(path.clone());
            }
        }
        if !paths.is_empty() {
            return Err(YardError::ChangedMeanwhile {
                branch: self.branch().to_owned(),
                paths,
            });
        }
        again.files.clone_from(&self.files);
        Ok(again)
    }

    fn without_files(&self) -> Self {
        Self {
            files: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Makes it a commit on its branch; nothing is pushed yet.
    ///
    /// An unchanged tree is success without a commit. On main itself with a remote, the commit is
    /// made but no branch moves before [`Change::push`].
    ///
    /// # Errors
    /// [`YardError::NotSigned`], [`YardError::CheckedOut`], [`YardError::Busy`] if the branch was
    /// moved by another process: then [`Change::begun_again`] helps.
    pub fn commit(&self, message: &str, now: Timestamp) -> Result<Committed, YardError> {
        if self.start.on_main {
            self.commit_on_main(message, now)
        } else {
            self.commit_on_branch(message, now)
        }
    }

    /// Pushes what [`Change::commit`] made to the remote; `None` where there is none, or nothing
    /// to push.
    ///
    /// # Errors
    /// [`YardError::Refused`], [`YardError::Unreachable`], [`YardError::Unauthorized`], or
    /// [`YardError::Busy`] if the remote's branch moved on: then [`Change::begun_again`] helps.
    /// The local branch keeps the commit.
    pub fn push(&self, committed: &Committed) -> Result<Option<Pushed>, YardError> {
        if committed.is_on_main() {
            return Ok(None);
        }
        if self.start.on_main {
            self.push_main(committed)
        } else {
            self.push_branch(committed)
        }
    }
}
