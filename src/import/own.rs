//! What an export says that the other side has no word for.
//!
//! It stands under one key, `modelyard`, of a card's front matter or of an `MLmodel`'s `metadata`,
//! and is heard over all else when that is imported again:
//!
//! ```yaml
//! modelyard:
//!   model: {owners: [{team: vision}]}      fields of the model's `spec`
//!   version: {notes: Keep it at 40 cm.}    fields of the version's; null where a field is none
//! ```

use serde_json::{Map, Value};

/// The key.
pub(super) const KEY: &str = "modelyard";

/// Fields of a model that can stand there.
const OF_MODEL: [&str; 7] = [
    "title",
    "description",
    "owners",
    "visibility",
    "classification",
    "license",
    "citation",
];

/// Fields of a version that can stand there. What its files are is told by the files, and where it
/// is in its life by the yard.
const OF_VERSION: [&str; 20] = [
    "changes",
    "notes",
    "links",
    "author",
    "createdAt",
    "framework",
    "precision",
    "targetDevices",
    "entrypoint",
    "inputs",
    "outputs",
    "parameters",
    "hyperparameters",
    "properties",
    "runtime",
    "environment",
    "dependencies",
    "metrics",
    "lineage",
    "tests",
];

/// The records, with their fields that can stand there.
pub(super) const FIELDS: [(&str, &[&str]); 2] = [("model", &OF_MODEL), ("version", &OF_VERSION)];

/// Hears what stands under the key over `model` and `version`, takes it away there, and tells which
/// fields that were.
pub(super) fn hear(
    own: &mut Map<String, Value>,
    model: &mut Map<String, Value>,
    version: &mut Map<String, Value>,
) -> Vec<String> {
    let mut heard = Vec::new();
    for ((record, fields), told) in FIELDS.into_iter().zip([model, version]) {
        let Some(Value::Object(said)) = own.get_mut(record) else {
            continue;
        };
        for field in fields {
            match said.remove(*field) {
                None => continue,
                Some(Value::Null) => told.remove(*field),
                Some(value) => told.insert((*field).to_owned(), value),
            };
            heard.push(format!("{record}.{field}"));
        }
    }
    own.retain(|_, value| !value.as_object().is_some_and(Map::is_empty));
    heard
}

/// What has to stand under the key: the fields of the records' `spec`s that would else come back
/// otherwise, as `told`. Both are of the model and of the version.
pub(super) fn differing(
    told: [&Map<String, Value>; 2],
    spec: [&Map<String, Value>; 2],
) -> Map<String, Value> {
    let mut own = Map::new();
    for (((record, fields), told), spec) in FIELDS.into_iter().zip(told).zip(spec) {
        let fields = fields.iter().map(|field| (*field).to_owned());
        let differing: Map<_, _> = fields
            .filter(|field| told.get(field) != spec.get(field))
            .map(|field| {
                let value = spec.get(&field).cloned().unwrap_or(Value::Null);
                (field, value)
            })
            .collect();
        if !differing.is_empty() {
            own.insert(record.to_owned(), differing.into());
        }
    }
    own
}

/// The fields of a record's `spec`.
pub(super) fn fields(spec: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(spec) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
