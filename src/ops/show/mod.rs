//! All that a yard knows of one model, of one of its versions, or of a deployment.
//!
//! A model and a deployment are named alike, `vision/digits` and `factory/digits`. The name is
//! taken for a model's if there is one, and a deployment can always be named by its path,
//! `deployments/factory/digits`.

mod lacking;

use std::str::FromStr;

use serde::Serialize;

pub use lacking::Lacking;

use super::list::{DeploymentRow, VersionRow};
use super::shelf::{card, covers, deployments, readable, shelves};
use crate::record::kind::{Deployment, Model, ModelVersion, Target};
use crate::record::reference::ReferenceError;
use crate::record::{Alias, Failure, ModelName, ModelReference, Name, Selector, Version};
use crate::yard::{Catalog, CatalogError, deployment_path, model_path};

/// What a person can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A model, one of its versions, or, where there is no such model, a deployment of that name.
    Named(ModelReference),
    /// A deployment.
    Deployment(DeploymentName),
}

/// A deployment's name in an environment: `factory/digits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeploymentName {
    /// Where it runs.
    pub environment: Name,
    /// Its name there.
    pub name: Name,
}

impl FromStr for Wanted {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match text.strip_prefix("deployments/") {
            Some(name) if name.contains('/') => {
                let name: ModelName = name.parse()?;
                Ok(Self::Deployment((&name).into()))
            }
            _ => Ok(Self::Named(text.parse()?)),
        }
    }
}

