//! What should be: one environment's deployments as the yard's main branch says, resolved.
//!
//! Rooms above make this from records: aliases and ranges have become versions with their digests,
//! defaults are filled in. What can't be resolved is said, never left out: a deployment that is
//! missing here is one that has left the yard, and is pruned.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::canonical;
use super::choice::{Release, Side};
use crate::record::kind::{
    DeploymentSpec, Drift, Finite, RolloutWord, RoutePath, Span, Sticky, Strategy, WriteBack,
};
use crate::record::{Digest, Name};

/// What should be.
#[derive(Debug, Clone, PartialEq)]
pub enum Desired {
    /// Nobody knows: the yard can't be read, or it is broken. What runs is kept.
    Unknown {
        /// Why.
        why: String,
    },
    /// This.
    Known(Environment),
}

/// What should be in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// Its name.
    pub name: Name,
    /// Its deployments.
    pub deployments: BTreeMap<Name, Wish>,
    /// What its pools have.
    pub pools: BTreeMap<Name, Capacity>,
    /// A person has said that an environment with no deployments is meant: only then the last
    /// ones are pruned.
    pub may_be_empty: bool,
}

/// What a pool has; without a bound where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capacity {
    /// Processors, in thousandths.
    pub cpu_milli: Option<u64>,
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// Graphics processors.
    pub gpu: Option<u32>,
}

/// What is wanted of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// It shall run so.
    Run(Arc<Wanted>),
    /// It is in the yard, but can't be done: what runs is kept.
    Held {
        /// Why, for people: a version that isn't released, a digest that changed.
        why: String,
    },
}

/// How a deployment shall run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    /// The record as resolved: see [`generation`].
    pub generation: Digest,
    /// What serves.
    pub side: Side,
    /// How many golden tests each model must have to run here.
    pub required_tests: u32,
    /// How a new version takes over.
    pub strategy: Strategy,
    /// What its steps measure.
    pub analyses: Vec<Analysis>,
    /// How many times it runs.
    pub replicas: Replicas,
    /// What has to serve first.
    pub depends_on: Vec<Name>,
    /// The path where it answers, beside its name.
    pub path: Option<RoutePath>,
    /// What keeps a client with one version.
    pub sticky: Option<Sticky>,
    /// What to do when a version fails.
    pub rollback: Rollback,
    /// How long a replica may take until it answers.
    pub health_timeout: Span,
    /// How long a replica that leaves may finish its requests.
    pub drain_timeout: Span,
    /// What to do about changes that somebody made beside the yard.
    pub drift: Drift,
    /// Nothing moves.
    pub suspend: bool,
    /// The main branch's word on a rollout.
    pub word: Option<RolloutWord>,
}

/// How many times a deployment runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replicas {
    /// At least; with 0 it stops when idle and starts at the first request.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// How much of what [`super::Load::value`] counts each replica shall have, if that tells the
    /// number.
    pub target: Option<Finite>,
    /// How long less has to be enough before some are stopped.
    pub idle_after: Span,
}

/// What to do when a version fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollback {
    /// Go back without asking.
    pub auto: bool,
    /// How many earlier versions' bytes are kept.
    pub window: u32,
    /// How the yard gets to know.
    pub write_back: WriteBack,
}

impl Replicas {
    /// Always `count`.
    pub fn fixed(count: u32) -> Self {
        Self {
            min: count,
            max: count,
            target: None,
            idle_after: Span::minutes(5),
        }
    }
}

impl Wanted {
    /// The analysis of that name.
    pub fn analysis(&self, name: &Name) -> Option<&Analysis> {
        self.analyses.iter().find(|analysis| analysis.name == *name)
    }
}

/// The digest of a deployment's record as resolved to `releases`, by which a digest that failed
/// is held: it is tried again when this changes.
///
/// A person's word on a rollout (`rollout`) and `suspend` are no part of it, or pausing would try
/// again what failed.
pub fn generation(spec: &DeploymentSpec, releases: &[Release]) -> Digest {
    let wish = DeploymentSpec {
        rollout: None,
        suspend: None,
        ..spec.clone()
    };
    canonical::digest(&(wish, releases))
}
