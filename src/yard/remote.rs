//! The remote that a yard is shared through: which it is, and what its branches are now.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use git2::{
    AutotagOption, Direction, ErrorClass, ErrorCode, FetchOptions, Oid, ProxyOptions,
    RemoteCallbacks, Repository as GitRepository,
};

use super::credentials::Credentials;
use super::discover;
use super::error::{GitError, YardError};
use super::{CommitId, Depth, Yard};
use crate::platform::redact;
use crate::record::absolute;

/// The remote of a yard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name in git's configuration, mostly `origin`.
    pub name: String,
    /// Where it is, without credentials.
    pub url: String,
}

/// What a remote's branches are at this moment.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    /// The name of its main branch.
    pub main_branch: String,
    /// The tip of its main branch; the commit is here.
    pub main: CommitId,
    /// The tip of the branch that was asked for, if it is there; then the commit is here.
    pub branch: Option<CommitId>,
}

impl Yard {
    /// The remote that the yard is shared through: main's upstream, else `origin`, else the only
    /// one; `None` where there is none.
    ///
    /// # Errors
    /// If git's configuration can't be read.
    pub fn remote(&self) -> Result<Option<Remote>, YardError> {
        let git = self.git();
        let Some(name) = name(&git)? else {
            return Ok(None);
        };
        let url = redact::remote(&url(&git, &name, Direction::Push)?);
        Ok(Some(Remote { name, url }))
    }

    /// Fetches the remote's main branch, if there is a remote.
    ///
    /// # Errors
    /// [`YardError::Unreachable`], [`YardError::Unauthorized`], [`YardError::RemoteHasNoMain`].
    pub fn fetch(&self) -> Result<(), YardError> {
        let git = self.reopened()?;
        if let Some(name) = name(&git)? {
            fetch(&git, &self.place(), &name, None)?;
        }
        Ok(())
    }
}

/// The name of the remote that counts.
pub(super) fn name(git: &GitRepository) -> Result<Option<String>, YardError> {
    let remotes = git.remotes().map_err(YardError::git("read its remotes"))?;
    let remotes: Vec<&str> = remotes.iter().filter_map(Result::ok).flatten().collect();
    let config = git
        .config()
        .map_err(YardError::git("read its configuration"))?;
    let upstream = config.get_string("branch.main.remote").ok();
    let named = [upstream.as_deref(), Some("origin")];
    for name in named.into_iter().flatten() {
        if remotes.contains(&name) {
            return Ok(Some(name.to_owned()));
        }
    }
    match remotes.as_slice() {
        [only] => Ok(Some((*only).to_owned())),
        _ => Ok(None),
    }
}

/// Where `remote` is, credentials and all, its `insteadOf` and `pushurl` heeded and a relative
/// path made absolute as git does: against the work tree.
pub(super) fn url(
    git: &GitRepository,
    remote: &str,
    direction: Direction,
) -> Result<String, YardError> {
    let remote = git
        .find_remote(remote)
        .map_err(YardError::git("read its remote"))?;
    let push = match direction {
        Direction::Push => remote.pushurl().ok().flatten(),
        Direction::Fetch => None,
    };
    let url = match push {
        Some(url) => url,
        None => remote.url().map_err(YardError::git("read its remote"))?,
    };
    let Some(path) = local_path(url).filter(|path| path.is_relative()) else {
        return Ok(url.to_owned());
    };
    let root = git.workdir().unwrap_or(git.path());
    Ok(absolute(root, &path).display().to_string())
}

/// The folder that `url` means, if it is one of this machine: git's rule is that a URL has a
/// scheme, or a colon before the first slash.
pub(super) fn local_path(url: &str) -> Option<PathBuf> {
    if let Some(path) = url.strip_prefix("file://") {
        return Some(PathBuf::from(path));
    }
    if url.contains("://") {
        return None;
    }
    let first = url.split('/').next().unwrap_or_default();
    let drive = cfg!(windows) && first.len() == 2;
    (!first.contains(':') || drive).then(|| PathBuf::from(url))
}

/// A connection to a remote, with the credentials that it was given.
pub(super) struct Line<'git> {
    pub(super) credentials: RefCell<Credentials<'git>>,
    pub(super) url: String,
    place: String,
}

impl<'git> Line<'git> {
    pub(super) fn new(git: &'git GitRepository, place: &str, url: String) -> Self {
        Self {
            credentials: RefCell::new(Credentials::new(git)),
            url,
            place: place.to_owned(),
        }
    }

