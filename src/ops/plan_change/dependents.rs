//! Who depends on a model: versions of other models that need what it produces, and deployments that
//! run it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fate::Fate;
use crate::ops::referrers::referrers;
use crate::ops::shelf::readable;
use crate::record::kind::{Coprocessor, DeploymentSpec, ModelDependency, ModelVersion, Product};
use crate::record::{ModelName, Name, Version};
use crate::yard::{Catalog, CatalogError};

/// The most that are told of one model.
const MOST: usize = 100;

/// Those who depend on a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependents {
    /// The first of them: deployments as `deployment host/digits`, versions as `text/reader 1.0.0`
    /// with what they need.
    pub told: Vec<Dependent>,
    /// How many more there are.
    pub more: usize,
}

/// Somebody who depends on a model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependent {
    /// Who.
    pub who: String,
    /// On what of it.
    pub on: String,
}

/// Who depends on each of `models`, by the records of `head`; versions that can't serve any more are
/// left out. Whom to look at is told by the index of `base`, and by the paths that differ.
///
/// # Errors
/// If git or the disk can't be read. What can't be read of records is left out: the check tells.
pub(super) fn find(
    base: &Catalog,
    head: &Catalog,
    differing: &[(String, Fate)],
    models: &BTreeSet<ModelName>,
) -> Result<BTreeMap<ModelName, Dependents>, CatalogError> {
    let mut found: BTreeMap<ModelName, BTreeSet<Dependent>> = BTreeMap::new();
    if models.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut paths: BTreeSet<String> = differing.iter().map(|(path, _)| path.clone()).collect();
    let index = referrers(base.snapshot())?;
    for model in models {
        let named = index.below(&format!("models/{model}/"));
        paths.extend(named.map(|(_, by)| by.to_owned()));
    }
    for path in paths {
        let parts: Vec<&str> = path.split('/').collect();
        let all = match parts.as_slice() {
            ["deployments", environment, file] => deployment(head, environment, file)?,
            ["models", namespace, name, "versions", file] => {
                version(head, (namespace, name), file)?
            }
            _ => continue,
        };
        for (model, dependent) in all {
            if models.contains(&model) {
                found.entry(model).or_default().insert(dependent);
            }
        }
    }
    let told = found.into_iter().map(|(model, all)| {
        let more = all.len().saturating_sub(MOST);
        let told = all.into_iter().take(MOST).collect();
        (model, Dependents { told, more })
    });
    Ok(told.collect())
}

/// What a deployment depends on.
fn deployment(
    head: &Catalog,
    environment: &str,
    file: &str,
) -> Result<Vec<(ModelName, Dependent)>, CatalogError> {
    let (Ok(environment), Some(name)) = (environment.parse::<Name>(), named::<Name>(file)) else {
        return Ok(Vec::new());
    };
    let record = readable(head.deployment(&environment, &name), &mut Vec::new())?;
    let uses = record.flatten().map(|record| uses(&record.spec));
    let one = |(model, on): (ModelName, &str)| {
        let who = format!("deployment {environment}/{name}");
        let on = on.to_owned();
        (model, Dependent { who, on })
    };
    Ok(uses.unwrap_or_default().into_iter().map(one).collect())
}

/// What a version depends on, if it can still serve.
fn version(
    head: &Catalog,
    (namespace, name): (&str, &str),
    file: &str,
) -> Result<Vec<(ModelName, Dependent)>, CatalogError> {
    let (Ok(namespace), Ok(name), Some(version)) =
        (namespace.parse(), name.parse(), named::<Version>(file))
    else {
        return Ok(Vec::new());
    };
    let model = ModelName::new(namespace, name);
    let record = readable(head.version(&model, &version), &mut Vec::new())?;
    let can_serve = |record: &ModelVersion| record.spec.lifecycle.can_serve();
    let Some(record) = record.flatten().filter(can_serve) else {
        return Ok(Vec::new());
    };
    let needs = record.spec.dependencies.iter().flat_map(|all| &all.models);
    let one = |need: &ModelDependency| {
        let on = match &need.produced_by.product {
            Product::Output(output) => format!("needs its output {output}"),
            Product::File(file) => format!("needs its file {}", file.as_str()),
        };
        let who = format!("{model} {version}");
        (need.produced_by.model.clone(), Dependent { who, on })
    };
    Ok(needs.map(one).collect())
}

/// What a record's file is named after.
fn named<T: std::str::FromStr>(file: &str) -> Option<T> {
    file.strip_suffix(".yaml")?.parse().ok()
}

/// The models that a deployment runs.
fn uses(spec: &DeploymentSpec) -> Vec<(ModelName, &'static str)> {
    let shares = spec
        .shares()
        .into_iter()
        .map(|share| (share.model, "serves it"));
    let beside = spec.before.iter().chain(&spec.after);
    let beside = beside.filter_map(|one| match one {
        Coprocessor::Model(named) => Some((named.model.clone(), "runs it beside")),
        Coprocessor::Container(_) => None,
    });
    shares.chain(beside).collect()
}
