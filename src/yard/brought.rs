//! What a branch would bring to main: for people who are to review it.

use git2::{Delta, Sort};

use super::error::YardError;
use super::{CommitId, Yard};

/// The most commits that are told; a branch of a change has one or a few.
const MOST_COMMITS: usize = 50;

/// The most files that are told.
const MOST_FILES: usize = 200;

/// What a branch would bring to main.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The messages of its commits, the oldest first; merges are left out.
    pub messages: Vec<String>,
    /// The files that it writes, and with `false` those that it removes; sorted.
    pub files: Vec<(String, bool)>,
    /// How many files are not told.
    pub more_files: usize,
}

impl Yard {
    /// What `tip` has that `base` lacks.
    ///
    /// # Errors
    /// If one of them is not here, or git can't be read.
    pub fn brought(&self, base: CommitId, tip: CommitId) -> Result<Brought, YardError> {
        let git = self.git();
        let read = || -> Result<Brought, git2::Error> {
            let mut walk = git.revwalk()?;
            walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
            walk.push(tip)?;
            walk.hide(base)?;
            let mut messages = Vec::new();
            for id in walk.take(MOST_COMMITS) {
                let commit = git.find_commit(id?)?;
                if commit.parent_count() < 2 {
                    let message = String::from_utf8_lossy(commit.message_bytes());
                    messages.push(message.trim().to_owned());
                }
            }
            let from = git.merge_base(base, tip)?;
            let (from, to) = (
                git.find_commit(from)?.tree()?,
                git.find_commit(tip)?.tree()?,
            );
            let diff = git.diff_tree_to_tree(Some(&from), Some(&to), None)?;
            let files = diff.deltas().take(MOST_FILES).filter_map(|delta| {
                let path = delta.new_file().path()?.to_str()?.to_owned();
                Some((path, delta.status() != Delta::Deleted))
            });
            Ok(Brought {
                messages,
                files: files.collect(),
                more_files: diff.deltas().len().saturating_sub(MOST_FILES),
            })
        };
        read().map_err(YardError::git("read what a branch brings"))
    }
}
