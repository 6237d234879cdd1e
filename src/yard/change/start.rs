//! From where a change begins.

use git2::{ErrorCode, MergeOptions, Oid, Repository as GitRepository};

use super::super::error::YardError;
use super::super::{Catalog, CommitId, Yard, discover, remote};
use crate::record::kind::PublishMode;

/// What a change stands on.
#[derive(Debug, Clone)]
pub(super) struct Start {
    /// The branch that was asked for, without `refs/heads/`.
    pub(super) wish: String,
    /// The branch it is for: that one, or main.
    branch: String,
    /// Whether that is main itself.
    pub(super) on_main: bool,
    /// The name of main.
    pub(super) main: String,
    /// Main as it is on the remote, or here where there is none.
    pub(super) base: CommitId,
    /// What the new commit's parents will be.
    pub(super) parents: Vec<CommitId>,
    /// The files it begins from.
    pub(super) tree: Oid,
    /// Where the local branch is; `None` where there is none.
    pub(super) local: Option<CommitId>,
    /// The remote's name, and where its branch is.
    pub(super) remote: Option<(String, Option<CommitId>)>,
}

impl Start {
    pub(super) fn branch(&self) -> &str {
        &self.branch
    }

    /// Finds it for `wish`, or for main itself if that is how the yard is changed.
    pub(super) fn find(git: &GitRepository, yard: &Yard, wish: &str) -> Result<Self, YardError> {
        let remote = remote::name(git)?;
        let (main, base, remote_tip) = match &remote {
            Some(name) => {
                let fetched = remote::fetch(git, &yard.place(), name, Some(wish))?;
                (fetched.main_branch, fetched.main, fetched.branch)
            }
            None => {
                let main = discover::main_branch(git)?;
                (main.clone(), local_main(git, yard, main)?, None)
            }
        };
        let on_main = is_direct(yard, base)?;
        let branch = if on_main { &main } else { wish };
        let local = git.refname_to_id(&format!("refs/heads/{branch}")).ok();
        let mut start = Self {
            wish: wish.to_owned(),
            branch: branch.to_owned(),
            on_main,
            base,
            parents: vec![base],
            tree: tree_of(git, base)?,
            local,
            remote: remote.map(|name| (name, remote_tip)),
            main,
        };
        if start.on_main {
            start.check_local_main(git)?;
            return Ok(start);
        }
        start.check_room(git)?;
        if let Some(tip) = start.unmerged(git)? {
            start.go_on_from(git, tip)?;
        }
        Ok(start)
    }

