//! The flags that say something of a model or a version.

use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Number, Value, json};

use crate::ops::publish::Said;
use crate::record::Digest;

/// What the flags say of the model and of this version.
#[derive(Debug, Args)]
pub(super) struct Fields {
    /// What the model is, in a line
    #[arg(long, help_heading = "The model", value_name = "TEXT")]
    title: Option<String>,
    /// What it does, in some sentences
    #[arg(long, help_heading = "The model", value_name = "TEXT")]
    description: Option<String>,
    /// A team that answers for it, and how to reach it; may be given again
    #[arg(
        long = "owner",
        help_heading = "The model",
        value_name = "TEAM[=CONTACT]"
    )]
    owners: Vec<String>,
    /// An SPDX licence expression, such as Apache-2.0
    #[arg(long, help_heading = "The model", value_name = "SPDX")]
    license: Option<String>,
    /// Who may see it: public, internal or private
    #[arg(long, help_heading = "The model", value_name = "WHO")]
    visibility: Option<String>,
    /// The field of machine learning, such as computer-vision
    #[arg(long, help_heading = "The model", value_name = "WORD")]
    technology: Option<String>,
    /// What it does with its input, such as classification
    #[arg(long, help_heading = "The model", value_name = "WORD")]
    category: Option<String>,
    /// What it takes, such as image
    #[arg(long, help_heading = "The model", value_name = "WORD")]
    input_data_type: Option<String>,
    /// Where it is used, such as manufacturing
    #[arg(long, help_heading = "The model", value_name = "WORD")]
    application_domain: Option<String>,
    /// Its task, as Hugging Face names tasks: image-classification
    #[arg(long, help_heading = "The model", value_name = "TASK")]
    task: Option<String>,

    /// What is new in this version
    #[arg(long, help_heading = "The version", value_name = "TEXT")]
    changes: Option<String>,
    /// What to know about it
    #[arg(long, help_heading = "The version", value_name = "TEXT")]
    notes: Option<String>,
    /// Who made it
    #[arg(long, help_heading = "The version", value_name = "NAME")]
    author: Option<String>,
    /// The format of its main file, where the file does not tell
    #[arg(long, help_heading = "The version", value_name = "NAME[@VERSION]")]
    format: Option<Versioned>,
    /// What trained it
    #[arg(long, help_heading = "The version", value_name = "NAME[@VERSION]")]
    framework: Option<Versioned>,
    /// The type of its weights, such as int8
    #[arg(long, help_heading = "The version", value_name = "TYPE")]
    precision: Option<String>,
    /// What it can run on, such as cpu; may be given again
    #[arg(long = "device", help_heading = "The version", value_name = "DEVICE")]
    devices: Vec<String>,
    /// How good it is: accuracy=0.97@holdout; may be given again
    #[arg(
        long = "metric",
        help_heading = "The version",
        value_name = "NAME=VALUE[@DATASET]"
    )]
    metrics: Vec<Measured>,
    /// Data it was made with: line3=s3://bucket/line3@sha256:…; may be given again
    #[arg(
        long = "dataset",
        help_heading = "The version",
        value_name = "NAME=URI[@DIGEST]"
    )]
    datasets: Vec<Data>,
    /// The code that trained it: https://git.example.com/train.git@COMMIT
    #[arg(long, help_heading = "The version", value_name = "REPOSITORY@COMMIT")]
    source: Option<Source>,
    /// A setting of its training; may be given again
    #[arg(
        long = "hyperparameter",
        help_heading = "The version",
        value_name = "NAME=VALUE"
    )]
    hyperparameters: Vec<Pair>,
    /// Anything else; may be given again
    #[arg(
        long = "property",
        help_heading = "The version",
        value_name = "NAME=VALUE"
    )]
    properties: Vec<Pair>,
}

/// `NAME[@VERSION]`.
#[derive(Debug, Clone)]
struct Versioned(Value);

/// `NAME=VALUE[@DATASET]`.
#[derive(Debug, Clone)]
struct Measured(Value);

/// `NAME=URI[@DIGEST]`.
#[derive(Debug, Clone)]
struct Data(Value);

/// `REPOSITORY@COMMIT`.
#[derive(Debug, Clone)]
struct Source(Value);

/// `NAME=VALUE`, the value a number, a truth value or text.
#[derive(Debug, Clone)]
struct Pair(String, Value);

