//! What is told of a version: fields of its record, and what found no place.
//!
//! Pure: from the answers to the fields. Each field of an answer is taken by whoever knows what it
//! means; what nobody takes is left under its own name where it is the version's, and behind
//! `run.` or `logged_model.` where it is theirs.

use serde_json::{Map, Value, json};

use super::said::{NoList, Said};
use super::{lineage, measures, words};
use crate::import::mlmodel::Told;

/// Tags that MLflow sets itself, or an export of ours, begin with one of these.
const OWN: [&str; 2] = ["mlflow.", "modelyard."];

/// What MLflow says of one version.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// The registered version.
    pub(super) version: Said,
    /// The run that made it, if it is still there.
    pub(super) run: Said,
    /// The logged model that it is, where MLflow is 3.x.
    pub(super) logged_model: Said,
    /// What its `MLmodel` says.
    pub(super) file: Told,
    /// Where people look at runs, if they can.
    pub(super) pages: Option<String>,
}

/// Fields of a version, and what found no place.
#[derive(Debug, Default)]
pub(super) struct Telling {
    pub(super) version: Map<String, Value>,
    pub(super) unmapped: Map<String, Value>,
    pub(super) remarks: Vec<String>,
}

/// Tells what `answers` say.
///
/// # Errors
/// If an answer isn't what MLflow answers.
pub(super) fn tell(answers: Answers) -> Result<Telling, NoList> {
    let Answers {
        mut version,
        mut run,
        mut logged_model,
        file,
        pages,
    } = answers;
    let mut telling = Telling {
        version: file.version,
        ..Telling::default()
    };
    for (name, value) in file.unmapped {
        telling.leave(name, value);
    }
    let (mut info, mut data) = (run.object("info"), run.object("data"));
    let mut model_info = logged_model.object("info");
    let mut model_data = logged_model.object("data");
    let mut tags = data.pairs("tags")?;
    let mut model_tags = model_info.pairs("tags")?;

    if let Some(notes) = version.has("description").and_then(words::text) {
        version.text("description");
        telling.version.insert("notes".to_owned(), notes.into());
    }
    // A version is as old as its files say, else as its entry.
    if let Some(created) = created(&version) {
        let field = telling.version.entry("createdAt");
        field.or_insert_with(|| json!(created));
    }
    let user = version
        .text("user_id")
        .or_else(|| tags.remove("mlflow.user"));
    let user = user
        .or_else(|| info.text("user_id"))
        .or_else(|| model_tags.remove("mlflow.user"));
    if let Some(author) = user {
        match words::line(&author) {
            Some(author) => telling.version.insert("author".to_owned(), author.into()),
            None => telling.leave("user_id".to_owned(), author.into()),
        };
    }
    telling.properties(version.pairs("tags")?);

    let run_told = lineage::run(&mut version, &mut info, pages.as_deref());
    telling.lineage("run", run_told);
    let source = lineage::source(&mut tags).or_else(|| lineage::source(&mut model_tags));
    telling.lineage("source", source);
    telling.lineage("datasets", lineage::datasets(&mut run)?);

    let of_model = model_info
        .has("model_id")
        .or_else(|| version.has("model_id"));
    let of_model = of_model.map(str::to_owned);
    let (told, left) = measures::parameters(data.list("params")?, model_data.list("params")?);
    telling.measured("hyperparameters", told.into(), "parameters", left);
    let (told, left) = measures::metrics(
        data.list("metrics")?,
        model_data.list("metrics")?,
        of_model.as_deref(),
    );
    telling.measured("metrics", told.into(), "metrics", left);

    // What its reference, its stage, its aliases and its being there say.
    for field in ["name", "version", "current_stage", "aliases", "status"] {
        version.0.shift_remove(field);
    }
    // The older name of `run_id`.
    info.0.shift_remove("run_uuid");
    telling.rest("", version);
    telling.rest("run.", info);
    telling.rest("run.", data);
    telling.tags("run.", tags);
    telling.rest("run.", run);
    telling.rest("logged_model.", model_info);
    telling.rest("logged_model.", model_data);
    telling.tags("logged_model.", model_tags);
    telling.rest("logged_model.", logged_model);
    Ok(telling)
}

