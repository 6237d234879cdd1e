//! What happened to a path: which commits changed it, who made them, and by which merge they
//! came to main.
//!
//! Main is walked along its first parents, each of them one thing that was merged or committed.
//! Where that is a merge, the commits behind it that changed the path are told, each with the
//! merge that brought it. Where the path begins by a rename, the walk goes on with its old name.
//! Where a shallow clone ends, nobody knows what its last commit changed: it is not told.

mod renames;
mod request;
mod walk;

use std::collections::BTreeSet;

use git2::ErrorCode;
use jiff::Timestamp;
use serde::Serialize;

use super::error::YardError;
use super::snapshot::is_partial;
use super::{CommitId, Revision, Yard, path};
use walk::Walk;

/// How many commits of a change are looked at for who wrote them.
const MOST_COMMITS: usize = 10_000;

/// One commit that changed a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The commit.
    pub commit: String,
    /// Who wrote it.
    pub author: Person,
    /// When it was written.
    pub time: Timestamp,
    /// The first line of its message.
    pub title: String,
    /// The rest of its message, trimmed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// How it came to main, if by a merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// The pull or merge request that it came by, as its forge writes it: `#12`, `!12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What the path was called before, if it was renamed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
}

impl Event {
    /// When it came to main, and the commit of main's line that brought it: its merge, or itself.
    pub fn landed(&self) -> (Timestamp, &str) {
        match &self.merge {
            Some(merge) => (merge.time, &merge.commit),
            None => (self.time, &self.commit),
        }
    }
}

/// Who wrote or merged a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
}

/// The merge that brought a commit to main.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merge {
    /// The merge commit.
    pub commit: String,
    /// Who merged.
    pub by: Person,
    /// When.
    pub time: Timestamp,
}

/// What happened to a path, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    /// The commits that changed it.
    pub events: Vec<Event>,
    /// Whether there are more before, which the limit left out.
    pub truncated: bool,
    /// Whether there may be more before, which a shallow clone does not have.
    pub shallow: bool,
}

impl Yard {
    /// The last `limit` commits up to `revision` that changed `path`: a file or a folder, such as
    /// `models/vision/digits`. The work tree's history is that of HEAD.
    ///
    /// # Errors
    /// As [`Yard::commit_id`], [`YardError::BadPath`], [`YardError::ObjectMissing`] where a
    /// partial clone lacks a folder's tree, or if git can't be read.
    pub fn history(
        &self,
        revision: &Revision,
        path: &str,
        limit: usize,
    ) -> Result<History, YardError> {
        path::check(path)?;
        let tip = self.tip(revision)?;
        let git = self.reopened()?;
        Walk::new(&git, path, limit)
            .first_parents(tip)
            .map_err(|error| {
                if error.code() == ErrorCode::NotFound && is_partial(&git) {
                    return YardError::ObjectMissing {
                        place: self.place(),
                        kind: "partial",
                        needed: "reading the history".to_owned(),
                    };
                }
                YardError::git("read the history")(error)
            })
    }

    /// The commit from which a history goes back; the work tree's is HEAD.
    fn tip(&self, revision: &Revision) -> Result<CommitId, YardError> {
        let head = Revision::Commit("HEAD".to_owned());
        let revision = match revision {
            Revision::WorkTree => &head,
            other => other,
        };
        let tip = self.commit_id(revision)?;
        Ok(tip.expect("only the work tree is no commit"))
    }

    /// Who wrote the commits that `head` has and `base` has not: their e-mail addresses, sorted.
    /// The work tree's are those of HEAD.
    ///
    /// # Errors
    /// As [`Yard::commit_id`], or if git can't be read.
    pub fn authors(&self, head: &Revision, base: CommitId) -> Result<Vec<String>, YardError> {
        let tip = self.tip(head)?;
        let git = self.reopened()?;
        let authors = || -> Result<BTreeSet<String>, git2::Error> {
            let mut walk = git.revwalk()?;
            walk.push(tip)?;
            walk.hide(base)?;
            let mut authors = BTreeSet::new();
            for commit in walk.take(MOST_COMMITS) {
                let commit = git.find_commit(commit?)?;
                let email = commit.author().email_bytes().to_vec();
                authors.insert(String::from_utf8_lossy(&email).into_owned());
            }
            Ok(authors)
        };
        let authors = authors().map_err(YardError::git("read the history"))?;
        Ok(authors.into_iter().collect())
    }
}
