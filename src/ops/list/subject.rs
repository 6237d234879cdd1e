//! Records as filters see them: every field at the top, the version's before its model's.

use serde_json::{Map, Value, json};

use crate::ops::shelf::Shelf;
use crate::record::kind::{Deployment, Model, ModelVersion};

/// A version with what its model says.
pub(super) fn version(shelf: &Shelf, record: &ModelVersion) -> Value {
    let mut fields = model_fields(shelf);
    fields.extend(object(&record.spec));
    let version = &record.metadata.version;
    fields.insert("version".to_owned(), json!(version));
    fields.insert("alias".to_owned(), json!(shelf.aliases(version)));
    fields.insert("size".to_owned(), json!(record.spec.artifact.size));
    let score = record.score().map(|score| score.value);
    fields.insert("score".to_owned(), json!(score));
    Value::Object(fields)
}

/// A model for itself: one that has no version yet is found, too.
pub(super) fn model(shelf: &Shelf) -> Value {
    Value::Object(model_fields(shelf))
}

fn model_fields(shelf: &Shelf) -> Map<String, Value> {
    let model: Option<&Model> = shelf.model.as_ref();
    let mut fields = model.map_or_else(Map::new, |model| object(&model.spec));
    fields.insert("model".to_owned(), json!(shelf.name));
    fields.insert("namespace".to_owned(), json!(shelf.name.namespace()));
    fields.insert("name".to_owned(), json!(shelf.name.name()));
    if let Some(model) = model {
        fields.insert("labels".to_owned(), json!(model.metadata.labels));
        let visibility = json!(model.spec.visibility());
        fields.insert("visibility".to_owned(), visibility);
        let aliases: Vec<_> = model.spec.aliases.keys().collect();
        fields.insert("alias".to_owned(), json!(aliases));
    }
    fields
}

pub(super) fn deployment(record: &Deployment) -> Value {
    let mut fields = object(&record.spec);
    fields.insert("name".to_owned(), json!(record.metadata.name));
    let environment = json!(record.metadata.environment);
    fields.insert("environment".to_owned(), environment);
    Value::Object(fields)
}

fn object(spec: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(spec) {
        Ok(Value::Object(fields)) => fields,
        _ => unreachable!("a record's spec is an object with text keys"),
    }
}
