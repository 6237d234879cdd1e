//! A model with its versions, as far as their records can be read.
//!
//! One broken record must not hide the others: what can't be read is told beside what can.

use super::cores::Cores;
use crate::check::spread::Spread;
use crate::record::kind::{Deployment, Model, ModelVersion};
use crate::record::{Alias, ModelName, Name, Version};
use crate::yard::{Catalog, CatalogError, Entry};

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

/// The models of `names` with all of their versions, and what of it can't be read.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) fn shelves(
    catalog: &Catalog,
    names: Vec<ModelName>,
) -> Result<(Vec<Shelf>, Vec<String>), CatalogError> {
    let mut unreadable = Vec::new();
    let mut wanted = Vec::new();
    let mut shelves = Vec::with_capacity(names.len());
    for name in names {
        for version in catalog.versions(&name)? {
            wanted.push((shelves.len(), name.clone(), version));
        }
        shelves.push(Shelf {
            model: readable(catalog.model(&name), &mut unreadable)?,
            name,
            versions: Vec::new(),
        });
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

/// The deployments, by environment and name, and what of them can't be read.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) fn deployments(
    catalog: &Catalog,
) -> Result<(Vec<Deployment>, Vec<String>), CatalogError> {
    let mut unreadable = Vec::new();
    let mut deployments = Vec::new();
    for environment in catalog.snapshot().list("deployments")? {
        let Entry::Folder(environment) = environment else {
            continue;
        };
        let folder = format!("deployments/{environment}");
        for file in catalog.snapshot().list(&folder)? {
            let Entry::File(file) = file else { continue };
            // What has no name of a record is none; the check tells of it.
            let name = file.strip_suffix(".yaml");
            if name.is_some_and(|name| name.parse::<Name>().is_ok()) {
                let record = catalog.record(&format!("{folder}/{file}"));
                deployments.extend(readable(record, &mut unreadable)?.flatten());
            }
        }
    }
    Ok((deployments, unreadable))
}

/// What was read; what is wrong with it goes into `unreadable`.
fn readable<T>(
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
