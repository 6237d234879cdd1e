//! A plan: steps to do now, why there are no more, and where all this leads.

use jiff::Timestamp;

use super::canonical;
use super::change::Change;
use super::step::Step;
use super::wait::Wait;
use crate::record::Digest;

/// What to do next.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What to do now, in order; nothing when all is as it should be.
    pub steps: Vec<Step>,
    /// Why deployments aren't further.
    pub waits: Vec<Wait>,
    /// Where it leads: what serves now, and what will.
    pub changes: Vec<Change>,
}

impl Plan {
    /// The digest of where it leads.
    ///
    /// It is the same for as long as the same is to be done: the steps between, the time and the
    /// numbers of replicas are no part of it. But it begins with what is seen to serve: what a
    /// merge would do has [a hash of its own](super::hash()), which is the same everywhere.
    pub fn hash(&self) -> Digest {
        canonical::digest(&self.changes)
    }

    /// When to look again at the latest, where time alone may end a wait.
    pub fn next_look(&self) -> Option<Timestamp> {
        self.waits.iter().filter_map(|wait| wait.until).min()
    }
}