    pub(super) fn callbacks(&self) -> RemoteCallbacks<'_> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.credentials(|url, user, allowed| {
            self.credentials.borrow_mut().answer(url, user, allowed)
        });
        callbacks
    }

    /// Sorts what libgit2 said by what helps against it.
    pub(super) fn failed(&self, error: git2::Error) -> YardError {
        let url = redact::remote(&self.url);
        let source = GitError::about(&self.url, error.message());
        let denied = ["401", "403"]
            .iter()
            .any(|status| error.class() == ErrorClass::Http && error.message().contains(status));
        let says = |status| source.message.contains(&format!("status code: {status}"));
        // Of those that say no, two say: not now.
        let refused = says("4") && !["408", "429"].into_iter().any(says);
        let no_git_server = source.message.contains("invalid content-type");
        let transient = local_path(&self.url).is_none() && !refused && !no_git_server;
        match error.code() {
            ErrorCode::Auth => YardError::Unauthorized { url, source },
            _ if denied => YardError::Unauthorized { url, source },
            ErrorCode::Owner => match local_path(&self.url) {
                Some(path) => discover::unreadable(&path, error),
                None => YardError::Unreachable {
                    url,
                    transient,
                    source,
                },
            },
            _ if error.class() == ErrorClass::Indexer => YardError::ObjectMissing {
                place: self.place.clone(),
                kind: "partial",
                needed: "fetching".to_owned(),
            },
            _ => YardError::Unreachable {
                url,
                transient,
                source,
            },
        }
    }
}

/// A fetch or push goes through the proxies that git and the environment name.
pub(super) fn proxy<'a>() -> ProxyOptions<'a> {
    let mut proxy = ProxyOptions::new();
    proxy.auto();
    proxy
}

/// Brings `name`'s main branch, and `branch` where it has one, into the tracking references.
///
/// What is here already is not fetched again, so that a clone that libgit2 can't fetch into (a
/// partial one) works once git has fetched.
pub(super) fn fetch(
    git: &GitRepository,
    place: &str,
    name: &str,
    branch: Option<&str>,
) -> Result<Fetched, YardError> {
    let line = Line::new(git, place, url(git, name, Direction::Fetch)?);
    let mut remote = git
        .remote_anonymous(&line.url)
        .map_err(|error| line.failed(error))?;
    let tips = tips(&mut remote, &line)?;
    let guess = discover::main_branch(git)?;
    let main_branch = match (tips.of(&guess), &tips.default_branch) {
        (None, Some(default)) => default.clone(),
        _ => guess,
    };
    let Some(main) = tips.of(&main_branch) else {
        return Err(YardError::RemoteHasNoMain {
            url: redact::remote(&line.url),
            branch: main_branch,
            remote: name.to_owned(),
        });
    };
    let branch_tip = branch.and_then(|branch| tips.of(branch));
    let wanted = [Some((main_branch.as_str(), main)), branch.zip(branch_tip)];
    let wanted = wanted.into_iter().flatten();
    let wanted = wanted.map(|(branch, tip)| (Mirrored::branch(name, branch), tip));
    bring(git, &mut remote, &line, wanted.collect())?;
    remember_head(git, name, &main_branch);
    Ok(Fetched {
        main_branch,
        main,
        branch: branch_tip,
    })
}

/// Brings those of the remote's references that `ours` has a name for here; what is here already
/// is not fetched again.
pub(super) fn fetch_others(
    git: &GitRepository,
    place: &str,
    url: String,
    ours: impl Fn(&str) -> Option<String>,
) -> Result<(), YardError> {
    let line = Line::new(git, place, url);
    let mut remote = git
        .remote_anonymous(&line.url)
        .map_err(|error| line.failed(error))?;
    let tips = tips(&mut remote, &line)?;
    let named = tips.references.into_iter().filter_map(|(theirs, tip)| {
        let ours = ours(&theirs)?;
        Some((Mirrored { theirs, ours }, tip))
    });
    bring(git, &mut remote, &line, named.collect())
}

/// Downloads what of `wanted` is not here yet.
fn bring(
    git: &GitRepository,
    remote: &mut git2::Remote<'_>,
    line: &Line<'_>,
    mut wanted: Vec<(Mirrored, Oid)>,
) -> Result<(), YardError> {
    wanted.retain(|(reference, tip)| {
        let tracked = git.refname_to_id(&reference.ours);
        tracked != Ok(*tip) || git.find_commit(*tip).is_err()
    });
    if wanted.is_empty() {
        return Ok(());
    }
    download(git, remote, line, &wanted, Depth::Everything)
}

/// Notes which branch is the remote's main where nobody has yet, as `git clone` does.
fn remember_head(git: &GitRepository, remote: &str, branch: &str) {
    let head = format!("refs/remotes/{remote}/HEAD");
    let target = format!("refs/remotes/{remote}/{branch}");
    // It is a hint: without it the same is found by asking the remote again.
    let _ = git.reference_symbolic(&head, &target, false, "fetch: the remote's main");
}

/// A reference of a remote, and the one here that is to say the same.
pub(super) struct Mirrored {
    pub(super) theirs: String,
    pub(super) ours: String,
}

