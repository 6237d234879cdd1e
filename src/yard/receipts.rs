//! Receipts: what served in an environment, kept in git beside the records.
//!
//! ```text
//! refs/modelyard/receipts/<environment>            the receipts; on the remote by the same name
//! refs/modelyard/remote/receipts/<environment>     what the remote had when it was last asked
//! ```
//!
//! Each commit of such a reference is one receipt: its tree has one file, `receipt.json`, which
//! tells all that serves from then on, and its message says what changed. So
//! `git log refs/modelyard/receipts/factory` is readable without this program, and no database has
//! to be kept. Branches and pull requests know nothing of it.
//!
//! A receipt is written here first and pushed later: a remote that is away loses nothing. Where
//! another host wrote receipts of the same environment meanwhile, ours are put behind theirs.

use std::ops::ControlFlow;

use git2::{Direction, ErrorCode, Oid, Repository as GitRepository, Sort};
use jiff::Timestamp;

use super::change::{for_writing, move_reference, write_commit, write_commit_of};
use super::error::YardError;
use super::identity::Identity;
use super::push::Push;
use super::remote::{self, Mirrored};
use super::{CommitId, Yard};
use crate::record::Name;

const HERE: &str = "refs/modelyard/receipts/";
const THERE: &str = "refs/modelyard/remote/receipts/";
const FILE: &str = "receipt.json";

/// The largest receipt: ten thousand deployments take some megabytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How many receipts of ours are put behind another host's.
const MOST_MOVED: usize = 10_000;

/// How often a push is tried again that another one was faster than.
const MOST_RACES: usize = 5;

/// A receipt as git has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its commit.
    pub commit: String,
    /// What changed, in a line, and more behind it.
    pub message: String,
    /// What serves from then on.
    pub bytes: Vec<u8>,
}