impl From<&ModelName> for DeploymentName {
    /// The deployment that is named as a model may be.
    fn from(name: &ModelName) -> Self {
        Self {
            environment: name.namespace().clone(),
            name: name.name().clone(),
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Shown {
    /// A model.
    Model(Box<ShownModel>),
    /// One of its versions.
    Version(Box<ShownVersion>),
    /// A deployment.
    Deployment(Box<ShownDeployment>),
}

/// A model with its versions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownModel {
    /// Its name.
    pub model: ModelName,
    /// Where its record lies in the yard.
    pub path: String,
    /// Where its card lies, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Its record, if it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Model>,
    /// Its versions, newest first.
    pub versions: Vec<VersionRow>,
    /// The deployments that serve any of them.
    pub deployments: Vec<DeploymentRow>,
    /// Records that can't be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// A version.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownVersion {
    /// Its model.
    pub model: ModelName,
    /// Which version it is.
    pub version: Version,
    /// Where its record lies in the yard.
    pub path: String,
    /// Names that mean it.
    pub aliases: Vec<Alias>,
    /// Its record.
    pub record: ModelVersion,
    /// The deployments that serve it.
    pub deployments: Vec<DeploymentRow>,
    /// What its record still lacks for it to be made again.
    pub lacking: Vec<Lacking>,
    /// Records that can't be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// A deployment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownDeployment {
    /// Its name and what it serves.
    #[serde(flatten)]
    pub row: DeploymentRow,
    /// Where its record lies in the yard.
    pub path: String,
    /// What its environment is, if that has a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Its record.
    pub record: Deployment,
    /// The versions that it serves now.
    pub versions: Vec<VersionRow>,
    /// Records that can't be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

impl Shown {
    /// Records that can't be read, and why.
    pub fn unreadable(&self) -> &[String] {
        match self {
            Self::Model(shown) => &shown.unreadable,
            Self::Version(shown) => &shown.unreadable,
            Self::Deployment(shown) => &shown.unreadable,
        }
    }
}

/// Shows what is `wanted`. It blocks: call it where that is allowed.
///
/// # Errors
/// [`CatalogError`] if there is none such, or if the record of a version or of a deployment can't
/// be read.
pub fn show(catalog: &Catalog, wanted: &Wanted) -> Result<Shown, Failure> {
    let reference = match wanted {
        Wanted::Deployment(name) => {
            let shown = deployment(catalog, name)?;
            let path = deployment_path(&name.environment, &name.name);
            let shown = shown.ok_or_else(|| CatalogError::missing(&path))?;
            return Ok(Shown::Deployment(Box::new(shown)));
        }
        Wanted::Named(reference) => reference,
    };
    if reference.selector != Selector::Newest {
        return Ok(Shown::Version(Box::new(version(catalog, reference)?)));
    }
    match model(catalog, &reference.model)? {
        Ok(shown) => Ok(Shown::Model(Box::new(shown))),
        Err(no_such_model) => match deployment(catalog, &(&reference.model).into())? {
            Some(shown) => Ok(Shown::Deployment(Box::new(shown))),
            None => Err(no_such_model.into()),
        },
    }
}

/// The model, or the error that tells that there is none.
fn model(catalog: &Catalog, name: &ModelName) -> Result<Result<ShownModel, CatalogError>, Failure> {
    let (mut shelves, mut unreadable) = shelves(catalog, vec![name.clone()])?;
    let shelf = shelves.pop().expect("one name gives one shelf");
    if shelf.model.is_none()
        && let Err(error @ CatalogError::NoSuchModel { .. }) = catalog.model(name)
    {
        return Ok(Err(error));
    }
    let (deployments, broken) = serving(catalog, |row| {
        row.serves.iter().any(|serves| serves.model == *name)
    })?;
    unreadable.extend(broken);
    let versions = shelf.versions.iter().rev();
    Ok(Ok(ShownModel {
        model: name.clone(),
        path: model_path(name),
        card: card(catalog, name)?.map(|(path, _)| path),
        versions: versions
            .map(|(version, record)| VersionRow::of(&shelf, version, record))
            .collect(),
        record: shelf.model,
        deployments,
        unreadable,
    }))
}

fn version(catalog: &Catalog, reference: &ModelReference) -> Result<ShownVersion, Failure> {
    let found = catalog.resolve(reference)?;
    let (mut covers, mut unreadable) = covers(catalog, vec![found.model.clone()])?;
    let shelf = covers.pop().expect("one name gives one shelf");
    let (deployments, broken) = serving(catalog, |row| {
        let mut serves = row.serves.iter();
        serves.any(|serves| {
            serves.model == found.model && serves.version.as_ref() == Some(&found.version)
        })
    })?;
    unreadable.extend(broken);
    Ok(ShownVersion {
        aliases: shelf.aliases(&found.version),
        lacking: lacking::lacking(&found.record.spec),
        path: found.path,
        model: found.model,
        version: found.version,
        record: found.record,
        deployments,
        unreadable,
    })
}

fn deployment(
    catalog: &Catalog,
    name: &DeploymentName,
) -> Result<Option<ShownDeployment>, Failure> {
    let DeploymentName { environment, name } = name;
    let Some(record) = catalog.deployment(environment, name)? else {
        return Ok(None);
    };
    let mut unreadable = Vec::new();
    let environment_record = readable(catalog.environment(environment), &mut unreadable)?;
    let row = DeploymentRow::of(catalog, &record);
    let mut versions = Vec::new();
    for serves in &row.serves {
        let (covers, broken) = covers(catalog, vec![serves.model.clone()])?;
        unreadable.extend(broken);
        let Some(version) = &serves.version else {
            continue;
        };
        let record = catalog.version(&serves.model, version)?;
        let rows = covers.iter().zip(&record);
        versions.extend(rows.map(|(shelf, record)| VersionRow::of(shelf, version, record)));
    }
    Ok(Some(ShownDeployment {
        row,
        path: deployment_path(environment, name),
        target: environment_record
            .flatten()
            .map(|record| record.spec.target),
        record,
        versions,
        unreadable,
    }))
}

/// The deployments that are `wanted`, and what of all of them can't be read.
fn serving(
    catalog: &Catalog,
    wanted: impl Fn(&DeploymentRow) -> bool,
) -> Result<(Vec<DeploymentRow>, Vec<String>), Failure> {
    let (records, unreadable) = deployments(catalog)?;
    let rows = records
        .iter()
        .map(|record| DeploymentRow::of(catalog, record));
    Ok((rows.filter(wanted).collect(), unreadable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_named_as_a_model_or_by_its_path() {
        let wanted: Wanted = "deployments/factory/digits".parse().unwrap();
        assert!(matches!(wanted, Wanted::Deployment(name) if name.name.as_str() == "digits"));
        for text in [
            "factory/digits",
            "vision/digits:1.0.0",
            "deployments/digits",
        ] {
            assert!(matches!(text.parse(), Ok(Wanted::Named(_))), "{text}");
        }
        for text in [
            "deployments/factory/digits/more",
            "deployments/factory/",
            "digits",
            "",
        ] {
            assert!(text.parse::<Wanted>().is_err(), "{text}");
        }
    }
}
