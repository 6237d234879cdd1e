//! A snapshot's records as types, each read when it is asked for.
//!
//! Names come from paths, so that a model's versions are told by one folder's entries and of a
//! large yard only the records are parsed that matter. Whether what is in a record agrees with
//! its path is for `modelyard check` to say.

mod error;
mod resolve;

use bytes::Bytes;
use serde::de::DeserializeOwned;

pub use error::CatalogError;
pub use resolve::Resolved;

use super::error::YardError;
use super::snapshot::{Entry, Snapshot};
use super::{YARD_FILE, Yard};
use crate::check::yaml::{self, Tree};
use crate::record::kind::{Deployment, Envelope, Environment, Model, ModelVersion, Policy, Spec};
use crate::record::{ModelName, Name, Version, kind};

/// What every record's file name ends with.
const SUFFIX: &str = ".yaml";

/// The records of a yard at one moment.
#[derive(Debug, Clone)]
pub struct Catalog {
    snapshot: Snapshot,
}

impl Catalog {
    /// The records of `snapshot`.
    pub fn new(snapshot: Snapshot) -> Self {
        Self { snapshot }
    }

    /// The files they are in.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The repository they are in.
    pub fn repository(&self) -> &Yard {
        self.snapshot.yard()
    }

    /// `modelyard.yaml`.
    ///
    /// # Errors
    /// [`YardError::NoYard`] if it is not there, [`CatalogError::Malformed`].
    pub fn yard(&self) -> Result<kind::Yard, CatalogError> {
        match self.record(YARD_FILE)? {
            Some(yard) => Ok(yard),
            None => Err(YardError::NoYard {
                place: self.place(),
            }
            .into()),
        }
    }

    /// The names of all models, sorted.
    ///
    /// # Errors
    /// If git or the disk can't be read.
    pub fn models(&self) -> Result<Vec<ModelName>, CatalogError> {
        let mut models = Vec::new();
        for namespace in self.folders("models")? {
            for name in self.folders(&format!("models/{namespace}"))? {
                models.push(ModelName::new(namespace.clone(), name));
            }
        }
        models.sort_unstable();
        Ok(models)
    }

    /// A model's record.
    ///
    /// # Errors
    /// [`CatalogError::NoSuchModel`] with the closest names, [`CatalogError::Malformed`].
    pub fn model(&self, model: &ModelName) -> Result<Model, CatalogError> {
        match self.record(&model_path(model))? {
            Some(record) => Ok(record),
            None => Err(self.no_such_model(model)?),
        }
    }

    /// The versions of a model by their files, from the lowest to the highest; none where there
    /// is no such model.
    ///
    /// # Errors
    /// If git or the disk can't be read.
    pub fn versions(&self, model: &ModelName) -> Result<Vec<Version>, CatalogError> {
        let mut versions: Vec<Version> = self.files(&format!("models/{model}/versions"))?;
        versions.sort_unstable();
        Ok(versions)
    }

    /// A version's record; `None` where there is none.
    ///
    /// # Errors
    /// [`CatalogError::Malformed`].
    pub fn version(
        &self,
        model: &ModelName,
        version: &Version,
    ) -> Result<Option<ModelVersion>, CatalogError> {
        self.record(&version_path(model, version))
    }

    /// An environment's record; `None` where there is none.
    ///
    /// # Errors
    /// [`CatalogError::Malformed`].
    pub fn environment(&self, name: &Name) -> Result<Option<Environment>, CatalogError> {
        self.record(&format!("environments/{name}{SUFFIX}"))
    }

    /// The names of the environments by their files, sorted.
    ///
    /// # Errors
    /// If git or the disk can't be read.
    pub fn environment_names(&self) -> Result<Vec<Name>, CatalogError> {
        let mut names: Vec<Name> = self.files("environments")?;
        names.sort_unstable();
        Ok(names)
    }

    /// The environments, by name.
    ///
    /// # Errors
    /// [`CatalogError::Malformed`].
    pub fn environments(&self) -> Result<Vec<Environment>, CatalogError> {
        self.all("environments")
    }

    /// The policies, by name.
    ///
    /// # Errors
    /// [`CatalogError::Malformed`].
    pub fn policies(&self) -> Result<Vec<Policy>, CatalogError> {
        self.all("policies")
    }

