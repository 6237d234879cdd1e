//! From a folder or a URL to an opened yard.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use git2::{ErrorCode, Repository as GitRepository, RepositoryInitOptions, RepositoryOpenFlags};
use tempfile::TempDir;

use super::error::YardError;
use super::{CommitId, Depth, Inner, Revision, YARD_FILE, Yard, remote};
use crate::platform::atomic::{self, FileError};
use crate::platform::redact::printable;

/// What main is called where neither a remote nor git's configuration says otherwise.
const MAIN: &str = "main";

impl Yard {
    /// Opens the yard that `start` is in: the first git repository from there upwards with a
    /// `modelyard.yaml` at its root, in the work tree, at HEAD or on main.
    ///
    /// A bare repository is fine for reading; a linked work tree and a submodule are as good as
    /// any.
    ///
    /// # Errors
    /// [`YardError::NoRepository`], [`YardError::NoYard`], [`YardError::NotOwned`], or
    /// [`YardError::Unreadable`].
    pub fn discover(start: &Path) -> Result<Self, YardError> {
        let start = absolute(start)?;
        let mut no_yard = None;
        for folder in start.ancestors() {
            let Some(repository) = open(folder)? else {
                continue;
            };
            let yard = Self::opened(repository, None);
            if yard.has_yard_file()? {
                return Ok(yard);
            }
            no_yard.get_or_insert(yard.place());
        }
        Err(match no_yard {
            Some(place) => YardError::NoYard { place },
            None => YardError::NoRepository {
                place: shown(&start),
            },
        })
    }

