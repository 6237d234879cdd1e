//! What a merge does to models and their versions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::artifacts::{Bytes, Evidence, Files, Found, Signatures, files};
use super::contract::{self, ContractChange};
use super::dependents::{self, Dependents};
use super::difference::{Difference, differences};
use super::fate::Fate;
use crate::ops::compare::metrics::lines;
use crate::ops::shelf::readable;
use crate::record::kind::{Finite, Model, ModelVersion};
use crate::record::{Alias, Failure, Lifecycle, ModelName, Version};
use crate::rollout::{Content, Intended, Intent};
use crate::yard::{Catalog, CatalogError, Resolved, version_path};

/// The most metrics that are told of one version.
const MOST_METRICS: usize = 100;

/// What of a version's record is told in another way than as a difference.
const TOLD_APART: [&str; 8] = [
    "artifact",
    "createdAt",
    "inputs",
    "lifecycle",
    "metrics",
    "outputs",
    "parameters",
    "tests",
];

/// What becomes of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelPlan {
    /// The model.
    pub model: ModelName,
    /// What becomes of its record; nothing where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Fate>,
    /// What the record says of it, licence and aliases left out.
    pub metadata: Vec<Difference>,
    /// Its licence, if that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<Moved<String>>,
    /// The names that mean something else.
    pub aliases: Vec<AliasMove>,
    /// What becomes of its card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Fate>,
    /// Its versions that change, or that something begins to mean.
    pub versions: Vec<VersionPlan>,
    /// Who depends on it.
    pub dependents: Dependents,
}

/// What something was, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved<T> {
    /// What it was.
    pub from: Option<T>,
    /// What it is.
    pub to: Option<T>,
}

/// A name that means another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AliasMove {
    /// The name.
    pub alias: Alias,
    /// What it meant, and what it means.
    #[serde(flatten)]
    pub version: Moved<Version>,
}

/// What becomes of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionPlan {
    /// The version.
    pub version: Version,
    /// What becomes of its record; nothing where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Fate>,
    /// Its lifecycle, if that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Moved<Lifecycle>>,
    /// The champion on the base, if that is another version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub champion: Option<Version>,
    /// The version before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Version>,
    /// The version that metadata, files, inputs and outputs are held against: the champion, else
    /// the version before; its own record on the base where that changes. Inputs and outputs of one
    /// that is released, or begins to be meant, are held against the champion's in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Version>,
    /// What its record says of it, but for what is told below.
    pub metadata: Vec<Difference>,
    /// How good it is.
    pub metrics: Vec<MetricPlan>,
    /// What changes for whoever calls it.
    pub contract: Vec<ContractChange>,
    /// Its files.
    pub files: Files,
    /// Its evidence.
    pub evidence: Evidence,
}

/// A metric beside the champion's and the previous version's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricPlan {
    /// What is measured.
    pub name: String,
    /// With which data, which part of it, and on which device.
    pub with: Vec<String>,
    /// Whether more is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub higher_is_better: Option<bool>,
    /// Whether it is the score.
    pub score: bool,
    /// What came out.
    pub value: Option<Finite>,
    /// What came out for the champion.
    pub champion: Option<Finite>,
    /// What came out for the version before.
    pub previous: Option<Finite>,
    /// Whether it is better than the champion's, or where there is none than the previous one's;
    /// nothing where that can't be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub better: Option<bool>,
}

/// A model as it is told, before anybody has looked at stores.
pub(super) struct Draft {
    plan: ModelPlan,
    versions: Vec<VersionDraft>,
}

struct VersionDraft {
    plan: VersionPlan,
    new: Option<Resolved>,
    old: Option<Resolved>,
}

/// What becomes of models, and what of records can't be read.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) fn drafts(
    base: &Catalog,
    head: &Catalog,
    differing: &[(String, Fate)],
    intents: &[Intent],
) -> Result<(Vec<Draft>, Vec<String>), Failure> {
    let mut unreadable = Vec::new();
    let mut touched: BTreeMap<ModelName, Touched> = BTreeMap::new();
    for (path, fate) in differing {
        if let Some((model, file)) = model_of(path) {
            touched.entry(model).or_default().put(&file, *fate);
        }
    }
    for (model, version) in appearing(intents) {
        touched.entry(model).or_default().meant.insert(version);
    }
    let names: BTreeSet<ModelName> = touched.keys().cloned().collect();
    let mut dependents = dependents::find(base, head, differing, &names)?;
    let mut drafts = Vec::new();
    for (name, touched) in touched {
        let mut records = Records {
            base,
            head,
            name: &name,
            unreadable: &mut unreadable,
        };
        let mut draft = records.draft(touched)?;
        draft.plan.dependents = dependents.remove(&name).unwrap_or_default();
        drafts.push(draft);
    }
    unreadable.sort();
    unreadable.dedup();
    Ok((drafts, unreadable))
}

/// What is touched of a model.
#[derive(Default)]
struct Touched {
    record: Option<Fate>,
    card: Option<Fate>,
    versions: BTreeMap<Version, Fate>,
    /// What deployments begin to run.
    meant: BTreeSet<Version>,
}

