//! What can go wrong between us and git.
//!
//! `way_out` tells what a person can do about each; `said` holds what git itself says of it.

mod instead;
mod said;
mod way_out;

use git2::ErrorCode;

pub use instead::Instead;
pub(super) use said::GitError;

use crate::platform::atomic::FileError;
use crate::platform::redact::printable;

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
        what: Instead,
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
    /// Somebody would go past the review that the yard asks for.
    #[error("{place} wants changes to come by pull requests")]
    ReviewWanted {
        /// The repository.
        place: String,
    },
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

impl YardError {
    /// Wraps what libgit2 said of `doing`; for `map_err`.
    pub(in crate::yard) fn git(doing: &'static str) -> impl FnOnce(git2::Error) -> Self {
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
