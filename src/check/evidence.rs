//! What was found out about artifacts, by whoever can ask stores and verify signatures.

use std::collections::BTreeMap;

use crate::record::Code;
use crate::record::kind::ModelVersion;

/// What is known about the artifacts of versions, by the path of the version's record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence(BTreeMap<String, Artifact>);

/// What is known about one version's artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// The store has it.
    Present(Present),
    /// The store answered that it has no such digest.
    Missing,
    /// The store has something there that no model can be pulled from.
    Unusable(Shortfall),
    /// The store could not be asked.
    Unknown {
        /// Why.
        reason: String,
        /// What helps.
        help: Option<String>,
    },
}

/// An artifact that the store has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// The sizes of its files together.
    pub size_bytes: u64,
    /// The paths of its files.
    pub files: Vec<String>,
    /// Each way in which it falls short of the trust policy of the base.
    pub shortfalls: Vec<Shortfall>,
}

/// A way in which an artifact falls short: of a trust rule, one that this build can't evaluate
/// included, or of what an artifact is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// Its stable name.
    pub code: &'static Code,
    /// The rule's place in the policy, from 1, if it is one's.
    pub rule: Option<usize>,
    /// What is required and what was found.
    pub message: String,
    /// What helps.
    pub help: Option<String>,
}

/// A version whose artifact a check with evidence wants to know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The path of its record.
    pub path: String,
    /// Its record.
    pub version: ModelVersion,
}

impl Evidence {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes what is known about the artifact of the version whose record is at `path`.
    pub fn insert(&mut self, path: impl Into<String>, artifact: Artifact) {
        self.0.insert(path.into(), artifact);
    }

    /// What is known about the artifact of the version whose record is at `path`.
    pub fn of(&self, path: &str) -> Option<&Artifact> {
        self.0.get(path)
    }
}
