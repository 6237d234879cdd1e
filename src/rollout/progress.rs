//! What is remembered between passes: how far each deployment is.
//!
//! [`State`] is stored as JSON with a version. It is derived, and may be deleted: then what serves
//! is told from the replicas, a rollout begins anew, and what failed is tried once more.
//!
//! ```text
//! {"version": 1, "deployments": {"digits": {"wanted": …, "stable": …, "rollout": …, …}}}
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::analysis::Tally;
use super::cause::Cause;
use super::choice::{Content, Revision, Side};
use super::codes;
use super::desired::Wanted;
use crate::record::kind::RolloutWord;
use crate::record::{Code, Digest, Fault, Name};

/// The version of the state's format that is written.
const VERSION: u32 = 1;

/// What is remembered of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    version: u32,
    /// How far each deployment is.
    pub deployments: BTreeMap<Name, Arc<Progress>>,
}

/// How far a deployment is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Progress {
    /// What main said when it could last be done.
    pub wanted: Arc<Wanted>,
    /// What has proven itself, and serves.
    pub stable: Option<Side>,
    /// What is to take over.
    pub rollout: Option<Rollout>,
    /// How many rollouts there have been.
    pub rollouts: u64,
    /// The number of the replica that was started last.
    pub instances: u64,
    /// What is held against digests, for as long as main says the same.
    pub failures: Vec<Failure>,
    /// Revisions whose replicas failed of late.
    pub starts: BTreeMap<Revision, Starts>,
    /// The number of replicas that load asks for.
    pub scale: Option<Scale>,
    /// A word that was given on this host.
    pub hand: Option<Hand>,
    /// What served before, the last first: its bytes are kept.
    pub history: Vec<Side>,
}

/// The passage from one side to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollout {
    /// Which of the deployment's rollouts.
    pub number: u64,
    /// What main said when it began.
    pub generation: Digest,
    /// What is to take over.
    pub candidate: Side,
    /// At which stage it is, from 0.
    pub stage: u32,
    /// Since when the stage's weight holds; nothing before its replicas are ready.
    pub since: Option<Timestamp>,
    /// A person has approved what comes after this stage.
    pub approved: bool,
    /// The word that was taken for this: it does not count again for the next stage.
    pub heard: Option<RolloutWord>,
    /// What was measured at this stage.
    pub tallies: BTreeMap<Name, Tally>,
    /// Why a person has to decide.
    pub halted: Option<Cause>,
}

/// What is held against digests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Failure {
    /// Which must not come back by themselves.
    pub digests: Vec<Digest>,
    /// What main said: when it says something else, they may.
    pub generation: Digest,
    /// In which rollout.
    pub rollout: u64,
    /// What failed.
    pub from: Vec<Content>,
    /// What serves instead.
    pub to: Vec<Content>,
    /// Why.
    pub cause: Cause,
    /// When.
    pub at: Timestamp,
    /// What was measured.
    pub evidence: Vec<String>,
    /// Whether the yard knows.
    pub revert: Revert,
}

/// Whether the yard knows of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Revert {
    /// It shall not, or there is nothing to go back to.
    Unwanted,
    /// Not yet.
    Due,
    /// It was written.
    Written,
}

/// How the starts of a revision went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Starts {
    /// How many replicas failed.
    pub failures: u32,
    /// When the last one did.
    pub last_at: Timestamp,
    /// What it said.
    pub why: String,
    /// The replicas that are counted and not cleared away yet.
    pub counted: BTreeSet<u64>,
}

/// The number of replicas that load asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scale {
    /// How many.
    pub count: u32,
    /// Since when less would be enough.
    pub less_since: Option<Timestamp>,
}

/// A person's word that was given on this host, until main says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hand {
    /// The word.
    pub word: RolloutWord,
    /// What main said when it was given.
    pub main: Option<RolloutWord>,
}

/// Why a stored state can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is no such JSON.
    #[error("the stored state of rollouts can't be read: {source}")]
    Unreadable {
        /// Where and why.
        #[from]
        source: serde_json::Error,
    },
    /// Another program wrote it.
    #[error("the stored state of rollouts has format {found}, and this program reads {VERSION}")]
    Version {
        /// Its format.
        found: u64,
    },
}