    /// The names of the deployments by their files, each behind its environment's, sorted.
    ///
    /// # Errors
    /// If git or the disk can't be read.
    pub fn deployment_names(&self) -> Result<Vec<(Name, Name)>, CatalogError> {
        let mut names = Vec::new();
        for environment in self.folders("deployments")? {
            let files = self.files(&format!("deployments/{environment}"))?;
            names.extend(files.into_iter().map(|name| (environment.clone(), name)));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The deployments, by environment and name.
    ///
    /// # Errors
    /// [`CatalogError::Malformed`].
    pub fn deployments(&self) -> Result<Vec<Deployment>, CatalogError> {
        let mut deployments = Vec::new();
        for (environment, name) in self.deployment_names()? {
            deployments.extend(self.deployment(&environment, &name)?);
        }
        Ok(deployments)
    }

    /// A deployment's record; `None` where there is none.
    ///
    /// # Errors
    /// [`CatalogError::Malformed`].
    pub fn deployment(
        &self,
        environment: &Name,
        name: &Name,
    ) -> Result<Option<Deployment>, CatalogError> {
        self.record(&deployment_path(environment, name))
    }

    /// The record at `path`, which has to be of the kind that is asked for.
    ///
    /// # Errors
    /// [`CatalogError::Malformed`] with the place of what is wrong.
    pub fn record<S>(&self, path: &str) -> Result<Option<Envelope<S>>, CatalogError>
    where
        S: Spec + DeserializeOwned,
        S::Metadata: DeserializeOwned,
    {
        let Some((bytes, tree)) = self.document(path)? else {
            return Ok(None);
        };
        let record = kind::read(tree.value());
        record
            .map(Some)
            .map_err(|error| CatalogError::no_record(path, &bytes, &error))
    }

    /// The YAML at `path`, as bytes and parsed.
    ///
    /// # Errors
    /// [`CatalogError::Malformed`] with the place of what is wrong.
    pub fn document(&self, path: &str) -> Result<Option<(Bytes, Tree)>, CatalogError> {
        let read = self.snapshot.read(path);
        let Some(bytes) = read.map_err(|error| CatalogError::unread(path, error))? else {
            return Ok(None);
        };
        match yaml::parse(&bytes) {
            Ok(tree) => Ok(Some((bytes, tree))),
            Err(problems) => Err(CatalogError::yaml(path, &problems)),
        }
    }

    fn place(&self) -> String {
        let place = self.repository().place();
        match self.snapshot.commit() {
            Some(commit) => format!("{place} at {:.7}", commit.to_string()),
            None => place,
        }
    }

    fn all<S>(&self, folder: &str) -> Result<Vec<Envelope<S>>, CatalogError>
    where
        S: Spec + DeserializeOwned,
        S::Metadata: DeserializeOwned,
    {
        let mut names: Vec<Name> = self.files(folder)?;
        names.sort_unstable();
        let mut records = Vec::new();
        for name in names {
            records.extend(self.record(&format!("{folder}/{name}{SUFFIX}"))?);
        }
        Ok(records)
    }

    /// What the names of `folder`'s YAML files mean, those left out that mean nothing.
    fn files<T: std::str::FromStr>(&self, folder: &str) -> Result<Vec<T>, CatalogError> {
        let entries = self.snapshot.list(folder)?;
        let files = entries.iter().filter_map(|entry| match entry {
            Entry::File(name) => name.strip_suffix(SUFFIX)?.parse().ok(),
            Entry::Folder(_) => None,
        });
        Ok(files.collect())
    }

    fn folders(&self, folder: &str) -> Result<Vec<Name>, CatalogError> {
        let entries = self.snapshot.list(folder)?;
        let folders = entries.iter().filter_map(|entry| match entry {
            Entry::Folder(name) => name.parse().ok(),
            Entry::File(_) => None,
        });
        Ok(folders.collect())
    }
}

/// Where a model's record lies.
pub fn model_path(model: &ModelName) -> String {
    format!("models/{model}/model.yaml")
}

/// Where a version's record lies.
pub fn version_path(model: &ModelName, version: &Version) -> String {
    format!("models/{model}/versions/{version}.yaml")
}

/// Where a deployment's record lies.
pub fn deployment_path(environment: &Name, name: &Name) -> String {
    format!("deployments/{environment}/{name}.yaml")
}
