//! The code of each error, what to do about it, and whether trying again may help.

use super::YardError;
use crate::platform::retry::Retryable;
use crate::record::{Class, Code, Fault};
use crate::yard::codes;

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
            Self::ReviewWanted { .. } => &codes::REVIEW_WANTED,
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
            Self::ReviewWanted { .. } => {
                "leave out --direct; who may change the yard's rule does so by `publish: {mode: \
                 direct}` in modelyard.yaml"
                    .to_owned()
            }
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
            Self::Git { source, .. } => source.way_out().to_owned(),
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