impl Fault for StateError {
    fn code(&self) -> &'static Code {
        &codes::ROLLOUT_STATE
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => {
                "move the file away: what serves is told from the replicas, and rollouts begin anew"
            }
            Self::Version { .. } => "run the program that wrote it, or a newer one; or move the \
                file away, and rollouts begin anew",
        }
        .to_owned())
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            deployments: BTreeMap::new(),
        }
    }
}

impl State {
    /// Reads a stored state.
    ///
    /// # Errors
    /// When it is no JSON of this format, or of another version of it.
    pub fn read(json: &[u8]) -> Result<Self, StateError> {
        let value: serde_json::Value = serde_json::from_slice(json)?;
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        match version {
            Some(found) if found != u64::from(VERSION) => Err(StateError::Version { found }),
            _ => Ok(serde_json::from_value(value)?),
        }
    }

    /// The state as it is stored.
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a state has text keys and finite numbers only")
    }

    /// Takes in a person's word that is given on this host: it holds until main says otherwise.
    /// Returns whether there is such a deployment.
    pub fn hear(&mut self, deployment: &Name, word: RolloutWord) -> bool {
        let Some(progress) = self.deployments.get_mut(deployment) else {
            return false;
        };
        let progress = Arc::make_mut(progress);
        progress.hand = Some(Hand {
            word,
            main: progress.wanted.word.clone(),
        });
        true
    }

    /// The digests whose bytes are in use or in a rollback window, and must be kept.
    pub fn kept(&self) -> BTreeSet<Digest> {
        let sides = self.deployments.values().flat_map(|progress| {
            let rollout = progress.rollout.as_ref().map(|rollout| &rollout.candidate);
            let now = progress.stable.iter().chain(rollout);
            now.chain([&progress.wanted.side]).chain(&progress.history)
        });
        sides.flat_map(Side::digests).collect()
    }
}

impl Rollout {
    pub(super) fn new(number: u64, generation: Digest, candidate: Side) -> Self {
        Self {
            number,
            generation,
            candidate,
            stage: 0,
            since: None,
            approved: false,
            heard: None,
            tallies: BTreeMap::new(),
            halted: None,
        }
    }

    /// Begins the stage that it is at.
    pub(super) fn restart_stage(&mut self) {
        self.since = None;
        self.approved = false;
        self.tallies.clear();
        self.halted = None;
    }
}

impl Progress {
    /// Nothing done yet.
    pub(super) fn new(wanted: Arc<Wanted>) -> Self {
        Self {
            wanted,
            stable: None,
            rollout: None,
            rollouts: 0,
            instances: 0,
            failures: Vec::new(),
            starts: BTreeMap::new(),
            scale: None,
            hand: None,
            history: Vec::new(),
        }
    }

    /// The word that counts: the one given on this host, or main's.
    pub fn word(&self) -> Option<&RolloutWord> {
        match &self.hand {
            Some(hand) => Some(&hand.word),
            None => self.wanted.word.as_ref(),
        }
    }

    /// Whether what is `wanted` has proven itself, and no rollout goes on.
    pub fn stands(&self, wanted: &Wanted) -> bool {
        let stable = self.stable.as_ref();
        self.rollout.is_none() && stable.is_some_and(|stable| stable.same(&wanted.side))
    }

    /// What is held against `side` as long as main says what it says.
    pub fn held(&self, side: &Side) -> Option<&Failure> {
        let bad = |failure: &&Failure| side.digests().any(|one| failure.digests.contains(&one));
        self.failures.iter().find(bad)
    }

    /// Makes `side` what serves, and keeps what did in the rollback window.
    pub(super) fn settle(&mut self, side: &Side) {
        let window = self.wanted.rollback.window as usize;
        self.rollout = None;
        if let Some(old) = self.stable.replace(side.clone())
            && !old.same(side)
        {
            self.history
                .retain(|one| !one.same(&old) && !one.same(side));
            self.history.insert(0, old);
        }
        self.history.truncate(window);
    }
}
