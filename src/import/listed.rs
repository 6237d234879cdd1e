//! What a source has, told cheaply: enough to choose from, and to know what was imported before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::record::{ModelName, Version};

/// What a source has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Listing {
    /// Its models, by the names that it has for them.
    pub models: BTreeMap<String, ModelListed>,
    /// Their versions: by model, and of one model from the oldest to the newest.
    pub versions: Vec<Listed>,
    /// How they run there, where it says so.
    pub deployments: Vec<DeploymentListed>,
    /// What it has and can't be imported.
    pub left_out: Vec<LeftOut>,
}

/// How models run at a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeploymentListed {
    /// What the source calls it.
    pub name: String,
    /// Where it runs there: a namespace of Kubernetes, where it says one.
    pub environment: Option<String>,
    /// The cluster, where the source is one.
    pub cluster: Option<String>,
    /// What the source calls it for good.
    pub reference: String,
    /// Fields of the `spec` of a record of kind Deployment. Wherever a record has `model` and
    /// `version`, there are [`Listed::model`] and [`Listed::label`]; `dependsOn` has the source's
    /// names of deployments.
    pub spec: Map<String, Value>,
    /// What of it has no field in a record.
    pub unmapped: Map<String, Value>,
    /// What a person should know of it.
    pub remarks: Vec<String>,
}

impl DeploymentListed {
    /// Names each model and version in `spec` anew: `named` gets what stands there, and gives what
    /// shall.
    ///
    /// # Errors
    /// The model that `named` has no name for; `spec` is then named in part.
    pub fn name_models(
        &mut self,
        mut named: impl FnMut(&str, Option<&str>) -> Option<(String, String)>,
    ) -> Result<(), String> {
        let mut name = |place: &mut Map<String, Value>| {
            let Some(model) = place.get("model").and_then(Value::as_str) else {
                return Ok(());
            };
            let version = place.get("version").and_then(Value::as_str);
            let Some((to, version)) = named(model, version) else {
                return Err(model.to_owned());
            };
            place.insert("model".to_owned(), to.into());
            place.insert("version".to_owned(), version.into());
            Ok(())
        };
        name(&mut self.spec)?;
        for list in ["split", "before", "after"] {
            let items = self.spec.get_mut(list).and_then(Value::as_array_mut);
            for item in items.into_iter().flatten() {
                if let Value::Object(place) = item {
                    name(place)?;
                }
            }
        }
        Ok(())
    }
}

/// What a source says of a model, whatever its version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ModelListed {
    /// Fields of the `spec` of a record of kind Model.
    pub spec: Map<String, Value>,
    /// Its labels, tags or annotations, as they are.
    pub tags: BTreeMap<String, String>,
    /// What of it has no field in a record.
    pub unmapped: Map<String, Value>,
}

/// One version that a source has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listed {
    /// The model, as the source calls it.
    pub model: String,
    /// The version, as the source calls it: `12`, `v1.4`, `main`.
    pub label: String,
    /// What the source's own convention makes of the label, where it makes one: `12` is 12.0.0.
    #[serde(default)]
    pub version: Option<Version>,
    /// Whether the label moves on, as a branch does: what is new under it is the next version of
    /// the model, and not the same one changed.
    #[serde(default)]
    pub moves: bool,
    /// What the source calls it for good: `models:/defects/12`. With the source's kind and place
    /// this is what an import is known by when it is done again.
    pub reference: String,
    /// What is another if the bytes or fields under the same reference are others: a digest, a
    /// commit, the time of its creation.
    #[serde(default)]
    pub revision: Option<String>,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// Where it is in the source's own life cycle.
    #[serde(default)]
    pub stage: Option<String>,
    /// The names that mean it there.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What its model was called here, where the source knows: what was exported does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub here: Option<ModelName>,
    /// Its labels, tags or annotations, as they are.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// Something that can't be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// What it is, as the source calls it.
    pub what: String,
    /// Why not.
    pub why: String,
}

impl Listed {
    /// A version of which nothing else is known.
    pub fn new(model: &str, label: &str, reference: String) -> Self {
        Self {
            model: model.to_owned(),
            label: label.to_owned(),
            version: None,
            moves: false,
            reference,
            revision: None,
            created_at: None,
            stage: None,
            aliases: Vec::new(),
            here: None,
            tags: BTreeMap::new(),
        }
    }
}
