//! Where a version comes from: what is needed to make it again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::address::{Address, WebUrl};
use super::grammar::words;
use super::identity::CommitId;
use super::path::RelativePath;
use super::source::SourceType;
use crate::record::Digest;

/// The code, the run and the data that made a version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lineage {
    /// The code that trained it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<TrainingSource>,
    /// The run of an experiment tracker that trained it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<TrainingRun>,
    /// The data that it was trained and evaluated with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<Dataset>,
    /// The models that it was made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub base: Vec<BaseModel>,
}

/// A commit of a git repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainingSource {
    /// The repository.
    pub repository: Address,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The file or folder in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<RelativePath>,
}

/// A run of an experiment tracker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainingRun {
    /// Which tracker, such as `mlflow`.
    pub system: String,
    /// What the tracker calls the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it can be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<WebUrl>,
}

/// Data that a version was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dataset {
    /// What it is called.
    pub name: String,
    /// Where it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<Address>,
    /// Which bytes it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// A model that a version was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BaseModel {
    /// What it is called: by a yard, or by a hub.
    pub name: String,
    /// What was done with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<BaseRelation>,
    /// Where it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<Address>,
}

words! {
    /// What was done with a model to make another from it.
    BaseRelation, "what was done with a model",
    {
        /// It was trained on with other data.
        Finetune = "finetune",
        /// Weights were trained that stand beside its own.
        Adapter = "adapter",
        /// It was merged with others.
        Merge = "merge",
        /// Its weights were made smaller.
        Quantized = "quantized",
    }
}

/// What an imported version was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Imported {
    /// The kind of source.
    pub from: SourceType,
    /// Where the source is: a URL without credentials, a reference, or a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What the source calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What is another in the source if the bytes under this reference are others: a digest, a
    /// commit, the time of its creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Where it was in the source's own life cycle at the last import. It may still change after
    /// the merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The names that meant it in the source at the last import. They may still change after the
    /// merge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What the source said of it that has no field here.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub unmapped: Map<String, Value>,
}
