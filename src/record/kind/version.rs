//! `kind: ModelVersion`: one immutable release of a model.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::address::WebUrl;
use super::command::Arguments;
use super::dependency::Dependencies;
use super::envelope::{Envelope, Spec};
use super::golden::GoldenTest;
use super::grammar::words;
use super::lineage::{Imported, Lineage};
use super::number::Finite;
use super::path::RelativePath;
use super::tensor::{Parameter, Tensor};
use super::{Kind, Record};
use crate::record::{Digest, Lifecycle, ModelName, Name, OciReference, Repository, Version};

/// `models/<namespace>/<name>/versions/<version>.yaml`.
pub type ModelVersion = Envelope<ModelVersionSpec>;

/// Which version of which model it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelVersionMetadata {
    /// The model's namespace.
    pub namespace: Name,
    /// The model's name.
    pub name: Name,
    /// The version.
    pub version: Version,
}

/// What is known of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelVersionSpec {
    /// Where it is in its life; `staged` where nothing is said.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// What is new in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<String>,
    /// What to know about it; may still change after the merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Where to read on; may still change after the merge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Its bytes.
    pub artifact: Artifact,
    /// Images that carry the same bytes for clusters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<VersionImage>,
    /// What its main file is.
    pub format: Format,
    /// What trained it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framework: Option<Framework>,
    /// The type of its weights, such as `int8` or `fp32`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Name>,
    /// How many weights it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_count: Option<u64>,
    /// What it can run on, such as `cpu` and `cuda`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_devices: Vec<Name>,
    /// The function that serves it, for code that serves itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Entrypoint>,
    /// The tensors it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Tensor>,
    /// The tensors it gives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Tensor>,
    /// What a request may set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// What its training was set to, in any form.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub hyperparameters: Map<String, Value>,
    /// Anything else, in any form.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
    /// What serves it where a deployment says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<DefaultRuntime>,
    /// The language environment that its code needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<CodeEnvironment>,
    /// What it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Dependencies>,
    /// How good it is; at most one is the score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// Requests whose answers are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<GoldenTest>,
    /// What it was before it was imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

/// A page to read on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    /// What it is.
    pub title: String,
    /// Where it is.
    pub url: WebUrl,
}

/// A version's bytes: an OCI manifest by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Artifact {
    /// Where it lies.
    pub repository: Repository,
    /// The manifest's digest: the only identity of the bytes.
    pub digest: Digest,
    /// The size of all its files, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// An OCI image that carries the version's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionImage {
    /// What it is for.
    pub purpose: ImagePurpose,
    /// Where it lies.
    pub repository: Repository,
    /// Which bytes it is.
    pub digest: Digest,
}

words! {
    /// What an image beside an artifact is for.
    ImagePurpose, "an image's purpose",
    {
        /// A sidecar that shows its `/models` to a server (KServe's modelcar).
        Modelcar = "modelcar",
        /// Mounted as a volume.
        Mount = "mount",
        /// Run as the server itself.
        Server = "server",
    }
}

/// What a version's main file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Format {
    /// The format, such as `onnx` or `safetensors`.
    pub name: Name,
    /// Its version; for ONNX the opset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What in it can run code when it is loaded, such as `pickle`; empty where nothing can,
    /// absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Vec<Name>>,
}

/// What trained a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Framework {
    /// Which framework, such as `pytorch`.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The function that serves a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entrypoint {
    /// The file that has it.
    pub file: RelativePath,
    /// What it is called there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
}

/// What serves a version where a deployment says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefaultRuntime {
    /// Which runtime: `onnx`, `python`, `mlserver`, `mlflow`, `container` or `command`.
    pub name: Name,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the program of the runtime `command` is told.
    #[serde(default, skip_serializing_if = "Arguments::is_empty")]
    pub args: Arguments,
}

/// The language environment that a version's code needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CodeEnvironment {
    /// The language, such as `python`.
    pub language: Name,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file of the artifact that lists its packages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirements: Option<RelativePath>,
}

/// How good a version is, by one measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metric {
    /// What is measured.
    pub name: String,
    /// What came out.
    pub value: Finite,
    /// The data it was measured with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The part of that data, such as `test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// The device it was measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Name>,
    /// Whether more is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub higher_is_better: Option<bool>,
    /// Whether this is the number by which versions are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<bool>,
}

impl Spec for ModelVersionSpec {
    const KIND: Kind = Kind::ModelVersion;
    type Metadata = ModelVersionMetadata;
}

impl ModelVersion {
    /// The model that this is a version of.
    pub fn model_name(&self) -> ModelName {
        ModelName::new(self.metadata.namespace.clone(), self.metadata.name.clone())
    }

    /// The metric by which versions are compared, if one is.
    pub fn score(&self) -> Option<&Metric> {
        self.spec
            .metrics
            .iter()
            .find(|metric| metric.score == Some(true))
    }
}

impl Artifact {
    /// The manifest, by its digest.
    pub fn reference(&self) -> OciReference {
        self.repository.at(self.digest)
    }
}

impl From<ModelVersion> for Record {
    fn from(version: ModelVersion) -> Self {
        Self::ModelVersion(version)
    }
}