impl Mirrored {
    /// A branch, where git itself notes what it is on a remote.
    pub(super) fn branch(remote: &str, branch: &str) -> Self {
        Self {
            theirs: format!("refs/heads/{branch}"),
            ours: format!("refs/remotes/{remote}/{branch}"),
        }
    }
}

struct Tips {
    default_branch: Option<String>,
    /// By their whole names.
    references: Vec<(String, Oid)>,
}

impl Tips {
    fn of(&self, branch: &str) -> Option<Oid> {
        let mut branches = self.branches();
        branches
            .find(|(name, _)| *name == branch)
            .map(|(_, tip)| tip)
    }

    fn branches(&self) -> impl Iterator<Item = (&str, Oid)> {
        self.references
            .iter()
            .filter_map(|(name, tip)| Some((name.strip_prefix("refs/heads/")?, *tip)))
    }
}

/// Asks a remote for its references, without fetching anything.
fn tips(remote: &mut git2::Remote<'_>, line: &Line<'_>) -> Result<Tips, YardError> {
    if let Some(folder) = local_path(&line.url).filter(|folder| !folder.exists()) {
        // libgit2 takes it for a URL of an unknown kind.
        return Err(YardError::Unreachable {
            url: redact::remote(&line.url),
            transient: false,
            source: GitError::about("", &format!("there is no folder {}", folder.display())),
        });
    }
    let connection = remote.connect_auth(Direction::Fetch, Some(line.callbacks()), Some(proxy()));
    let connection = connection.map_err(|error| line.failed(error))?;
    line.credentials.borrow_mut().worked();
    let heads = connection.list().map_err(|error| line.failed(error))?;
    let references = heads
        .iter()
        .map(|head| (head.name().to_owned(), head.oid()));
    let default = connection.default_branch().ok();
    let default = default.and_then(|name| name.as_str().ok().map(str::to_owned));
    Ok(Tips {
        references: references.collect(),
        default_branch: default
            .and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned)),
    })
}

/// Downloads what is wanted, and notes it. Not libgit2's `fetch`, which does both but doesn't tell
/// a lock that another process holds from a remote that is away.
fn download(
    git: &GitRepository,
    remote: &mut git2::Remote<'_>,
    line: &Line<'_>,
    wanted: &[(Mirrored, Oid)],
    depth: Depth,
) -> Result<(), YardError> {
    let mut options = FetchOptions::new();
    options
        .remote_callbacks(line.callbacks())
        .proxy_options(proxy())
        .download_tags(AutotagOption::None)
        .update_fetchhead(false);
    // libgit2 has no shallow fetch from a folder of this machine.
    if depth == Depth::Tip && local_path(&line.url).is_none() {
        options.depth(1);
    }
    let theirs = wanted
        .iter()
        .map(|(reference, _)| reference.theirs.as_str());
    let theirs: Vec<&str> = theirs.collect();
    remote
        .download(&theirs, Some(&mut options))
        .map_err(|error| line.failed(error))?;
    for (reference, tip) in wanted {
        git.reference(&reference.ours, *tip, true, "modelyard: fetch")
            .map_err(YardError::git("note what the remote has"))?;
    }
    Ok(())
}

/// Fetches the main branch at `url` into a fresh bare repository, whose HEAD then is it; a
/// relative path is one from `directory`.
pub(super) fn fetch_all_of_main(
    git: &GitRepository,
    url: &str,
    directory: &Path,
    depth: Depth,
) -> Result<(), YardError> {
    let url = match local_path(url) {
        Some(path) if path.is_relative() => absolute(directory, &path).display().to_string(),
        _ => url.to_owned(),
    };
    let line = Line::new(git, &redact::remote(&url), url);
    let mut remote = git
        .remote_anonymous(&line.url)
        .map_err(|error| line.failed(error))?;
    let tips = tips(&mut remote, &line)?;
    let no_main = |branch: String| YardError::RemoteHasNoMain {
        url: redact::remote(&line.url),
        branch,
        remote: redact::remote(&line.url),
    };
    let branches: Vec<_> = tips.branches().collect();
    let branch = match (&tips.default_branch, branches.as_slice()) {
        (Some(branch), _) => branch.clone(),
        (None, [(branch, _)]) => (*branch).to_owned(),
        _ => return Err(no_main("main".to_owned())),
    };
    let Some(tip) = tips.of(&branch) else {
        return Err(no_main(branch));
    };
    let head = format!("refs/heads/{branch}");
    let same = Mirrored {
        theirs: head.clone(),
        ours: head.clone(),
    };
    download(git, &mut remote, &line, &[(same, tip)], depth)?;
    git.set_head(&head)
        .map_err(YardError::git("say which branch is main"))
}
