//! What can go wrong between us and git, and the way out of each.

use git2::ErrorCode;

use super::codes;
use crate::platform::atomic::FileError;
use crate::platform::redact::{self, printable};
use crate::platform::retry::Retryable;
use crate::record::{Class, Code, Fault};

/// Why a yard could not be read or changed. Nothing is lost by any of them.
#[derive(Debug, thiserror::Error)]
pub enum YardError {
    /// No git repository from the folder upwards.
    #[error("{place} is not in a git repository")]
    NoRepository {
        /// Where the search began.
        place: String,
    },
    /// A repository, but no yard.
    #[error("{place} has no modelyard.yaml at its root, so it is not a yard")]
    NoYard {
        /// The repository.
        place: String,
    },
    /// Git trusts only repositories of the user who runs it.
    #[error("{place} belongs to another user, so git does not trust it")]
    NotOwned {
        /// The repository.
        place: String,
    },
    /// A repository that libgit2 can't open.
    #[error("{place} can't be opened as a git repository")]
    Unreadable {
        /// The repository.
        place: String,
        /// What libgit2 said.
        #[source]
        source: GitError,
    },
    /// The work tree was asked for where there is none.
    #[error("{place} has no work tree")]
    NoWorkTree {
        /// The repository.
        place: String,
    },
    /// Nothing was ever committed.
    #[error("{place} has no commits yet")]
    NoCommits {
        /// The repository.
        place: String,
    },
    /// There are commits, but no main branch to stand on.
    #[error("{place} has no branch `{branch}`")]
    NoMainBranch {
        /// The repository.
        place: String,
        /// The branch that was looked for.
        branch: String,
    },
    /// Git knows no commit by this name.
    #[error("{place} has no commit `{}`", printable(revision))]
    UnknownRevision {
        /// The repository.
        place: String,
        /// The name.
        revision: String,
    },
    /// A shallow or partial clone lacks what is needed.
    #[error("{place} is a {kind} clone and lacks what {needed} needs")]
    ObjectMissing {
        /// The repository.
        place: String,
        /// `shallow` or `partial`.
        kind: &'static str,
        /// What was to be done.
        needed: String,
    },
    /// A symbolic link, a folder or a submodule where a file is meant.
    #[error("{} is {what}, not a file", printable(path))]
    NotAFile {
        /// Its path in the yard.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// A file over the bound of what is read.
    #[error(
        "{} has {size_bytes} bytes; at most {limit_bytes} are read",
        printable(path)
    )]
    FileTooLarge {
        /// Its path in the yard.
        path: String,
        /// Its size.
        size_bytes: u64,
        /// The bound.
        limit_bytes: u64,
    },
    /// A path that is not one below the yard's root.
    #[error("`{}` is not a path in a yard: {reason}", printable(path))]
    BadPath {
        /// The path as it was given.
        path: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A relative layout without a work tree to resolve it against.
    #[error("the store {store} is a folder beside the yard's files, and {place} has none here")]
    RelativeStore {
        /// The store as the yard names it.
        store: String,
        /// The yard.
        place: String,
    },
    /// Nobody to commit as.
    #[error("git does not know who you are, so nothing can be committed")]
    NoIdentity,
    /// Git is set up to sign commits, and it did not work.
    #[error("git is set up to sign commits, but {reason}")]
    NotSigned {
        /// What happened.
        reason: String,
        /// What the program said.
        said: String,
    },
    /// Somebody looks at the branch in a work tree.
    #[error("the branch {branch} is checked out in {place}")]
    CheckedOut {
        /// The branch.
        branch: String,
        /// The work tree.
        place: String,
    },
    /// Somebody else's commits are on the branch.
    #[error("the branch {branch} {what}")]
    OtherWork {
        /// The branch.
        branch: String,
        /// Whose, or of what kind.
        what: String,
        /// The remote's name, where the branch is there.
        remote: Option<String>,
    },
    /// A branch whose name takes the place of a folder of branches.
    #[error(
        "the branch {branch} can't be made beside the branch `{}`",
        printable(other)
    )]
    BranchInTheWay {
        /// The branch.
        branch: String,
        /// The one that is in the way.
        other: String,
    },
    /// Another process or person was faster; the same files can be tried on what is now.
    #[error("{branch} moved on while this change was made")]
    Busy {
        /// The branch.
        branch: String,
    },
    /// Somebody else changed the same files in the meantime.
    #[error("somebody else changed on {branch} what this changes{}", files(paths))]
    ChangedMeanwhile {
        /// The branch.
        branch: String,
        /// The files that both changed.
        paths: Vec<String>,
    },
    /// The checked-out main can't take the change without losing something.
    #[error(
        "{place} has changes of its own that are not committed{}",
        files(paths)
    )]
    LocalChanges {
        /// The work tree.
        place: String,
        /// The files in the way, where they are known.
        paths: Vec<String>,
    },
    /// The local main has commits that the remote's lacks.
    #[error("your {branch} has commits that {remote}/{branch} has not")]
    MainDiverged {
        /// The branch.
        branch: String,
        /// The remote.
        remote: String,
    },
    /// A remote on which nothing can be proposed.
    #[error("{url} has no branch `{branch}` yet")]
    RemoteHasNoMain {
        /// The remote, without credentials.
        url: String,
        /// The branch that was looked for.
        branch: String,
        /// The remote's name.
        remote: String,
    },
    /// The remote did not answer, or not as a git server does.
    #[error("can't reach {url}")]
    Unreachable {
        /// The remote, without credentials.
        url: String,
        /// Whether it may be there in a moment: not a folder, and no answer that says no.
        transient: bool,
        /// What libgit2 said.
        #[source]
        source: GitError,
    },
    /// The remote wants to know who asks, or this user may not.
    #[error("{url} does not let you in")]
    Unauthorized {
        /// The remote, without credentials.
        url: String,
        /// What libgit2 said.
        #[source]
        source: GitError,
    },
    /// A hook or a rule of the remote said no.
    #[error("{url} refused {branch}: {}", printable(reason))]
    Refused {
        /// The remote, without credentials.
        url: String,
        /// The branch that was pushed.
        branch: String,
        /// What it said of the branch.
        reason: String,
        /// What it said besides: a hook's words.
        said: String,
        /// Whether the commit is on the local branch of that name.
        kept: bool,
    },
    /// A folder as remote, and no git to run its hooks.
    #[error("can't push to {url} without the program `git`")]
    NoGitProgram {
        /// The remote.
        url: String,
    },
    /// Another git process is at work, or one was killed and left its lock.
    #[error("git can't {doing}: another git process holds a lock")]
    Locked {
        /// What was being done, as a verb.
        doing: &'static str,
        /// What libgit2 said: which file.
        #[source]
        source: GitError,
    },
    /// Something else in libgit2.
    #[error("git can't {doing}")]
    Git {
        /// What was being done, as a verb.
        doing: &'static str,
        /// What libgit2 said.
        #[source]
        source: GitError,
    },
    /// A file of the work tree.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What git said, without credentials and control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GitError {
    /// What git said.
    pub message: String,
}

