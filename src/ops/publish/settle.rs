//! Which version it becomes, where its bytes go, and what is there already.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Wanted;
use super::error::{Clash, PublishError};
use super::said::Said;
use crate::ops::propose;
use crate::record::kind::{self, ModelSpec, ModelVersionSpec, Spec, Vocabularies};
use crate::record::{Bump, Digest, Failure, ModelName, Name, Version};
use crate::yard::{
    Catalog, CatalogError, Change, Revision, Yard, blocking, model_path, version_path,
};

/// What was settled before anything is written.
pub(super) struct Settled {
    pub version: Version,
    pub store: kind::Store,
    pub vocabularies: Vocabularies,
    pub existing: Existing,
    pub change: Change,
}

/// The records that are there already: on the branch of an earlier attempt, or on main.
#[derive(Debug)]
pub(super) struct Existing {
    pub model: Option<Text>,
    pub version: Option<Text>,
    /// Whether the version is on main, where only few of its fields may change.
    pub merged: bool,
    /// Whether the model has a card.
    pub card: bool,
}

/// A record as text and as a value.
#[derive(Debug)]
pub(super) struct Text {
    pub text: String,
    pub value: Value,
}

impl Settled {
    /// Fetches main and settles.
    ///
    /// # Errors
    /// [`PublishError`], or that git's side failed.
    pub(super) async fn find(
        yard: &Yard,
        model: &ModelName,
        wanted: Wanted,
        store: Option<&Name>,
        digest: &Digest,
    ) -> Result<Self, Failure> {
        let version = match wanted {
            Wanted::Version(version) => version,
            Wanted::Next(bump) => {
                propose::fetch(yard).await?;
                let (yard, model) = (yard.clone(), model.clone());
                blocking(move || next_version(&yard, &model, bump)).await?
            }
        };
        let change = propose::begin(yard, &format!("publish/{model}/{version}")).await?;
        let spec = Catalog::new(change.base()?).yard()?.spec;
        let existing = Existing::find(&change, model, &version)?;
        existing.has_these_bytes(model, &version, digest)?;
        let store = find_store(&spec, store)?;
        Ok(Self {
            version,
            store,
            vocabularies: spec.classification,
            existing,
            change,
        })
    }
}

fn next_version(yard: &Yard, model: &ModelName, bump: Bump) -> Result<Version, Failure> {
    let catalog = Catalog::new(yard.snapshot(&Revision::Main)?);
    let newest = catalog.versions(model)?.into_iter().max();
    let what = "unknown: the model has none to raise";
    let newest = newest.ok_or_else(|| PublishError::WhichVersion {
        model: model.clone(),
        what,
    })?;
    Ok(newest.bumped(bump))
}

pub(in crate::ops) fn find_store(
    yard: &kind::YardSpec,
    name: Option<&Name>,
) -> Result<kind::Store, PublishError> {
    let mut stores = yard.stores.iter();
    let found = match name {
        None => stores.next(),
        Some(name) => stores.find(|store| store.name == *name),
    };
    found.cloned().ok_or_else(|| PublishError::NoStore {
        name: name.map_or_else(|| "default".to_owned(), Name::to_string),
        stores: yard
            .stores
            .iter()
            .map(|store| store.name.to_string())
            .collect(),
    })
}

impl Existing {
    fn find(change: &Change, model: &ModelName, version: &Version) -> Result<Self, Failure> {
        let path = version_path(model, version);
        let branch = Catalog::new(change.snapshot());
        Ok(Self {
            model: Text::read::<ModelSpec>(&branch, &model_path(model))?,
            version: Text::read::<ModelVersionSpec>(&branch, &path)?,
            merged: change.base()?.read(&path)?.is_some(),
            card: branch.snapshot().read(&card_path(model))?.is_some(),
        })
    }

    /// Makes sure that the version, if it is there, is of the bytes with `digest`.
    fn has_these_bytes(
        &self,
        model: &ModelName,
        version: &Version,
        digest: &Digest,
    ) -> Result<(), PublishError> {
        let Some(existing) = &self.version else {
            return Ok(());
        };
        let said = existing.value["spec"]["artifact"]["digest"].as_str();
        match said.and_then(|text| text.parse().ok()) {
            Some(existing) if existing != *digest => {
                let place = if self.merged {
                    "on main"
                } else {
                    "on its branch"
                };
                let clash = Clash {
                    existing,
                    ours: *digest,
                };
                Err(PublishError::taken(model, version, place, clash))
            }
            _ => Ok(()),
        }
    }

    /// What the records that are there say.
    pub(super) fn said(&self) -> Said {
        let spec = |text: &Option<Text>| {
            let spec = text
                .as_ref()
                .and_then(|text| text.value["spec"].as_object());
            spec.cloned().unwrap_or_default()
        };
        Said {
            model: spec(&self.model),
            version: spec(&self.version),
        }
    }
}

impl Text {
    /// The record at `path`, which has to be one of the kind that lies there.
    fn read<S>(catalog: &Catalog, path: &str) -> Result<Option<Self>, CatalogError>
    where
        S: Spec + DeserializeOwned,
        S::Metadata: DeserializeOwned,
    {
        let Some((bytes, tree)) = catalog.document(path)? else {
            return Ok(None);
        };
        catalog.record::<S>(path)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Some(Self {
            text,
            value: tree.into_value(),
        }))
    }
}

/// Where a model's card lies.
pub(in crate::ops) fn card_path(model: &ModelName) -> String {
    format!("models/{model}/README.md")
}

impl Text {
    /// The text, and what stands in it.
    pub(super) fn as_base(&self) -> (&str, &Value) {
        (&self.text, &self.value)
    }
}
