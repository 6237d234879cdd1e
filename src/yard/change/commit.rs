//! From files to a commit, and a branch moved to it.

use std::io::Write;
use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{
    Commit, ConfigLevel, ErrorCode, FileMode, ObjectType, Oid, Repository as GitRepository, Tree,
};
use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::super::error::YardError;
use super::super::identity::Identity;
use super::super::push::{self, Pushed};
use super::super::remote::Mirrored;
use super::super::signing::Signer;
use super::super::{CommitId, Yard};
use super::{Change, Committed};
use crate::platform::atomic::FileError;

/// What a new branch's log says.
const REFLOG: &str = "modelyard: commit";

impl Change {
    pub(super) fn commit_on_branch(
        &self,
        message: &str,
        now: Timestamp,
    ) -> Result<Committed, YardError> {
        let git = for_writing(&self.yard)?;
        let Some(commit) = self.make(&git, message, now)? else {
            return Ok(self.unchanged());
        };
        if let Some(place) = checked_out(&git, self.branch())? {
            return Err(YardError::CheckedOut {
                branch: self.branch().to_owned(),
                place,
            });
        }
        move_branch(&git, self.branch(), self.start.local, commit)?;
        Ok(self.committed(commit))
    }

    pub(super) fn push_branch(&self, committed: &Committed) -> Result<Option<Pushed>, YardError> {
        let Some((remote, there)) = &self.start.remote else {
            return Ok(None);
        };
        let git = self.yard.reopened()?;
        let what = push::Push {
            remote,
            reference: Mirrored::branch(remote, self.branch()),
            commit: committed.commit,
            expected: *there,
        };
        what.run(&git, &self.yard).map(Some)
    }

    pub(super) fn committed(&self, commit: CommitId) -> Committed {
        Committed {
            branch: self.branch().to_owned(),
            commit,
            base: self.start.base,
            main: self.start.main.clone(),
            unchanged: false,
        }
    }

    /// The branch, or main, has it already.
    pub(super) fn unchanged(&self) -> Committed {
        Committed {
            unchanged: true,
            ..self.committed(self.start.parents[0])
        }
    }

    /// Writes the commit's objects, and gives its id; `None` if nothing changes.
    pub(super) fn make(
        &self,
        git: &GitRepository,
        message: &str,
        now: Timestamp,
    ) -> Result<Option<CommitId>, YardError> {
        let begun = git
            .find_tree(self.start.tree)
            .map_err(YardError::git("read a commit"))?;
        let tree = self.write_tree(git, &begun)?;
        if tree == self.start.tree {
            return Ok(None);
        }
        let failed = || YardError::git("write a commit");
        let tree = git.find_tree(tree).map_err(failed())?;
        let parents: Result<Vec<_>, _> = self
            .start
            .parents
            .iter()
            .map(|parent| git.find_commit(*parent))
            .collect();
        let parents = parents.map_err(failed())?;
        let parents: Vec<_> = parents.iter().collect();
        write_commit(git, &tree, &parents, message, now).map(Some)
    }

    fn write_tree(&self, git: &GitRepository, begun: &Tree<'_>) -> Result<Oid, YardError> {
        let mut update = TreeUpdateBuilder::new();
        for (path, bytes) in &self.files {
            let entry = begun.get_path(Path::new(path)).ok();
            match bytes {
                Some(bytes) => {
                    let blob = git.blob(bytes).map_err(YardError::git("write a file"))?;
                    let executable = entry.is_some_and(|entry| entry.filemode() == 0o100_755);
                    let mode = if executable {
                        FileMode::BlobExecutable
                    } else {
                        FileMode::Blob
                    };
                    update.upsert(path.as_str(), blob, mode);
                }
                None if entry.is_some() => {
                    update.remove(path.as_str());
                }
                None => {}
            }
        }
        update
            .create_updated(git, begun)
            .map_err(YardError::git("write the changed files"))
    }
}