fn created(version: &Said) -> Option<jiff::Timestamp> {
    let milliseconds = version.whole("creation_timestamp")?;
    jiff::Timestamp::from_second(milliseconds.div_euclid(1000)).ok()
}

impl Telling {
    /// Keeps what has no field, but for what a record couldn't hold.
    fn leave(&mut self, name: String, value: Value) -> Option<Value> {
        if let Some(long) = longest(&value).filter(|text| !words::is_short(text)) {
            let length = long.chars().count();
            self.remarks
                .push(format!("{name} is left out: it has {length} characters"));
            return None;
        }
        self.unmapped.insert(name, words::cleared(value))
    }

    fn rest(&mut self, prefix: &str, said: Said) {
        for (name, value) in said.rest(prefix) {
            self.leave(name, value);
        }
    }

    fn tags(&mut self, prefix: &str, tags: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in tags.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.leave(format!("{prefix}tags.{name}"), value.into());
        }
    }

    /// A version's own tags are properties of it; those that MLflow or an export sets are not its.
    fn properties(&mut self, tags: impl IntoIterator<Item = (String, String)>) {
        let (own, tags): (Vec<_>, Vec<_>) = tags
            .into_iter()
            .partition(|(name, _)| OWN.iter().any(|own| name.starts_with(own)));
        let fields: Map<String, Value> = tags
            .into_iter()
            .map(|(name, value)| (name, words::without_secrets(&value).into()))
            .collect();
        if !fields.is_empty() {
            self.version.insert("properties".to_owned(), fields.into());
        }
        self.tags("", own);
    }

    fn lineage(&mut self, field: &str, told: Option<Value>) {
        if let Some(told) = told {
            let lineage = self.version.entry("lineage").or_insert_with(|| json!({}));
            lineage[field] = told;
        }
    }

    fn measured(&mut self, field: &str, told: Value, rest: &str, left: Vec<Value>) {
        let has_some = match &told {
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            _ => false,
        };
        if has_some {
            self.version.insert(field.to_owned(), told);
        }
        if !left.is_empty() {
            self.leave(rest.to_owned(), left.into());
        }
    }
}

