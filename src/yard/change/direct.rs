//! Changes that go to main itself, in a yard of one.
//!
//! Without a remote the checked-out main's files are brought up to date first, if that loses
//! nothing, and main moves last: whoever is killed in between finds the change staged. With a
//! remote the push comes first, as the remote's main is what counts, and the local main follows.

use git2::build::CheckoutBuilder;
use git2::{CheckoutNotificationType, ErrorCode, Repository as GitRepository};
use jiff::Timestamp;

use super::super::CommitId;
use super::super::error::YardError;
use super::super::push::{Push, Pushed};
use super::super::remote::Mirrored;
use super::commit::{checked_out, for_writing, move_branch};
use super::{Change, Committed};

impl Change {
    pub(super) fn commit_on_main(
        &self,
        message: &str,
        now: Timestamp,
    ) -> Result<Committed, YardError> {
        let git = for_writing(&self.yard)?;
        let Some(commit) = self.make(&git, message, now)? else {
            return Ok(self.unchanged());
        };
        let shown = self.is_shown(&git)?;
        if self.start.remote.is_some() {
            if shown {
                self.check_out(&git, commit, Doing::Looking)?;
            }
            return Ok(self.committed(commit));
        }
        if shown {
            self.check_out(&git, commit, Doing::Writing)?;
        }
        move_branch(&git, self.branch(), self.start.local, commit)?;
        Ok(self.committed(commit))
    }

    pub(super) fn push_main(&self, committed: &Committed) -> Result<Option<Pushed>, YardError> {
        let Some((remote, _)) = &self.start.remote else {
            return Ok(None);
        };
        let git = for_writing(&self.yard)?;
        let pushed = Push {
            remote,
            reference: Mirrored::branch(remote, self.branch()),
            commit: committed.commit,
            expected: Some(self.start.base),
        }
        .run(&git, &self.yard)?;
        // The change is on the remote's main now. That the local one follows is a convenience:
        // where it can't, `git pull` brings it.
        let followed = self.follow(&git, committed.commit);
        if let Err(error) = followed {
            tracing::warn!(%error, "the local main did not follow; `git pull` brings it");
        }
        Ok(Some(pushed))
    }

    fn follow(&self, git: &GitRepository, commit: CommitId) -> Result<(), YardError> {
        if self.is_shown(git)? {
            self.check_out(git, commit, Doing::Writing)?;
        }
        move_branch(git, self.branch(), self.start.local, commit)
    }

    /// Whether main is what this work tree shows; in another one nothing may move under
    /// somebody's feet.
    fn is_shown(&self, git: &GitRepository) -> Result<bool, YardError> {
        let Some(place) = checked_out(git, self.branch())? else {
            return Ok(false);
        };
        let here = self.yard.work_tree().map(|here| here.display().to_string());
        if here.as_ref() == Some(&place) {
            return Ok(true);
        }
        Err(YardError::CheckedOut {
            branch: self.branch().to_owned(),
            place,
        })
    }

    /// Brings the work tree from main as it is to `commit`, all or nothing: files with changes
    /// of their own are in the way, and stay.
    fn check_out(
        &self,
        git: &GitRepository,
        commit: CommitId,
        doing: Doing,
    ) -> Result<(), YardError> {
        let target = git
            .find_commit(commit)
            .and_then(|commit| commit.tree())
            .map_err(YardError::git("read a commit"))?;
        let mut in_the_way = Vec::new();
        let mut checkout = CheckoutBuilder::new();
        checkout
            .safe()
            .overwrite_ignored(false)
            .notify_on(CheckoutNotificationType::CONFLICT)
            .notify(|_, path, _, _, _| {
                in_the_way.extend(path.map(|path| path.display().to_string()));
                true
            });
        if doing == Doing::Looking {
            checkout.dry_run();
        }
        let done = git.checkout_tree(target.as_object(), Some(&mut checkout));
        drop(checkout);
        match done {
            Ok(()) if in_the_way.is_empty() => Ok(()),
            Err(error) if error.code() != ErrorCode::Conflict => {
                Err(YardError::git("bring the work tree up to date")(error))
            }
            _ => Err(YardError::LocalChanges {
                place: self.yard.place(),
                paths: in_the_way,
            }),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Looking,
    Writing,
}
