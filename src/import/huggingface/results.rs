//! Evaluation results: a card's `model-index`, and a record's metrics.
//!
//! ```yaml
//! model-index:
//!   - name: Surface defects
//!     results:
//!       - task: {type: image-classification}
//!         dataset: {type: line3-holdout, name: line3-holdout, split: test}
//!         metrics: [{type: accuracy, value: 0.973}]
//! ```
//!
//! A metric of a record has a name, a value, a dataset and its split. What a result says beyond
//! that (pretty names, configurations, revisions, who verified it) has no field, and then the whole
//! index is kept as it was said.
//!
//! Source: the metadata of model cards (github.com/huggingface/hub-docs, `modelcard.md`), as
//! `huggingface_hub` reads it.

use serde_json::{Map, Value, json};

use super::card::{MAX_METRICS, line};

/// What an index says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Results {
    /// Metrics, as records say them.
    pub metrics: Vec<Value>,
    /// Whether they say all that it said.
    pub is_all: bool,
    /// What it calls the model.
    pub name: Option<String>,
}

/// Reads a `model-index`.
pub(super) fn read(index: &Value, task: Option<&str>) -> Results {
    let models = index.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut read = Results {
        is_all: models.len() == 1,
        ..Results::default()
    };
    for model in models {
        read.name = read
            .name
            .or_else(|| line(&model["name"]).map(str::to_owned));
        read.is_all &= has_only(model, &["name", "results"]);
        match model["results"].as_array() {
            Some(results) => results.iter().for_each(|result| {
                read.metrics.extend(metrics(result, task, &mut read.is_all));
            }),
            None => read.is_all = false,
        }
    }
    if read.metrics.len() > MAX_METRICS {
        read.metrics.truncate(MAX_METRICS);
        read.is_all = false;
    }
    // Told again in another order it would be another index.
    read.is_all &= write(read.name.as_deref(), task, &read.metrics).as_ref() == Some(index);
    read
}

fn metrics(result: &Value, task: Option<&str>, is_all: &mut bool) -> Vec<Value> {
    let dataset = &result["dataset"];
    *is_all &= has_only(result, &["task", "dataset", "metrics"])
        && result["task"] == json!({ "type": task })
        && has_only(dataset, &["type", "name", "split"])
        && dataset["name"] == dataset["type"];
    let mut told = Vec::new();
    for metric in result["metrics"].as_array().into_iter().flatten() {
        let (Some(name), Some(value)) = (line(&metric["type"]), number(&metric["value"])) else {
            *is_all = false;
            continue;
        };
        *is_all &= has_only(metric, &["type", "value"]) && metric["value"] == value;
        let mut one = json!({"name": name, "value": value});
        for (from, to) in [("type", "dataset"), ("split", "split")] {
            match &dataset[from] {
                Value::Null => {}
                said => match line(said) {
                    Some(said) => one[to] = said.into(),
                    None => *is_all = false,
                },
            }
        }
        if let Some(config) = line(&dataset["config"])
            && let Some(name) = one["dataset"].as_str()
        {
            // One dataset in several configurations is several datasets.
            let told = format!("{name} ({config})").into();
            if line(&told).is_some() {
                one["dataset"] = told;
            }
        }
        told.push(one);
    }
    told
}

