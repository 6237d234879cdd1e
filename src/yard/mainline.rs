//! Main as a line of commits: each of them one thing that was merged, or committed to it.

use super::error::YardError;
use super::{CommitId, Yard};

impl Yard {
    /// The commits of main's line up to `tip`, the oldest first: those behind `known` where the line
    /// has it, and at most the last `most`. The first of them is what came before all others, if it
    /// is here.
    ///
    /// # Errors
    /// If git can't be read.
    pub fn mainline(
        &self,
        tip: CommitId,
        known: Option<CommitId>,
        most: usize,
    ) -> Result<Vec<CommitId>, YardError> {
        let git = self.reopened()?;
        let read = || -> Result<Vec<CommitId>, git2::Error> {
            let mut line = vec![tip];
            let mut at = git.find_commit(tip)?;
            while line.len() <= most && Some(at.id()) != known && at.parent_count() > 0 {
                // Where a shallow clone ends, its parent is not here.
                let Ok(parent) = at.parent(0) else { break };
                line.push(parent.id());
                at = parent;
            }
            line.reverse();
            Ok(line)
        };
        read().map_err(YardError::git("read the history"))
    }
}
