//! Intents: what a merge would change of what should be, and the hash by which it is known again.
//!
//! An intent is told from the records before and behind the merge alone. So the same merge has the
//! same hash on every machine and at every time, whatever runs there; and where it is to be done
//! with another hash than was shown, then something else than was shown would be done.
//!
//! The hash is the SHA-256 of the intents as JSON without spaces and with sorted keys: that of
//! `jq -cjS .changes` over what `modelyard plan --base` prints.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::canonical;
use super::choice::{Claim, Content, Part, Revision, Side};
use super::desired::{Desired, Environment, Replicas, Rollback, Wanted, Wish};
use crate::record::kind::{Drift, RolloutWord, RoutePath, Span, Sticky, Strategy};
use crate::record::{Digest, Name};

/// What should change of one deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Where it is.
    pub environment: Name,
    /// The deployment.
    pub deployment: Name,
    /// What should be of it before; nothing where it is new.
    pub from: Option<Intended>,
    /// What should be of it behind; nothing where it leaves.
    pub to: Option<Intended>,
}

/// What should be of a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Intended {
    /// It shall run so.
    Run(Box<Run>),
    /// It can't be done, and what runs stays.
    Held,
}

/// How a deployment should run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// What serves.
    pub serves: Vec<Served>,
    /// How it takes over.
    pub strategy: Strategy,
    /// What is measured meanwhile.
    pub analyses: Vec<Analysis>,
    /// How many times it runs.
    pub replicas: Replicas,
    /// How many golden tests each model must have.
    pub required_tests: u32,
    /// What has to serve first.
    pub depends_on: Vec<Name>,
    /// The path where it answers, beside its name.
    pub path: Option<RoutePath>,
    /// What keeps a client with one version.
    pub sticky: Option<Sticky>,
    /// What to do when it fails.
    pub rollback: Rollback,
    /// How long a replica may take until it answers.
    pub health_timeout: Span,
    /// What to do about changes beside the yard.
    pub drift: Drift,
    /// Nothing moves.
    pub suspend: bool,
    /// A person's word on a rollout.
    pub word: Option<RolloutWord>,
}

/// Something that serves, by its digest, and what it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Served {
    /// Which version of which model.
    pub content: Content,
    /// How much of the traffic it gets: its weight by the sum of all.
    pub weight: u32,
    /// The digest of all that it depends on: bytes, runtime, variables, resources, coprocessors.
    pub revision: Revision,
    /// What each replica takes.
    pub resources: Claim,
}

/// What changes between two states of a yard, each environment by its name; sorted.
///
/// An environment of which nobody knows what it should be changes nothing: what runs there stays.
pub fn intents(before: &BTreeMap<Name, Desired>, behind: &BTreeMap<Name, Desired>) -> Vec<Intent> {
    let mut intents = Vec::new();
    for (name, desired) in behind {
        let Desired::Known(to) = desired else {
            continue;
        };
        let from = match before.get(name) {
            Some(Desired::Known(from)) => Some(from),
            _ => None,
        };
        intents.extend(of_environment(from, to));
    }
    intents
}

fn of_environment(from: Option<&Environment>, to: &Environment) -> Vec<Intent> {
    let nothing = BTreeMap::new();
    let (before, behind) = (
        from.map_or(&nothing, |from| &from.deployments),
        &to.deployments,
    );
    let names: BTreeSet<&Name> = before.keys().chain(behind.keys()).collect();
    let intents = names.into_iter().filter_map(|name| {
        let (from, to_be) = (before.get(name), behind.get(name));
        let (from, to_be) = (from.map(Intended::of), to_be.map(Intended::of));
        (from != to_be).then(|| Intent {
            environment: to.name.clone(),
            deployment: name.clone(),
            from,
            to: to_be,
        })
    });
    intents.collect()
}

/// The plan's hash: the digest of what should change, and of nothing else.
pub fn hash(intents: &[Intent]) -> Digest {
    canonical::digest(&intents)
}

impl Intended {
    fn of(wish: &Wish) -> Self {
        match wish {
            Wish::Run(wanted) => Self::Run(Box::new(Run::of(wanted))),
            Wish::Held { .. } => Self::Held,
        }
    }

    /// What serves; nothing where it can't be done.
    pub fn serves(&self) -> &[Served] {
        match self {
            Self::Run(run) => &run.serves,
            Self::Held => &[],
        }
    }
}

impl Run {
    fn of(wanted: &Wanted) -> Self {
        Self {
            serves: served(&wanted.side),
            strategy: wanted.strategy.clone(),
            analyses: wanted.analyses.clone(),
            replicas: wanted.replicas.clone(),
            required_tests: wanted.required_tests,
            depends_on: wanted.depends_on.clone(),
            path: wanted.path.clone(),
            sticky: wanted.sticky.clone(),
            rollback: wanted.rollback.clone(),
            health_timeout: wanted.health_timeout,
            drift: wanted.drift,
            suspend: wanted.suspend,
            word: wanted.word.clone(),
        }
    }
}

/// What of `side` serves, by its digests.
fn served(side: &Side) -> Vec<Served> {
    let served = side.choices().iter().map(|choice| Served {
        content: choice.content().clone(),
        weight: choice.weight(),
        revision: choice.revision(),
        resources: choice
            .unit(Part::Model)
            .map(|unit| unit.claim.clone())
            .unwrap_or_default(),
    });
    served.collect()
}