impl Touched {
    fn put(&mut self, file: &str, fate: Fate) {
        match file {
            "model.yaml" => self.record = Some(fate),
            "README.md" => self.card = Some(fate),
            other => {
                let version = other.strip_prefix("versions/");
                let version = version.and_then(|file| file.strip_suffix(".yaml"));
                if let Some(Ok(version)) = version.map(str::parse) {
                    self.versions.insert(version, fate);
                }
            }
        }
    }
}

/// The model whose folder `path` is in, and the rest of the path.
fn model_of(path: &str) -> Option<(ModelName, String)> {
    let rest = path.strip_prefix("models/")?;
    let mut parts = rest.splitn(3, '/');
    let (namespace, name) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((ModelName::new(namespace, name), parts.next()?.to_owned()))
}

/// The versions that deployments begin to run.
fn appearing(intents: &[Intent]) -> Vec<(ModelName, Version)> {
    let serves = |side: &'_ Option<Intended>| -> Vec<Content> {
        let serves = side.iter().flat_map(Intended::serves);
        serves.map(|served| served.content.clone()).collect()
    };
    let mut appearing = Vec::new();
    for intent in intents {
        let old = serves(&intent.from);
        let new = serves(&intent.to).into_iter();
        appearing.extend(
            new.filter(|one| !old.contains(one))
                .filter_map(|one| match one {
                    Content::Model(release) => Some((release.model, release.version)),
                    Content::Image(_) => None,
                }),
        );
    }
    appearing
}

/// A model's records before and behind.
struct Records<'a> {
    base: &'a Catalog,
    head: &'a Catalog,
    name: &'a ModelName,
    unreadable: &'a mut Vec<String>,
}

impl Records<'_> {
    fn draft(&mut self, touched: Touched) -> Result<Draft, CatalogError> {
        let old = readable(self.base.model(self.name), self.unreadable)?;
        let new = readable(self.head.model(self.name), self.unreadable)?;
        let aliases = aliases(old.as_ref(), new.as_ref());
        let mut versions: BTreeSet<Version> = touched.versions.keys().cloned().collect();
        let mut meant = touched.meant;
        meant.extend(aliases.iter().filter_map(|moved| moved.version.to.clone()));
        versions.extend(meant.iter().cloned());
        let license = |model: &Model| model.spec.license.as_ref().map(ToString::to_string);
        let (from, to) = (
            old.as_ref().and_then(license),
            new.as_ref().and_then(license),
        );
        let plan = ModelPlan {
            model: self.name.clone(),
            is: touched.record,
            metadata: differences(
                old.as_ref().map(|model| &model.spec),
                new.as_ref().map(|model| &model.spec),
                &["license", "aliases"],
            ),
            license: (from != to).then_some(Moved { from, to }),
            aliases,
            card: touched.card,
            versions: Vec::new(),
            dependents: Dependents::default(),
        };
        let champion: Alias = "champion".parse().expect("it is an alias");
        let champion = old.and_then(|model| model.spec.aliases.get(&champion).cloned());
        let mut drafts = Vec::new();
        // The newest first: it is what most changes are about.
        for version in versions.into_iter().rev() {
            let is = touched.versions.get(&version).copied();
            let is_meant = meant.contains(&version);
            drafts.extend(self.version(&version, (is, is_meant), champion.as_ref())?);
        }
        Ok(Draft {
            plan,
            versions: drafts,
        })
    }

    fn version(
        &mut self,
        version: &Version,
        (is, is_meant): (Option<Fate>, bool),
        champion: Option<&Version>,
    ) -> Result<Option<VersionDraft>, CatalogError> {
        let new = self.resolved(self.head, version)?;
        let was = self.resolved(self.base, version)?;
        let champion = champion.filter(|champion| *champion != version);
        let mut previous = self.base.versions(self.name)?.into_iter();
        let previous = previous.rfind(|one| one < version);
        let Some(told) = new.as_ref().or(was.as_ref()) else {
            return Ok(None);
        };
        let (is_changed, is_removed) = (is == Some(Fate::Changed), is == Some(Fate::Removed));
        let of = |records: &mut Self, version: Option<&Version>| match version {
            Some(version) => records.resolved(records.base, version),
            None => Ok(None),
        };
        let (best, before) = (of(self, champion)?, of(self, previous.as_ref())?);
        let old = match is_changed {
            true => was.clone(),
            false => best.clone().or_else(|| before.clone()),
        };
        let lifecycle = |one: Option<&Resolved>| one.map(|one| one.record.spec.lifecycle);
        let (from, to) = (lifecycle(was.as_ref()), lifecycle(new.as_ref()));
        let spec = |one: Option<&Resolved>| one.map(|one| one.record.spec.clone());
        let (old_spec, new_spec) = (spec(old.as_ref()), spec(new.as_ref()));
        let metadata = match (is_removed, is_changed) {
            (true, _) => Vec::new(),
            (_, true) => differences(old_spec.as_ref(), new_spec.as_ref(), &["lifecycle"]),
            _ => differences(old_spec.as_ref(), new_spec.as_ref(), &TOLD_APART),
        };
        // Who called the champion calls this one, where it begins to be meant or is released.
        let begins = is_meant || (to == Some(Lifecycle::Released) && from != to);
        let called = match (&best, begins) {
            (Some(best), true) => Some(best.record.spec.clone()),
            _ => old_spec.clone(),
        };
        let contract = match (&called, &new_spec) {
            (Some(old), Some(new)) if !is_removed => contract::changes(old, new),
            _ => Vec::new(),
        };
        let plan = VersionPlan {
            version: version.clone(),
            is,
            lifecycle: (from != to).then_some(Moved { from, to }),
            champion: champion.cloned(),
            previous,
            against: old.as_ref().map(|old| old.version.clone()),
            metadata,
            metrics: metrics(
                &told.record,
                [&best, &before].map(|one| one.as_ref().map(|one| &one.record)),
            ),
            contract,
            files: Files::Unknown { why: String::new() },
            evidence: Evidence {
                digest: told.record.spec.artifact.digest,
                bytes: Bytes::Missing,
                signatures: Signatures::Unknown,
                tests: told.record.spec.tests.len(),
            },
        };
        Ok(Some(VersionDraft { plan, new, old }))
    }

    fn resolved(
        &mut self,
        catalog: &Catalog,
        version: &Version,
    ) -> Result<Option<Resolved>, CatalogError> {
        let record = readable(catalog.version(self.name, version), self.unreadable)?;
        Ok(record.flatten().map(|record| Resolved {
            model: self.name.clone(),
            version: version.clone(),
            path: version_path(self.name, version),
            record,
        }))
    }
}

