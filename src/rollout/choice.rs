//! What runs: releases, containers, and the choices among which traffic is split.
//!
//! A [`Choice`] is one model version as a deployment runs it, with the coprocessors that its
//! requests and answers pass. Its [`Revision`] is a digest of all that a running process depends
//! on: two choices of one revision are the same thing, and whatever of them runs already serves
//! for both. The weight is no part of it, nor are the golden tests.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical;
use crate::record::kind::ImageReference;
use crate::record::{Digest, ModelName, Name, Version};

/// A version of a model, and the digest that its record gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// The model.
    pub model: ModelName,
    /// Its version.
    pub version: Version,
    /// The artifact's digest.
    pub digest: Digest,
}

/// The bytes that something runs from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// A model's version.
    Model(Release),
    /// A container's image.
    Image(ImageReference),
}

/// What a target needs to start something: runtime, variables, references to secrets, limits.
///
/// Planning never reads it; it is kept as it was, so that what ran before can be started again
/// when the record that said so is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Launch(pub Value);

/// What each replica takes of a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claim {
    /// The environment's pool.
    pub pool: Option<Name>,
    /// Processors, in thousandths.
    pub cpu_milli: u64,
    /// Memory.
    pub memory_bytes: u64,
    /// Graphics processors.
    pub gpu: u32,
}

/// One thing that runs: a model, or a coprocessor beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unit {
    /// From which bytes.
    pub content: Content,
    /// How it is started.
    pub launch: Launch,
    /// What each replica takes.
    pub claim: Claim,
    /// How many golden tests it has.
    pub tests: u32,
}

/// The place of a unit in its choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The model itself.
    Model,
    /// What requests pass before it, counted from 0.
    Before(usize),
    /// What answers pass behind it, counted from 0.
    After(usize),
}

/// Of what a running process is one: the digest of all it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(Digest);

/// One of those that serve a deployment: a model's version, its coprocessors, and its weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Choice {
    revision: Revision,
    weight: u32,
    model: Unit,
    before: Vec<Unit>,
    after: Vec<Unit>,
    restart: Option<Timestamp>,
}

/// All that serve a deployment together, held by weight: one side of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Side(Vec<Arc<Choice>>);

impl Content {
    /// The digest of the bytes.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Model(release) => release.digest,
            Self::Image(image) => image.digest(),
        }
    }
}

impl Choice {
    /// A choice of `weight` (its share is its weight by the sum of all); `restart` is the record's
    /// field of that name.
    pub fn new(
        weight: u32,
        model: Unit,
        before: Vec<Unit>,
        after: Vec<Unit>,
        restart: Option<Timestamp>,
    ) -> Self {
        let seen = |unit: &Unit| serde_json::json!([unit.content, unit.launch, unit.claim]);
        let all = |units: &[Unit]| units.iter().map(seen).collect::<Vec<_>>();
        let identity = serde_json::json!([seen(&model), all(&before), all(&after), restart]);
        Self {
            revision: Revision(canonical::digest(&identity)),
            weight,
            model,
            before,
            after,
            restart,
        }
    }

    /// What it is, however much of the traffic it gets.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Its weight among the others of its side.
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// The bytes of the model.
    pub fn content(&self) -> &Content {
        &self.model.content
    }

    /// Everything that it runs, in the order in which requests and answers pass.
    pub fn units(&self) -> impl Iterator<Item = (Part, &Unit)> {
        let before = self.before.iter().enumerate();
        let after = self.after.iter().enumerate();
        before
            .map(|(at, unit)| (Part::Before(at), unit))
            .chain([(Part::Model, &self.model)])
            .chain(after.map(|(at, unit)| (Part::After(at), unit)))
    }

    /// The unit at a place, if it has such a place.
    pub fn unit(&self, part: Part) -> Option<&Unit> {
        match part {
            Part::Model => Some(&self.model),
            Part::Before(at) => self.before.get(at),
            Part::After(at) => self.after.get(at),
        }
    }

    /// Whether this is `other` started once more.
    pub(super) fn restarts(&self, other: &Self) -> bool {
        self.model == other.model && self.before == other.before && self.after == other.after
    }
}

impl Side {
    /// Those with a weight, each revision once; `None` if there are none.
    pub fn new(choices: impl IntoIterator<Item = Choice>) -> Option<Self> {
        let mut side: Vec<Arc<Choice>> = Vec::new();
        for choice in choices.into_iter().filter(|choice| choice.weight > 0) {
            match side
                .iter_mut()
                .find(|same| same.revision == choice.revision)
            {
                Some(same) => {
                    let same = Arc::make_mut(same);
                    same.weight = same.weight.saturating_add(choice.weight);
                }
                None => side.push(Arc::new(choice)),
            }
        }
        (!side.is_empty()).then_some(Self(side))
    }

    /// The choices.
    pub fn choices(&self) -> &[Arc<Choice>] {
        &self.0
    }

    /// Whether `revision` is among them.
    pub fn has(&self, revision: Revision) -> bool {
        self.0.iter().any(|choice| choice.revision == revision)
    }

    /// Whether it is the same things with the same weights.
    pub fn same(&self, other: &Self) -> bool {
        let matches = |choice: &Arc<Choice>| {
            let weight = |same: &&Arc<Choice>| same.revision == choice.revision;
            other.0.iter().find(weight).map(|same| same.weight) == Some(choice.weight)
        };
        self.0.len() == other.0.len() && self.0.iter().all(matches)
    }

    /// Those of its choices that `other` has not.
    pub fn beyond<'a>(&'a self, other: Option<&'a Self>) -> impl Iterator<Item = &'a Arc<Choice>> {
        let known = move |choice: &Choice| other.is_some_and(|other| other.has(choice.revision));
        self.0.iter().filter(move |choice| !known(choice))
    }

    /// The models' bytes, in order.
    pub fn contents(&self) -> impl Iterator<Item = &Content> {
        self.0.iter().map(|choice| choice.content())
    }

    /// The digests of everything that it runs, coprocessors too.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        let units = self.0.iter().flat_map(|choice| choice.units());
        units.map(|(_, unit)| unit.content.digest())
    }

    /// Whether each of its choices is one of `other` started once more.
    pub(super) fn restarts(&self, other: &Self) -> bool {
        let again = |choice: &Arc<Choice>| other.0.iter().any(|old| choice.restarts(old));
        self.0.iter().all(again)
    }
}

impl FromIterator<Arc<Choice>> for Side {
    fn from_iter<I: IntoIterator<Item = Arc<Choice>>>(choices: I) -> Self {
        Self(choices.into_iter().collect())
    }
}

impl Revision {
    /// The first 12 hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.0.short()
    }

    /// The digest.
    pub fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.model, self.version)
    }
}

impl fmt::Display for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(release) => release.fmt(formatter),
            Self::Image(image) => image.fmt(formatter),
        }
    }
}

impl fmt::Display for Side {
    /// `vision/digits 1.0.0`, or `vision/digits 1.0.0 (80), vision/digits 2.0.0 (20)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [choice] = &self.0[..] {
            return choice.content().fmt(formatter);
        }
        for (at, choice) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(formatter, "{comma}{} ({})", choice.content(), choice.weight)?;
        }
        Ok(())
    }
}