/// The `model-index` that says `metrics`, of which each has to have a dataset.
///
/// `None` where one hasn't, or no task is known: the hub's own client reads no index without.
pub(super) fn write(title: Option<&str>, task: Option<&str>, metrics: &[Value]) -> Option<Value> {
    let (title, task) = (title?, task?);
    let mut results: Vec<(Value, Vec<Value>)> = Vec::new();
    for metric in metrics {
        let name = metric.get("dataset")?;
        let mut dataset = Map::new();
        dataset.insert("type".to_owned(), name.clone());
        dataset.insert("name".to_owned(), name.clone());
        if let Some(split) = metric.get("split") {
            dataset.insert("split".to_owned(), split.clone());
        }
        let dataset = Value::Object(dataset);
        let told = json!({"type": metric["name"], "value": metric["value"]});
        match results.last_mut() {
            Some((last, told_before)) if *last == dataset => told_before.push(told),
            _ => results.push((dataset, vec![told])),
        }
    }
    if results.is_empty() {
        return None;
    }
    let results: Vec<_> = results
        .into_iter()
        .map(|(dataset, metrics)| {
            json!({"task": {"type": task}, "dataset": dataset, "metrics": metrics})
        })
        .collect();
    Some(json!([{"name": title, "results": results}]))
}

/// A number, or a text that is one; `20.0 ± 1.2` is none.
fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => {
            let number: f64 = text.trim().parse().ok()?;
            number.is_finite().then(|| json!(number))
        }
        _ => None,
    }
}

fn has_only(value: &Value, known: &[&str]) -> bool {
    let fields = value.as_object();
    fields.is_some_and(|fields| fields.keys().all(|key| known.contains(&key.as_str())))
}

#[cfg(test)]
mod tests {
    //! An index that a record can say, and others.

    use super::*;

    fn index() -> Value {
        json!([{"name": "Defects", "results": [
            {
                "task": {"type": "image-classification"},
                "dataset": {"type": "line3", "name": "line3", "split": "test"},
                "metrics": [{"type": "accuracy", "value": 0.973}, {"type": "f1", "value": 0.9}],
            },
            {
                "task": {"type": "image-classification"},
                "dataset": {"type": "line4", "name": "line4"},
                "metrics": [{"type": "accuracy", "value": 1}],
            },
        ]}])
    }

    #[test]
    fn what_a_record_can_say_goes_there_and_back() {
        let task = Some("image-classification");
        let read = read(&index(), task);
        let expected = json!([
            {"name": "accuracy", "value": 0.973, "dataset": "line3", "split": "test"},
            {"name": "f1", "value": 0.9, "dataset": "line3", "split": "test"},
            {"name": "accuracy", "value": 1, "dataset": "line4"},
        ]);
        assert_eq!(json!(read.metrics), expected);
        assert!(read.is_all);
        assert_eq!(write(Some("Defects"), task, &read.metrics), Some(index()));
    }

    #[test]
    fn what_it_can_not_say_is_noticed() {
        let task = Some("image-classification");
        let changed = |pointer: &str, value: Value| {
            let mut index = index();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            index.pointer_mut(parent).unwrap()[key] = value;
            read(&index, task)
        };
        for (pointer, value) in [
            ("/0/results/0/dataset/config", json!("de")),
            ("/0/results/0/dataset/name", json!("Line 3")),
            ("/0/results/0/task/name", json!("Image classification")),
            ("/0/results/0/source", json!({"url": "https://a.example"})),
            (
                "/0/results/0/metrics",
                json!([{"type": "f1", "value": 1, "verified": true}]),
            ),
            (
                "/0/results/0/metrics",
                json!([{"type": "wer", "value": "0.5"}]),
            ),
            (
                "/0/results/0/metrics",
                json!([{"type": "wer", "value": "20.0 ± 1.2"}]),
            ),
            ("/0/results/0/metrics", json!("none")),
            ("/0/results", json!(null)),
        ] {
            assert!(!changed(pointer, value.clone()).is_all, "{pointer} {value}");
        }
        let text = changed(
            "/0/results/0/metrics",
            json!([{"type": "wer", "value": "0.5"}]),
        );
        assert_eq!(text.metrics[0]["value"], json!(0.5));
        let config = changed("/0/results/0/dataset/config", json!("de"));
        assert_eq!(config.metrics[0]["dataset"], "line3 (de)");
        assert!(!read(&index(), None).is_all);
        assert_eq!(read(&json!("none"), task).metrics, [""; 0]);
    }
}