impl Fields {
    /// What was said, by the fields' names in the records.
    pub(super) fn said(self) -> Said {
        let mut said = Said::default();
        let classification = object([
            ("technology", self.technology),
            ("category", self.category),
            ("inputDataType", self.input_data_type),
            ("applicationDomain", self.application_domain),
            ("task", self.task),
        ]);
        let model = &mut said.model;
        model.extend(object([
            ("title", self.title),
            ("description", self.description),
        ]));
        insert_list(model, "owners", self.owners.iter().map(|text| owner(text)));
        model.extend(object([
            ("visibility", self.visibility),
            ("license", self.license),
        ]));
        insert_object(model, "classification", classification);

        let version = &mut said.version;
        version.extend(object([
            ("changes", self.changes),
            ("notes", self.notes),
            ("author", self.author),
            ("precision", self.precision),
        ]));
        let whole = [("format", self.format), ("framework", self.framework)];
        for (name, value) in whole {
            version.extend(value.map(|Versioned(value)| (name.to_owned(), value)));
        }
        insert_list(
            version,
            "targetDevices",
            self.devices.into_iter().map(Value::String),
        );
        insert_list(
            version,
            "metrics",
            self.metrics.into_iter().map(|Measured(value)| value),
        );
        let pairs = |pairs: Vec<Pair>| pairs.into_iter().map(|Pair(name, value)| (name, value));
        insert_object(
            version,
            "hyperparameters",
            pairs(self.hyperparameters).collect(),
        );
        insert_object(version, "properties", pairs(self.properties).collect());
        let mut lineage = Map::new();
        lineage.extend(
            self.source
                .map(|Source(value)| ("source".to_owned(), value)),
        );
        insert_list(
            &mut lineage,
            "datasets",
            self.datasets.into_iter().map(|Data(value)| value),
        );
        insert_object(version, "lineage", lineage);
        said
    }
}

fn object<const N: usize>(fields: [(&str, Option<String>); N]) -> Map<String, Value> {
    let said = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    said.map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect()
}

fn insert_list(fields: &mut Map<String, Value>, name: &str, list: impl Iterator<Item = Value>) {
    let list: Vec<_> = list.collect();
    if !list.is_empty() {
        fields.insert(name.to_owned(), Value::Array(list));
    }
}

fn insert_object(fields: &mut Map<String, Value>, name: &str, object: Map<String, Value>) {
    if !object.is_empty() {
        fields.insert(name.to_owned(), Value::Object(object));
    }
}

fn owner(text: &str) -> Value {
    match text.split_once('=') {
        Some((team, contact)) => json!({"team": team, "contact": contact}),
        None => json!({"team": text}),
    }
}

/// A number or a truth value where the text reads as one, else the text.
fn scalar(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text
            .parse::<Number>()
            .map_or_else(|_| Value::String(text.to_owned()), Value::Number),
    }
}

fn pair(text: &str) -> Result<(&str, &str), String> {
    let (name, value) = text.split_once('=').ok_or("it has to be NAME=VALUE")?;
    if name.is_empty() {
        return Err("before `=` a name has to stand".to_owned());
    }
    Ok((name, value))
}

impl FromStr for Versioned {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(match text.split_once('@') {
            Some((name, version)) => json!({"name": name, "version": version}),
            None => json!({"name": text}),
        }))
    }
}

impl FromStr for Measured {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = pair(text)?;
        let (value, dataset) = match rest.split_once('@') {
            Some((value, dataset)) => (value, Some(dataset)),
            None => (rest, None),
        };
        let number: Number = value
            .parse()
            .map_err(|_| format!("`{value}` is not a number"))?;
        let mut metric = json!({"name": name, "value": number});
        if let Some(dataset) = dataset {
            metric["dataset"] = json!(dataset);
        }
        Ok(Self(metric))
    }
}

impl FromStr for Data {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = pair(text)?;
        Ok(Self(match rest.rsplit_once('@') {
            Some((uri, digest)) if digest.starts_with("sha256:") => {
                let digest: Digest = digest.parse().map_err(|fault| format!("{fault}"))?;
                json!({"name": name, "uri": uri, "digest": digest})
            }
            _ => json!({"name": name, "uri": rest}),
        }))
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (repository, commit) = text
            .rsplit_once('@')
            .ok_or("it has to be REPOSITORY@COMMIT")?;
        Ok(Self(json!({"repository": repository, "commit": commit})))
    }
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = pair(text)?;
        Ok(Self(name.to_owned(), scalar(value)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        fields: Fields,
    }

    fn said(arguments: &[&str]) -> Said {
        let all = std::iter::once("publish").chain(arguments.iter().copied());
        Only::try_parse_from(all).unwrap().fields.said()
    }

    #[test]
    fn flags_become_fields() {
        let said = said(&[
            "--title=Digits",
            "--owner=vision=vision@acme.example",
            "--task=image-classification",
            "--framework=pytorch@2.9.0",
            "--metric=accuracy=0.97@holdout",
            "--hyperparameter=epochs=40",
            "--hyperparameter=schedule=cosine",
            "--source=https://git.example.com/train.git@4f2c1e9",
        ]);
        assert_eq!(
            Value::Object(said.model),
            json!({
                "title": "Digits",
                "owners": [{"team": "vision", "contact": "vision@acme.example"}],
                "classification": {"task": "image-classification"},
            })
        );
        assert_eq!(
            Value::Object(said.version),
            json!({
                "framework": {"name": "pytorch", "version": "2.9.0"},
                "metrics": [{"name": "accuracy", "value": 0.97, "dataset": "holdout"}],
                "hyperparameters": {"epochs": 40, "schedule": "cosine"},
                "lineage": {"source": {
                    "repository": "https://git.example.com/train.git",
                    "commit": "4f2c1e9",
                }},
            })
        );
    }

    #[test]
    fn a_metric_is_a_number() {
        assert!("accuracy=high".parse::<Measured>().is_err());
        assert!("accuracy=NaN".parse::<Measured>().is_err());
        assert!("=1".parse::<Measured>().is_err());
        assert!("0.97".parse::<Measured>().is_err());
    }
}
