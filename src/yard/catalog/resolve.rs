//! From what a person writes to the version that is meant.

use super::error::CatalogError;
use super::{Catalog, model_path, version_path};
use crate::record::kind::ModelVersion;
use crate::record::{Lifecycle, ModelName, ModelReference, Selector, Version};

/// The longest list of names that are compared with a mistyped one.
const MAX_COMPARED: usize = 100_000;

/// The version that a reference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The model.
    pub model: ModelName,
    /// Its version.
    pub version: Version,
    /// The version's record.
    pub record: ModelVersion,
    /// Where the record lies in the yard.
    pub path: String,
}

impl Catalog {
    /// Finds the version that `reference` means.
    ///
    /// An exact version, an alias and a digest find it whatever its lifecycle; without a version
    /// it is the newest released one, and a range takes the newest that is released or
    /// deprecated. Pre-releases are only found by name, or by a range that names one.
    ///
    /// # Errors
    /// [`CatalogError`], with what there is instead.
    pub fn resolve(&self, reference: &ModelReference) -> Result<Resolved, CatalogError> {
        let model = &reference.model;
        let versions = self.versions(model)?;
        if versions.is_empty() && self.snapshot.read(&model_path(model))?.is_none() {
            return Err(self.no_such_model(model)?);
        }
        let found = match &reference.selector {
            Selector::Version(version) => self.exactly(model, version)?,
            Selector::Alias(alias) => {
                let aliases = self.model(model)?.spec.aliases;
                let Some(version) = aliases.get(alias) else {
                    return Err(CatalogError::NoSuchAlias {
                        model: model.clone(),
                        alias: alias.clone(),
                        aliases: aliases.into_iter().collect(),
                    });
                };
                self.exactly(model, version)?
            }
            Selector::Newest => {
                let whole = versions.iter().filter(|version| !version.is_prerelease());
                let released = |record: &ModelVersion| record.spec.lifecycle == Lifecycle::Released;
                self.newest(model, whole, released)?
            }
            Selector::Range(range) => {
                let inside = versions.iter().filter(|version| range.contains(version));
                let usable = |record: &ModelVersion| {
                    use Lifecycle::{Deprecated, Released};
                    matches!(record.spec.lifecycle, Released | Deprecated)
                };
                self.newest(model, inside, usable)?
            }
            Selector::Digest(digest) => {
                let has = |record: &ModelVersion| record.spec.artifact.digest == *digest;
                self.newest(model, versions.iter(), has)?
            }
        };
        match found {
            Some(found) => Ok(found),
            None => Err(self.nothing_found(reference, versions)?),
        }
    }

    fn exactly(
        &self,
        model: &ModelName,
        version: &Version,
    ) -> Result<Option<Resolved>, CatalogError> {
        let record = self.version(model, version)?;
        Ok(record.map(|record| Resolved {
            model: model.clone(),
            version: version.clone(),
            record,
            path: version_path(model, version),
        }))
    }

    /// The highest of `versions` (sorted upwards) that is `wanted`; the others below it are not
    /// even read.
    fn newest<'a>(
        &self,
        model: &ModelName,
        versions: impl DoubleEndedIterator<Item = &'a Version>,
        wanted: impl Fn(&ModelVersion) -> bool,
    ) -> Result<Option<Resolved>, CatalogError> {
        for version in versions.rev() {
            let found = self.exactly(model, version)?;
            if let Some(found) = found
                && wanted(&found.record)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn nothing_found(
        &self,
        reference: &ModelReference,
        versions: Vec<Version>,
    ) -> Result<CatalogError, CatalogError> {
        let model = reference.model.clone();
        let mut told = Vec::new();
        for version in versions.into_iter().rev() {
            // What stands in a record that can't be read is of no matter to this error.
            let record = self.version(&model, &version).ok().flatten();
            told.push((version, record.map(|record| record.spec.lifecycle)));
        }
        Ok(match &reference.selector {
            Selector::Newest => CatalogError::NothingReleased {
                model,
                versions: told,
            },
            selector => CatalogError::NoSuchVersion {
                asked: self.asked(&model, selector),
                model,
                versions: told,
            },
        })
    }

    /// What was asked for, as the error tells it.
    fn asked(&self, model: &ModelName, selector: &Selector) -> String {
        match selector {
            Selector::Range(range) => format!("in {range} that may be used"),
            Selector::Digest(digest) => format!("with {digest}"),
            Selector::Alias(alias) => {
                let aliases = self.model(model).map(|model| model.spec.aliases);
                let version = aliases.ok().and_then(|aliases| aliases.get(alias).cloned());
                match version {
                    Some(version) => format!("{version}, which its alias {alias} names"),
                    None => alias.to_string(),
                }
            }
            other => other.to_string(),
        }
    }

    /// The models whose names are most like `wanted`, which is a model's or its last part: three
    /// at most, the closest first.
    ///
    /// # Errors
    /// If git or the disk can't be read.
    pub fn closest(&self, wanted: &str) -> Result<Vec<ModelName>, CatalogError> {
        let mut closest: Vec<_> = self
            .models()?
            .into_iter()
            .take(MAX_COMPARED)
            .map(|known| (likeness(wanted, &known), known))
            .filter(|(likeness, _)| *likeness > 0.8)
            .collect();
        closest.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        closest.truncate(3);
        Ok(closest.into_iter().map(|(_, known)| known).collect())
    }

    pub(super) fn no_such_model(&self, model: &ModelName) -> Result<CatalogError, CatalogError> {
        let mut closest = self.closest(&model.to_string())?;
        // A folder of that name, without a record in it.
        closest.retain(|known| known != model);
        Ok(CatalogError::NoSuchModel {
            place: self.place(),
            model: model.clone(),
            closest,
        })
    }
}

/// How alike two names are, from 0 to 1; the same name in another namespace is very alike.
fn likeness(wanted: &str, known: &ModelName) -> f64 {
    let whole = strsim::jaro_winkler(wanted, &known.to_string());
    match wanted.split_once('/') {
        Some((_, name)) if name == known.name().as_str() => whole.max(0.9),
        Some(_) => whole,
        None => whole.max(strsim::jaro_winkler(wanted, known.name().as_str())),
    }
}