    /// Git can't have a branch `set` beside a branch `set/vision/digits/model`.
    fn check_room(&self, git: &GitRepository) -> Result<(), YardError> {
        let slashes = self.branch.match_indices('/');
        for (at, _) in slashes {
            let above = &self.branch[..at];
            if git.find_reference(&format!("refs/heads/{above}")).is_ok() {
                return Err(YardError::BranchInTheWay {
                    branch: self.branch.clone(),
                    other: above.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The local main may be behind the remote's, never beside it.
    fn check_local_main(&mut self, git: &GitRepository) -> Result<(), YardError> {
        let Some((name, tip)) = &mut self.remote else {
            return Ok(());
        };
        *tip = Some(self.base);
        match self.local {
            Some(local) if !contains(git, self.base, local)? => Err(YardError::MainDiverged {
                branch: self.main.clone(),
                remote: name.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// The tip of the branch, here and on the remote, unless main has all of it.
    fn unmerged(&self, git: &GitRepository) -> Result<Option<CommitId>, YardError> {
        let theirs = self.remote.as_ref().and_then(|(_, tip)| *tip);
        let mut tips = Vec::new();
        for tip in [self.local, theirs].into_iter().flatten() {
            if !tips.contains(&tip) && !self.is_in_main(git, tip)? {
                tips.push(tip);
            }
        }
        match *tips.as_slice() {
            [] => Ok(None),
            [tip] => Ok(Some(tip)),
            [local, theirs] if contains(git, local, theirs)? => Ok(Some(local)),
            [local, theirs] if contains(git, theirs, local)? => Ok(Some(theirs)),
            // The same said twice, here and by somebody else: theirs is out in the world.
            [local, theirs] if tree_of(git, local)? == tree_of(git, theirs)? => Ok(Some(theirs)),
            _ => Err(self.other_work("is not the same here and on the remote")),
        }
    }

    /// Whether main has what is on `tip`: by a merge, or by a squash or rebase of it.
    fn is_in_main(&self, git: &GitRepository, tip: CommitId) -> Result<bool, YardError> {
        if contains(git, self.base, tip)? {
            return Ok(true);
        }
        let merged = merged(git, self.base, tip)?;
        Ok(merged == Some(tree_of(git, self.base)?))
    }

    /// Goes on from `tip`, with main brought in where it has moved on since.
    fn go_on_from(&mut self, git: &GitRepository, tip: CommitId) -> Result<(), YardError> {
        if contains(git, tip, self.base)? {
            self.parents = vec![tip];
            self.tree = tree_of(git, tip)?;
            return Ok(());
        }
        let Some(tree) = merged(git, self.base, tip)? else {
            return Err(self.other_work("has changes that conflict with main's"));
        };
        self.parents = vec![tip, self.base];
        self.tree = tree;
        Ok(())
    }

    fn other_work(&self, what: &str) -> YardError {
        let there = self.remote.as_ref().filter(|(_, tip)| tip.is_some());
        YardError::OtherWork {
            branch: self.branch.clone(),
            what: what.to_owned(),
            remote: there.map(|(name, _)| name.clone()),
        }
    }
}

/// Whether the yard is changed without review: as it says, and where it says nothing as it was
/// asked for. A `modelyard.yaml` that can't be read, or is not there yet, is no reason to go past
/// a review.
fn is_direct(yard: &Yard, base: CommitId) -> Result<bool, YardError> {
    let record = yard.snapshot_at(base).map(|base| Catalog::new(base).yard());
    let publish = record.map(|record| record.map(|record| record.spec.publish));
    let mode = match publish {
        Ok(Ok(publish)) => publish.map(|publish| publish.mode),
        _ => Some(PublishMode::PullRequest),
    };
    match mode {
        Some(PublishMode::PullRequest) if yard.directly => Err(YardError::ReviewWanted {
            place: yard.place(),
        }),
        mode => Ok(mode.map_or(yard.directly, |mode| mode == PublishMode::Direct)),
    }
}

fn local_main(git: &GitRepository, yard: &Yard, main: String) -> Result<CommitId, YardError> {
    match git.refname_to_id(&format!("refs/heads/{main}")) {
        Ok(commit) => Ok(commit),
        Err(_) if git.head().is_ok() => Err(YardError::NoMainBranch {
            place: yard.place(),
            branch: main,
        }),
        Err(_) => Err(YardError::NoCommits {
            place: yard.place(),
        }),
    }
}

pub(super) fn tree_of(git: &GitRepository, commit: CommitId) -> Result<Oid, YardError> {
    let commit = git.find_commit(commit);
    commit
        .map(|commit| commit.tree_id())
        .map_err(YardError::git("read a commit"))
}

/// Whether `descendant` has `commit` in its history.
pub(super) fn contains(
    git: &GitRepository,
    descendant: CommitId,
    commit: CommitId,
) -> Result<bool, YardError> {
    if descendant == commit {
        return Ok(true);
    }
    match git.graph_descendant_of(descendant, commit) {
        Ok(yes) => Ok(yes),
        // A shallow clone ends before; then it can't be told, and is not taken for granted.
        Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
        Err(error) => Err(YardError::git("compare two branches")(error)),
    }
}

/// The tree of both, merged; `None` if they conflict or have no history in common.
fn merged(git: &GitRepository, base: CommitId, tip: CommitId) -> Result<Option<Oid>, YardError> {
    let failed = || YardError::git("merge two branches");
    match git.merge_base(base, tip) {
        Ok(_) => {}
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(failed()(error)),
    }
    let ours = git.find_commit(base).map_err(failed())?;
    let theirs = git.find_commit(tip).map_err(failed())?;
    let mut options = MergeOptions::new();
    options.fail_on_conflict(true);
    let mut index = match git.merge_commits(&ours, &theirs, Some(&options)) {
        Ok(index) if !index.has_conflicts() => index,
        Ok(_) => return Ok(None),
        Err(error) if error.code() == ErrorCode::MergeConflict => return Ok(None),
        Err(error) => return Err(failed()(error)),
    };
    index.write_tree_to(git).map(Some).map_err(failed())
}
