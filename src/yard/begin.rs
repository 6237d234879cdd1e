//! Where a yard can begin, and its first commit.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, IndexEntry, Repository as GitRepository, RepositoryOpenFlags};
use jiff::Timestamp;

use super::change::{for_writing, move_branch, write_commit};
use super::discover::unreadable;
use super::identity::Identity;
use super::{CommitId, Yard, YardError};

/// What git has at a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// No repository, there or above.
    Free,
    /// The root of a repository's work tree.
    Root,
    /// A folder within a repository.
    Inside {
        /// The repository's root.
        repository: PathBuf,
    },
    /// A repository without a work tree, or a folder within one.
    Bare {
        /// The repository.
        repository: PathBuf,
    },
}

/// What became of a new yard's files in git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstCommit {
    /// They are the repository's first commit, on this branch.
    Made {
        /// The commit.
        commit: CommitId,
        /// The branch, without `refs/heads/`.
        branch: String,
    },
    /// The repository has commits, or something staged, of its own: committing is left to its
    /// owner.
    LeftToOwner,
    /// Git does not know who would commit.
    NoIdentity,
}

/// Tells what git has at `folder`, which need not be there.
///
/// # Errors
/// [`YardError::NotOwned`] or [`YardError::Unreadable`] for a repository that can't be opened.
pub fn survey(folder: &Path) -> Result<Ground, YardError> {
    let Some(there) = folder.ancestors().find(|above| above.is_dir()) else {
        return Ok(Ground::Free);
    };
    let no_ceiling: [&Path; 0] = [];
    let flags = RepositoryOpenFlags::CROSS_FS;
    let git = match GitRepository::open_ext(there, flags, no_ceiling) {
        Ok(git) => git,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(Ground::Free),
        Err(error) => return Err(unreadable(there, error)),
    };
    let tidy = |path: &Path| path.components().collect::<PathBuf>();
    Ok(match git.workdir() {
        None => Ground::Bare {
            repository: tidy(git.path()),
        },
        Some(root) if is_same(root, folder) => Ground::Root,
        Some(root) => Ground::Inside {
            repository: tidy(root),
        },
    })
}

/// Whether git would leave the new file `path` out of the yard.
///
/// # Errors
/// If git's ignore files can't be read.
pub fn is_ignored(yard: &Yard, path: &str) -> Result<bool, YardError> {
    let ignored = yard.git().is_path_ignored(path);
    ignored.map_err(YardError::git("read .gitignore"))
}

/// Makes the files at `paths` the first commit of a repository that has none, and nothing else
/// staged.
///
/// They are staged first and the branch is made last: whoever is killed before leaves a
/// repository without commits, in which this can be done again.
///
/// # Errors
/// If git can't write, or can't sign where it is set up to.
pub fn first_commit(
    yard: &Yard,
    paths: &[&str],
    message: &str,
    now: Timestamp,
) -> Result<FirstCommit, YardError> {
    let git = for_writing(yard)?;
    let Some(branch) = unborn_branch(&git)? else {
        return Ok(FirstCommit::LeftToOwner);
    };
    let mut index = git.index().map_err(YardError::git("read the index"))?;
    let is_ours = |entry: &IndexEntry| paths.iter().any(|path| path.as_bytes() == entry.path);
    if !index.iter().all(|entry| is_ours(&entry)) {
        return Ok(FirstCommit::LeftToOwner);
    }
    if matches!(Identity::of(&git, now), Err(YardError::NoIdentity)) {
        return Ok(FirstCommit::NoIdentity);
    }
    let failed = || YardError::git("write the new files");
    for path in paths {
        index.add_path(Path::new(path)).map_err(failed())?;
    }
    let tree = index.write_tree().map_err(failed())?;
    let tree = git.find_tree(tree).map_err(failed())?;
    let commit = write_commit(&git, &tree, &[], message, now)?;
    index.write().map_err(failed())?;
    move_branch(&git, &branch, None, commit)?;
    Ok(FirstCommit::Made { commit, branch })
}

/// The branch that the first commit would make, in a repository that has no branch at all.
fn unborn_branch(git: &GitRepository) -> Result<Option<String>, YardError> {
    let failed = || YardError::git("read its branches");
    if git.references().map_err(failed())?.next().is_some() {
        return Ok(None);
    }
    let head = git.find_reference("HEAD").map_err(failed())?;
    let target = head.symbolic_target().map_err(failed())?;
    let branch = target.and_then(|target| target.strip_prefix("refs/heads/"));
    Ok(branch.map(str::to_owned))
}

fn is_same(one: &Path, two: &Path) -> bool {
    match (one.canonicalize(), two.canonicalize()) {
        (Ok(one), Ok(two)) => one == two,
        _ => false,
    }
}