fn aliases(old: Option<&Model>, new: Option<&Model>) -> Vec<AliasMove> {
    let of = |model: Option<&Model>| model.map(|model| model.spec.aliases.clone());
    let (old, new) = (of(old).unwrap_or_default(), of(new).unwrap_or_default());
    let names: BTreeSet<&Alias> = old.keys().chain(new.keys()).collect();
    let moves = names.into_iter().map(|alias| AliasMove {
        alias: alias.clone(),
        version: Moved {
            from: old.get(alias).cloned(),
            to: new.get(alias).cloned(),
        },
    });
    moves
        .filter(|one| one.version.from != one.version.to)
        .collect()
}

/// A version's metrics beside the champion's and the previous one's, where they have the same.
fn metrics(
    told: &ModelVersion,
    [champion, previous]: [Option<&ModelVersion>; 2],
) -> Vec<MetricPlan> {
    let all: Vec<&ModelVersion> = [Some(told), champion, previous]
        .into_iter()
        .flatten()
        .collect();
    let place = |of: Option<&ModelVersion>| {
        of.and_then(|of| all.iter().position(|one| std::ptr::eq(*one, of)))
    };
    let (champion, previous) = (place(champion), place(previous));
    let plans = lines(&all).into_iter().map(|line| {
        let value = |at: Option<usize>| at.and_then(|at| line.values.get(at).copied().flatten());
        let (mine, champion, previous) = (value(Some(0)), value(champion), value(previous));
        let better = match (mine, champion.or(previous), line.higher_is_better) {
            (Some(mine), Some(other), Some(higher)) if mine != other => {
                Some((mine > other) == higher)
            }
            _ => None,
        };
        let device = line.device.as_ref().map(ToString::to_string);
        MetricPlan {
            name: line.name,
            with: [line.dataset, line.split, device]
                .into_iter()
                .flatten()
                .collect(),
            higher_is_better: line.higher_is_better,
            score: line.score,
            value: mine,
            champion,
            previous,
            better,
        }
    });
    plans.take(MOST_METRICS).collect()
}

impl Draft {
    /// The versions whose artifacts are to be looked at.
    pub(super) fn wanted(&self) -> Vec<Resolved> {
        let versions = self.versions.iter();
        let both = versions.flat_map(|draft| draft.new.iter().chain(&draft.old));
        both.cloned().collect()
    }

    /// The plan, with what was found out about artifacts.
    pub(super) fn finish(self, found: &BTreeMap<crate::record::Digest, Found>) -> ModelPlan {
        let versions = self.versions.into_iter().map(|draft| {
            let mut plan = draft.plan;
            let of = |one: &Option<Resolved>| {
                let digest = one.as_ref()?.record.spec.artifact.digest;
                found.get(&digest)
            };
            match of(&draft.new) {
                Some(new) => {
                    plan.files = files(new, of(&draft.old));
                    plan.evidence.bytes = new.bytes.clone();
                    plan.evidence.signatures = new.signatures.clone();
                }
                None => {
                    let why = "its record is gone, and nobody looks for them".to_owned();
                    plan.files = Files::Unknown { why: why.clone() };
                    plan.evidence.bytes = Bytes::Unknown { why };
                }
            }
            plan
        });
        ModelPlan {
            versions: versions.collect(),
            ..self.plan
        }
    }
}