/// A handle whose objects and references are flushed to the disk as they are written, as git's
/// own are; libgit2 does so only when its configuration says it.
pub(in crate::yard) fn for_writing(yard: &Yard) -> Result<GitRepository, YardError> {
    let git = yard.reopened()?;
    let failed = |error| FileError::at("write in", std::env::temp_dir())(error);
    let mut file = NamedTempFile::new().map_err(failed)?;
    file.write_all(b"[core]\n\tfsyncObjectFiles = true\n")
        .map_err(failed)?;
    git.config()
        .and_then(|mut config| config.add_file(file.path(), ConfigLevel::App, true))
        .map_err(YardError::git("read its configuration"))?;
    Ok(git)
}

/// Writes a commit, signed where git is set up to sign; no branch is moved to it.
pub(in crate::yard) fn write_commit(
    git: &GitRepository,
    tree: &Tree<'_>,
    parents: &[&Commit<'_>],
    message: &str,
    now: Timestamp,
) -> Result<CommitId, YardError> {
    let identity = Identity::of(git, now)?;
    write_commit_of(git, &identity, tree, parents, message)
}

/// The same for somebody who is known already.
pub(in crate::yard) fn write_commit_of(
    git: &GitRepository,
    Identity { author, committer }: &Identity,
    tree: &Tree<'_>,
    parents: &[&Commit<'_>],
    message: &str,
) -> Result<CommitId, YardError> {
    let failed = || YardError::git("write a commit");
    let message = format!("{}\n", message.trim_end());
    let content = git
        .commit_create_buffer(author, committer, &message, tree, parents)
        .map_err(failed())?;
    let commit = match Signer::of(git, committer)? {
        // Not `git.commit`: in libgit2 1.9 it succeeds on a full disk, where it wrote nothing.
        None => {
            let objects = git.odb();
            objects.and_then(|objects| objects.write(ObjectType::Commit, &content))
        }
        Some(signer) => {
            let content = String::from_utf8_lossy(&content).into_owned();
            git.commit_signed(&content, &signer.sign(&content)?, None)
        }
    };
    commit.map_err(failed())
}

/// Moves the branch to `commit`, if it still is at `from`.
pub(in crate::yard) fn move_branch(
    git: &GitRepository,
    branch: &str,
    from: Option<CommitId>,
    commit: CommitId,
) -> Result<(), YardError> {
    move_reference(git, &format!("refs/heads/{branch}"), from, commit)
}

/// The same for a reference by its whole name.
pub(in crate::yard) fn move_reference(
    git: &GitRepository,
    name: &str,
    from: Option<CommitId>,
    commit: CommitId,
) -> Result<(), YardError> {
    let moved = match from {
        Some(from) => git.reference_matching(name, commit, true, from, REFLOG),
        None => git.reference(name, commit, false, REFLOG),
    };
    match moved {
        Ok(_) => Ok(()),
        Err(error)
            if matches!(
                error.code(),
                ErrorCode::Modified | ErrorCode::Exists | ErrorCode::NotFound
            ) =>
        {
            let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
            Err(YardError::Busy {
                branch: branch.to_owned(),
            })
        }
        Err(error) => Err(YardError::git("move the branch")(error)),
    }
}

/// The work tree, of this repository or linked to it, that has `branch` checked out.
pub(super) fn checked_out(git: &GitRepository, branch: &str) -> Result<Option<String>, YardError> {
    let name = format!("refs/heads/{branch}");
    let failed = || YardError::git("read its work trees");
    let mut repositories = Vec::new();
    // The main work tree, should this be a linked one.
    if let Ok(main) = GitRepository::open(git.commondir()) {
        for linked in main.worktrees().map_err(failed())?.iter() {
            let Ok(Some(linked)) = linked else { continue };
            let opened = main
                .find_worktree(linked)
                .and_then(|linked| GitRepository::open_from_worktree(&linked));
            // One whose folder is gone shows nothing to anybody.
            repositories.extend(opened);
        }
        repositories.push(main);
    }
    for repository in &repositories {
        let (Some(folder), Ok(head)) = (repository.workdir(), repository.find_reference("HEAD"))
        else {
            continue;
        };
        if head.symbolic_target().ok().flatten() == Some(name.as_str()) {
            let folder: PathBuf = folder.components().collect();
            return Ok(Some(folder.display().to_string()));
        }
    }
    Ok(None)
}
