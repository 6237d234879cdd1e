//! A model with its versions, as far as their records can be read.
//!
//! One broken record must not hide the others: what can't be read is told beside what can.

use super::cores::Cores;
use crate::check::spread::Spread;
use crate::record::kind::{Deployment, Model, ModelVersion};
use crate::record::{Alias, ModelName, Version};
use crate::yard::{Catalog, CatalogError, YardError};

/// A model with its versions.
#[derive(Debug)]
pub(super) struct Shelf {
    /// The model's name, by its folder.
    pub(super) name: ModelName,
    /// Its record, if there is one that can be read.
    pub(super) model: Option<Model>,
    /// Its versions' records, from the lowest to the highest.
    pub(super) versions: Vec<(Version, ModelVersion)>,
}

impl Shelf {
    /// The aliases that mean `version`.
    pub(super) fn aliases(&self, version: &Version) -> Vec<Alias> {
        let aliases = self.model.iter().flat_map(|model| &model.spec.aliases);
        aliases
            .filter(|(_, meant)| *meant == version)
            .map(|(alias, _)| alias.clone())
            .collect()
    }
}

/// The models of `names` without their versions, and what of it can't be read.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) fn covers(
    catalog: &Catalog,
    names: Vec<ModelName>,
) -> Result<(Vec<Shelf>, Vec<String>), CatalogError> {
    let mut unreadable = Vec::new();
    let mut shelves = Vec::with_capacity(names.len());
    for name in names {
        shelves.push(Shelf {
            model: readable(catalog.model(&name), &mut unreadable)?,
            name,
            versions: Vec::new(),
        });
    }
    Ok((shelves, unreadable))
}

/// The models of `names` with all of their versions, and what of it can't be read.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) fn shelves(
    catalog: &Catalog,
    names: Vec<ModelName>,
) -> Result<(Vec<Shelf>, Vec<String>), CatalogError> {
    let (mut shelves, mut unreadable) = covers(catalog, names)?;
    let mut wanted = Vec::new();
    for (place, shelf) in shelves.iter().enumerate() {
        for version in catalog.versions(&shelf.name)? {
            wanted.push((place, shelf.name.clone(), version));
        }
    }
    let read = Cores.spread(wanted, |(shelf, name, version)| {
        let record = catalog.version(&name, &version);
        (shelf, version, record)
    });
    for (shelf, version, record) in read {
        if let Some(record) = readable(record, &mut unreadable)?.flatten() {
            shelves[shelf].versions.push((version, record));
        }
    }
    Ok((shelves, unreadable))
}

/// The path and the text of a model's card; nothing where it has none.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) fn card(
    catalog: &Catalog,
    model: &ModelName,
) -> Result<Option<(String, String)>, CatalogError> {
    let path = format!("models/{model}/README.md");
    match catalog.snapshot().read(&path) {
        Ok(bytes) => Ok(bytes.map(|bytes| (path, String::from_utf8_lossy(&bytes).into_owned()))),
        // A link or a folder of that name is no card; the check tells of it.
        Err(YardError::NotAFile { .. } | YardError::FileTooLarge { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// The deployments, by environment and name, and what of them can't be read.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) fn deployments(
    catalog: &Catalog,
) -> Result<(Vec<Deployment>, Vec<String>), CatalogError> {
    let mut unreadable = Vec::new();
    let mut deployments = Vec::new();
    for (environment, name) in catalog.deployment_names()? {
        let record = catalog.deployment(&environment, &name);
        deployments.extend(readable(record, &mut unreadable)?.flatten());
    }
    Ok((deployments, unreadable))
}

/// What was read; what is wrong with it goes into `unreadable`.
pub(super) fn readable<T>(
    read: Result<T, CatalogError>,
    unreadable: &mut Vec<String>,
) -> Result<Option<T>, CatalogError> {
    match read {
        Ok(record) => Ok(Some(record)),
        Err(error @ CatalogError::Malformed { .. }) => {
            unreadable.push(error.to_string());
            Ok(None)
        }
        // A folder of versions whose model's record is not there yet.
        Err(CatalogError::NoSuchModel { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}
