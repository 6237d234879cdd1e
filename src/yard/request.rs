//! A pull request's change, fetched as objects of git.

use git2::Direction;

use super::remote::{self, fetch_others};
use super::{CommitId, Yard, YardError, discover};

/// What a pull request would merge into what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The tip of its change.
    pub head: CommitId,
    /// The tip of the branch that it is for.
    pub base: CommitId,
}

impl Yard {
    /// Fetches a pull request, whose change the remote has under `reference`, and the branch
    /// `base` that it is for, with all that they come from; `None` where there is no remote, or it
    /// lacks one of them. They come as objects of git: no file is written, and nothing is run.
    ///
    /// # Errors
    /// As [`Yard::fetch`].
    pub fn fetch_request(&self, reference: &str, base: &str) -> Result<Option<Request>, YardError> {
        let (git, place) = (self.reopened()?, self.place());
        let Some(name) = remote::name(&git)? else {
            return Ok(None);
        };
        let other = (discover::main_branch(&git)? != base).then_some(base);
        let fetched = remote::fetch(&git, &place, &name, other)?;
        let base = match fetched.main_branch == base {
            true => Some(fetched.main),
            false => fetched.branch,
        };
        let ours = reference.replacen("refs/", "refs/modelyard/", 1);
        let url = remote::url(&git, &name, Direction::Fetch)?;
        fetch_others(&git, &place, url, |theirs| {
            (theirs == reference).then(|| ours.clone())
        })?;
        // One that was fetched before and is gone there is for whoever asked to tell.
        let head = git.refname_to_id(&ours).ok();
        Ok(head.zip(base).map(|(head, base)| Request { head, base }))
    }
}