    /// Fetches the main branch of the yard at `url` (a URL, `git@host:path` or a path) into a
    /// temporary folder that is gone when the last clone of this is dropped.
    ///
    /// # Errors
    /// [`YardError::Unreachable`], [`YardError::Unauthorized`], or [`YardError::NoYard`] if what
    /// is there is not a yard.
    pub fn fetched(url: &str, directory: &Path, depth: Depth) -> Result<Self, YardError> {
        let folder = tempfile::Builder::new()
            .prefix(atomic::TEMPORARY_PREFIX)
            .tempdir()
            .map_err(FileError::at("make a folder in", std::env::temp_dir()))?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).no_reinit(true).external_template(false);
        let repository = GitRepository::init_opts(folder.path(), &options)
            .map_err(YardError::git("make a repository to fetch into"))?;
        remote::fetch_all_of_main(&repository, url, directory, depth)?;
        let yard = Self::opened(repository, Some((url.to_owned(), folder)));
        if yard.has_yard_file()? {
            return Ok(yard);
        }
        Err(YardError::NoYard {
            place: yard.place(),
        })
    }

    /// Opens the repository whose root `folder` is, yard or not yet, or makes one there with the
    /// branch `main`; for what makes a yard of it.
    ///
    /// # Errors
    /// [`YardError::NotOwned`], [`YardError::Unreadable`], or that no repository can be made.
    pub fn create(folder: &Path) -> Result<Self, YardError> {
        let folder = absolute(folder)?;
        if let Some(repository) = open(&folder)? {
            return Ok(Self::opened(repository, None));
        }
        let mut options = RepositoryInitOptions::new();
        options.no_reinit(true).initial_head(MAIN);
        let repository = GitRepository::init_opts(&folder, &options)
            .map_err(YardError::git("make a repository here"))?;
        Ok(Self::opened(repository, None))
    }

    fn opened(repository: GitRepository, fetched: Option<(String, TempDir)>) -> Self {
        let work_tree = repository.workdir().map(Path::to_owned);
        let place = work_tree.as_deref().unwrap_or(repository.path());
        // libgit2 ends folders with a slash; people don't.
        let place: PathBuf = place.components().collect();
        Self {
            inner: Arc::new(Inner {
                place,
                work_tree: work_tree.map(|folder| folder.components().collect()),
                repository: Mutex::new(repository),
                fetched,
            }),
            directly: false,
            cache: None,
        }
    }

    /// The same repository by a handle of its own, for work that must not keep others waiting.
    pub(super) fn reopened(&self) -> Result<GitRepository, YardError> {
        let path = self.git().path().to_owned();
        GitRepository::open(&path).map_err(|error| unreadable(&path, error))
    }

    fn has_yard_file(&self) -> Result<bool, YardError> {
        if let Some(work_tree) = self.work_tree()
            && work_tree.join(YARD_FILE).symlink_metadata().is_ok()
        {
            return Ok(true);
        }
        for revision in [Revision::Commit("HEAD".to_owned()), Revision::Main] {
            let git = self.git();
            let Some(commit) = self.find_commit(&git, &revision)? else {
                continue;
            };
            let tree = git.find_commit(commit).and_then(|commit| commit.tree());
            let tree = tree.map_err(|error| self.missing(&git, YARD_FILE, error))?;
            if tree.get_name(YARD_FILE).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The name of the main branch: what the remote's HEAD was when it was cloned, else `main`,
    /// git's `init.defaultBranch` or `master` where there is such a branch, else the one that
    /// is checked out.
    ///
    /// # Errors
    /// If git's references can't be read.
    pub fn main_branch(&self) -> Result<String, YardError> {
        main_branch(&self.git())
    }

    /// Whether there is a branch of this name, here or on the remote when it was last fetched.
    ///
    /// # Errors
    /// If git's configuration can't be read.
    pub fn has_branch(&self, branch: &str) -> Result<bool, YardError> {
        let git = self.git();
        let mut names = vec![format!("refs/heads/{branch}")];
        names.extend(remote::name(&git)?.map(|remote| format!("refs/remotes/{remote}/{branch}")));
        Ok(names.iter().any(|name| git.find_reference(name).is_ok()))
    }

    /// The commit that `revision` means; `None` for the work tree.
    ///
    /// # Errors
    /// [`YardError::UnknownRevision`], [`YardError::NoCommits`] or [`YardError::NoMainBranch`].
    pub fn commit_id(&self, revision: &Revision) -> Result<Option<CommitId>, YardError> {
        if *revision == Revision::WorkTree {
            return Ok(None);
        }
        let git = self.git();
        if let Some(commit) = self.find_commit(&git, revision)? {
            return Ok(Some(commit));
        }
        let place = self.place();
        Err(match revision {
            Revision::Commit(text) if text != "HEAD" => YardError::UnknownRevision {
                place,
                revision: text.clone(),
            },
            _ if git.head().is_err() => YardError::NoCommits { place },
            _ => YardError::NoMainBranch {
                branch: main_branch(&git)?,
                place,
            },
        })
    }

    /// The newest commit that both come from; `None` where there is none, or in the work tree's
    /// case that of HEAD.
    ///
    /// # Errors
    /// As [`Yard::commit_id`]; [`YardError::ObjectMissing`] if a shallow clone has too little
    /// history to tell.
    pub fn merge_base(
        &self,
        one: &Revision,
        two: &Revision,
    ) -> Result<Option<CommitId>, YardError> {
        let commit = |revision: &Revision| match revision {
            Revision::WorkTree => self.commit_id(&Revision::Commit("HEAD".to_owned())),
            other => self.commit_id(other),
        };
        let (Some(one), Some(two)) = (commit(one)?, commit(two)?) else {
            return Ok(None);
        };
        let git = self.git();
        match git.merge_base(one, two) {
            Ok(base) => Ok(Some(base)),
            Err(error) if error.code() == ErrorCode::NotFound && git.is_shallow() => {
                Err(YardError::ObjectMissing {
                    place: self.place(),
                    kind: "shallow",
                    needed: "finding where the branch left main".to_owned(),
                })
            }
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(YardError::git("find where two branches part")(error)),
        }
    }

    pub(super) fn find_commit(
        &self,
        git: &GitRepository,
        revision: &Revision,
    ) -> Result<Option<CommitId>, YardError> {
        match revision {
            Revision::WorkTree => Ok(None),
            Revision::Main => main_commit(git),
            Revision::Commit(text) => {
                let object = git.revparse_single(text);
                let commit = object.and_then(|object| object.peel_to_commit());
                Ok(commit.ok().map(|commit| commit.id()))
            }
        }
    }
}

/// The repository whose root or git folder `folder` is.
fn open(folder: &Path) -> Result<Option<GitRepository>, YardError> {
    let none: [&Path; 0] = [];
    match GitRepository::open_ext(folder, RepositoryOpenFlags::NO_SEARCH, none) {
        Ok(repository) => Ok(Some(repository)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(unreadable(folder, error)),
    }
}

pub(super) fn unreadable(folder: &Path, error: git2::Error) -> YardError {
    let place = shown(folder);
    match error.code() {
        ErrorCode::Owner => YardError::NotOwned { place },
        _ => YardError::Unreadable {
            place,
            source: error.into(),
        },
    }
}

pub(super) fn main_branch(git: &GitRepository) -> Result<String, YardError> {
    if let Some(remote) = remote::name(git)? {
        let head = git.find_reference(&format!("refs/remotes/{remote}/HEAD"));
        let prefix = format!("refs/remotes/{remote}/");
        if let Ok(head) = head
            && let Ok(Some(target)) = head.symbolic_target()
            && let Some(branch) = target.strip_prefix(&prefix)
        {
            return Ok(branch.to_owned());
        }
        if git.find_reference(&format!("{prefix}{MAIN}")).is_ok() {
            return Ok(MAIN.to_owned());
        }
    }
    let configured = git
        .config()
        .and_then(|config| config.get_string("init.defaultBranch"));
    let candidates = [
        MAIN.to_owned(),
        configured.unwrap_or_default(),
        "master".to_owned(),
    ];
    for candidate in candidates {
        if git
            .find_reference(&format!("refs/heads/{candidate}"))
            .is_ok()
        {
            return Ok(candidate);
        }
    }
    let head = git.find_reference("HEAD");
    let target = head
        .as_ref()
        .ok()
        .and_then(|head| head.symbolic_target().ok().flatten());
    let branch = target.and_then(|target| target.strip_prefix("refs/heads/"));
    Ok(branch.unwrap_or(MAIN).to_owned())
}

/// The tip of main: the remote's as last fetched where there is one, else the local one.
pub(super) fn main_commit(git: &GitRepository) -> Result<Option<CommitId>, YardError> {
    let branch = main_branch(git)?;
    if let Some(remote) = remote::name(git)?
        && let Ok(commit) = git.refname_to_id(&format!("refs/remotes/{remote}/{branch}"))
    {
        return Ok(Some(commit));
    }
    Ok(git.refname_to_id(&format!("refs/heads/{branch}")).ok())
}

fn absolute(folder: &Path) -> Result<PathBuf, YardError> {
    let folder = folder
        .canonicalize()
        .map_err(FileError::at("find", folder))?;
    Ok(folder)
}

fn shown(folder: &Path) -> String {
    let folder: PathBuf = folder.components().collect();
    printable(&folder.display().to_string())
}