impl Yard {
    /// Adds a receipt of an environment, here.
    ///
    /// # Errors
    /// [`YardError::Busy`] where somebody else did just now, [`YardError::NoIdentity`], or if git
    /// can't be written.
    pub fn add_receipt(
        &self,
        environment: &Name,
        message: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<(), YardError> {
        let git = for_writing(self)?;
        let failed = || YardError::git("write a receipt");
        let blob = git.blob(bytes).map_err(failed())?;
        let tree = git.treebuilder(None).and_then(|mut tree| {
            tree.insert(FILE, blob, 0o100_644)?;
            tree.write()
        });
        let tree = tree
            .and_then(|tree| git.find_tree(tree))
            .map_err(failed())?;
        let parent = newest(&git, environment).map_err(failed())?;
        let parent = parent
            .map(|parent| git.find_commit(parent))
            .transpose()
            .map_err(failed())?;
        let parents: Vec<_> = parent.iter().collect();
        let commit = write_commit(&git, &tree, &parents, message, now)?;
        let name = format!("{HERE}{environment}");
        let before = at(&git, &name).map_err(failed())?;
        move_reference(&git, &name, before, commit)
    }

    /// Pushes the receipts of an environment, if there is a remote and it lacks any; tells whether
    /// it did.
    ///
    /// # Errors
    /// As a push of a branch.
    pub fn push_receipts(&self, environment: &Name) -> Result<bool, YardError> {
        let git = for_writing(self)?;
        let Some(name) = remote::name(&git)? else {
            return Ok(false);
        };
        let here = format!("{HERE}{environment}");
        let there = format!("{THERE}{environment}");
        let mut races = 0;
        loop {
            let failed = || YardError::git("read the receipts");
            let ours = at(&git, &here).map_err(failed())?;
            let theirs = at(&git, &there).map_err(failed())?;
            let Some(ours) = ours.filter(|ours| theirs != Some(*ours)) else {
                return Ok(false);
            };
            let commit = match theirs {
                Some(theirs) => behind(&git, ours, theirs)?,
                None => ours,
            };
            if commit != ours {
                move_reference(&git, &here, Some(ours), commit)?;
            }
            let push = Push {
                remote: &name,
                reference: Mirrored {
                    theirs: here.clone(),
                    ours: there.clone(),
                },
                commit,
                expected: theirs,
            };
            match push.run(&git, self) {
                Ok(pushed) => return Ok(!pushed.unchanged),
                Err(YardError::Busy { .. }) if races < MOST_RACES => {
                    races += 1;
                    self.fetch_receipts()?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Fetches the receipts of all environments, if there is a remote.
    ///
    /// # Errors
    /// As [`Yard::fetch`].
    pub fn fetch_receipts(&self) -> Result<(), YardError> {
        let git = self.reopened()?;
        let url = match &self.inner.fetched {
            Some((url, _)) => url.clone(),
            None => match remote::name(&git)? {
                Some(name) => remote::url(&git, &name, Direction::Fetch)?,
                None => return Ok(()),
            },
        };
        remote::fetch_others(&git, &self.place(), url, |theirs| {
            let environment: Name = theirs.strip_prefix(HERE)?.parse().ok()?;
            Some(format!("{THERE}{environment}"))
        })
    }

    /// The environments that there are receipts of, sorted.
    ///
    /// # Errors
    /// If git can't be read.
    pub fn receipted(&self) -> Result<Vec<Name>, YardError> {
        let git = self.reopened()?;
        let mut found: Vec<Name> = Vec::new();
        for prefix in [HERE, THERE] {
            let failed = || YardError::git("read the receipts");
            let all = git
                .references_glob(&format!("{prefix}*"))
                .map_err(failed())?;
            for reference in all {
                let reference = reference.map_err(failed())?;
                let name = reference.name().ok();
                let name = name.and_then(|name| name.strip_prefix(prefix));
                found.extend(name.and_then(|name| name.parse::<Name>().ok()));
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Shows the receipts of an environment, newest first, for as long as `visit` wants more.
    ///
    /// # Errors
    /// If git can't be read; a commit that is no receipt is passed over.
    pub fn receipts(
        &self,
        environment: &Name,
        mut visit: impl FnMut(Receipt) -> ControlFlow<()>,
    ) -> Result<(), YardError> {
        let git = self.reopened()?;
        let mut read = || -> Result<(), git2::Error> {
            let mut next = newest(&git, environment)?;
            while let Some(id) = next {
                let commit = git.find_commit(id)?;
                next = commit.parent_id(0).ok();
                let tree = commit.tree()?;
                let Some(entry) = tree.get_name(FILE) else {
                    continue;
                };
                // Its size is known before its bytes are read.
                let (size, _) = git.odb()?.read_header(entry.id())?;
                if size > MAX_BYTES {
                    continue;
                }
                let receipt = Receipt {
                    commit: id.to_string(),
                    message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
                    bytes: git.find_blob(entry.id())?.content().to_vec(),
                };
                if visit(receipt).is_break() {
                    break;
                }
            }
            Ok(())
        };
        read().map_err(YardError::git("read the receipts"))
    }
}

/// What a reference is; nothing where there is none.
fn at(git: &GitRepository, name: &str) -> Result<Option<Oid>, git2::Error> {
    match git.refname_to_id(name) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The newest receipt that is known: the one here, unless the remote's comes after it.
fn newest(git: &GitRepository, environment: &Name) -> Result<Option<Oid>, git2::Error> {
    let ours = at(git, &format!("{HERE}{environment}"))?;
    let theirs = at(git, &format!("{THERE}{environment}"))?;
    Ok(match (ours, theirs) {
        (Some(ours), Some(theirs)) if git.graph_descendant_of(theirs, ours)? => Some(theirs),
        (ours, theirs) => ours.or(theirs),
    })
}

/// Our receipts behind theirs: as they are where they come from theirs, else written anew.
fn behind(git: &GitRepository, ours: Oid, theirs: Oid) -> Result<CommitId, YardError> {
    let failed = || YardError::git("read the receipts");
    if git.graph_descendant_of(ours, theirs).map_err(failed())? {
        return Ok(ours);
    }
    let missing = || -> Result<Vec<Oid>, git2::Error> {
        let mut walk = git.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.push(ours)?;
        walk.hide(theirs)?;
        walk.take(MOST_MOVED).collect()
    };
    let mut tip = theirs;
    for id in missing().map_err(failed())?.into_iter().rev() {
        let read = git.find_commit(id).and_then(|commit| {
            let identity = Identity {
                author: commit.author().to_owned(),
                committer: commit.committer().to_owned(),
            };
            let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
            Ok((identity, commit.tree()?, message))
        });
        let (identity, tree, message) = read.map_err(failed())?;
        let parent = git.find_commit(tip).map_err(failed())?;
        tip = write_commit_of(git, &identity, &tree, &[&parent], &message)?;
    }
    Ok(tip)
}
