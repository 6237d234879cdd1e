//! What a version was set to, and how good it is.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::said::Said;
use super::words;

/// The most parameters that a record takes.
const MAX_PARAMETERS: usize = 1000;

/// The most metrics that a record takes.
const MAX_METRICS: usize = 4096;

/// Parameters of the run and of the logged model, whose word is the nearer one; and those that
/// found no place.
pub(super) fn parameters(run: Vec<Said>, model: Vec<Said>) -> (Map<String, Value>, Vec<Value>) {
    let (mut told, mut left) = (Map::new(), Vec::new());
    for mut param in model.into_iter().chain(run) {
        let Some(key) = param.text("key") else {
            continue;
        };
        let text = param.text("value").unwrap_or_default();
        let fits = words::is_short(&text) && told.len() < MAX_PARAMETERS;
        let value = words::number_or_text(words::without_secrets(&text));
        match told.get(&key) {
            Some(known) if *known == value => {}
            None if fits && words::line(&key).is_some() => {
                told.insert(key, value);
            }
            _ => left.push(json!({"key": key, "value": value})),
        }
    }
    (told, left)
}

/// The last values of the run's metrics and of the logged model's, whose word is the nearer one;
/// and what of them found no place.
///
/// A run may have made several models: what it says of another than `ours` is not told of this one.
/// MLflow 3 writes what it measures of a model to both. Only the model's says with which data; only
/// the run's says that it is no number, where the model's then is 0.
pub(super) fn metrics(
    run: Vec<Said>,
    model: Vec<Said>,
    ours: Option<&str>,
) -> (Vec<Value>, Vec<Value>) {
    let none = |metric: &&Said| value(metric).is_none();
    let nones: BTreeSet<_> = run.iter().filter(none).map(moment).collect();
    let of_number = |metric: &Said| !nones.contains(&moment(metric));
    let model: Vec<_> = model.into_iter().filter(of_number).collect();
    let twins: BTreeSet<_> = model.iter().map(moment).collect();
    let run = run
        .into_iter()
        .filter(|metric| !twins.contains(&moment(metric)));

    let (mut told, mut left) = (Vec::new(), Vec::new());
    let mut known = BTreeSet::new();
    for mut metric in model.into_iter().chain(run) {
        let of = metric.has("model_id");
        let is_ours = of.is_none() || of == ours;
        let fits = is_ours && told.len() < MAX_METRICS;
        let name = metric.has("key").and_then(words::line).filter(|_| fits);
        let data = metric.has("dataset_name").and_then(words::line);
        let (name, data) = (name.map(str::to_owned), data.map(str::to_owned));
        match (name, value(&metric)) {
            (Some(name), Some(value)) if known.insert((name.clone(), data.clone())) => {
                let mut one = json!({"name": name, "value": value});
                if let Some(data) = data {
                    one["dataset"] = data.into();
                    metric.text("dataset_name");
                }
                told.push(one);
                for field in ["value", "model_id", "run_id"] {
                    metric.0.shift_remove(field);
                }
            }
            _ => {}
        }
        let rest: Map<_, _> = metric.rest("").collect();
        // Its name alone says nothing more.
        if rest.len() > 1 {
            left.push(rest.into());
        }
    }
    (told, left)
}

/// What was measured when: the same of the run and of the model.
fn moment(metric: &Said) -> (Option<String>, Option<i64>, Option<i64>) {
    let name = metric.has("key").map(str::to_owned);
    (name, metric.whole("timestamp"), metric.whole("step"))
}

/// A number that a record can hold; JSON has no other, and MLflow writes those as text.
fn value(metric: &Said) -> Option<f64> {
    let number = match metric.0.get("value")? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    //! Which word counts.

    use super::*;

    fn said(values: Value) -> Vec<Said> {
        serde_json::from_value(values).unwrap()
    }

    #[test]
    fn a_parameter_of_the_logged_model_is_nearer_than_the_runs() {
        let (told, left) = parameters(
            said(json!([{"key": "depth", "value": "3"}, {"key": "rate", "value": "0.1"}])),
            said(json!([{"key": "depth", "value": "5"}])),
        );
        assert_eq!(Value::Object(told), json!({"depth": 5, "rate": 0.1}));
        assert_eq!(left, [json!({"key": "depth", "value": 3})]);
    }

    #[test]
    fn a_metric_of_the_logged_model_is_nearer_than_the_runs() {
        let (told, left) = metrics(
            said(json!([
                {"key": "f1", "value": 0.5, "timestamp": 7, "step": 2},
                {"key": "loss", "value": 0.5, "timestamp": 1, "step": 1},
                {"key": "loss", "value": 0.9, "timestamp": 2, "step": 1, "model_id": "m-other"},
                {"key": "broken", "value": "NaN", "timestamp": 3, "step": 0},
            ])),
            said(json!([
                {"key": "f1", "value": 0.5, "timestamp": "7", "step": "2", "model_id": "m-1", "dataset_name": "a"},
                {"key": "loss", "value": 0.25, "timestamp": 3, "step": 2, "model_id": "m-1"},
                {"key": "broken", "value": 0.0, "timestamp": 3, "step": 0, "model_id": "m-1"},
            ])),
            Some("m-1"),
        );
        assert_eq!(
            told,
            [
                json!({"name": "f1", "value": 0.5, "dataset": "a"}),
                json!({"name": "loss", "value": 0.25}),
            ]
        );
        assert_eq!(
            left,
            [
                json!({"key": "f1", "timestamp": "7", "step": "2"}),
                json!({"key": "loss", "timestamp": 3, "step": 2}),
                json!({"key": "loss", "value": 0.5, "timestamp": 1, "step": 1}),
                json!({"key": "loss", "value": 0.9, "timestamp": 2, "step": 1, "model_id": "m-other"}),
                json!({"key": "broken", "value": "NaN", "timestamp": 3, "step": 0}),
            ]
        );
    }

    #[test]
    fn one_metric_has_a_value_for_each_data_set() {
        let (told, _) = metrics(
            said(json!([
                {"key": "f1", "value": 0.5, "dataset_name": "a"},
                {"key": "f1", "value": 0.6, "dataset_name": "b"},
                {"key": "f1", "value": 0.7},
            ])),
            Vec::new(),
            None,
        );
        let values: Vec<_> = told
            .iter()
            .map(|one| one["value"].as_f64().unwrap())
            .collect();
        assert_eq!(values, [0.5, 0.6, 0.7]);
    }

    #[test]
    fn what_is_no_number_is_left() {
        let (told, left) = metrics(
            said(json!([
                {"key": "a", "value": "NaN"}, {"key": "b", "value": "Infinity"},
                {"key": "c", "value": "0.5"}, {"key": "d"},
            ])),
            Vec::new(),
            None,
        );
        assert_eq!(told, [json!({"name": "c", "value": 0.5})]);
        assert_eq!(
            left,
            [
                json!({"key": "a", "value": "NaN"}),
                json!({"key": "b", "value": "Infinity"})
            ]
        );
    }
}