impl GitError {
    /// `text` with `url`, should it stand there, as it may be shown.
    pub(super) fn about(url: &str, text: &str) -> Self {
        let text = if url.is_empty() {
            text.to_owned()
        } else {
            text.replace(url, &redact::remote(url))
        };
        Self {
            message: printable(text.trim()),
        }
    }
}

impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        Self::about("", error.message())
    }
}

impl YardError {
    /// Wraps what libgit2 said of `doing`; for `map_err`.
    pub(super) fn git(doing: &'static str) -> impl FnOnce(git2::Error) -> Self {
        move |error| match error.code() {
            ErrorCode::Locked => Self::Locked {
                doing,
                source: error.into(),
            },
            _ => Self::Git {
                doing,
                source: error.into(),
            },
        }
    }
}

/// `: a, b and 3 more`, or nothing.
fn files(paths: &[String]) -> String {
    const SHOWN: usize = 3;
    if paths.is_empty() {
        return String::new();
    }
    let shown: Vec<_> = paths
        .iter()
        .take(SHOWN)
        .map(|path| printable(path))
        .collect();
    let more = match paths.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(": {}{more}", shown.join(", "))
}

impl Fault for YardError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoRepository { .. } => &codes::NO_REPOSITORY,
            Self::NoYard { .. } => &codes::NO_YARD,
            Self::NotOwned { .. } => &codes::REPOSITORY_NOT_OWNED,
            Self::Unreadable { .. } => &codes::REPOSITORY_UNREADABLE,
            Self::NoWorkTree { .. } => &codes::NO_WORK_TREE,
            Self::NoCommits { .. } => &codes::NO_COMMITS,
            Self::NoMainBranch { .. } => &codes::NO_MAIN_BRANCH,
            Self::UnknownRevision { .. } => &codes::UNKNOWN_REVISION,
            Self::ObjectMissing { .. } => &codes::OBJECT_MISSING,
            Self::NotAFile { .. } => &codes::NOT_A_FILE,
            Self::FileTooLarge { .. } => &codes::FILE_TOO_LARGE,
            Self::BadPath { .. } => &codes::BAD_PATH,
            Self::RelativeStore { .. } => &codes::RELATIVE_STORE,
            Self::NoIdentity => &codes::NO_IDENTITY,
            Self::NotSigned { .. } => &codes::COMMIT_NOT_SIGNED,
            Self::CheckedOut { .. } => &codes::BRANCH_CHECKED_OUT,
            Self::OtherWork { .. } => &codes::BRANCH_HAS_OTHER_WORK,
            Self::BranchInTheWay { .. } => &codes::BRANCH_IN_THE_WAY,
            Self::Busy { .. } => &codes::BRANCH_MOVED_ON,
            Self::ChangedMeanwhile { .. } => &codes::CHANGED_MEANWHILE,
            Self::LocalChanges { .. } => &codes::LOCAL_CHANGES,
            Self::MainDiverged { .. } => &codes::MAIN_DIVERGED,
            Self::RemoteHasNoMain { .. } => &codes::REMOTE_HAS_NO_MAIN,
            Self::Unreachable { .. } => &codes::REMOTE_UNREACHABLE,
            Self::Unauthorized { .. } => &codes::REMOTE_UNAUTHORIZED,
            Self::Refused { .. } => &codes::PUSH_REFUSED,
            Self::NoGitProgram { .. } => &codes::NO_GIT_PROGRAM,
            Self::Locked { .. } => &codes::GIT_LOCKED,
            Self::Git { .. } => &codes::GIT_FAILED,
            Self::File(file) => file.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoRepository { .. } => "go to a yard's folder, name one with `-C FOLDER`, or \
                make one here with `modelyard init`"
                .to_owned(),
            Self::NoYard { .. } => "make it one with `modelyard init`".to_owned(),
            Self::NotOwned { place } => {
                format!("if you trust it: git config --global --add safe.directory '{place}'")
            }
            Self::Unreadable { .. } => "see what `git fsck` says; a repository of another \
                format (SHA-256, reftable) can't be read yet"
                .to_owned(),
            Self::NoWorkTree { .. } => {
                "name a commit instead, or work in a clone: git clone …".to_owned()
            }
            Self::NoCommits { .. } => {
                "begin with `modelyard init`, or commit what is there".to_owned()
            }
            Self::NoMainBranch { branch, .. } => format!(
                "make it with `git branch {branch} COMMIT`, or say which branch is main with \
                 `git config init.defaultBranch NAME`"
            ),
            Self::UnknownRevision { .. } => {
                "`git log --oneline --all` shows what there is; `git fetch` brings more".to_owned()
            }
            Self::ObjectMissing { kind, .. } if *kind == "shallow" => {
                "fetch the rest with `git fetch --unshallow`".to_owned()
            }
            Self::ObjectMissing { .. } => {
                "fetch the rest with `git fetch --refetch --no-filter`".to_owned()
            }
            Self::NotAFile { .. } => "put a file there; links are never followed".to_owned(),
            Self::FileTooLarge { .. } => {
                "records are small; publish large files as part of an artifact".to_owned()
            }
            Self::BadPath { .. } => {
                "write it relative to the yard's root with `/`, without `.` and `..`".to_owned()
            }
            Self::RelativeStore { store, .. } => format!(
                "run it in a clone's work tree, where {store} lies, or name the layout's folder \
                 itself"
            ),
            Self::NoIdentity => "git config --global user.name 'Your Name'\n\
                git config --global user.email you@example.com"
                .to_owned(),
            Self::NotSigned { said, .. } => {
                let said = if said.is_empty() {
                    String::new()
                } else {
                    format!("{said}\n")
                };
                format!(
                    "{said}check user.signingKey and gpg.format, or leave signing with `git \
                     config commit.gpgSign false`"
                )
            }
            Self::CheckedOut { place, .. } => {
                format!("leave it first: git -C '{place}' switch -")
            }
            Self::OtherWork { branch, remote, .. } => match remote {
                Some(remote) => format!(
                    "merge it first, or delete it if it is not wanted: git push {remote} --delete \
                     {branch}; git branch -D {branch}"
                ),
                None => format!(
                    "merge it first, or delete it if it is not wanted: git branch -D {branch}"
                ),
            },
            Self::BranchInTheWay { other, .. } => format!(
                "git keeps branches in folders; rename that one: git branch -m {other} \
                 {other}-old"
            ),
            Self::Busy { .. } | Self::ChangedMeanwhile { .. } => {
                "run the same command again: it begins from what is there now".to_owned()
            }
            Self::LocalChanges { .. } => {
                "commit them, or put them aside with `git stash`, and run it again".to_owned()
            }
            Self::MainDiverged { branch, remote } => format!(
                "bring them together first: git pull --rebase {remote} {branch}; git push \
                 {remote} {branch}"
            ),
            Self::RemoteHasNoMain { branch, remote, .. } => {
                format!("push it first: git push -u {remote} {branch}")
            }
            Self::Unreachable { .. } => {
                "check the address with `git remote -v`, and the network".to_owned()
            }
            Self::Unauthorized { .. } => "log in as for `git push`: a credential helper \
                (`git config credential.helper`), GIT_ASKPASS, or a key in your SSH agent; and \
                check that you may write there"
                .to_owned(),
            Self::Refused {
                branch, said, kept, ..
            } => {
                let said = if said.is_empty() {
                    String::new()
                } else {
                    format!("the remote said:\n{said}\n")
                };
                if *kept {
                    format!(
                        "{said}your commit is kept on the local branch {branch}; run it again \
                         once the remote's rule is met"
                    )
                } else {
                    format!(
                        "{said}nothing was changed; where {branch} is protected, propose \
                         changes with `publish: {{mode: pull-request}}` in modelyard.yaml"
                    )
                }
            }
            Self::NoGitProgram { .. } => "install git: only it runs the hooks of a repository \
                in a folder"
                .to_owned(),
            Self::Locked { .. } => "try again in a moment; if no git is running there, one was \
                killed and left the lock: remove that file"
                .to_owned(),
            Self::Git { .. } => "see what `git fsck` and `git status` say".to_owned(),
            Self::File(file) => return file.help(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Busy { .. } | Self::Locked { .. } => Class::Transient,
            Self::Unreachable {
                transient: true, ..
            } => Class::Transient,
            Self::ChangedMeanwhile { .. } => Class::Blocked,
            Self::File(file) => file.class(),
            _ => Class::Permanent,
        }
    }
}

impl Retryable for YardError {}
