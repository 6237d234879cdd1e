//! What Geti says of a model, as fields of records.

use serde_json::{Map, Value, json};

use super::Found;
use super::api::{Optimized, Task};
use crate::import::huggingface::classification;
use crate::import::{Candidate, ModelListed};

/// The name by which files made of a model are told apart: `OpenVINO FP16`, `ONNX FP32 XAI`.
pub(super) fn variant(optimized: &Optimized) -> String {
    let mut words = vec![optimized.model_format.clone().unwrap_or_default()];
    words.extend(optimized.precision.iter().cloned());
    let kind = optimized.optimization_type.clone();
    // These say no more than the format does.
    words.extend(kind.filter(|kind| !matches!(&**kind, "MO" | "NONE" | "ONNX")));
    if optimized.has_xai_head {
        words.push("XAI".to_owned());
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// Fields of the model, whatever its version.
pub(super) fn model(title: &str, task: Option<&Task>) -> ModelListed {
    let mut spec = Map::new();
    spec.insert("title".to_owned(), json!(title));
    if let Some(task) = task.and_then(|task| task_of(&task.task_type)) {
        let mut fields: Map<String, Value> = classification(task)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        fields.insert("task".to_owned(), json!(task));
        spec.insert("classification".to_owned(), fields.into());
    }
    ModelListed {
        spec,
        ..ModelListed::default()
    }
}

/// Geti's kind of task, as Hugging Face calls it.
fn task_of(task: &str) -> Option<&'static str> {
    Some(match task {
        "classification" => "image-classification",
        "detection" | "rotated_detection" => "object-detection",
        "segmentation" | "instance_segmentation" => "image-segmentation",
        "keypoint_detection" => "keypoint-detection",
        _ => return None,
    })
}

/// All that is said of a version.
pub(super) fn candidate(found: &Found) -> Candidate {
    let mut candidate = Candidate::default();
    let version = &mut candidate.version;
    let Found {
        project,
        group,
        summary,
        model,
        optimized,
        ..
    } = found;
    let said = |one: &Optimized| one.performance.as_ref().and_then(|told| told.score);
    let own = said(optimized);
    let score = own.or_else(|| model.performance.as_ref().and_then(|told| told.score));
    if let Some(score) = score {
        let metric =
            json!({"name": "score", "value": score, "higherIsBetter": true, "score": true});
        version.insert("metrics".to_owned(), json!([metric]));
    }
    if own.is_none() && score.is_some() {
        let remark = "its score is that of the model before it was made smaller";
        candidate.remarks.push(remark.to_owned());
    }
    if let [precision] = optimized.precision.as_slice() {
        version.insert("precision".to_owned(), json!(precision.to_lowercase()));
    }
    if let Some(framework) = &model.training_framework {
        let mut told = json!({"name": framework.kind.to_lowercase()});
        if let Some(number) = &framework.version {
            told["version"] = json!(number);
        }
        version.insert("framework".to_owned(), told);
    }
    let mut properties = Map::new();
    let architecture = model.architecture.as_ref().unwrap_or(&group.name);
    properties.insert("architecture".to_owned(), json!(architecture));
    if !model.labels.is_empty() {
        let labels: Vec<_> = model.labels.iter().map(|label| &label.name).collect();
        properties.insert("labels".to_owned(), json!(labels));
    }
    version.insert("properties".to_owned(), properties.into());
    let mut lineage = json!({"run": {"system": "geti", "id": summary.id}});
    let data = model.training_dataset_info.as_ref();
    let storage = data.and_then(|data| data.get("dataset_storage_id"));
    let dataset = project
        .datasets
        .iter()
        .find(|dataset| storage == Some(&json!(dataset.id)));
    if let Some(dataset) = dataset {
        lineage["datasets"] = json!([{"name": format!("{}/{}", project.name, dataset.name)}]);
    }
    version.insert("lineage".to_owned(), lineage);
    unmapped(found, &mut candidate.unmapped);
    candidate
}

/// What found no place.
fn unmapped(found: &Found, unmapped: &mut Map<String, Value>) {
    let Found {
        model, optimized, ..
    } = found;
    let mut keep = |name: &str, value: Value| {
        if !says_nothing(&value) {
            unmapped.insert(format!("geti.{name}"), value);
        }
    };
    keep("training_dataset_info", json!(model.training_dataset_info));
    keep("learning_approach", json!(model.learning_approach));
    keep("label_schema_in_sync", json!(model.label_schema_in_sync));
    keep("optimization_type", json!(optimized.optimization_type));
    keep(
        "has_xai_head",
        json!(optimized.has_xai_head.then_some(true)),
    );
    keep("name", json!(optimized.name));
    for (name, value) in &optimized.more {
        if !OF_NO_MATTER.contains(&name.as_str()) {
            keep(name, value.clone());
        }
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// What is of no matter: what is told already, what only the server's own pages need, and what its
/// description says is not to be used.
const OF_NO_MATTER: [&str; 10] = [
    "size",
    "version",
    "previous_revision_id",
    "previous_trained_revision_id",
    "fps_throughput",
    "latency",
    "target_device",
    "target_device_type",
    "purge_info",
    "total_disk_size",
];

#[cfg(test)]
mod tests {
    //! Names and tasks.

    use super::*;

    #[test]
    fn what_was_made_of_a_model_is_told_apart_by_format_precision_and_how() {
        let variant = |text: &str| {
            let optimized: Optimized = serde_json::from_str(text).unwrap();
            variant(&optimized)
        };
        assert_eq!(
            variant(
                r#"{"id": "1", "model_format": "OpenVINO", "precision": ["FP16"], "optimization_type": "MO"}"#
            ),
            "OpenVINO FP16"
        );
        assert_eq!(
            variant(
                r#"{"id": "1", "model_format": "OpenVINO", "precision": ["INT8"], "optimization_type": "POT", "has_xai_head": true}"#
            ),
            "OpenVINO INT8 POT XAI"
        );
        assert_eq!(variant(r#"{"id": "1"}"#), "");
    }

    #[test]
    fn a_task_is_called_as_elsewhere_where_there_is_a_word() {
        assert_eq!(task_of("detection"), Some("object-detection"));
        assert_eq!(task_of("anomaly"), None);
        let told = model("A", None);
        assert_eq!(told.spec["title"], "A");
    }
}
