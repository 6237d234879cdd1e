//! Who depends on a model: versions of other models that need what it produces, and deployments that
//! run it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::check::spread::Spread;
use crate::ops::cores::Cores;
use crate::ops::shelf::readable;
use crate::record::kind::{Coprocessor, DeploymentSpec, Product};
use crate::record::{Lifecycle, ModelName, Version};
use crate::yard::{Catalog, CatalogError, YardError};

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

/// Who depends on each of `models`, by the records of `catalog`; versions that can't serve any more
/// are left out.
///
/// # Errors
/// If git or the disk can't be read. What can't be read of records is left out: the check tells.
pub(super) fn find(
    catalog: &Catalog,
    models: &BTreeSet<ModelName>,
) -> Result<BTreeMap<ModelName, Dependents>, CatalogError> {
    let mut found: BTreeMap<ModelName, BTreeSet<Dependent>> = BTreeMap::new();
    if models.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut unreadable = Vec::new();
    for (environment, name) in catalog.deployment_names()? {
        let record = readable(catalog.deployment(&environment, &name), &mut unreadable)?;
        let Some(record) = record.flatten() else {
            continue;
        };
        for (model, on) in uses(&record.spec) {
            if models.contains(&model) {
                let who = format!("deployment {environment}/{name}");
                let on = on.to_owned();
                found
                    .entry(model)
                    .or_default()
                    .insert(Dependent { who, on });
            }
        }
    }
    for (model, dependent) in versions(catalog, models)? {
        found.entry(model).or_default().insert(dependent);
    }
    let told = found.into_iter().map(|(model, all)| {
        let more = all.len().saturating_sub(MOST);
        let told = all.into_iter().take(MOST).collect();
        (model, Dependents { told, more })
    });
    Ok(told.collect())
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

/// The versions that need what one of `models` produces. Only records in whose bytes one of the
/// names stands are parsed.
fn versions(
    catalog: &Catalog,
    models: &BTreeSet<ModelName>,
) -> Result<Vec<(ModelName, Dependent)>, CatalogError> {
    let names: Vec<String> = models.iter().map(ModelName::to_string).collect();
    let paths = catalog.snapshot().paths()?.into_iter();
    let paths: Vec<(ModelName, Version)> = paths.filter_map(|path| version(&path)).collect();
    let read = |(model, version): (ModelName, Version)| {
        let path = crate::yard::version_path(&model, &version);
        let bytes = match catalog.snapshot().read(&path) {
            Ok(bytes) => bytes.unwrap_or_default(),
            Err(YardError::NotAFile { .. } | YardError::FileTooLarge { .. }) => return Ok(None),
            Err(error) => return Err(CatalogError::from(error)),
        };
        let text = String::from_utf8_lossy(&bytes);
        if !names.iter().any(|name| text.contains(name.as_str())) {
            return Ok(None);
        }
        let record = readable(catalog.version(&model, &version), &mut Vec::new())?;
        Ok(record.flatten().map(|record| (model, version, record)))
    };
    let mut found = Vec::new();
    for read in Cores.spread(paths, read) {
        let Some((model, version, record)) = read? else {
            continue;
        };
        if matches!(
            record.spec.lifecycle,
            Lifecycle::Retired | Lifecycle::Recycled
        ) {
            continue;
        }
        let needs = record.spec.dependencies.iter().flat_map(|all| &all.models);
        for need in needs.filter(|need| models.contains(&need.produced_by.model)) {
            let on = match &need.produced_by.product {
                Product::Output(output) => format!("needs its output {output}"),
                Product::File(file) => format!("needs its file {}", file.as_str()),
            };
            let who = format!("{model} {version}");
            found.push((need.produced_by.model.clone(), Dependent { who, on }));
        }
    }
    Ok(found)
}

/// The version whose record is at `path`.
fn version(path: &str) -> Option<(ModelName, Version)> {
    let parts: Vec<&str> = path.split('/').collect();
    let ["models", namespace, name, "versions", file] = parts.as_slice() else {
        return None;
    };
    let version = file.strip_suffix(".yaml")?.parse().ok()?;
    let model = ModelName::new(namespace.parse().ok()?, name.parse().ok()?);
    Some((model, version))
}
