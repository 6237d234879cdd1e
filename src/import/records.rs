//! A folder that `modelyard export --to folder` wrote: records, a card, and the files they are of.
//!
//! What a version was before (its lifecycle, its aliases) is told as any source tells it. What
//! belongs to the yard it comes from, as the place of its bytes, is not taken over.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::export::{CARD, FILES, MODEL, VERSION};
use super::{Candidate, Files, ImportError, Listed, ModelListed};
use crate::check::yaml;
use crate::platform::atomic::read_if_there;
use crate::record::kind::Kind;

/// The largest card: what a yard takes as a file.
const MAX_CARD_BYTES: u64 = 16 << 20;

/// Fields of a version that are of its yard, or that a source tells in words of its own.
const OF_THE_YARD: [&str; 3] = ["artifact", "lifecycle", "imported"];

/// The records of a folder.
#[derive(Debug)]
pub(super) struct Records {
    version: Value,
    model: Value,
}

impl Records {
    /// The records in `folder`; nothing where it is another folder.
    ///
    /// # Errors
    /// If it has records that can't be read.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, ImportError> {
        if !folder.join(FILES).is_dir() {
            return Ok(None);
        }
        let Some(version) = record(folder, VERSION, Kind::ModelVersion)? else {
            return Ok(None);
        };
        let model = record(folder, MODEL, Kind::Model)?.unwrap_or(Value::Null);
        Ok(Some(Self { version, model }))
    }

    /// The version, as a source lists it.
    pub(super) fn listed(&self) -> Listed {
        let metadata = &self.version["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        let (namespace, name, label) = (text("namespace"), text("name"), text("version"));
        let mut listed = Listed::new(name, label, format!("{namespace}/{name}:{label}"));
        listed.here = format!("{namespace}/{name}").parse().ok();
        listed.version = label.parse().ok();
        let lifecycle = self.version["spec"]["lifecycle"].as_str();
        listed.stage = lifecycle.map(str::to_owned);
        let aliases = self.model["spec"]["aliases"].as_object();
        let ours = aliases.into_iter().flatten();
        let ours = ours.filter(|(_, meant)| meant.as_str() == Some(label));
        listed.aliases = ours.map(|(alias, _)| alias.clone()).collect();
        listed
    }

    /// The model, as a source lists it.
    pub(super) fn model(&self) -> ModelListed {
        let mut listed = ModelListed {
            spec: object(&self.model["spec"]),
            ..ModelListed::default()
        };
        listed.spec.shift_remove("aliases");
        if let Value::Object(labels) = &self.model["metadata"]["labels"] {
            listed
                .unmapped
                .insert("labels".to_owned(), labels.clone().into());
        }
        listed
    }

    /// All that `folder` tells of the version.
    ///
    /// # Errors
    /// If its card can't be read.
    pub(super) fn candidate(&self, folder: &Path) -> Result<Candidate, ImportError> {
        let mut version = object(&self.version["spec"]);
        for field in OF_THE_YARD {
            version.shift_remove(field);
        }
        let mut unmapped = Map::new();
        // An image has a place of its own, which another yard can't sign for.
        if let Some(images) = version.shift_remove("images") {
            unmapped.insert("images".to_owned(), images);
        }
        for (field, value) in object(&self.version["spec"]["imported"]) {
            match value {
                Value::Object(said) if field == "unmapped" => unmapped.extend(said),
                value => {
                    // Where it came from first of all.
                    unmapped.entry(format!("imported.{field}")).or_insert(value);
                }
            }
        }
        let card = read_if_there(&folder.join(CARD), MAX_CARD_BYTES)?;
        Ok(Candidate {
            version,
            card: card.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            unmapped,
            files: Files::Here(folder.join(FILES)),
            remarks: Vec::new(),
            carrier: None,
        })
    }
}

/// The record `name` of `folder`; nothing where none is, or something else.
fn record(folder: &Path, name: &str, kind: Kind) -> Result<Option<Value>, ImportError> {
    let path = folder.join(name);
    let Some(bytes) = read_if_there(&path, yaml::MAX_RECORD_BYTES as u64)? else {
        return Ok(None);
    };
    let tree = yaml::parse(&bytes).map_err(|problems| ImportError::Malformed {
        place: path.display().to_string(),
        reason: problems.to_string(),
    })?;
    let value = tree.into_value();
    Ok((value.get("kind") == Some(&json!(kind.as_str()))).then_some(value))
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
