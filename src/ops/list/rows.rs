//! What is told of each model, version and deployment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::ops::shelf::Shelf;
use crate::record::kind::{
    self, Classification, Deployment, ModelVersion, Share, StrategyType, Visibility,
};
use crate::record::{Alias, Digest, Lifecycle, ModelName, ModelReference, Name, Selector, Version};
use crate::yard::Catalog;

/// A model.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelRow {
    /// Its name.
    pub model: ModelName,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The teams that own it.
    pub owners: Vec<String>,
    /// Who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// What it is for.
    #[serde(skip_serializing_if = "Classification::is_empty")]
    pub classification: Classification,
    /// The newest version that is released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<Version>,
    /// The newest version, whatever its lifecycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Version>,
    /// How many versions it has.
    pub versions: usize,
    /// Names that mean one of its versions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<Alias, Version>,
}

/// A version.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionRow {
    /// Its model.
    pub model: ModelName,
    /// Which version it is.
    pub version: Version,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// What its main file is.
    pub format: Name,
    /// The type of its weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Name>,
    /// The number by which versions are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<Metric>,
    /// All its files' bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Names that mean it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
    /// Its bytes.
    pub digest: Digest,
}

/// A measure and what came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// What is measured.
    pub name: String,
    /// What came out.
    pub value: kind::Finite,
}

/// A deployment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentRow {
    /// Where it runs.
    pub environment: Name,
    /// Its name there.
    pub name: Name,
    /// What it serves.
    pub serves: Vec<Serves>,
    /// How a new version takes over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<StrategyType>,
    /// Whether everything stays as it is.
    pub suspended: bool,
}

/// A model that a deployment serves.
#[derive(Debug, Clone, Serialize)]
pub struct Serves {
    /// The model.
    pub model: ModelName,
    /// What the deployment says: a version, a range, an alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// The version that this means in the yard as it is, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Its part of the traffic, where several serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
}

impl ModelRow {
    pub(super) fn of(shelf: &Shelf) -> Self {
        let spec = shelf.model.as_ref().map(|model| &model.spec);
        let released = shelf.versions.iter().rev().find(|(version, record)| {
            !version.is_prerelease() && record.spec.lifecycle == Lifecycle::Released
        });
        Self {
            model: shelf.name.clone(),
            title: spec.map(|spec| spec.title.clone()),
            owners: spec
                .iter()
                .flat_map(|spec| &spec.owners)
                .map(|owner| owner.team.clone())
                .collect(),
            visibility: spec.map(|spec| spec.visibility()),
            classification: spec
                .map(|spec| spec.classification.clone())
                .unwrap_or_default(),
            released: released.map(|(version, _)| version.clone()),
            newest: shelf.versions.last().map(|(version, _)| version.clone()),
            versions: shelf.versions.len(),
            aliases: spec.map(|spec| spec.aliases.clone()).unwrap_or_default(),
        }
    }
}

impl VersionRow {
    pub(in crate::ops) fn of(shelf: &Shelf, version: &Version, record: &ModelVersion) -> Self {
        let spec = &record.spec;
        Self {
            model: shelf.name.clone(),
            version: version.clone(),
            lifecycle: spec.lifecycle,
            format: spec.format.name.clone(),
            precision: spec.precision.clone(),
            score: record.score().map(|score| Metric {
                name: score.name.clone(),
                value: score.value,
            }),
            size: spec.artifact.size,
            created_at: spec.created_at,
            aliases: shelf.aliases(version),
            digest: spec.artifact.digest,
        }
    }
}

impl DeploymentRow {
    pub(in crate::ops) fn of(catalog: &Catalog, record: &Deployment) -> Self {
        let spec = &record.spec;
        let one = spec.model.iter().map(|model| (model, &spec.version, None));
        let several = spec.split.iter().map(
            |Share {
                 model,
                 version,
                 weight,
                 ..
             }| (model, version, Some(*weight)),
        );
        let serves = one.chain(several).map(|(model, asked, weight)| Serves {
            model: model.clone(),
            asked: asked.as_ref().map(|asked| String::from(asked.clone())),
            version: meant(catalog, model, asked.as_ref()),
            weight,
        });
        Self {
            environment: record.metadata.environment.clone(),
            name: record.metadata.name.clone(),
            serves: serves.collect(),
            strategy: spec
                .strategy
                .as_ref()
                .map(|strategy| strategy.strategy_type),
            suspended: spec.suspend == Some(true),
        }
    }
}

/// The version that a deployment's wish means now; what is wrong with a wish is for the check to
/// tell.
fn meant(catalog: &Catalog, model: &ModelName, asked: Option<&Selector>) -> Option<Version> {
    let reference = ModelReference {
        model: model.clone(),
        selector: asked.cloned().unwrap_or(Selector::Newest),
    };
    Some(catalog.resolve(&reference).ok()?.version)
}