/// The longest text in `value`.
fn longest(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(items) => items
            .iter()
            .filter_map(longest)
            .max_by_key(|text| text.len()),
        Value::Object(fields) => fields
            .values()
            .filter_map(longest)
            .max_by_key(|text| text.len()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    //! A version with everything, and one with nothing.

    use super::*;

    fn said(value: Value) -> Said {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_field_finds_its_place_or_is_left_under_its_name() {
        let version = said(json!({
            "name": "defects", "version": "3", "creation_timestamp": "1700000000999",
            "last_updated_timestamp": 1_700_000_001_000_i64, "description": "Retrained.",
            "user_id": "ada", "current_stage": "Production", "source": "models:/m-1", "run_id": "r1",
            "status": "READY", "model_id": "m-1", "aliases": ["champion"], "run_link": "",
            "tags": [{"key": "team-code", "value": "A7"}, {"key": "mlflow.x", "value": "y"}],
        }));
        let run = said(json!({
            "info": {
                "run_id": "r1", "run_uuid": "r1", "experiment_id": "5", "run_name": "kind-crab-1",
                "user_id": "ada", "status": "FINISHED", "start_time": 1,
                "artifact_uri": "mlflow-artifacts:/5/r1/artifacts",
            },
            "data": {
                "params": [{"key": "epochs", "value": "40"}, {"key": "solver", "value": "lbfgs"}],
                "metrics": [{"key": "loss", "value": 0.25, "timestamp": "7", "step": 3}],
                "tags": [
                    {"key": "mlflow.user", "value": "ada"},
                    {"key": "mlflow.source.git.commit", "value": "4f2c1e9b7a6d5c4b3a2918070605040302010f0e"},
                    {"key": "mlflow.source.git.repoURL", "value": "https://x:y@git.example/t.git"},
                    {"key": "mlflow.source.name", "value": "train.py"},
                    {"key": "mlflow.source.type", "value": "LOCAL"},
                ],
            },
            "inputs": {"dataset_inputs": [{
                "dataset": {"name": "line3", "digest": "ab12", "source_type": "s3",
                            "source": "{\"uri\": \"s3://data/line3\"}"},
                "tags": [{"key": "mlflow.data.context", "value": "training"}],
            }]},
        }));
        let logged_model = said(json!({
            "info": {"model_id": "m-1", "name": "model", "status": "LOGGED_MODEL_READY",
                     "tags": [{"key": "k", "value": "v"}]},
            "data": {
                "params": [{"key": "epochs", "value": "40"}],
                "metrics": [{"key": "accuracy", "value": 0.97, "timestamp": 7, "step": 0,
                             "model_id": "m-1", "dataset_name": "line3", "dataset_digest": "ab12"}],
            },
        }));
        let told = tell(Answers {
            version,
            run,
            logged_model,
            pages: Some("https://mlflow.example/#".to_owned()),
            ..Answers::default()
        })
        .unwrap();
        assert_eq!(
            Value::Object(told.version),
            json!({
                "notes": "Retrained.",
                "createdAt": "2023-11-14T22:13:20Z",
                "author": "ada",
                "properties": {"team-code": "A7"},
                "lineage": {
                    "run": {
                        "system": "mlflow", "id": "r1",
                        "url": "https://mlflow.example/#/experiments/5/runs/r1",
                    },
                    "source": {
                        "repository": "https://git.example/t.git",
                        "commit": "4f2c1e9b7a6d5c4b3a2918070605040302010f0e",
                        "path": "train.py",
                    },
                    "datasets": [{"name": "line3", "uri": "s3://data/line3"}],
                },
                "hyperparameters": {"epochs": 40, "solver": "lbfgs"},
                "metrics": [
                    {"name": "accuracy", "value": 0.97, "dataset": "line3"},
                    {"name": "loss", "value": 0.25},
                ],
            })
        );
        assert_eq!(
            Value::Object(told.unmapped),
            json!({
                "tags.mlflow.x": "y",
                "metrics": [
                    {"key": "accuracy", "timestamp": 7, "step": 0, "dataset_digest": "ab12"},
                    {"key": "loss", "timestamp": "7", "step": 3},
                ],
                "creation_timestamp": "1700000000999",
                "last_updated_timestamp": 1_700_000_001_000_i64,
                "source": "models:/m-1",
                "model_id": "m-1",
                "run.experiment_id": "5",
                "run.run_name": "kind-crab-1",
                "run.user_id": "ada",
                "run.status": "FINISHED",
                "run.start_time": 1,
                "run.artifact_uri": "mlflow-artifacts:/5/r1/artifacts",
                "run.tags.mlflow.source.type": "LOCAL",
                "run.tags.mlflow.user": "ada",
                "run.inputs": {"dataset_inputs": [{
                    "dataset": {"name": "line3", "digest": "ab12", "source_type": "s3"},
                    "tags": {"mlflow.data.context": "training"},
                }]},
                "logged_model.model_id": "m-1",
                "logged_model.name": "model",
                "logged_model.status": "LOGGED_MODEL_READY",
                "logged_model.tags.k": "v",
            })
        );
        assert!(told.remarks.is_empty());
    }

    #[test]
    fn what_says_nothing_tells_nothing() {
        let told = tell(Answers::default()).unwrap();
        assert_eq!((told.version, told.unmapped), (Map::new(), Map::new()));
    }

    #[test]
    fn what_no_record_can_hold_is_left_out_and_said() {
        let long = "x".repeat(65_537);
        let version = said(json!({"name": "a", "description": "a\u{1b}b", "long": [{"x": long}]}));
        let told = tell(Answers {
            version,
            ..Answers::default()
        })
        .unwrap();
        assert_eq!(told.version, Map::new());
        assert_eq!(
            Value::Object(told.unmapped),
            json!({"description": "a\u{1b}b"})
        );
        assert_eq!(told.remarks, ["long is left out: it has 65537 characters"]);
    }
}
