//! The sources that a yard names, to be imported from again and again.

use std::path::Path;

use super::error::ImportRefused;
use crate::import::Place;
use crate::import::mapping::Mapping;
use crate::ops::propose;
use crate::record::{Failure, Name};
use crate::yard::{Catalog, Revision, Snapshot, Yard, blocking};

/// A source, what it is called, and what its words become.
#[derive(Debug, Clone)]
pub struct Followed {
    /// What it is called, on the branch, too.
    pub name: Name,
    /// Where it is.
    pub place: Place,
    /// What its words become.
    pub mapping: Mapping,
}

/// The sources of main's `modelyard.yaml`, which may be none, or the one that is called `name`.
///
/// # Errors
/// If none is called so, or one says no place or names a mapping that can't be used.
pub async fn followed(yard: &Yard, name: Option<&Name>) -> Result<Vec<Followed>, Failure> {
    propose::fetch(yard).await?;
    let (yard, name) = (yard.clone(), name.cloned());
    blocking(move || {
        let snapshot = yard.snapshot(&Revision::Main)?;
        let sources = Catalog::new(snapshot.clone()).yard()?.spec.sources;
        let names: Vec<_> = sources
            .iter()
            .map(|source| source.name.to_string())
            .collect();
        let mut followed = Vec::new();
        for source in sources {
            if name.as_ref().is_some_and(|name| *name != source.name) {
                continue;
            }
            let mut mapping = match &source.map {
                Some(path) => mapping(&snapshot, path.as_str())?,
                None => Mapping::default(),
            };
            mapping.namespace = mapping.namespace.or_else(|| source.namespace.clone());
            followed.push(Followed {
                place: Place::of(&source)?,
                name: source.name,
                mapping,
            });
        }
        match name {
            Some(name) if followed.is_empty() => {
                Err(Failure::from(ImportRefused::NoSource { name, names }))
            }
            _ => Ok(followed),
        }
    })
    .await
}

fn mapping(snapshot: &Snapshot, path: &str) -> Result<Mapping, Failure> {
    let bytes = snapshot.read(path)?;
    let bytes = bytes.ok_or_else(|| ImportRefused::NoMapping {
        path: path.to_owned(),
    })?;
    Ok(Mapping::parse(Path::new(path), &bytes)?)
}
